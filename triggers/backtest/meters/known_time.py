"""Known time: how long the signals that a trigger needs were known while a drive was recorded, batch by batch.

A signal is known while its latest sample in the segment is finite and no older than its `max_age`. Time that counts is
that within segments, as for armed time. What is collected are the spans in which a signal was *not* known: most drives
have few of them, and a batch in which every row has a finite sample needs no more than a sum to see that.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from triggers.distance import ends_segment
from triggers.drives.batches import Batch
from triggers.drives.columns import Numbers
from triggers.drives.times import Times
from triggers.signals.catalog import Signal

_NEVER_NS = np.iinfo(np.int64).max
_NO_TIMES = np.empty(0, np.int64)


class Spans(NamedTuple):
    """Spans of time `[from, until)` in ns, ascending and apart."""

    from_ns: Times
    until_ns: Times

    @property
    def total_ns(self) -> int:
        """The length of all spans together."""
        return int((self.until_ns - self.from_ns).sum())


class KnownTime:
    """The time in which each signal was unknown, and in which one of the signals that a trigger needs was."""

    def __init__(self, signals: Mapping[str, Signal], needs: Mapping[str, Collection[str]], max_gap_ns: int) -> None:
        """`needs` are the signals of each trigger, all among `signals`."""
        self.unknown_ns = dict.fromkeys(signals, 0)
        """By signal."""
        self.unknown_together_ns = dict.fromkeys(needs, 0)
        """By trigger: the time in which at least one of its signals was unknown."""
        self._needs = needs
        self._max_gap_ns = max_gap_ns
        self._clocks = {name: _SignalClock(signal) for name, signal in signals.items()}
        self._latest_ns: int | None = None

    def take(self, batch: Batch) -> None:
        """Add the time up to the last row of this batch."""
        edges = _Edges.of(batch, self._latest_ns, self._max_gap_ns)
        spans: dict[str, Spans] = {}
        for name, clock in self._clocks.items():
            unknown = clock.take(batch, batch.columns.get(name), edges)
            if unknown is not None:
                spans[name] = unknown
                self.unknown_ns[name] += unknown.total_ns
        for trigger, needed in self._needs.items() if spans else ():
            of_trigger = [spans[name] for name in needed if name in spans]
            self.unknown_together_ns[trigger] += _union_ns(of_trigger)
        self._latest_ns = int(batch.t_ns[-1])


class _Edges(NamedTuple):
    """Where segments end and begin in a batch; time is counted from `since_ns`, the last row before the batch."""

    since_ns: int
    ends_ns: Times
    begins_ns: Times
    longest_step_ns: int

    @classmethod
    def of(cls, batch: Batch, latest_ns: int | None, max_gap_ns: int) -> _Edges:
        first_ns = int(batch.t_ns[0])
        ends, begins = _NO_TIMES, _NO_TIMES
        if batch.longest_step_ns > max_gap_ns:
            gaps = np.flatnonzero(ends_segment(batch.steps_ns, max_gap_ns))
            ends, begins = batch.t_ns[gaps], batch.t_ns[gaps + 1]
        if latest_ns is None:
            return cls(first_ns, ends, np.append(first_ns, begins), batch.longest_step_ns)
        if ends_segment(first_ns - latest_ns, max_gap_ns):
            return cls(latest_ns, np.append(latest_ns, ends), np.append(first_ns, begins), batch.longest_step_ns)
        return cls(latest_ns, ends, begins, max(batch.longest_step_ns, first_ns - latest_ns))


def _are_finite(numbers: Numbers) -> bool:
    """Whether the sum of all numbers is finite, and so is each of them; huge ones may be called not finite."""
    with np.errstate(over="ignore", invalid="ignore"):
        return math.isfinite(numbers.sum())


class _SignalClock:
    """Until when a signal is known, from batch to batch."""

    def __init__(self, signal: Signal) -> None:
        self._max_age_ns = signal.max_age_ns
        self._has_initial = signal.initial_sample is not None
        self._known_until_ns = 0

    def take(self, batch: Batch, numbers: Numbers | None, edges: _Edges) -> Spans | None:
        """The spans of this batch in which the signal was unknown; None if it was known throughout."""
        end_ns = int(batch.t_ns[-1])
        max_age_ns = self._max_age_ns
        first_ns = int(batch.t_ns[0])
        begins_here = edges.since_ns == first_ns or self._known_until_ns >= first_ns
        if numbers is not None and begins_here and not len(edges.ends_ns):
            is_fresh = max_age_ns is None or edges.longest_step_ns <= max_age_ns
            if is_fresh and _are_finite(numbers):
                self._known_until_ns = self._until(end_ns)
                return None
        t_ns, until_ns = self._events(batch, numbers, edges)
        self._known_until_ns = int(until_ns[-1])
        next_ns = np.append(t_ns[1:], end_ns)
        from_ns = np.maximum(t_ns, np.minimum(until_ns, next_ns))
        unknown = from_ns < next_ns
        return Spans(from_ns[unknown], next_ns[unknown]) if unknown.any() else None

    def _events(self, batch: Batch, numbers: Numbers | None, edges: _Edges) -> tuple[Times, Times]:
        """Times at which it is decided anew until when the signal is known, and until when that is; ascending."""
        rows = np.flatnonzero(~np.isnan(numbers)) if numbers is not None else np.empty(0, np.int64)
        sampled_ns = batch.t_ns[rows]
        sampled_until_ns = sampled_ns
        if numbers is not None and len(rows):
            sampled_until_ns = np.where(np.isfinite(numbers[rows]), self._all_until(sampled_ns), sampled_ns)
        if not len(edges.begins_ns) and not len(edges.ends_ns):  # nearly all batches: nothing to put in order
            since = ([edges.since_ns], [self._known_until_ns])
            return np.concatenate((since[0], sampled_ns)), np.concatenate((since[1], sampled_until_ns))
        begun_until_ns = self._all_until(edges.begins_ns) if self._has_initial else edges.begins_ns
        # At equal times the later one counts: a sample of a segment's first row, and the end of a segment at any row.
        t_ns = np.concatenate(([edges.since_ns], edges.begins_ns, sampled_ns, edges.ends_ns))
        ends_until_ns = np.full(len(edges.ends_ns), _NEVER_NS)
        until_ns = np.concatenate(([self._known_until_ns], begun_until_ns, sampled_until_ns, ends_until_ns))
        order = np.argsort(t_ns, kind="stable")
        return t_ns[order], until_ns[order]

    def _until(self, t_ns: int) -> int:
        return int(_NEVER_NS) if self._max_age_ns is None else t_ns + self._max_age_ns

    def _all_until(self, t_ns: Times) -> Times:
        return np.full(len(t_ns), _NEVER_NS) if self._max_age_ns is None else t_ns + self._max_age_ns


def _union_ns(spans: Collection[Spans]) -> int:
    """The time that is in at least one of the spans."""
    if len(spans) < 2:
        return sum(each.total_ns for each in spans)
    from_ns = np.concatenate([each.from_ns for each in spans])
    until_ns = np.concatenate([each.until_ns for each in spans])
    order = np.argsort(from_ns, kind="stable")
    from_ns, until_ns = from_ns[order], until_ns[order]
    covered_ns: NDArray[np.int64] = np.maximum.accumulate(np.append(from_ns[0], until_ns[:-1]))
    return int(np.maximum(0, until_ns - np.maximum(from_ns, covered_ns)).sum())
