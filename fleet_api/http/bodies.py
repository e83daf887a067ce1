"""Request bodies: read up to a size limit, and parsed strictly into their contract type."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any, TypeVar

from fastapi import Depends, Request

from fleet_api.http.auth import caller_of
from fleet_api.http.threads import in_threads_of_caller
from ingest.http.bodies import require_body
from ingest.http.bounds.byte_budget import ByteBudget, Hold
from ingest.http.bounds.nodes import require_few_nodes
from ingest.http.bounds.pace import PACE, paced
from ingest.http.raising import raises
from triggers.body_digest import HEADER, check_content_digest
from triggers.contracts.base import Contract
from triggers.errors import BadHeader, InvalidInput, Overloaded, TooLarge, TooSlow, UnsupportedBody

KIB = 1024
MIB = 1024**2
MEDIA_TYPE = "application/json"
LARGEST_BODY_BYTES = 16 * MIB
"""Of any route; none of them gets a larger limit."""
WAIT_S = 5.0
"""How long a body may wait for its caller's share of memory."""
C = TypeVar("C", bound=Contract)
_ATTRIBUTE, _OPTIONAL = "body_model", "body_is_optional"


def json_body(model: type[C], *, limit_bytes: int = 64 * KIB, is_optional: bool = False) -> Any:
    """A dependency: the body as a `model`. TooLarge beyond `limit_bytes`, InvalidInput naming the wrong field.

    A request without any body is taken as an empty document where `is_optional`.

    The bytes are read on the event loop and parsed in a thread of the caller, so that a large body delays nobody else.
    They count as their caller's until the request is answered.
    """
    if limit_bytes > LARGEST_BODY_BYTES:
        raise ValueError(f"no body may have {limit_bytes} bytes")

    @raises(InvalidInput, TooLarge)
    async def parsed(request: Request, raw: bytes = Depends(_reader(limit_bytes, is_optional=is_optional))) -> C:
        def parse() -> C:
            require_few_nodes(raw)
            return model.from_json(raw, what="the body")

        return await in_threads_of_caller(request, parse)

    setattr(parsed, _ATTRIBUTE, model)
    setattr(parsed, _OPTIONAL, is_optional)
    return Depends(parsed)


def new_bodies(total_bytes: int) -> ByteBudget:
    """The memory for the bodies of all requests of a process."""
    return ByteBudget(
        total_bytes, largest_bytes=LARGEST_BODY_BYTES, what="bodies of requests", setting="LONGTAIL_API_BODY_BYTES"
    )


def bodies_of(request: Request) -> ByteBudget:
    """The budget of the application that handles this request."""
    budget: ByteBudget = request.app.state.bodies
    return budget


def body_model(dependency: Any) -> type[Contract] | None:
    """The type that a dependency made by `json_body` parses; None for any other dependency."""
    model: type[Contract] | None = getattr(dependency, _ATTRIBUTE, None)
    return model


def is_optional_body(dependency: Any) -> bool:
    """Whether requests may come without the body that a dependency made by `json_body` parses."""
    return bool(getattr(dependency, _OPTIONAL, False))


def _reader(limit_bytes: int, *, is_optional: bool) -> Callable[[Request], AsyncIterator[bytes]]:
    @raises(BadHeader, Overloaded, TooLarge, TooSlow, UnsupportedBody)
    async def read(request: Request) -> AsyncIterator[bytes]:
        if is_optional and _has_none(request):
            yield b"{}"
            return
        require_body(request.headers, MEDIA_TYPE)
        announced = request.headers.get("content-length", "")
        if announced.isdigit() and len(announced) < 20 and int(announced) > limit_bytes:
            raise _too_large(limit_bytes)
        hold = bodies_of(request).hold(caller_of(request))
        try:
            body = await _received(request, hold, limit_bytes)
            check_content_digest(request.headers.get(HEADER), body)
            yield body
        finally:
            hold.release()

    return read


def _has_none(request: Request) -> bool:
    """Whether the request has no body, and does not say that it has one."""
    headers = request.headers
    is_empty = headers.get("content-length", "0") == "0" and "transfer-encoding" not in headers
    return is_empty and "content-type" not in headers


async def _received(request: Request, hold: Hold, limit_bytes: int) -> bytes:
    parts = bytearray()
    async for chunk in paced(request.stream(), PACE, remedy="send it again, or less"):
        if len(parts) + len(chunk) > limit_bytes:
            raise _too_large(limit_bytes)
        await hold.grow(len(chunk), wait_s=WAIT_S)
        parts += chunk
    return bytes(parts)


def _too_large(limit_bytes: int) -> TooLarge:
    return TooLarge(f"the body is larger than {limit_bytes} bytes", remedy="send less at once")
