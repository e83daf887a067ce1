"""PATCH /v1/uploads/{id}: receives the bytes of a clip and acknowledges them once the log has them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from datetime import UTC, datetime

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from ingest.gateway import protocol
from ingest.gateway.cells import CellWriter
from ingest.gateway.service import Gateway
from ingest.http.bodies import require_body
from ingest.http.problems import problem_response
from ingest.http.raising import raises
from storage.uploads import progress
from storage.uploads.rows import UploadRow
from triggers.errors import BadHeader, Fenced, LongtailError, TooLarge, TooSlow, UnsupportedBody, WrongOffset

_log = logging.getLogger(__name__)


@raises(*protocol.UPLOAD_PROBLEMS, BadHeader, Fenced, TooLarge, TooSlow, UnsupportedBody, WrongOffset)
async def write_upload(gateway: Gateway, request: Request) -> Response:
    """204 with the offset to continue at: whole cells count, a remainder shorter than a cell must be sent again.

    However the body ends (disconnect, silence, too many bytes, a failing log), the cells appended by then count.
    """
    protocol.require_version(request.headers)
    vehicle_id = await gateway.authenticate(protocol.bearer_token(request.headers))
    require_body(request.headers, protocol.CHUNK_TYPE)
    offset = protocol.upload_offset(request.headers)
    announced = protocol.content_length(request.headers)
    upload_id = protocol.upload_id(request.path_params["upload_id"])
    now = datetime.now(UTC)
    upload = await gateway.transact(lambda c: progress.begin_write(c, upload_id, vehicle_id, offset, now=now))
    if announced is not None and announced > upload.size_bytes - offset:
        raise _too_long(upload)
    if upload.whole:
        return Response(status_code=204, headers=protocol.state_headers(upload))
    with gateway.writing(vehicle_id):
        return await _Writing(gateway, upload).run(request)


class _Writing:
    """One PATCH request from the first byte to the answer."""

    def __init__(self, gateway: Gateway, upload: UploadRow) -> None:
        self._gateway = gateway
        self._upload = upload
        self._stored_bytes = upload.offset_bytes
        self._stored_at_s = asyncio.get_running_loop().time()
        self._cells = CellWriter(upload, append=gateway.append, in_flight=gateway.in_flight, limits=gateway.limits)

    async def run(self, request: Request) -> Response:
        problem: Exception | None = None
        storing = asyncio.create_task(self._store_offsets())
        try:
            await self._gather(request)
        except (ClientDisconnect, LongtailError) as error:
            problem = error
        finally:
            self._cells.end()
            failure = await storing
        problem = failure or problem
        if not isinstance(problem, Fenced):
            await self._store_offset(self._cells.durable_bytes)
        if problem is not None and not isinstance(problem, ClientDisconnect | LongtailError):
            raise problem
        return self._answer(problem)

    async def _gather(self, request: Request) -> None:
        left = self._upload.size_bytes - self._upload.offset_bytes
        chunks = request.stream()
        while (chunk := await self._next_chunk(chunks)) is not None:
            fitting = memoryview(chunk)[:left]
            left -= len(fitting)
            await self._cells.write(fitting)
            if len(fitting) < len(chunk):
                raise _too_long(self._upload)

    async def _next_chunk(self, chunks: AsyncIterator[bytes]) -> bytes | None:
        """The body's next bytes, None at its end; TooSlow when they do not come, or the cell takes too long."""
        limits = self._gateway.limits
        deadline_s = asyncio.get_running_loop().time() + limits.body_silence_s
        if self._cells.cell_began_s is not None:
            deadline_s = min(deadline_s, self._cells.cell_began_s + limits.cell_deadline_s)
        try:
            async with asyncio.timeout_at(deadline_s):
                return await anext(chunks, None)
        except TimeoutError as error:
            raise TooSlow(
                f"the body was silent for {limits.body_silence_s:g} s, "
                f"or a cell took longer than {limits.cell_deadline_s:g} s",
                remedy="ask for the offset and continue from there",
            ) from error

    async def _store_offsets(self) -> Exception | None:
        """Store from time to time how far the log is; returns the error of an append or of the database."""
        try:
            async for offset in self._cells.durable_offsets():
                since_s = asyncio.get_running_loop().time() - self._stored_at_s
                if since_s >= self._gateway.settings.offset_store_interval_s:
                    await self._store_offset(offset)
        except Exception as error:  # noqa: BLE001 - returned to the request, which raises what it does not know
            self._cells.fail(error)
            return error
        return None

    async def _store_offset(self, offset: int) -> None:
        if offset == self._stored_bytes:
            return
        upload = self._upload
        await self._gateway.transact(lambda c: progress.store_offset(c, upload.id, upload.writer_epoch, offset))
        self._stored_bytes = offset
        self._stored_at_s = asyncio.get_running_loop().time()

    def _answer(self, problem: Exception | None) -> Response:
        where = {"Upload-Offset": str(self._stored_bytes)}
        if isinstance(problem, LongtailError):
            _log.info("upload %s: ended at %d: %s", self._upload.id, self._stored_bytes, problem.message)
            return problem_response(problem, headers=where)
        if problem is not None:
            _log.info("upload %s: the vehicle disconnected at %d", self._upload.id, self._stored_bytes)
        if self._stored_bytes == self._upload.size_bytes:
            _log.info("upload %s: all %d bytes received", self._upload.id, self._stored_bytes)
        return Response(status_code=204, headers=where)


def _too_long(upload: UploadRow) -> TooLarge:
    return TooLarge(
        f"the body goes beyond the upload's {upload.size_bytes} bytes", remedy="send only the bytes that are left"
    )
