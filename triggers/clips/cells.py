"""The cells of a clip's file: their sizes and hashes."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import NamedTuple

from triggers.contracts.clip import CELL_BYTES


class FileCells(NamedTuple):
    """A file's size and the SHA-256 (hex) of each of its cells."""

    size_bytes: int
    cells: tuple[str, ...]


def hash_cells(path: Path) -> FileCells:
    """Read a file once, cell by cell."""
    size_bytes = 0
    cells = []
    with path.open("rb") as file:
        while cell := file.read(CELL_BYTES):
            size_bytes += len(cell)
            cells.append(hashlib.sha256(cell).hexdigest())
    return FileCells(size_bytes, tuple(cells))
