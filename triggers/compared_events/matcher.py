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

A rise without a partner counts for its side alone only if its whole window was observed. One whose window reaches
beyond the start or the end of the observed time is *unresolved*: its partner may be there, unseen. So every rise is in
exactly one count, and the sides' shares are not biased by short drives.
"""

from __future__ import annotations

from collections import deque
from dataclasses import astuple, dataclass
from enum import IntEnum

MAX_WAITING = 4096
"""How many rises may wait for a partner: what a vehicle reserves. Beyond it the earliest is unresolved."""


class Side(IntEnum):
    """Whose rise it is, see `EventCounts`."""

    FIRST = 0
    SECOND = 1


@dataclass(frozen=True, slots=True)
class EventCounts:
    """Events of two sides, `first` and `second`: for a compared head its active and its shadow signal."""

    matched: int = 0
    only_first: int = 0
    only_second: int = 0
    unresolved_first: int = 0
    """Rises without a partner whose window was not observed as a whole."""
    unresolved_second: int = 0

    @property
    def rises(self) -> tuple[int, int]:
        """All rises of either side."""
        return (
            self.matched + self.only_first + self.unresolved_first,
            self.matched + self.only_second + self.unresolved_second,
        )

    def __add__(self, other: EventCounts) -> EventCounts:
        """The events of both counts together."""
        return EventCounts(*(a + b for a, b in zip(astuple(self), astuple(other), strict=True)))


class EventMatcher:
    """Matches rises that are told in the order of their times, over one stretch of time without a gap.

    At most one side waits at any time, as two rises that wait would either be matched or not both be waiting. The state
    is therefore one queue, which holds the rises of the last `within_ns`.
    """

    def __init__(self, within_ns: int, start_ns: int, *, max_waiting: int = MAX_WAITING) -> None:
        if within_ns < 0 or max_waiting < 1:
            raise ValueError(f"a window of {within_ns} ns with room for {max_waiting} rises")
        self._within_ns = within_ns
        self._start_ns = self._now_ns = start_ns
        self._max_waiting = max_waiting
        self._waiting: deque[int] = deque()
        self._waits = Side.FIRST
        self._matched = 0
        self._alone = [0, 0]
        self._unresolved = [0, 0]

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
        was_seen = rise_ns - self._within_ns >= self._start_ns and rise_ns + self._within_ns <= self._now_ns
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


class HeadEvents:
    """The events of a head with an active and a shadow signal, and the driver's where that is known.

    Each pair of signals is matched by itself, as a problem of two sides has one best answer and one of three has not:
    the driver's rise that is nearest to both may be matched with neither where rises are dense. What a driver did that
    a version missed is `only_second` of `active_driver` or `shadow_driver`.
    """

    def __init__(self, within_ns: int, start_ns: int, *, has_driver: bool = False) -> None:
        self._active_shadow = EventMatcher(within_ns, start_ns)
        self._active_driver = EventMatcher(within_ns, start_ns) if has_driver else None
        self._shadow_driver = EventMatcher(within_ns, start_ns) if has_driver else None

    def active(self, time_ns: int) -> None:
        """A rise of the active signal."""
        self._tell((self._active_shadow, Side.FIRST), (self._active_driver, Side.FIRST), time_ns)

    def shadow(self, time_ns: int) -> None:
        """A rise of the shadow signal."""
        self._tell((self._active_shadow, Side.SECOND), (self._shadow_driver, Side.FIRST), time_ns)

    def driver(self, time_ns: int) -> None:
        """A rise of the driver's signal."""
        if self._active_driver is None:
            raise ValueError("this head is compared without its driver")
        self._tell((self._active_driver, Side.SECOND), (self._shadow_driver, Side.SECOND), time_ns)

    def _tell(
        self, one: tuple[EventMatcher | None, Side], other: tuple[EventMatcher | None, Side], time_ns: int
    ) -> None:
        for matcher, side in (one, other):
            if matcher is not None:
                matcher.rise(side, time_ns)

    def finish(self, end_ns: int) -> HeadCounts:
        """The counts of a stretch that ends at `end_ns`."""
        counts: list[EventCounts | None] = []
        for matcher in (self._active_shadow, self._active_driver, self._shadow_driver):
            if matcher is not None:
                matcher.advance(end_ns)
            counts.append(None if matcher is None else matcher.finish())
        return HeadCounts(counts[0] or EventCounts(), counts[1], counts[2])


@dataclass(frozen=True, slots=True)
class HeadCounts:
    """The events of a head, by pair of its signals; None for those with a driver where there is none."""

    active_shadow: EventCounts
    active_driver: EventCounts | None = None
    shadow_driver: EventCounts | None = None
