"""Signed answers in the OpenAPI document: the binary envelope, and the JSON in it."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from ingest.http.raising import reference
from triggers.contracts.bundle import Bundle
from triggers.contracts.checkin import AssignmentList
from triggers.contracts.signing import HEADER_BYTES

SIGNED: tuple[type[BaseModel], ...] = (AssignmentList, Bundle)


def signed_response(model: type[BaseModel], description: str) -> dict[str, Any]:
    """The response of a route that answers with a signed `model`, one of SIGNED."""
    schema = {"$ref": f"#/components/schemas/{_name(model)}"}
    return {"description": description, "content": {"application/octet-stream": {"schema": schema}}}


def signed_schemas() -> dict[str, Any]:
    """A component for each envelope. JSON Schema cannot describe the inside of binary data, so the description does."""
    return {
        _name(model): {
            "type": "string",
            "format": "binary",
            "description": (
                f"A signed `{model.__name__}`: the magic `LTS1`, the 8-byte id of the key, the 64-byte Ed25519 "
                f"signature, and from byte {HEADER_BYTES} on the payload: the `{model.__name__}` as UTF-8 JSON."
            ),
            "x-payload-offset-bytes": HEADER_BYTES,
            "x-payload": reference(model),
        }
        for model in SIGNED
    }


def _name(model: type[BaseModel]) -> str:
    return f"Signed{model.__name__}"
