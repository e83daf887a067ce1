"""Batches of rows of a drive as arrays, and the merging of rows of equal time.

A batch is passed on once the first time of the next batch is known, because that batch may continue its last row.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from triggers.drives.columns import Numbers
from triggers.drives.times import Times, step_bounds_ns, uninitialised


@dataclass(frozen=True)
class Batch:
    """Rows as arrays: times in ns, and the numbers by signal; NaN for a row without a sample, None without any sample.

    Arrays may be read-only, and signals from the same column share one array.
    """

    t_ns: Times
    columns: dict[str, Numbers | None]
    known_bounds_ns: tuple[int, int] | None = None
    """Shortest and longest step, if they were computed together with the times."""

    def __len__(self) -> int:
        return len(self.t_ns)

    @cached_property
    def steps_ns(self) -> Times:
        """The steps from each row to the next, one fewer than there are rows."""
        steps = uninitialised(len(self) - 1, np.int64)
        return np.subtract(self.t_ns[1:], self.t_ns[:-1], out=steps)

    @cached_property
    def _bounds_ns(self) -> tuple[int, int]:
        return self.known_bounds_ns or step_bounds_ns(self.t_ns)

    @property
    def shortest_step_ns(self) -> int:
        """The smallest of the steps, negative where time runs backwards; 1 for a single row."""
        return self._bounds_ns[0]

    @property
    def longest_step_ns(self) -> int:
        """The largest of the steps; 0 for a single row."""
        return self._bounds_ns[1]

    def part(self, rows: slice) -> Batch:
        """A slice of the rows, without a copy."""
        return Batch(self.t_ns[rows], {k: None if v is None else v[rows] for k, v in self.columns.items()})


def merged(batches: Iterable[Batch]) -> Iterator[Batch]:
    """Merge rows of equal time, in batches with ascending times; the last sample of each signal wins."""
    held: Batch | None = None
    for batch in batches:
        if not len(batch):
            continue
        following = batch
        if held is not None:
            if held.t_ns[-1] == following.t_ns[0]:
                following = _joined(held.part(slice(len(held) - 1, None)), following)
                held = held.part(slice(len(held) - 1))
            if len(held):
                yield held
        held = _collapsed(following)
    if held is not None:
        yield held


def _joined(first: Batch, second: Batch) -> Batch:
    columns: dict[str, Numbers | None] = {}
    for signal, numbers in first.columns.items():
        others = second.columns[signal]
        both = [np.full(len(batch), np.nan) if x is None else x for batch, x in ((first, numbers), (second, others))]
        columns[signal] = None if numbers is None and others is None else np.concatenate(both)
    return Batch(np.concatenate((first.t_ns, second.t_ns)), columns)


def _collapsed(batch: Batch) -> Batch:
    """The batch with rows of equal time merged."""
    if batch.shortest_step_ns > 0:
        return batch
    starts = np.concatenate(([0], np.flatnonzero(batch.steps_ns) + 1))
    columns = {k: None if v is None else _last_samples(v, starts) for k, v in batch.columns.items()}
    return Batch(batch.t_ns[starts], columns)


def _last_samples(numbers: Numbers, starts: Times) -> Numbers:
    """For each run of rows, its last number that is not NaN; NaN if there is none."""
    sampled = np.where(np.isnan(numbers), -1, np.arange(len(numbers)))
    last = np.maximum.reduceat(sampled, starts)
    return np.where(last >= 0, numbers[last], np.nan)
