"""Turns the bytes of a request into whole cells in the log, reading on while earlier cells are being appended."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

from ingest.cell_record import CellRecord
from ingest.gateway.in_flight import ByteBudget
from ingest.gateway.limits import GatewayLimits
from storage.uploads.rows import UploadRow
from triggers.contracts.clip import CELL_BYTES, cell_size

Append = Callable[[int, Sequence[CellRecord]], Awaitable[None]]


class CellWriter:
    """One request's writing to one upload: one task writes and ends, another iterates over the durable offsets.

    A cell's share of the bytes in flight is taken before its first byte and returned when the log has it: a request
    that holds a share needs no other share to make progress, so requests cannot block each other for good. Cells that
    become complete while an append runs go into the next append together.
    """

    def __init__(self, upload: UploadRow, *, append: Append, in_flight: ByteBudget, limits: GatewayLimits) -> None:
        self._upload = upload
        self._append = append
        self._in_flight = in_flight
        self._limits = limits
        self._own_share = asyncio.Semaphore(limits.cells_per_request)
        self._index = upload.offset_bytes // CELL_BYTES
        self._gathered: bytearray | None = None
        self._complete: list[CellRecord] = []
        self._changed = asyncio.Event()
        self._ended = False
        self._failure: Exception | None = None
        self.durable_bytes = upload.offset_bytes
        """The log holds all bytes before this offset."""
        self.cell_began_s: float | None = None
        """Loop time at which the cell being gathered began; None between cells."""

    async def write(self, chunk: memoryview) -> None:
        """Take in bytes, no more than the upload has left. Raises the error given to `fail`, or Overloaded."""
        while chunk:
            if self._gathered is None:
                await self._begin_cell()
            assert self._gathered is not None  # noqa: S101 - a cell has begun
            size = cell_size(self._upload.size_bytes, self._index)
            taken = chunk[: size - len(self._gathered)]
            self._gathered += taken
            chunk = chunk[len(taken) :]
            if len(self._gathered) == size:
                self._end_cell(bytes(self._gathered))

    def end(self) -> None:
        """Take no more bytes: drop the incomplete cell; `durable_offsets` ends once the log has the complete cells."""
        if self._gathered is not None:
            self._gathered = None
            self._give_back(self._index)
        if self._failure is not None:
            self._drop_complete()
        self._ended = True
        self._changed.set()

    def fail(self, error: Exception) -> None:
        """Append nothing more: drop the complete cells, and let the next `write` raise `error`."""
        self._failure = error
        self._drop_complete()

    async def durable_offsets(self) -> AsyncIterator[int]:
        """Append complete cells as they come; yields, after each append, how many bytes the log has."""
        while batch := await self._next_batch():
            try:
                await self._append(self._upload.log_partition, batch)
            finally:
                self._give_back(*(cell.index for cell in batch))
            self.durable_bytes += sum(len(cell.payload) for cell in batch)
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
            size = cell_size(self._upload.size_bytes, self._index)
            await self._in_flight.acquire(size, wait_s=self._limits.in_flight_wait_s)
        except BaseException:
            self._own_share.release()
            raise
        self._gathered = bytearray()
        self.cell_began_s = asyncio.get_running_loop().time()

    def _end_cell(self, payload: bytes) -> None:
        self._complete.append(CellRecord(self._upload.id, self._index, self._upload.writer_epoch, payload))
        self._gathered = None
        self.cell_began_s = None
        self._index += 1
        self._changed.set()

    def _raise_failure(self) -> None:
        if self._failure is not None:
            raise self._failure

    def _drop_complete(self) -> None:
        self._give_back(*(cell.index for cell in self._complete))
        self._complete = []

    def _give_back(self, *indices: int) -> None:
        for index in indices:
            self._in_flight.release(cell_size(self._upload.size_bytes, index))
            self._own_share.release()
