"""Cells of an open clip: checked against the manifest, and read back from spool or staging objects."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from typing import IO

from ingest.assembler.packed import CellSums
from ingest.assembler.spool import SpoolDamaged
from storage.objects.contract import ObjectNotFound, ObjectStore
from storage.uploads.parking import ParkedPart
from triggers.contracts.clip import CELL_BYTES
from triggers.errors import LongtailError

PART_BYTES = 8 * 1024**2
"""Size of a multipart upload's parts: whole cells, and more than the 5 MiB that S3 requires."""


class CellRejected(LongtailError):
    """A cell contradicts the clip's manifest; `reason` is the reason of the dead letter."""

    code = "cell_rejected"

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class StagingLost(LongtailError):
    """A staging object is gone, or holds other bytes than were parked: the clip cannot be made whole."""

    code = "staging_lost"


def check_cell(sums: CellSums, index: int, payload: bytes) -> None:
    """CellRejected unless these are exactly the bytes that the manifest lists for cell `index`."""
    if index >= len(sums):
        raise CellRejected("cell_out_of_range", f"cell {index} came, but the manifest lists {len(sums)} cells (from 0)")
    expected_bytes = sums.size_of(index)
    if len(payload) != expected_bytes:
        raise CellRejected(
            "cell_size_mismatch", f"cell {index} has {len(payload)} bytes, the manifest says {expected_bytes}"
        )
    digest = hashlib.sha256(payload).hexdigest()
    if digest != sums.sha256(index):
        raise CellRejected(
            "cell_hash_mismatch", f"cell {index} has SHA-256 {digest}, the manifest says {sums.sha256(index)}"
        )


class CellReader:
    """Reads any cell of a whole clip, from the spool's file or from staging objects, and verifies it again."""

    def __init__(
        self,
        store: ObjectStore,
        sums: CellSums,
        spooled: IO[bytes] | None,
        spooled_cells: frozenset[int],
        parked: Sequence[ParkedPart],
    ) -> None:
        self._store = store
        self._sums = sums
        self._spooled = spooled
        self._spooled_cells = spooled_cells
        self._places = {cell: (part, at) for part in parked for cell, at in _places(sums, part)}

    def read(self, index: int) -> bytes:
        """The cell's verified bytes; SpoolDamaged or StagingLost when they are no longer where they were kept."""
        size_bytes = self._sums.size_of(index)
        if self._spooled is not None and index in self._spooled_cells:
            return self._read_spooled(self._spooled, index, size_bytes)
        part, at = self._places[index]
        try:
            payload = self._store.get(part.object_key, start=at, length=size_bytes)
            check_cell(self._sums, index, payload)
        except (ObjectNotFound, CellRejected) as error:
            raise StagingLost(f"the staging object {part.object_key} lost cell {index}: {error.message}") from error
        return payload

    def _read_spooled(self, file: IO[bytes], index: int, size_bytes: int) -> bytes:
        try:
            file.seek(index * CELL_BYTES)
            payload = file.read(size_bytes)
            check_cell(self._sums, index, payload)
        except CellRejected as error:
            raise SpoolDamaged(f"the spool damaged a cell: {error.message}") from error
        except OSError as error:
            raise SpoolDamaged(f"the spool cannot read cell {index} any more ({error.strerror})") from error
        return payload

    def parts(self, cells: Sequence[int] | None = None) -> Iterator[bytes]:
        """The bytes of these cells (by default of all), one after the other, in pieces of PART_BYTES."""
        chosen = range(len(self._sums)) if cells is None else cells
        per_part = PART_BYTES // CELL_BYTES
        for first in range(0, len(chosen), per_part):
            yield b"".join(self.read(index) for index in chosen[first : first + per_part])


def _places(sums: CellSums, part: ParkedPart) -> Iterator[tuple[int, int]]:
    """The cells of a parked part, with the offset at which each begins in the object."""
    at = 0
    for cell in part.cells:
        yield cell, at
        at += sums.size_of(cell)
