"""Request bodies: read up to a size limit, and parsed strictly into their contract type."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from fastapi import Depends, Request

from ingest.http.bodies import require_body
from ingest.http.raising import raises
from triggers.body_digest import HEADER, check_content_digest
from triggers.contracts.base import Contract
from triggers.errors import BadHeader, InvalidInput, TooLarge, TooSlow, UnsupportedBody

KIB = 1024
MIB = 1024**2
MEDIA_TYPE = "application/json"
BODY_S = 120.0
"""How long a body may take to arrive; the server gives silent ones up earlier."""
C = TypeVar("C", bound=Contract)
_ATTRIBUTE = "body_model"


def json_body(model: type[C], *, limit_bytes: int = 64 * KIB) -> Any:
    """A dependency: the body as a `model`. TooLarge beyond `limit_bytes`, InvalidInput naming the wrong field.

    The bytes are read on the event loop and parsed in the route's thread, so that a large body delays no other request.
    """

    @raises(InvalidInput)
    def parsed(raw: bytes = Depends(_reader(limit_bytes))) -> C:
        return model.from_json(raw, what="the body")

    setattr(parsed, _ATTRIBUTE, model)
    return Depends(parsed)


def body_model(dependency: Any) -> type[Contract] | None:
    """The type that a dependency made by `json_body` parses; None for any other dependency."""
    model: type[Contract] | None = getattr(dependency, _ATTRIBUTE, None)
    return model


def _reader(limit_bytes: int) -> Callable[[Request], Coroutine[Any, Any, bytes]]:
    @raises(BadHeader, TooLarge, TooSlow, UnsupportedBody)
    async def read(request: Request) -> bytes:
        require_body(request.headers, MEDIA_TYPE)
        announced = request.headers.get("content-length", "")
        if announced.isdigit() and len(announced) < 20 and int(announced) > limit_bytes:
            raise _too_large(limit_bytes)
        parts = bytearray()
        try:
            async with asyncio.timeout(BODY_S):
                async for chunk in request.stream():
                    parts += chunk
                    if len(parts) > limit_bytes:
                        raise _too_large(limit_bytes)
        except TimeoutError as error:
            raise TooSlow(f"the body did not arrive within {BODY_S:g} s", remedy="send it again, or less") from error
        body = bytes(parts)
        check_content_digest(request.headers.get(HEADER), body)
        return body

    return read


def _too_large(limit_bytes: int) -> TooLarge:
    return TooLarge(f"the body is larger than {limit_bytes} bytes", remedy="send less at once")
