"""Samples of a list of objects as arrays, as drives are read and programs take them: the layout of Arrow's lists."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from triggers.signals.objects import ObjectSample


@dataclass(frozen=True)
class ObjectColumn:
    """The samples of one list over n rows, of which not every row has one.

    The objects of row i are those from `starts[i]` up to `starts[i + 1]`; a row without a sample has none, and so has
    one with an empty sample, which `is_sample` tells apart.
    """

    starts: NDArray[np.int64]
    """n + 1 indexes, ascending."""
    is_sample: NDArray[np.bool_]
    """n."""
    keys: NDArray[np.int64]
    """One per object."""
    fields: tuple[NDArray[np.float64], ...]
    """Per value field of the list, one number per object, as in `ObjectSample`."""

    def __len__(self) -> int:
        return len(self.is_sample)

    def part(self, rows: slice) -> ObjectColumn:
        """A slice of the rows with their objects."""
        first, last, step = rows.indices(len(self))
        if step != 1:
            raise ValueError("a part of a column of objects is a run of rows")
        last = max(first, last)
        start, end = int(self.starts[first]), int(self.starts[last])
        fields = tuple(field[start:end] for field in self.fields)
        return ObjectColumn(
            self.starts[first : last + 1] - start, self.is_sample[first:last], self.keys[start:end], fields
        )

    @classmethod
    def of(cls, samples: Sequence[ObjectSample | None], fields: int) -> ObjectColumn:
        """A column of samples; None for a row without one. `fields` is the number of value fields."""
        counts = [0 if sample is None else len(sample.keys) for sample in samples]
        keys = [key for sample in samples if sample is not None for key in sample.keys]
        values = [value for sample in samples if sample is not None for value in sample.values]
        table = np.array(values, np.float64).reshape(len(values), fields)
        return cls(
            np.concatenate(([0], np.cumsum(counts, dtype=np.int64))).astype(np.int64),
            np.array([sample is not None for sample in samples], np.bool_),
            np.array(keys, np.int64),
            tuple(np.ascontiguousarray(table[:, index]) for index in range(fields)),
        )

    def sample(self, row: int) -> ObjectSample | None:
        """The sample of a row; None if it has none."""
        if not self.is_sample[row]:
            return None
        objects = slice(int(self.starts[row]), int(self.starts[row + 1]))
        columns = [field[objects].tolist() for field in self.fields]
        values = tuple(zip(*columns, strict=True)) if columns else ((),) * (objects.stop - objects.start)
        return ObjectSample(tuple(self.keys[objects].tolist()), values)
