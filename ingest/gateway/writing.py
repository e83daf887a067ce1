"""PATCH /v1/uploads/{id}: receives the bytes of a clip and acknowledges them once they are durable."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from datetime import UTC, datetime

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from ingest.cells_topic import PartitionGone
from ingest.gateway.cells import CellMismatch, CellWriter
from ingest.gateway.mismatch import count_mismatch
from ingest.gateway.service import Gateway
from ingest.gateway.tus import protocol
from ingest.gateway.tus.checksum import BodyChecksum
from ingest.http.bodies import require_body
from ingest.http.bounds.pace import paced
from ingest.http.problems import problem_response
from ingest.http.raising import raises
from ingest.log_ids import note
from ingest.metrics.counted import RECEIVED_BYTES
from storage.database import Connection
from storage.uploads import endings, pieces, progress, received, rows, vehicle_days
from storage.uploads.progress import Reached
from storage.uploads.rows import UploadRow
from storage.vehicles import quarantine
from triggers.contracts.clip import CELL_BYTES, cell_count
from triggers.errors import (
    BadHeader,
    ChecksumMismatch,
    ClipFailed,
    Fenced,
    LongtailError,
    Quarantined,
    TooLarge,
    TooSlow,
    UnsupportedBody,
    UploadGone,
    WrongOffset,
)

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ChunkHeaders:
    """What a PATCH says before its body: `announced` is the body's length in bytes, if it is known."""

    upload_id: str
    vehicle_id: str
    offset: int
    announced: int | None


@raises(
    *protocol.UPLOAD_PROBLEMS,
    BadHeader,
    ChecksumMismatch,
    ClipFailed,
    Fenced,
    Quarantined,
    TooLarge,
    TooSlow,
    UnsupportedBody,
    WrongOffset,
)
async def write_upload(gateway: Gateway, request: Request) -> Response:
    """204 with the offset to continue at: all bytes before it are durable.

    However the body ends (disconnect, silence, too many bytes, a failing log), what came by then counts. Every cell is
    checked against the manifest before it counts: 460 says from which offset the bytes must be sent again.
    """
    protocol.require_version(request.headers)
    vehicle_id = await gateway.caller(request)
    require_body(request.headers, protocol.CHUNK_TYPE)
    headers = ChunkHeaders(
        protocol.upload_id(request.path_params["upload_id"]),
        vehicle_id,
        protocol.upload_offset(request.headers),
        protocol.content_length(request.headers),
    )
    try:
        upload, digests = await gateway.transact(lambda c: _begin(c, gateway, headers, now=datetime.now(UTC)))
    except Quarantined:
        await gateway.transact(lambda c: endings.end_for_quarantine(c, headers.upload_id))
        raise
    except WrongOffset as error:
        known = await gateway.transact(lambda c: rows.find(c, headers.upload_id, vehicle_id))
        return problem_response(error, headers=protocol.progress_headers(known))
    note(upload=upload.id, clip=upload.clip_id)
    if headers.announced is not None and headers.announced > upload.size_bytes - headers.offset:
        return problem_response(_too_long(upload), headers=protocol.progress_headers(upload))
    checksum = BodyChecksum.announced(request.headers)
    if upload.whole:
        return Response(status_code=204, headers=protocol.progress_headers(upload))
    with gateway.writing(vehicle_id):
        return await _Writing(gateway, upload, digests, checksum).run(request)


def _begin(
    connection: Connection, gateway: Gateway, headers: ChunkHeaders, *, now: datetime
) -> tuple[UploadRow, bytes]:
    """The upload with this request as its writer, and the digests of the cells that the request can reach.

    Quarantined when the vehicle is in quarantine, and bytes of the upload are still to come.
    """
    vehicle_days.require_room(connection, headers.vehicle_id, gateway.vehicle_day, now=now)
    upload = progress.begin_write(connection, headers.upload_id, headers.vehicle_id, headers.offset, now=now)
    if upload.whole:
        return upload, b""
    quarantine.require_free(connection, headers.vehicle_id)
    first, cells = headers.offset // CELL_BYTES, cell_count(upload.size_bytes)
    if headers.announced is not None:
        cells = min(cells, cell_count(headers.offset + headers.announced))
    return upload, progress.cell_digests(connection, upload.id, first, cells - first)


class _Writing:
    """One PATCH request from the first byte to the answer."""

    def __init__(self, gateway: Gateway, upload: UploadRow, digests: bytes, checksum: BodyChecksum | None) -> None:
        self._gateway = gateway
        self._begun = upload
        self._checksum = checksum
        self._now = upload
        """The upload as it was last stored."""
        self._stored_at_s = asyncio.get_running_loop().time()
        self._uncounted_bytes = 0
        """What came, good or not, and is in no count yet."""
        self._cells = CellWriter(
            upload,
            digests,
            append=gateway.append,
            load_pieces=lambda: gateway.transact(lambda c: pieces.load(c, upload.id)),
            in_flight=gateway.in_flight,
            limits=gateway.limits,
            hold_last=checksum is not None,
        )

    async def run(self, request: Request) -> Response:
        try:
            try:
                problem = await self._receive(request)
            finally:
                await self._count_received()
            if problem is not None and not isinstance(problem, ClientDisconnect | LongtailError):
                raise problem
            return self._answer(problem)
        finally:
            self._cells.close()

    async def _receive(self, request: Request) -> Exception | None:
        """Take in the body, and store how far it came; returns what kept it from coming whole."""
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
        try:
            return await self._conclude(problem)
        except (Fenced, UploadGone) as error:
            return error

    async def _conclude(self, problem: Exception | None) -> Exception | None:
        """Store what the request achieved, given how it ended; returns its final problem."""
        if isinstance(problem, Fenced | UploadGone):
            return problem
        if isinstance(problem, ChecksumMismatch):
            return await self._conclude_mismatch(problem)
        if isinstance(problem, PartitionGone):
            return await self._conclude_gone(problem)
        await self._store(Reached(self._cells.durable_bytes, self._tail(problem)))
        return problem

    async def _conclude_mismatch(self, problem: ChecksumMismatch) -> LongtailError:
        """Of a body whose checksum is wrong nothing counts; of one with a wrong cell, without a checksum, those before.

        (tus, extension "checksum": the chunk is discarded, and the offset stays.)
        """
        if not isinstance(problem, CellMismatch):
            return problem
        if self._checksum is None:
            await self._store(Reached(self._cells.durable_bytes))
        limit = self._gateway.limits.mismatches_per_upload
        upload, final = await self._gateway.transact(lambda c: count_mismatch(c, self._begun, problem, limit=limit))
        self._now = upload
        return final

    async def _conclude_gone(self, problem: PartitionGone) -> UploadGone:
        """Close an upload that can get no further, at once: its vehicle begins again, in a partition that there is."""
        await self._gateway.transact(lambda c: endings.lose(c, self._begun.id))
        return UploadGone(f"the upload was closed: {problem.message}", remedy="create it again")

    def _tail(self, problem: Exception | None) -> bytes:
        """The bytes of the incomplete cell that may be kept: with a checksum, only those of a whole body."""
        return self._cells.tail() if self._checksum is None or problem is None else b""

    async def _gather(self, request: Request) -> None:
        left = self._begun.size_bytes - self._begun.offset_bytes
        remedy = "ask for the offset and continue from there"
        async for chunk in paced(request.stream(), self._gateway.limits.pace, remedy=remedy):
            self._uncounted_bytes += len(chunk)
            fitting = memoryview(chunk)[:left]
            left -= len(fitting)
            if self._checksum is not None:
                self._checksum.update(fitting)
            await self._cells.write(fitting)
            if len(fitting) < len(chunk):
                raise _too_long(self._begun)
        if self._checksum is not None:
            self._checksum.check(self._begun.offset_bytes)
            self._cells.release_last()

    async def _store_offsets(self) -> Exception | None:
        """Store from time to time how far the log is; returns the error of an append or of the database."""
        try:
            async for offset in self._cells.durable_offsets():
                since_s = asyncio.get_running_loop().time() - self._stored_at_s
                if self._checksum is None and since_s >= self._gateway.settings.offset_store_interval_s:
                    await self._store(Reached(offset))
        except Exception as error:  # noqa: BLE001 - returned to the request, which raises what it does not know
            self._cells.fail(error)
            return error
        return None

    async def _store(self, reached: Reached) -> None:
        if reached.end_bytes == self._now.offset_bytes:
            return
        expiry_s, now = self._gateway.settings.upload_expiry_s, datetime.now(UTC)
        came_bytes, uncounted_bytes = reached.end_bytes - self._now.offset_bytes, self._uncounted_bytes

        def stored(connection: Connection) -> UploadRow:
            upload = progress.store(connection, self._begun, reached, now=now, expiry_s=expiry_s)
            count_received(connection, upload, self._begun, self._now.offset_bytes, uncounted_bytes)
            return upload

        self._now = await self._gateway.transact(stored)
        RECEIVED_BYTES.inc(came_bytes)
        self._uncounted_bytes -= uncounted_bytes
        self._stored_at_s = asyncio.get_running_loop().time()

    async def _count_received(self) -> None:
        """Count what came since the last offset was stored: bytes that had to be refused were sent all the same."""
        if uncounted_bytes := self._uncounted_bytes:
            try:
                begun, recorded_bytes = self._begun, self._now.offset_bytes
                await self._gateway.transact(
                    lambda c: count_received(c, self._locked(c), begun, recorded_bytes, uncounted_bytes)
                )
                self._uncounted_bytes = 0
            except LongtailError as error:
                _log.warning("upload %s: %d bytes on the wire not counted: %s", self._begun.id, uncounted_bytes, error)

    def _locked(self, connection: Connection) -> UploadRow:
        return rows.locked(connection, self._begun.id, self._begun.vehicle_id)

    def _answer(self, problem: Exception | None) -> Response:
        upload, where = self._now, protocol.progress_headers(self._now)
        # Another writer or the assembler may have made the upload whole: then nothing is left that could fail.
        moot = upload.whole and not isinstance(problem, TooLarge)
        if isinstance(problem, LongtailError) and not moot:
            _log.info("upload %s: ended at %d: %s", upload.id, upload.offset_bytes, problem.message)
            return problem_response(problem, headers=where)
        if problem is not None:
            _log.info("upload %s: the vehicle disconnected at %d", upload.id, upload.offset_bytes)
        if upload.whole:
            _log.info("upload %s: all %d bytes received", upload.id, upload.offset_bytes)
        return Response(status_code=204, headers=where)


def count_received(
    connection: Connection, upload: UploadRow, begun: UploadRow, recorded_bytes: int, came_bytes: int
) -> None:
    """Count bytes on the wire, but those that the assembler has counted when it stored the clip before this writer.

    The transaction has locked `upload`; the others are as in `received.beside_stored`.
    """
    own_bytes = received.beside_stored(upload, begun, recorded_bytes, came_bytes)
    received.add(connection, begun.id, begun.vehicle_id, own_bytes)


def _too_long(upload: UploadRow) -> TooLarge:
    return TooLarge(
        f"the body goes beyond the upload's {upload.size_bytes} bytes", remedy="send only the bytes that are left"
    )
