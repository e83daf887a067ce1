"""Serves objects of the directory store, whole or a range of bytes, to anyone with a signed link."""

from __future__ import annotations

import re
from collections.abc import Iterator
from mimetypes import guess_type
from pathlib import PurePosixPath
from typing import Annotated

from fastapi import APIRouter, Header, Query, Request, Response
from fastapi.responses import StreamingResponse

from fleet_api.http.routing import ApiRoute
from fleet_api.http.services import Use
from ingest.http.raising import raises
from storage.objects import DirectoryStore, ObjectStore
from triggers.contracts import media_types
from triggers.errors import Forbidden, InvalidInput, NotFound, Untrusted, WrongRange

CHUNK_BYTES = 1024**2
_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")
_HEADERS = {
    "Accept-Ranges": "bytes",
    "Cache-Control": "private, max-age=3600",
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "X-Content-Type-Options": "nosniff",
}
"""A browser must never run content from vehicles and labelers as a page of this origin."""

_BYTES = {"*/*": {"schema": {"type": "string", "format": "binary"}}}
_ACCEPTS = {"Accept-Ranges": {"description": "`bytes`: ranges may be requested.", "schema": {"type": "string"}}}

router = APIRouter(tags=["objects"], route_class=ApiRoute)


@router.get(
    "/objects/{key:path}",
    summary="Read an object",
    response_class=Response,
    responses={
        200: {"description": "The object", "content": _BYTES, "headers": _ACCEPTS},
        206: {"description": "The requested range of bytes", "content": _BYTES, "headers": _ACCEPTS},
    },
)
@raises(Forbidden, WrongRange)
def read_object(
    request: Request,
    services: Use,
    key: str,
    *,
    expires: Annotated[int, Query(ge=0, le=2**53, description="Unix time in s at which the link expires.")],
    signature: Annotated[str, Query(max_length=200)],
    wanted: Annotated[str | None, Header(alias="Range")] = None,
) -> Response:
    """The bytes of the linked object; no token is needed. A request may ask for one range (RFC 9110, section 14)."""
    store = services.store
    if not isinstance(store, DirectoryStore):
        raise NotFound("this deployment's objects are not served here", remedy="use the links in the API's answers")
    try:
        store.verify_link(key, expires_unix_s=expires, signature=signature)
    except (InvalidInput, Untrusted) as error:  # no link was ever issued for what is not a key
        raise Forbidden(error.message, remedy=error.remedy) from error
    size_bytes = store.stat(key).size_bytes
    part = _range(wanted, size_bytes)
    start, length = part or (0, size_bytes)
    headers = {**_HEADERS, "Content-Length": str(length), "Content-Type": _media_type(key)}
    if part is not None:
        headers["Content-Range"] = f"bytes {start}-{start + length - 1}/{size_bytes}"
    status = 200 if part is None else 206
    if request.method == "HEAD":
        return Response(None, status, headers=headers)
    return StreamingResponse(_chunks(store, key, start, length), status, headers=headers)


def _range(wanted: str | None, size_bytes: int) -> tuple[int, int] | None:
    """Start and length of the requested range; None without one, or for one that may be ignored.

    Units other than bytes, and several ranges at once, may be ignored (RFC 9110, section 14.2).
    """
    match = _RANGE.fullmatch(wanted.replace(" ", "")) if wanted else None
    if match is None or match.group(1, 2) == ("", ""):
        return None
    first, last = match.groups()
    if first == "":
        length = min(int(last), size_bytes)
        start = size_bytes - length
    else:
        start = int(first)
        length = min(int(last) if last else size_bytes - 1, size_bytes - 1) - start + 1
        if last and int(last) < start:
            return None
    if length <= 0 or start >= size_bytes:
        raise WrongRange(f"the range {wanted!r} is not in the object", size_bytes=size_bytes)
    return start, length


def _chunks(store: ObjectStore, key: str, start: int, length: int) -> Iterator[bytes]:
    while length > 0:
        chunk = store.get(key, start=start, length=min(length, CHUNK_BYTES))
        if not chunk:
            return
        yield chunk
        start, length = start + len(chunk), length - len(chunk)


def _media_type(key: str) -> str:
    ending = PurePosixPath(key).suffix.lower()
    return media_types.BY_ENDING.get(ending) or guess_type(key)[0] or "application/octet-stream"
