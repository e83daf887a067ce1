"""The gateway's routes for the OpenAPI document, which the API serves for both."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from pydantic import BaseModel

from ingest.gateway import app
from ingest.gateway.creation import create_upload
from ingest.gateway.tus import checksum, metadata, protocol
from ingest.gateway.writing import write_upload
from ingest.http.raising import declared, problem_responses, reference
from triggers.contracts.clip import MAX_CLIP_BYTES, CreationRequest
from triggers.contracts.problem import TUS_VERSION
from triggers.errors import LongtailError

MODELS: tuple[type[BaseModel], ...] = (CreationRequest,)
"""The types whose schemas these paths refer to."""

Schema = dict[str, Any]

_BASE64 = "[A-Za-z0-9+/]"
_PAIR = f"[A-Za-z0-9_.-]+ ({_BASE64}{{4}})+"
_COUNT: Schema = {"type": "integer", "minimum": 0, "maximum": MAX_CLIP_BYTES}
_TUS_RESUMABLE: Schema = {
    "name": "Tus-Resumable",
    "in": "header",
    "required": True,
    "description": "The tus version that the client uses.",
    "schema": {"type": "string", "const": TUS_VERSION},
}
_UPLOAD_LENGTH: Schema = {
    "name": "Upload-Length",
    "in": "header",
    "required": True,
    "description": "The clip's size in bytes, as in its manifest.",
    "schema": {"type": "integer", "minimum": 1, "maximum": MAX_CLIP_BYTES},
}
_UPLOAD_OFFSET: Schema = {
    "name": "Upload-Offset",
    "in": "header",
    "required": True,
    "description": "The offset in the clip at which the body's bytes begin.",
    "schema": _COUNT,
}
_UPLOAD_METADATA: Schema = {
    "name": metadata.HEADER,
    "in": "header",
    "required": False,
    "description": "Pairs of a key and a value in base64, as in tus. Without a body, `manifest` (the JSON of a"
    " ClipManifest) and `network` create the upload.",
    "schema": {
        "type": "string",
        "maxLength": metadata.MAX_METADATA_BYTES,
        "pattern": f"^{_PAIR}(,{_PAIR})*$",
    },
}
_UPLOAD_CHECKSUM: Schema = {
    "name": checksum.HEADER,
    "in": "header",
    "required": False,
    "description": f"The hash of the body: {', '.join(checksum.ALGORITHMS)}, a space, and base64.",
    "schema": {
        "type": "string",
        "pattern": f"^(md5|sha1|sha256) {_BASE64}+={{0,2}}$",
        "examples": ["sha1 2jmj7l5rSw0yVb/vlWAYkK/YBwk="],
    },
}
_UPLOAD_ID: Schema = {
    "name": "upload_id",
    "in": "path",
    "required": True,
    "description": "The upload's id, from the Location header of its creation.",
    "schema": {"type": "string", "pattern": "^[0-9a-f]{32}$"},
}
_HEADERS: dict[str, Schema] = {
    "Tus-Resumable": {"description": "The tus version that this server uses.", "schema": {"type": "string"}},
    "Location": {
        "description": "The upload's address, relative to the address of the request.",
        "schema": {"type": "string"},
    },
    "Upload-Length": {"description": "The clip's size in bytes.", "schema": _COUNT},
    "Upload-Offset": {"description": "How many bytes are acknowledged: the offset to continue at.", "schema": _COUNT},
    "Upload-Expires": {
        "description": "Until when the upload can be continued; absent once it is complete. Progress puts it off.",
        "schema": {"type": "string"},
    },
    "Upload-Metadata": {"description": "The header of the upload's creation.", "schema": {"type": "string"}},
    "Tus-Checksum-Algorithm": {"description": "The algorithms of Upload-Checksum.", "schema": {"type": "string"}},
    "Tus-Version": {"description": "The tus versions that this server supports.", "schema": {"type": "string"}},
    "Tus-Extension": {"description": "The tus extensions that this server supports.", "schema": {"type": "string"}},
    "Tus-Max-Size": {"description": "The size of the largest clip in bytes.", "schema": _COUNT},
    "Allow": {"description": "The methods that this address supports.", "schema": {"type": "string"}},
}
_PROGRESS = ("Upload-Offset", "Upload-Expires")
_STATE = ("Upload-Length", *_PROGRESS, "Upload-Metadata")


def paths(gateway_url: str) -> dict[str, Schema]:
    """The path items of the gateway at this address."""
    servers = [{"url": gateway_url, "description": "The upload gateway"}]
    return {
        app.PATH: {"servers": servers, "options": _options("describe_uploads"), "post": _creation()},
        f"{app.PATH}/{{upload_id}}": {
            "servers": servers,
            "options": _options("describe_upload", {**_UPLOAD_ID, "schema": {"type": "string"}}),
            "head": _offset(),
            "patch": _writing(),
            "delete": _termination(),
        },
    }


def _creation() -> Schema:
    return {
        **_operation(create_upload, "Create an upload", _UPLOAD_LENGTH, _UPLOAD_METADATA),
        "requestBody": _body(protocol.MANIFEST_TYPE, reference(CreationRequest)),
        "responses": {
            "200": _success("The upload that this clip already has", "Location", *_STATE),
            "201": _success("A new upload; the clip's bytes are reserved in its budgets", "Location", *_STATE),
            **_problems(create_upload),
        },
    }


def _offset() -> Schema:
    problems = _problems(app.show_upload)
    for response in problems.values():
        del response["content"]  # an answer to HEAD has no body
    return {
        **_operation(app.show_upload, "Show an upload's offset", _UPLOAD_ID),
        "responses": {"200": _success("The offset to continue at", *_STATE), **problems},
    }


def _writing() -> Schema:
    return {
        **_operation(write_upload, "Send bytes of a clip", _UPLOAD_ID, _UPLOAD_OFFSET, _UPLOAD_CHECKSUM),
        "requestBody": _body(protocol.CHUNK_TYPE, {"type": "string", "format": "binary"}),
        "responses": {
            "204": _success("The offset to continue at; all bytes before it are durable", *_PROGRESS),
            **_problems(write_upload),
        },
    }


def _termination() -> Schema:
    return {
        **_operation(app.terminate_upload, "Terminate an upload", _UPLOAD_ID),
        "responses": {"204": _success("Its bytes are no longer reserved"), **_problems(app.terminate_upload)},
    }


def _options(operation_id: str, *parameters: Schema) -> Schema:
    headers = ("Allow", "Tus-Version", "Tus-Extension", "Tus-Max-Size", "Tus-Checksum-Algorithm")
    return {
        "operationId": operation_id,
        "tags": ["uploads"],
        "summary": "Show methods and protocol",
        "description": "The methods of this address, and the supported tus version and extensions. No token is needed.",
        "security": [],
        "parameters": list(parameters),
        "responses": {"204": _success("Methods, and the protocol's version and extensions", *headers)},
    }


def _operation(endpoint: Callable[..., Any], summary: str, *parameters: Schema) -> Schema:
    return {
        "operationId": endpoint.__name__,
        "tags": ["uploads"],
        "summary": summary,
        "description": inspect.getdoc(endpoint) or "",
        "security": [{"vehicle_token": []}],
        "parameters": [_TUS_RESUMABLE, *parameters],
    }


def _problems(endpoint: Callable[..., Any]) -> dict[str, Schema]:
    return problem_responses([LongtailError, *declared(endpoint)])


def _body(media_type: str, schema: Schema) -> Schema:
    return {"required": True, "content": {media_type: {"schema": schema}}}


def _success(description: str, *headers: str) -> Schema:
    return {"description": description, "headers": {name: _HEADERS[name] for name in ("Tus-Resumable", *headers)}}
