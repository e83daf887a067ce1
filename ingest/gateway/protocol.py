"""tus 1.0.0 on the wire: reads, checks and writes its headers (https://tus.io/protocols/resumable-upload)."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email.utils import format_datetime

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from storage.uploads.rows import UploadRow
from triggers.contracts.clip import MAX_CLIP_BYTES
from triggers.contracts.problem import TUS_VERSION
from triggers.errors import (
    BadHeader,
    InvalidInput,
    Misconfigured,
    NotFound,
    Overloaded,
    TooLarge,
    Unauthenticated,
    Unreachable,
    UploadGone,
    WrongProtocolVersion,
)

EXTENSIONS = "creation,expiration,termination"
MANIFEST_TYPE = "application/json"
CHUNK_TYPE = "application/offset+octet-stream"
SERVER_HEADERS = {"Tus-Version": TUS_VERSION, "Tus-Extension": EXTENSIONS, "Tus-Max-Size": str(MAX_CLIP_BYTES)}
HEADERS = (*SERVER_HEADERS, "Tus-Resumable", "Upload-Length", "Upload-Offset", "Upload-Expires")

REQUEST_PROBLEMS = (InvalidInput, Misconfigured, Overloaded, Unauthenticated, Unreachable, WrongProtocolVersion)
"""Errors that any request of a vehicle can be answered with."""
UPLOAD_PROBLEMS = (*REQUEST_PROBLEMS, NotFound, UploadGone)
"""Errors that any request that names an upload can be answered with."""

_NUMBER = re.compile(r"[0-9]{1,15}")
_UPLOAD_ID = re.compile(r"[0-9a-f]{32}")


def require_version(headers: Headers) -> None:
    """WrongProtocolVersion unless the client uses this version."""
    spoken = headers.get("tus-resumable")
    if spoken != TUS_VERSION:
        raise WrongProtocolVersion(
            f"Tus-Resumable is {spoken[:20]!r}" if spoken else "the header Tus-Resumable is missing",
            remedy=f"send Tus-Resumable: {TUS_VERSION}",
        )


def bearer_token(headers: Headers) -> str:
    """The token of `Authorization: Bearer`; Unauthenticated when there is none."""
    scheme, _, token = headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise Unauthenticated("the request has no bearer token", remedy="send Authorization: Bearer lt_...")
    return token.strip()


def upload_length(headers: Headers) -> int:
    """The announced size in bytes; TooLarge above the largest clip."""
    if "upload-defer-length" in headers:
        raise BadHeader("Upload-Defer-Length is not supported", remedy="send Upload-Length")
    length = _number(headers, "Upload-Length")
    if length > MAX_CLIP_BYTES:
        raise TooLarge(f"the clip has {length} bytes, more than {MAX_CLIP_BYTES}")
    return length


def upload_offset(headers: Headers) -> int:
    """The offset in the clip at which the body's bytes begin."""
    return _number(headers, "Upload-Offset")


def content_length(headers: Headers) -> int | None:
    """The body's length if it is announced (None: the body comes in chunks)."""
    return _number(headers, "Content-Length") if "content-length" in headers else None


def _number(headers: Headers, name: str) -> int:
    value = headers.get(name.lower(), "")
    if not _NUMBER.fullmatch(value):
        raise BadHeader(
            f"{name} is {value[:30]!r}" if value else f"the header {name} is missing", remedy="send a number"
        )
    return int(value)


def upload_id(text: str) -> str:
    """An upload's id from a path; NotFound when it cannot be one."""
    if not _UPLOAD_ID.fullmatch(text):
        raise NotFound("there is no such upload", remedy="create it first")
    return text


def location(upload_id: str) -> str:
    """An upload's address, relative to the address it was created at (RFC 9110, 10.2.2).

    It stays correct behind a proxy, whatever prefix the proxy adds.
    """
    return f"uploads/{upload_id}"


def state_headers(upload: UploadRow) -> dict[str, str]:
    """Headers that say how large an upload is, its offset, and until when it can be continued."""
    headers = {"Upload-Length": str(upload.size_bytes), "Upload-Offset": str(upload.offset_bytes)}
    if not upload.whole:
        headers["Upload-Expires"] = http_date(upload.expires_at)
    return headers


def http_date(when: datetime) -> str:
    """A point in time as HTTP writes it (RFC 9110, section 5.6.7)."""
    return format_datetime(when.astimezone(UTC), usegmt=True)


class TusHeaders:
    """Middleware that sets `Tus-Resumable` on every answer below a path, including error responses."""

    def __init__(self, app: ASGIApp, path: str) -> None:
        self._app = app
        self._path = path

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not scope["path"].startswith(self._path):
            await self._app(scope, receive, send)
            return

        async def send_with_version(message: Message) -> None:
            if message["type"] == "http.response.start":
                message.setdefault("headers", [])
                message["headers"] = [*message["headers"], (b"tus-resumable", TUS_VERSION.encode())]
            await send(message)

        await self._app(scope, receive, send_with_version)
