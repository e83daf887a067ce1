"""Bins of a trace for plots: of each stretch of time the lowest, highest and last value of a part.

They are filled while the trace is read, so what is kept is what a plot draws, however many ticks there are.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from triggers.drives.times import Times
from triggers.trace.run import Numbers, TraceBlock


@dataclass(frozen=True, slots=True)
class Run:
    """A value of a text, by its index, over the bins from `begin` to before `end`; None where it is unknown."""

    begin: int
    end: int
    value: int | None


@dataclass(frozen=True, slots=True)
class Bins:
    """Values by bin, NaN where unknown throughout. A tick's value lasts until the next tick, so it reaches into bins.

    `has_unknown` says in which bins a value was unknown at some time.
    """

    low: Numbers
    high: Numbers
    last: Numbers
    has_unknown: NDArray[np.bool_]

    @property
    def extent(self) -> tuple[float, float] | None:
        """The lowest and the highest value of all; None where it is unknown throughout."""
        if np.isnan(self.low).all():
            return None
        return float(np.nanmin(self.low)), float(np.nanmax(self.high))

    def runs(self) -> Iterator[Run]:
        """A text as runs of its values, in order; a bin in which it changes, or is unknown at some time, begins one."""
        known = ~np.isnan(self.last)
        changes = known & ((self.low != self.high) | self.has_unknown)
        changes[1:] |= (known[1:] != known[:-1]) | (known[1:] & (self.last[1:] != self.last[:-1]))
        for begin, end in pairwise([0, *(np.flatnonzero(changes[1:]) + 1).tolist(), len(known)]):
            yield Run(begin, end, int(self.last[begin]) if known[begin] else None)


class Binning:
    """The values of parts in `count` bins of equal length from one time to another, in ns."""

    def __init__(self, parts: int, first_ns: int, last_ns: int, count: int) -> None:
        self._first_ns, self._span_ns, self._count = first_ns, max(last_ns - first_ns, 1), count
        self._low, self._high, self._last = (np.full((parts, count), np.nan) for _ in range(3))
        self._has_unknown = np.zeros((parts, count), np.bool_)
        self._is_reached = np.zeros(count, np.bool_)
        self._held_ns, self._held = np.empty(0, np.int64), np.empty((parts, 0))
        """The latest tick: for how long its values last is not known before the next one comes."""

    def take(self, block: TraceBlock) -> None:
        """Put some ticks into their bins; they come in order of time, and lie between the two times."""
        if not len(block.t_ns):
            return
        t_ns, values = np.append(self._held_ns, block.t_ns), np.append(self._held, np.array(block.values), axis=1)
        self._put(t_ns, values, self._bins_of(t_ns[-1:]))
        self._held_ns, self._held = t_ns[-1:].copy(), values[:, -1:].copy()

    def bins(self) -> list[Bins]:
        """The bins of each part, in the order of the parts; the latest tick's values last until the end."""
        if len(self._held_ns):
            self._put(self._held_ns, self._held, np.array([self._count - 1]))
        has_unknown = self._has_unknown | ~self._is_reached
        return [Bins(*rows) for rows in zip(self._low, self._high, self._last, has_unknown, strict=True)]

    def _bins_of(self, t_ns: Times) -> NDArray[np.int64]:
        return np.minimum((t_ns - self._first_ns) * self._count // self._span_ns, self._count - 1)

    def _put(self, t_ns: Times, values: Numbers, end: NDArray[np.int64]) -> None:
        """Put each tick's values into its own bin and those that they reach into, the last tick's up to `end`."""
        begin = self._bins_of(t_ns)
        # a value that lasts until exactly where a bin begins does not reach into that bin
        ends = np.append(-((self._first_ns - t_ns[1:]) * self._count // self._span_ns) - 1, end)
        reached = np.maximum(ends - begin, 0) + 1
        ticks = np.repeat(np.arange(len(t_ns)), reached)
        bins = begin[ticks] + np.arange(len(ticks)) - np.repeat(np.cumsum(reached) - reached, reached)
        starts = np.flatnonzero(np.diff(bins, prepend=-1))
        at, spread = bins[starts], values[:, ticks]
        self._low[:, at] = np.fmin(self._low[:, at], np.fmin.reduceat(spread, starts, axis=1))
        self._high[:, at] = np.fmax(self._high[:, at], np.fmax.reduceat(spread, starts, axis=1))
        self._last[:, at] = spread[:, np.append(starts[1:], len(ticks)) - 1]
        self._has_unknown[:, at] |= np.logical_or.reduceat(np.isnan(spread), starts, axis=1)
        self._is_reached[at] = True
