"""Messages of JSON-RPC 2.0 (https://www.jsonrpc.org/specification), checked as far as a server has to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from triggers.foreign_text import foreign_name

PARSE_ERROR = -32700
INVALID_REQUEST = -32600
METHOD_NOT_FOUND = -32601
INVALID_PARAMS = -32602
INTERNAL_ERROR = -32603
BUSY = -32000
UNSUPPORTED_VERSION = -32022
"""Of MCP itself: the request names a version of the protocol that this server does not speak."""
MAX_ID_CHARACTERS = 1000
MAX_ID = 2**63

Id = str | int


class ProtocolError(Exception):
    """What a request is answered with that is not one of the protocol, or cannot be served."""

    def __init__(self, code: int, message: str, data: object = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.data = data


@dataclass(frozen=True, slots=True)
class Request:
    """A request (with an id) or a notification (without one)."""

    id: Id | None
    method: str
    params: dict[str, Any]

    @property
    def meta(self) -> dict[str, Any]:
        """What the request says about itself, beside its parameters."""
        meta = self.params.get("_meta", {})
        return meta if isinstance(meta, dict) else {}


def request_of(message: object) -> Request | None:
    """The request or notification that a document is; None for a response, as this server asks nothing.

    Raises ProtocolError for anything else.
    """
    if not isinstance(message, dict) or message.get("jsonrpc") != "2.0":
        raise ProtocolError(INVALID_REQUEST, 'not a message of JSON-RPC: an object with "jsonrpc": "2.0" is needed')
    if "method" not in message and ("result" in message or "error" in message):
        return None
    method, params = message.get("method"), message.get("params", {})
    if not isinstance(method, str):
        raise ProtocolError(INVALID_REQUEST, "`method` must be a text")
    if "id" in message and not is_id(message["id"]):
        raise ProtocolError(INVALID_REQUEST, "`id` must be a text or a whole number")
    if not isinstance(params, dict) or not isinstance(params.get("_meta", {}), dict):
        raise ProtocolError(INVALID_PARAMS, "`params` must be an object, and `_meta` in it, too")
    return Request(message.get("id"), method, params)


def is_id(value: object) -> bool:
    """Whether a value can be a request's id, or its progress token."""
    if isinstance(value, str):
        return len(value) <= MAX_ID_CHARACTERS
    return isinstance(value, int) and not isinstance(value, bool) and abs(value) <= MAX_ID


def id_in(message: object) -> Id | None:
    """The id of a message that may be wrong otherwise, so that its sender can tell which one it was."""
    found = message.get("id") if isinstance(message, dict) else None
    return found if is_id(found) else None


def text_in(params: dict[str, Any], name: str) -> str:
    """A parameter that must be a text; ProtocolError if it is not."""
    value = params.get(name)
    if not isinstance(value, str):
        raise ProtocolError(INVALID_PARAMS, f"`{name}` must be a text")
    return value


def object_in(params: dict[str, Any], name: str) -> dict[str, Any]:
    """A parameter that must be an object, empty where it is missing; ProtocolError if it is something else."""
    value = params.get(name)
    if value is not None and not isinstance(value, dict):
        raise ProtocolError(INVALID_PARAMS, f"`{name}` must be an object")
    return value or {}


def unknown(kind: str, name: str, code: int = INVALID_PARAMS) -> ProtocolError:
    """The error for a name that this server does not know."""
    return ProtocolError(code, f"there is no {kind} {foreign_name(name)}")


def result_message(request_id: Id, result: dict[str, Any]) -> dict[str, Any]:
    """The response with a result."""
    return {"jsonrpc": "2.0", "id": request_id, "result": result}


def error_message(request_id: Id | None, error: ProtocolError) -> dict[str, Any]:
    """The response with an error; without an id for what could not be read."""
    content = {"code": error.code, "message": error.message}
    if error.data is not None:
        content |= {"data": error.data}
    return {"jsonrpc": "2.0", "id": request_id, "error": content}


def notification(method: str, params: dict[str, Any]) -> dict[str, Any]:
    """A message that is not answered."""
    return {"jsonrpc": "2.0", "method": method, "params": params}
