"""tus 1.0.0 on the wire: reads, checks and writes its headers (https://tus.io/protocols/resumable-upload)."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email.utils import format_datetime

from starlette.datastructures import Headers

from ingest.gateway.tus.checksum import ALGORITHMS
from ingest.gateway.tus.middleware import METHOD_OVERRIDE
from storage.tables.uploads import UploadState
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
    TooMany,
    Unauthenticated,
    Unreachable,
    UploadGone,
    WrongProtocolVersion,
)

EXTENSIONS = "creation,expiration,checksum,termination"
MANIFEST_TYPE = "application/json"
CHUNK_TYPE = "application/offset+octet-stream"
SERVER_HEADERS = {
    "Tus-Version": TUS_VERSION,
    "Tus-Extension": EXTENSIONS,
    "Tus-Max-Size": str(MAX_CLIP_BYTES),
    "Tus-Checksum-Algorithm": ",".join(ALGORITHMS),
}
HEADERS = (
    *SERVER_HEADERS,
    "Tus-Resumable",
    "Upload-Checksum",
    "Upload-Expires",
    "Upload-Length",
    "Upload-Metadata",
    "Upload-Offset",
    METHOD_OVERRIDE,
)

REQUEST_PROBLEMS = (
    InvalidInput,
    Misconfigured,
    Overloaded,
    TooMany,
    Unauthenticated,
    Unreachable,
    WrongProtocolVersion,
)
"""Errors that any request of a vehicle can be answered with."""
UPLOAD_PROBLEMS = (*REQUEST_PROBLEMS, NotFound, UploadGone)
"""Errors that any request that names an upload can be answered with."""

_NUMBER = re.compile(r"0*([0-9]{1,15})")
_BEYOND_ANY_CLIP = re.compile(r"0*[1-9][0-9]{15,}")
_SHOWN = 30
"""Characters of a header that a message repeats."""
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
    """The announced size in bytes; TooLarge above the largest clip, however many digits it has (a MUST of tus)."""
    for extension in ("Upload-Defer-Length", "Upload-Concat"):
        if extension.lower() in headers:
            raise BadHeader(f"{extension} is not supported", remedy="send a whole clip, with its Upload-Length")
    sent = headers.get("upload-length", "")
    if _BEYOND_ANY_CLIP.fullmatch(sent) or (length := _number(headers, "Upload-Length")) > MAX_CLIP_BYTES:
        raise TooLarge(f"the clip has {_cut(sent)} bytes, more than {MAX_CLIP_BYTES}", remedy="record shorter clips")
    return length


def upload_offset(headers: Headers) -> int:
    """The offset in the clip at which the body's bytes begin."""
    return _number(headers, "Upload-Offset")


def content_length(headers: Headers) -> int | None:
    """The body's length if it is announced (None: the body comes in chunks)."""
    return _number(headers, "Content-Length") if "content-length" in headers else None


def has_body(headers: Headers) -> bool:
    """Whether the request has a body of at least one byte, as far as its headers say."""
    return "transfer-encoding" in headers or bool(content_length(headers))


def _number(headers: Headers, name: str) -> int:
    sent = headers.getlist(name.lower())
    if len(set(sent)) > 1:
        shown = ", ".join(repr(_cut(value)) for value in sent[:3])
        raise BadHeader(f"{name} is given {len(sent)} times: {shown}", remedy="send it once")
    value = sent[0] if sent else ""
    number = _NUMBER.fullmatch(value)
    if number is None:
        raise BadHeader(
            f"{name} is {_cut(value)!r}" if value else f"the header {name} is missing", remedy="send a number"
        )
    return int(number[1])  # without leading zeros, of which int() refuses thousands


def _cut(value: str) -> str:
    return value if len(value) <= _SHOWN else f"{value[:_SHOWN]}…"


def upload_id(text: str) -> str:
    """An upload's id from a path; NotFound when it cannot be one."""
    if not _UPLOAD_ID.fullmatch(text):
        raise NotFound("there is no such upload", remedy="create it first")
    return text


def location(upload_id: str, *, asked: str) -> str:
    """An upload's address, relative to the path at which its creation was `asked` for (RFC 9110, 10.2.2).

    It stays correct behind a proxy, whatever prefix the proxy adds.
    """
    return upload_id if asked.endswith("/") else f"uploads/{upload_id}"


def progress_headers(upload: UploadRow) -> dict[str, str]:
    """Headers that say the offset of an upload, and until when it can be continued."""
    headers = {"Upload-Offset": str(upload.offset_bytes)}
    if upload.state == UploadState.OPEN:
        headers["Upload-Expires"] = http_date(upload.expires_at)
    return headers


def state_headers(upload: UploadRow) -> dict[str, str]:
    """Headers that say everything of an upload: also its size, and the metadata that it was created with."""
    metadata = {"Upload-Metadata": upload.metadata} if upload.metadata else {}
    return {"Upload-Length": str(upload.size_bytes), **progress_headers(upload), **metadata}


def http_date(when: datetime) -> str:
    """A point in time as HTTP writes it (RFC 9110, section 5.6.7)."""
    return format_datetime(when.astimezone(UTC), usegmt=True)
