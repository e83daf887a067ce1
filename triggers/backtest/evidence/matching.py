"""Matching of fires with known events: as many events as possible are found, each by one fire.

Fires are taken in order of time. Each finds, of the events whose window it lies in and that no fire has found yet, the
one whose window ends first. No other way to match them finds more events (F. Glover, Maximum matching in a convex
bipartite graph, Naval Research Logistics Quarterly 14, 1967).
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from triggers.backtest.evidence.known_events import EventSpans
from triggers.drives.times import Times


@dataclass(frozen=True, slots=True)
class Matching:
    """For each event the index of the fire that found it, or -1; and which fires repeat an event that was found."""

    fire_of_event: NDArray[np.int64]
    repeats: NDArray[np.bool_]

    @property
    def found(self) -> int:
        """How many events were found, which is how many fires found one."""
        return int((self.fire_of_event >= 0).sum())

    def false_alarms(self) -> NDArray[np.int64]:
        """The indexes of fires in no event's window."""
        alarms = ~self.repeats
        alarms[self.fire_of_event[self.fire_of_event >= 0]] = False
        return np.flatnonzero(alarms)


def match(fires_ns: Times, events: EventSpans) -> Matching:
    """Match the fires of a trigger on a drive, ascending, with the events that it should find there.

    A fire in the window of an event that another fire has found is a repeat, unless it finds an event itself.
    """
    found = np.full(len(events), -1, np.int64)
    repeats = np.zeros(len(fires_ns), np.bool_)
    from_ns, until_ns = events.from_ns.tolist(), events.until_ns.tolist()
    waiting: list[tuple[int, int]] = []
    begun, covered_ns = 0, -1
    for fire, t_ns in enumerate(fires_ns.tolist()):
        while begun < len(from_ns) and from_ns[begun] <= t_ns:
            heapq.heappush(waiting, (until_ns[begun], begun))
            covered_ns = max(covered_ns, until_ns[begun])
            begun += 1
        while waiting and waiting[0][0] < t_ns:
            heapq.heappop(waiting)
        if waiting:
            found[heapq.heappop(waiting)[1]] = fire
        else:
            repeats[fire] = t_ns <= covered_ns
    return Matching(found, repeats)
