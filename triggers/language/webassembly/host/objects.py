"""The objects of a list on their way into a module: its buffers, and how many rows' objects fit into them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from triggers.errors import InvalidInput
from triggers.language.webassembly.host.manifest import ManifestList
from triggers.signals.object_columns import ObjectColumn

View = Callable[[int, int, "np.dtype[Any]"], NDArray[Any]]
"""A part of the module's memory as an array: its address, its entries, and their type."""


class ObjectBuffers:
    """The buffers of one list. `take` says whose rows come next, `fill` writes some of them."""

    def __init__(self, item: ManifestList, column: NDArray[np.float64], view: View) -> None:
        self._item = item
        self._counts = column
        self._starts = view(item.starts, len(column), np.dtype("<u4"))
        self._keys = view(item.keys, item.capacity, np.dtype("<i8"))
        self._fields = {place: view(address, item.capacity, np.dtype("<f8")) for place, address in item.columns.items()}
        self._objects: ObjectColumn | None = None
        self._is_blank = False

    def take(self, objects: ObjectColumn | None, rows: int) -> None:
        """The objects of all rows of a run; None if none has a sample. Raises InvalidInput unless they fit the list."""
        if objects is not None:
            values = sum(item.type != "id" for item in self._item.fields)
            if len(objects) != rows or len(objects.fields) != values:
                raise InvalidInput(
                    f"{len(objects)} samples of {self._item.input} with {len(objects.fields)} fields for {rows} rows"
                    f" and {values} fields"
                )
        self._objects = objects

    @property
    def samples(self) -> int:
        """How many rows of the run have a sample."""
        return 0 if self._objects is None else int(np.count_nonzero(self._objects.is_sample))

    def rows_that_fit(self, at: int, n: int) -> int:
        """How many of the `n` rows from `at` on have objects that the buffers hold together; at least one."""
        if self._objects is None:
            return n
        kept = self._kept(self._objects.starts[at : at + n + 1])
        if kept.sum() <= self._item.capacity:
            return n
        return int(np.searchsorted(np.cumsum(kept), self._item.capacity, side="right"))

    def fill(self, at: int, n: int) -> None:
        """Write `n` rows from `at` on."""
        objects = self._objects
        if objects is None:
            if not self._is_blank:
                self._counts[:] = np.nan
                self._is_blank = True
            return
        self._is_blank = False
        starts = objects.starts[at : at + n + 1]
        kept = self._kept(starts)
        self._counts[:n] = np.where(objects.is_sample[at : at + n], np.diff(starts), np.nan)
        ends = np.cumsum(kept)
        self._starts[:n] = ends - kept
        first, last, total = int(starts[0]), int(starts[-1]), int(ends[-1])
        chosen: slice | NDArray[np.int64] = slice(first, last)
        if total < last - first:
            chosen = np.arange(total) + np.repeat(starts[:-1] - (ends - kept), kept)
        self._keys[:total] = objects.keys[chosen]
        for place, buffer in self._fields.items():
            buffer[:total] = objects.fields[place][chosen]

    def _kept(self, starts: NDArray[np.int64]) -> NDArray[np.int64]:
        """How many objects of each row the program looks at."""
        return np.minimum(np.diff(starts), self._item.max_objects)
