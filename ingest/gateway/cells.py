"""Turns the bytes of a request into checked cells in the log, reading on while earlier cells are being appended."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

from ingest.cell_record import CellRecord
from ingest.gateway.limits import GatewayLimits
from ingest.http.bounds.byte_budget import ByteBudget, Hold
from storage.uploads.progress import DIGEST_BYTES
from storage.uploads.rows import UploadRow
from triggers.contracts.clip import CELL_BYTES, cell_count, cell_size
from triggers.errors import ChecksumMismatch

Append = Callable[[int, Sequence[CellRecord]], Awaitable[None]]


class CellMismatch(ChecksumMismatch):
    """A cell has other bytes than the manifest says; sent as its base."""


class CellWriter:
    """One request's writing to one upload: one task writes and ends, another iterates over the durable offsets.

    A cell holds the bytes that have come of it until the log has it. Cells that become complete while an append runs go
    into the next append together.

    `digests` are the SHA-256 of the cells from the one at the upload's offset on. An offset within a cell means that
    earlier requests sent its beginning: `load_pieces` gets these bytes once the rest has come. With `hold_last` the
    clip's last cell waits for `release_last`, so that no clip can become whole before.
    """

    def __init__(
        self,
        upload: UploadRow,
        digests: bytes,
        *,
        append: Append,
        load_pieces: Callable[[], Awaitable[bytes]],
        in_flight: ByteBudget,
        limits: GatewayLimits,
        hold_last: bool = False,
    ) -> None:
        self._upload = upload
        self._digests = digests
        self._append = append
        self._load_pieces = load_pieces
        self._in_flight = in_flight
        self._limits = limits
        self._hold_last = hold_last
        self._own_share = asyncio.Semaphore(limits.cells_per_request)
        self._first, self._sent_before = divmod(upload.offset_bytes, CELL_BYTES)
        self._index = self._first
        self._gathered: bytearray | None = None
        self._holds: dict[int, Hold] = {}
        """By the index of their cell."""
        self._complete: list[CellRecord] = []
        self._held: CellRecord | None = None
        self._changed = asyncio.Event()
        self._ended = False
        self._failure: Exception | None = None
        self.durable_bytes = upload.offset_bytes
        """The log, with the pieces of earlier requests, holds all bytes before this offset."""

    async def write(self, chunk: memoryview) -> None:
        """Take in bytes, no more than the upload has left.

        Raises the error given to `fail`, Overloaded, or CellMismatch.
        """
        while chunk:
            if self._gathered is None:
                await self._begin_cell()
            assert self._gathered is not None  # noqa: S101 - a cell has begun
            taken = chunk[: self._missing() - len(self._gathered)]
            await self._grow(len(taken))
            self._gathered += taken
            chunk = chunk[len(taken) :]
            if len(self._gathered) == self._missing():
                await self._end_cell()

    def end(self) -> None:
        """Take no more bytes; `durable_offsets` ends once the log has the complete cells."""
        if self._failure is not None:
            self._drop_complete()
        self._ended = True
        self._changed.set()

    def tail(self) -> bytes:
        """What came of the incomplete cell, if the log has everything before it; else nothing."""
        before = self._index * CELL_BYTES + self._sent_before
        if self._gathered is None or before != self.durable_bytes or len(self._gathered) == self._missing():
            return b""
        return bytes(self._gathered)

    def close(self) -> None:
        """Give back the share of the incomplete cell and of a cell that is still held back."""
        if self._gathered is not None:
            self._gathered = None
            self._give_back(self._index)
        if self._held is not None:
            self._give_back(self._held.index)
            self._held = None

    def fail(self, error: Exception) -> None:
        """Append nothing more: drop the complete cells, and let the next `write` raise `error`."""
        self._failure = error
        self._drop_complete()

    def release_last(self) -> None:
        """Append the last cell, too, if it was held back."""
        if self._held is not None:
            self._complete.append(self._held)
            self._held = None
            self._changed.set()

    async def durable_offsets(self) -> AsyncIterator[int]:
        """Append complete cells as they come; yields, after each append, how many bytes the log has."""
        while batch := await self._next_batch():
            try:
                await self._append(self._upload.log_partition, batch)
            finally:
                self._give_back(*(cell.index for cell in batch))
            last = batch[-1].index
            self.durable_bytes = last * CELL_BYTES + cell_size(self._upload.size_bytes, last)
            yield self.durable_bytes

    async def _next_batch(self) -> list[CellRecord]:
        """All complete cells, once there is at least one; empty at the end."""
        while not (self._complete or self._ended):
            self._changed.clear()
            await self._changed.wait()
        batch, self._complete = self._complete, []
        return batch

    async def _begin_cell(self) -> None:
        await self._own_share.acquire()
        try:
            self._raise_failure()
        except BaseException:
            self._own_share.release()
            raise
        self._holds[self._index] = self._in_flight.hold(self._upload.vehicle_id)
        self._gathered = bytearray()

    async def _grow(self, amount: int) -> None:
        await self._holds[self._index].grow(amount, wait_s=self._limits.in_flight_wait_s)

    async def _end_cell(self) -> None:
        assert self._gathered is not None  # noqa: S101 - a cell has begun
        payload = bytes(self._gathered)
        if self._sent_before:
            await self._grow(self._sent_before)
            payload = await self._load_pieces() + payload
        self._check(payload)
        cell = CellRecord(self._upload.id, self._index, self._upload.writer_epoch, payload)
        if self._hold_last and self._index == cell_count(self._upload.size_bytes) - 1:
            self._held = cell
        else:
            self._complete.append(cell)
        self._gathered = None
        self._sent_before = 0
        self._index += 1
        self._changed.set()

    def _missing(self) -> int:
        """How many bytes of the current cell earlier requests did not send."""
        return cell_size(self._upload.size_bytes, self._index) - self._sent_before

    def _check(self, payload: bytes) -> None:
        """CellMismatch unless the cell being gathered has the bytes that its digest stands for."""
        at = (self._index - self._first) * DIGEST_BYTES
        expected, found = self._digests[at : at + DIGEST_BYTES], hashlib.sha256(payload).digest()
        if found != expected:
            raise CellMismatch(
                f"cell {self._index} came with SHA-256 {found.hex()}, the manifest says {expected.hex()}",
                offset=self._index * CELL_BYTES,
            )

    def _raise_failure(self) -> None:
        if self._failure is not None:
            raise self._failure

    def _drop_complete(self) -> None:
        self._give_back(*(cell.index for cell in self._complete))
        self._complete = []

    def _give_back(self, *indices: int) -> None:
        for index in indices:
            self._holds.pop(index).release()
            self._own_share.release()
