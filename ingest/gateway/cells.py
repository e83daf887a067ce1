"""A request's bytes become whole cells in the log: gathered while the cells before them are being appended."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from ingest.cell_record import CellRecord
from ingest.gateway.in_flight import ByteBudget
from ingest.gateway.limits import Limits
from storage.uploads.uploads import Upload
from triggers.contracts.clip import CELL_BYTES, cell_size

Append = Callable[[int, Sequence[CellRecord]], Awaitable[None]]
Appended = Callable[[int], Awaitable[None]]


class CellWriter:
    """One request's writing of one upload.

    A cell's share of the bytes in flight is taken before its first byte and given back when the log has it: whoever
    holds a share needs no other to go on, so requests cannot block each other for good. Cells that are complete while
    an append runs go into the next one together.
    """

    def __init__(
        self, upload: Upload, *, append: Append, appended: Appended, in_flight: ByteBudget, limits: Limits
    ) -> None:
        """`appended` is told the offset behind what the log holds, after each append."""
        self._upload = upload
        self._append = append
        self._appended = appended
        self._in_flight = in_flight
        self._limits = limits
        self._own_share = asyncio.Semaphore(limits.cells_per_request)
        self._index = upload.offset_bytes // CELL_BYTES
        self._gathered: bytearray | None = None
        self._complete: list[CellRecord] = []
        self._appending: asyncio.Task[None] | None = None
        self._failure: Exception | None = None
        self.durable_bytes = upload.offset_bytes
        """The log holds all bytes before this offset."""
        self.cell_began_s: float | None = None
        """Loop time at which the cell being gathered began; None between cells."""

    async def write(self, chunk: memoryview) -> None:
        """Take in bytes (no more than the upload has left); raises what an append met, or Overloaded."""
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

    async def finish(self) -> Exception | None:
        """Wait for the log to have all complete cells; drop the incomplete one. Returns what an append met."""
        if self._gathered is not None:
            self._gathered = None
            self._give_back(self._index)
        if self._appending is not None:
            await self._appending
        return self._failure

    async def _begin_cell(self) -> None:
        await self._own_share.acquire()
        if self._failure is not None:
            self._own_share.release()
            raise self._failure
        try:
            size = cell_size(self._upload.size_bytes, self._index)
            await self._in_flight.acquire(size, wait_s=self._limits.in_flight_wait_s)
        except BaseException:
            self._own_share.release()
            raise
        self._gathered = bytearray()
        self.cell_began_s = asyncio.get_running_loop().time()

    def _end_cell(self, payload: bytes) -> None:
        record = CellRecord(self._upload.id, self._index, self._upload.writer_epoch, payload)
        self._complete.append(record)
        self._gathered = None
        self.cell_began_s = None
        self._index += 1
        if self._appending is None or self._appending.done():
            self._appending = asyncio.create_task(self._append_complete())

    async def _append_complete(self) -> None:
        while self._complete:
            batch, self._complete = self._complete, []
            try:
                if self._failure is None:
                    await self._append(self._upload.log_partition, batch)
                    self.durable_bytes += sum(len(cell.payload) for cell in batch)
                    await self._appended(self.durable_bytes)
            except Exception as error:  # noqa: BLE001 - handed to the request, which raises what it does not know
                self._failure = error
            finally:
                for cell in batch:
                    self._give_back(cell.index)

    def _give_back(self, index: int) -> None:
        self._in_flight.release(cell_size(self._upload.size_bytes, index))
        self._own_share.release()
