"""Batches of rows of a drive as arrays, and the merging of rows of equal time.

A batch is passed on once the first time of the next batch is known, because that batch may continue its last row.
Merged rows are counted, and so are the samples that a later row of the same time replaces.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from triggers.drives.columns import Numbers
from triggers.drives.findings import MERGED, REPLACED, Findings
from triggers.drives.times import Times, step_bounds_ns, uninitialised
from triggers.signals.object_columns import ObjectColumn
from triggers.written_numbers import in_full


@dataclass(frozen=True)
class Batch:
    """Rows as arrays: times in ns, and the numbers by signal; NaN for a row without a sample, None without any sample.

    `objects` has the samples of lists of objects, by list. Arrays may be read-only, and signals from the same column
    share one array.
    """

    t_ns: Times
    columns: dict[str, Numbers | None]
    known_bounds_ns: tuple[int, int] | None = None
    """Shortest and longest step, if they were computed together with the times."""
    objects: dict[str, ObjectColumn | None] = field(default_factory=dict)

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
        columns = {k: None if v is None else v[rows] for k, v in self.columns.items()}
        objects = {k: None if v is None else v.part(rows) for k, v in self.objects.items()}
        return Batch(self.t_ns[rows], columns, objects=objects)

    def sampled(self, name: str, rows: slice) -> NDArray[np.bool_] | None:
        """Which of these rows have a sample of a signal or a list; None: none of the batch."""
        if name in self.objects:
            objects = self.objects[name]
            return None if objects is None else objects.is_sample[rows]
        numbers = self.columns[name]
        return None if numbers is None else ~np.isnan(numbers[rows])


class Merger:
    """Merges rows of equal time, in batches with ascending times; the last sample of each signal, or list, wins."""

    def __init__(
        self, findings: Findings, time_column: str, columns: Mapping[str, str], texts: Mapping[str, Sequence[str]]
    ) -> None:
        """`columns` are those of the signals and lists, which may share one; findings are noted under them.

        `texts` has the values of text signals, whose numbers are indexes of these.
        """
        self._findings = findings
        self._time_column = time_column
        self._columns = columns
        self._texts = texts
        self._rows = 0
        """Rows of the file before the rows at hand."""

    def merged(self, batches: Iterable[Batch]) -> Iterator[Batch]:
        """The batches with rows of equal time merged; none is empty."""
        held: Batch | None = None
        for batch in batches:
            if not len(batch):
                continue
            following = batch
            if held is not None:
                if held.t_ns[-1] == following.t_ns[0]:
                    following = _joined(held.part(slice(len(held) - 1, None)), following)
                    held = held.part(slice(len(held) - 1))
                    self._rows -= 1
                if len(held):
                    yield held
            held = self._collapsed(following)
            self._rows += len(following)
        if held is not None:
            yield held

    def _collapsed(self, batch: Batch) -> Batch:
        """The batch with rows of equal time merged."""
        if batch.shortest_step_ns > 0:
            return batch
        first_merged = int(np.argmin(batch.steps_ns)) + 1
        starts = np.concatenate(([0], np.flatnonzero(batch.steps_ns) + 1))
        self._findings.note(self._time_column, MERGED, len(batch) - len(starts), self._rows + first_merged)
        self._note_all_replaced(batch, starts)
        columns = {k: None if v is None else _last_samples(v, starts) for k, v in batch.columns.items()}
        lists = {k: None if v is None else v.taken(_last_rows(v.is_sample, starts)) for k, v in batch.objects.items()}
        return Batch(batch.t_ns[starts], columns, objects=lists)

    def _note_all_replaced(self, batch: Batch, starts: Times) -> None:
        """Count the samples that are not the last of their time, those of a column once however many signals share it.

        The signals of a column differ in its values, but all have a sample where it has one.
        """
        for name in {column: name for name, column in reversed(list(self._columns.items()))}.values():
            is_sample = batch.sampled(name, slice(None))
            if is_sample is None:
                continue
            surplus = np.add.reduceat(is_sample, starts, dtype=np.int64) - 1
            replaced = int(np.maximum(surplus, 0).sum())
            if replaced:
                run = int(starts[np.argmax(surplus > 0)])
                row = run + int(np.argmax(is_sample[run:]))
                shown = self._shown(name, batch.columns.get(name), row)
                self._findings.note(self._columns[name], REPLACED, replaced, self._rows + row, shown)

    def _shown(self, name: str, numbers: Numbers | None, row: int) -> str:
        """A sample in a finding; nothing of a list of objects."""
        if numbers is None:
            return ""
        number, texts = float(numbers[row]), self._texts.get(name, ())
        return f'"{texts[int(number)]}"' if texts and np.isfinite(number) else in_full(number)


def _joined(first: Batch, second: Batch) -> Batch:
    columns: dict[str, Numbers | None] = {}
    for signal, numbers in first.columns.items():
        others = second.columns[signal]
        both = [np.full(len(batch), np.nan) if x is None else x for batch, x in ((first, numbers), (second, others))]
        columns[signal] = None if numbers is None and others is None else np.concatenate(both)
    objects = {name: _joined_objects(first, second, name) for name in first.objects}
    return Batch(np.concatenate((first.t_ns, second.t_ns)), columns, objects=objects)


def _joined_objects(first: Batch, second: Batch, name: str) -> ObjectColumn | None:
    known = [column for batch in (first, second) if (column := batch.objects[name]) is not None]
    if not known:
        return None
    fields = len(known[0].fields)
    parts = [
        ObjectColumn.without_samples(len(batch), fields) if (column := batch.objects[name]) is None else column
        for batch in (first, second)
    ]
    return ObjectColumn.joined(parts)


def _last_samples(numbers: Numbers, starts: Times) -> Numbers:
    """For each run of rows, its last number that is not NaN; NaN if there is none."""
    last = _last_rows(~np.isnan(numbers), starts)
    return np.where(last >= 0, numbers[last], np.nan)


def _last_rows(is_sample: NDArray[np.bool_], starts: Times) -> NDArray[np.int64]:
    """For each run of rows, the last one that is a sample; -1 if there is none."""
    last: NDArray[np.int64] = np.maximum.reduceat(np.where(is_sample, np.arange(len(is_sample)), -1), starts)
    return last
