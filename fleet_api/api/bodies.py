"""Request bodies: read within a limit, parsed strictly into their contract type, described in the OpenAPI document."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from typing import Any, TypeVar

from fastapi import Depends, Request

from triggers.contracts.base import Contract
from triggers.errors import TooLarge

KIB = 1024
MIB = 1024**2
C = TypeVar("C", bound=Contract)


def json_body(model: type[C], *, limit_bytes: int = 64 * KIB) -> Any:
    """A dependency: the body as a `model`. TooLarge beyond `limit_bytes`, InvalidInput naming the wrong field.

    The bytes are read on the event loop and parsed in the route's thread, so that a large body delays nobody else.
    """

    def parsed(raw: bytes = Depends(_reader(limit_bytes))) -> C:
        return model.from_json(raw, what="the body")

    return Depends(parsed)


def described(model: type[Contract]) -> dict[str, Any]:
    """What `openapi_extra` says of a route whose body is a `model`."""
    schema = model.model_json_schema()
    whole = _inlined(schema, schema.pop("$defs", {}))
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": whole}}}}


def _inlined(schema: Any, definitions: Mapping[str, Any]) -> Any:
    """The schema with its references replaced by what they name; bodies are trees, none contains itself."""
    if isinstance(schema, dict):
        if "$ref" in schema:
            return _inlined(definitions[schema["$ref"].removeprefix("#/$defs/")], definitions)
        return {key: _inlined(value, definitions) for key, value in schema.items()}
    if isinstance(schema, list):
        return [_inlined(value, definitions) for value in schema]
    return schema


def _reader(limit_bytes: int) -> Callable[[Request], Coroutine[Any, Any, bytes]]:
    async def read(request: Request) -> bytes:
        announced = request.headers.get("content-length", "")
        if announced.isdigit() and len(announced) < 20 and int(announced) > limit_bytes:
            raise _too_large(limit_bytes)
        parts = bytearray()
        async for chunk in request.stream():
            parts += chunk
            if len(parts) > limit_bytes:
                raise _too_large(limit_bytes)
        return bytes(parts)

    return read


def _too_large(limit_bytes: int) -> TooLarge:
    return TooLarge(f"the body is larger than {limit_bytes} bytes", remedy="send less at once")
