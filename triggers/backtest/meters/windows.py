"""Counts of the samples in windows of time, such as those of captures, made while a drive is read from start to end.

When a fire is found, the rows before it have already been read. Therefore the latest rows are kept, as far back as
windows reach: not their values, only whether each signal had a sample.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from triggers.clips.size import list_weight
from triggers.drives.batches import Batch
from triggers.drives.times import Times

CALL_ROWS = 1000
"""Counting in one window on its own costs as much as a pass over this many rows."""

Mask = NDArray[np.bool_]
Weights = NDArray[np.int64]


@dataclass(frozen=True)
class SampledRows:
    """Rows of a drive: their times, and a function that says which rows of a slice sample a signal (None: no row).

    Of a list of objects it says as how many samples of a signal each row counts.
    """

    t_ns: Times
    sampled: Callable[[str, slice], Mask | Weights | None]

    @classmethod
    def of(cls, batch: Batch) -> SampledRows:
        """All rows of a batch."""

        def sampled(name: str, rows: slice) -> Mask | Weights | None:
            objects = batch.objects.get(name)
            mask = batch.sampled(name, rows)
            if objects is None or mask is None:
                return mask
            weights: Weights = np.diff(objects.starts)[rows]
            return np.where(mask, list_weight(weights, len(objects.fields)), 0)

        return cls(batch.t_ns, sampled)

    def tail(self, from_ns: int, signals: Collection[str]) -> SampledRows:
        """A copy of the rows from a time on, for these signals only."""
        first = int(np.searchsorted(self.t_ns, from_ns))
        masks = {signal: self.sampled(signal, slice(first, None)) for signal in signals}

        def sampled(signal: str, rows: slice) -> Mask | Weights | None:
            mask = masks[signal]
            return None if mask is None else mask[rows]

        return SampledRows(self.t_ns[first:].copy(), sampled)

    def counts(
        self, signals: Sequence[str], from_ns: Times, until_ns: Times, call_rows: int = CALL_ROWS
    ) -> NDArray[np.int64]:
        """Samples of each signal in each window from one time to another (both included); windows ascend."""
        counts = np.zeros((len(signals), len(from_ns)), np.int64)
        starts, ends = np.searchsorted(self.t_ns, from_ns), np.searchsorted(self.t_ns, until_ns, side="right")
        if not len(starts) or starts[0] == ends[-1]:
            return counts
        all_rows = slice(int(starts[0]), int(ends[-1]))
        few = int((ends - starts).sum()) + call_rows * len(starts) < all_rows.stop - all_rows.start
        for index, signal in enumerate(signals):
            if few:
                counts[index] = [
                    _total(mask) if (mask := self.sampled(signal, slice(start, end))) is not None else 0
                    for start, end in zip(starts, ends, strict=True)
                ]
            elif (mask := self.sampled(signal, all_rows)) is not None:
                before = np.concatenate(([0], np.cumsum(mask)))  # for each row, the samples in the rows before it
                counts[index] = before[ends - all_rows.start] - before[starts - all_rows.start]
        return counts


def _total(sampled: Mask | Weights) -> int:
    return int(np.count_nonzero(sampled)) if sampled.dtype == np.bool_ else int(sampled.sum())


class WindowCounts:
    """Windows of time, and the samples of some signals in each of them.

    Windows and rows come in order of time. Counts by signal are kept only for windows that are still open.
    """

    def __init__(self, signals: Sequence[str], *, call_rows: int = CALL_ROWS) -> None:
        self.signals = signals
        self._call_rows = call_rows
        self._from_ns = self._until_ns = np.empty(0, np.int64)
        self._open = np.empty((len(signals), 0), np.int64)
        self._samples: list[NDArray[np.int64]] = []
        self._channels: list[NDArray[np.int64]] = []

    def add(
        self,
        from_ns: Times,
        until_ns: Times,
        before: Iterable[SampledRows] = (),
        held: NDArray[np.int64] | None = None,
    ) -> None:
        """Open further windows (both ends included), and count the rows `before` that are in them.

        `held` (signal, window) are samples that each of the windows has besides those of the rows.
        """
        counts = np.zeros((len(self.signals), len(from_ns)), np.int64) if held is None else held.copy()
        for rows in before:
            counts += rows.counts(self.signals, from_ns, until_ns, self._call_rows)
        self._from_ns = np.concatenate((self._from_ns, from_ns))
        self._until_ns = np.concatenate((self._until_ns, until_ns))
        self._open = np.concatenate((self._open, counts), axis=1)

    def take(self, rows: SampledRows) -> None:
        """Count the next rows, and close the windows that end in them."""
        if len(self._from_ns):
            self._open += rows.counts(self.signals, self._from_ns, self._until_ns, self._call_rows)
            self._close(int(np.searchsorted(self._until_ns, rows.t_ns[-1], side="right")))

    def totals(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Samples of all windows, and channels (signals with a sample), after the last rows."""
        self._close(len(self._from_ns))
        return np.concatenate(self._samples), np.concatenate(self._channels)

    def _close(self, windows: int) -> None:
        self._samples.append(self._open[:, :windows].sum(axis=0))
        self._channels.append((self._open[:, :windows] > 0).sum(axis=0))
        self._from_ns, self._until_ns = self._from_ns[windows:], self._until_ns[windows:]
        self._open = self._open[:, windows:]
