"""The matcher of events: rises of two signals that are at most a window apart are the same event, told while they come.

The rule, in full:

- A rise of one side may be matched with a rise of the other side that is at most `within_ns` earlier or later
  (exactly `within_ns` is still within).
- Each rise is matched at most once.
- *Earliest first*: of the rises that wait for a partner, the earliest takes the first one of the other side that is
  within its window. Of two rises of one side at the same time, the one that was told first counts as earlier.

Earliest first, and not nearest first, for three reasons. It finds as many pairs as any rule can: on a line, two pairs
that cross can always be uncrossed (a property test compares it with a search for a maximum matching). It needs no look
into the future: a partner that is there is taken at once. And it is symmetric: swapping the sides swaps the counts.
Nearest first would wait for each rise's whole window, and could leave both outer rises of four without a partner.

A rise without a partner counts for its side alone only if the other side was known in its whole window, from
`within_ns` before it to `within_ns` after it. Else it is *unresolved*: its partner may be there, unseen, because the
window reaches beyond the start or the end of the observed time, or into a time in which the other side was unknown. So
every rise is in exactly one count, and the sides' shares are biased neither by short drives nor by silent signals.
"""

from __future__ import annotations

from collections import deque
from enum import IntEnum

from triggers.contracts.compared import EventCounts

MAX_WAITING = 64
"""How many rises may wait for a partner: what a vehicle reserves. Beyond it the earliest is unresolved."""


class Side(IntEnum):
    """Whose rise it is, see `EventCounts`."""

    FIRST = 0
    SECOND = 1

    @property
    def other(self) -> Side:
        """The side that the partner of a rise belongs to."""
        return Side(1 - self)


class EventMatcher:
    """Matches rises that are told in the order of their times, over one stretch of time without a gap.

    At most one side waits at any time, as two rises that wait would either be matched or not both be waiting. The state
    is therefore one queue, which holds the rises of the last `within_ns`. Both sides are known from `start_ns` on,
    unless something else is told (`observe`).
    """

    def __init__(self, within_ns: int, start_ns: int, *, max_waiting: int = MAX_WAITING) -> None:
        if within_ns < 0 or max_waiting < 1:
            raise ValueError(f"a window of {within_ns} ns with room for {max_waiting} rises")
        self._within_ns = within_ns
        self._now_ns = start_ns
        self._known_since: list[int | None] = [start_ns, start_ns]
        """Since when each side is known without a break; None while it is unknown."""
        self._max_waiting = max_waiting
        self._waiting: deque[int] = deque()
        self._waits = Side.FIRST
        self._matched = 0
        self._alone = [0, 0]
        self._unresolved = [0, 0]

    def observe(self, side: Side, time_ns: int, *, is_known: bool) -> None:
        """A side is known or unknown from `time_ns` on; of two things told at one time the later one holds."""
        self.advance(time_ns)
        if not is_known:
            self._known_since[side] = None
        elif self._known_since[side] is None:
            self._known_since[side] = time_ns

    def rise(self, side: Side, time_ns: int) -> None:
        """A rise at `time_ns`, which must not be before any time that was told already."""
        self.advance(time_ns)
        if self._waiting and self._waits != side:
            self._waiting.popleft()
            self._matched += 1
            return
        self._waits = side
        self._waiting.append(time_ns)
        if len(self._waiting) > self._max_waiting:
            self._waiting.popleft()
            self._unresolved[side] += 1

    def advance(self, time_ns: int) -> None:
        """Time has come to `time_ns`, and what rose before has been told: windows that end before it are over."""
        if time_ns < self._now_ns:
            raise ValueError(f"{time_ns} ns after {self._now_ns} ns: times must not decrease")
        self._now_ns = time_ns
        while self._waiting and self._waiting[0] + self._within_ns < time_ns:
            self._settle(self._waiting.popleft())

    def finish(self) -> EventCounts:
        """The counts when nothing more comes, for example before a gap: the last time told is the end."""
        while self._waiting:
            self._settle(self._waiting.popleft())
        return self.counts

    def _settle(self, rise_ns: int) -> None:
        """A rise remains without a partner."""
        since_ns = self._known_since[self._waits.other]
        was_known = since_ns is not None and since_ns <= rise_ns - self._within_ns
        was_seen = was_known and rise_ns + self._within_ns <= self._now_ns
        counts = self._alone if was_seen else self._unresolved
        counts[self._waits] += 1

    @property
    def waiting(self) -> int:
        """How many rises wait for a partner; they are in no count yet."""
        return len(self._waiting)

    @property
    def counts(self) -> EventCounts:
        """What is settled so far."""
        return EventCounts(self._matched, *self._alone, *self._unresolved)


def match_events(
    first_ns: list[int], second_ns: list[int], within_ns: int, *, start_ns: int, end_ns: int
) -> EventCounts:
    """The events of a whole stretch from `start_ns` to `end_ns`, from the sorted times of both sides' rises.

    >>> match_events([10, 50], [12, 90], 5, start_ns=0, end_ns=100)
    EventCounts(matched=1, only_first=1, only_second=1, unresolved_first=0, unresolved_second=0)
    """
    matcher = EventMatcher(within_ns, start_ns)
    rises = [(time, Side.FIRST) for time in first_ns] + [(time, Side.SECOND) for time in second_ns]
    for time_ns, side in sorted(rises):
        matcher.rise(side, time_ns)
    matcher.advance(end_ns)
    return matcher.finish()
