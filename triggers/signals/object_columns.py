"""Samples of a list of objects as arrays, as drives are read and programs take them: the layout of Arrow's lists."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

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

    def taken(self, rows: NDArray[np.int64]) -> ObjectColumn:
        """The samples of these rows in this order; -1 stands for a row without one."""
        is_sample = rows >= 0
        is_sample[is_sample] = self.is_sample[rows[is_sample]]
        from_rows = rows[is_sample]
        firsts, counts = self.starts[from_rows], self.starts[from_rows + 1] - self.starts[from_rows]
        all_counts = np.zeros(len(rows), np.int64)
        all_counts[is_sample] = counts
        starts = starts_of(all_counts)
        objects = np.arange(starts[-1]) + np.repeat(firsts - starts[:-1][is_sample], counts)
        return ObjectColumn(starts, is_sample, self.keys[objects], tuple(field[objects] for field in self.fields))

    @classmethod
    def joined(cls, parts: Sequence[ObjectColumn]) -> ObjectColumn:
        """The rows of several columns of one list, one after the other; there is at least one column."""
        counts = np.concatenate([np.diff(part.starts) for part in parts])
        return cls(
            starts_of(counts),
            np.concatenate([part.is_sample for part in parts]),
            np.concatenate([part.keys for part in parts]),
            tuple(np.concatenate(same) for same in zip(*(part.fields for part in parts), strict=True)),
        )

    @classmethod
    def without_samples(cls, rows: int, fields: int) -> ObjectColumn:
        """Rows of which none has a sample."""
        nothing = np.empty(0, np.float64)
        return cls(np.zeros(rows + 1, np.int64), np.zeros(rows, np.bool_), np.empty(0, np.int64), (nothing,) * fields)

    @classmethod
    def of(cls, samples: Sequence[ObjectSample | None], fields: int) -> ObjectColumn:
        """A column of samples; None for a row without one. `fields` is the number of value fields."""
        counts = [0 if sample is None else len(sample.keys) for sample in samples]
        keys = [key for sample in samples if sample is not None for key in sample.keys]
        values = [value for sample in samples if sample is not None for value in sample.values]
        table = np.array(values, np.float64).reshape(len(values), fields)
        return cls(
            starts_of(np.array(counts, np.int64)),
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


class ObjectSeries(NamedTuple):
    """The samples of one list by themselves: their times (ns since the Unix epoch), and a column of a row per sample.

    `names` are the key and the value fields, in this order.
    """

    t_ns: NDArray[np.int64]
    column: ObjectColumn
    names: tuple[str, ...]


def starts_of(counts: NDArray[np.int64]) -> NDArray[np.int64]:
    """Where the objects of each row begin, and where those of the last one end, from how many each row has."""
    starts = np.zeros(len(counts) + 1, np.int64)
    np.cumsum(counts, out=starts[1:])
    return starts


def first_left_out(objects: ObjectColumn, most: int) -> int:
    """The first row whose sample has more objects than `most`, or a key twice; 0 if there is none."""
    for row in range(len(objects)):
        keys = objects.keys[objects.starts[row] : objects.starts[row + 1]].tolist()
        if len(keys) > most or len(set(keys)) < len(keys):
            return row
    return 0
