"""The tus 1.0 client (https://tus.io/protocols/resumable-upload): core, creation, expiration, termination.

The gateway acknowledges whole cells and the last one; anything beyond is sent again. Therefore nothing is concluded
from what was sent. Only the `Upload-Offset` that the gateway returns counts, and an upload is complete when it equals
the size.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urljoin, urlsplit, urlunsplit

import httpx

from triggers.contracts.clip import CELL_BYTES, CreationRequest
from triggers.contracts.problem import TUS_VERSION
from triggers.errors import Conflict, InvalidInput, LongtailError, NotFound, UploadGone
from triggers.vehicle.http import MAX_PROBLEM_BYTES, json_body, reaching, read_bounded, refusal

TUS = {"Tus-Resumable": TUS_VERSION}
OFFSET = "Upload-Offset"
READ_BYTES = 64 * 1024
SETTING = "gateway_url"
CHECKSUM_MISMATCH = 460
"""The status of tus for bytes that arrived altered."""


class ChunkAltered(InvalidInput):
    """A cell arrived with other bytes than the manifest says, so it was not acknowledged."""


@dataclass(frozen=True)
class OpenUpload:
    """An upload at the gateway: its URL and the number of acknowledged bytes."""

    url: str
    offset_bytes: int


class TusClient:
    """Creates, resumes and sends uploads at one gateway."""

    def __init__(self, gateway_url: str, http: httpx.Client, *, chunk_bytes: int) -> None:
        self._gateway_url = gateway_url.rstrip("/")
        self._http = http
        self._chunk_bytes = chunk_bytes

    def create(self, request: CreationRequest) -> OpenUpload:
        """Announce a clip; the same clip again gives the same upload.

        BudgetExhausted when a budget refuses its bytes, ManifestInvalid, TooLarge, ClipFailed when it was here before
        and failed. Any other refusal (Overloaded, Unauthenticated, Unreachable, ...), and one of these statuses without
        a problem document of the gateway, says nothing about the clip: try again later.
        """
        url, size_bytes = f"{self._gateway_url}/v1/uploads", request.manifest.size_bytes
        sent = json_body(request.canonical_json())
        headers = {**TUS, "Upload-Length": str(size_bytes), **sent["headers"]}
        reply, body = self._send("POST", url, headers, sent["content"])
        if reply.status_code not in (httpx.codes.CREATED, httpx.codes.OK):
            raise refusal(reply, body, "the upload gateway refused the clip")
        location = self._location(reply)
        if OFFSET in reply.headers:
            return OpenUpload(location, _offset(reply, size_bytes))
        return OpenUpload(location, 0) if reply.status_code == httpx.codes.CREATED else self.look(location, size_bytes)

    def look(self, url: str, size_bytes: int) -> OpenUpload:
        """The state of an upload. Raises NotFound if it expired."""
        reply, body = self._send("HEAD", url, TUS, None)
        if reply.status_code not in (httpx.codes.OK, httpx.codes.NO_CONTENT):
            raise _upload_refused(reply, body)
        return OpenUpload(url, _offset(reply, size_bytes))

    def send_chunk(self, upload: OpenUpload, path: Path, size_bytes: int) -> OpenUpload:
        """Send the next chunk of the file and return the upload's new state.

        Raises NotFound if it expired, and ChunkAltered if a cell arrived with other bytes than the manifest says.

        A chunk ends at the end of a cell or of the file, so that all of it can be acknowledged.
        """
        start = upload.offset_bytes
        end = min(size_bytes, (start + self._chunk_bytes) // CELL_BYTES * CELL_BYTES)
        headers = {
            **TUS,
            OFFSET: str(start),
            "Content-Type": "application/offset+octet-stream",
            "Content-Length": str(end - start),
        }
        reply, body = self._send("PATCH", upload.url, headers, _read(path, start, end))
        if reply.status_code != httpx.codes.NO_CONTENT:
            raise _upload_refused(reply, body)
        return OpenUpload(upload.url, _offset(reply, size_bytes))

    def terminate(self, url: str) -> None:
        """Terminate an upload; succeeds, too, if it is already gone or complete (in which case its clip is kept)."""
        reply, body = self._send("DELETE", url, TUS, None)
        if reply.status_code == httpx.codes.NO_CONTENT:
            return
        error = refusal(reply, body, "the upload gateway refused to terminate an upload")
        if not isinstance(error, NotFound | UploadGone | Conflict):
            raise error

    def _send(
        self, method: str, url: str, headers: dict[str, str], content: bytes | Iterator[bytes] | None
    ) -> tuple[httpx.Response, bytes]:
        with (
            reaching("the upload gateway", SETTING, url),
            self._http.stream(method, url, headers=headers, content=content) as reply,
        ):
            return reply, read_bounded(reply, MAX_PROBLEM_BYTES)

    def _location(self, reply: httpx.Response) -> str:
        """The upload's URL, always at the configured gateway, so that the vehicle's token is sent to no other host.

        Behind a proxy that terminates TLS, a gateway may know itself by another scheme, name or port, so only the path
        of its answer is used.
        """
        if not reply.headers.get("Location"):
            raise InvalidInput(f"the upload gateway at {self._gateway_url} returned no URL for the upload")
        given = urlsplit(urljoin(f"{self._gateway_url}/v1/uploads", reply.headers["Location"]))
        asked = urlsplit(self._gateway_url)
        return urlunsplit((asked.scheme, asked.netloc, given.path, given.query, ""))


def _offset(reply: httpx.Response, size_bytes: int) -> int:
    text = reply.headers.get(OFFSET, "")
    if not (text.isascii() and text.isdigit()) or int(text) > size_bytes:
        raise InvalidInput(f"the upload gateway answered with {OFFSET} {text!r} for a clip of {size_bytes} bytes")
    return int(text)


def _read(path: Path, start: int, end: int) -> Iterator[bytes]:
    with path.open("rb") as file:
        file.seek(start)
        while start < end:
            piece = file.read(min(READ_BYTES, end - start))
            if not piece:
                raise OSError(f"{path.name} ends at {start} bytes instead of {end} or later")
            start += len(piece)
            yield piece


def _upload_refused(reply: httpx.Response, body: bytes) -> LongtailError:
    """NotFound if the upload is gone; InvalidInput for a mistake in the request, which does not judge the clip."""
    error = refusal(reply, body, "the upload gateway refused a part of the clip")
    if reply.status_code == CHECKSUM_MISMATCH:
        return ChunkAltered(error.message)
    if isinstance(error, NotFound | UploadGone):
        return NotFound(error.message)
    return InvalidInput(error.message) if isinstance(error, InvalidInput | Conflict) else error
