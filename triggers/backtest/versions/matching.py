"""The matching of two versions' fires: which fire of the one is the same as which of the other, nearest first.

Two fires are near enough if their capture windows touch, since a vehicle would have both in one clip, or else if they
are within a stated time of each other. Each fire is matched at most once, and of all pairs that are near enough the
nearest is matched first. So a fire that both versions have at the same time is never told as one that a version lacks,
which matching the earliest first, as `triggers.compared_events.matcher` must while events come, would do: it finds
more pairs, but the fires that it leaves alone are not those that an author has to look at. In plain Python, as the API
answers with it.
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


class Window(Protocol):
    """How long before and after a fire is recorded, such as a `CaptureWindow`."""

    @property
    def before_ns(self) -> int:
        """Before the fire."""

    @property
    def after_ns(self) -> int:
        """After it."""


@dataclass(frozen=True, slots=True)
class Nearness:
    """How much later, and how much earlier, than a fire of the first version one of the second may be to be the same.

    >>> Nearness.within(2).of_two(5, 6), Nearness.within(2).of_two(5, 8)
    (1, None)
    """

    later_ns: int
    earlier_ns: int

    @classmethod
    def within(cls, apart_ns: int) -> Nearness:
        """At most so far apart."""
        return cls(apart_ns, apart_ns)

    @classmethod
    def touching(cls, first: Window, second: Window) -> Nearness:
        """With capture windows that touch."""
        return cls(first.after_ns + second.before_ns, second.after_ns + first.before_ns)

    def of_two(self, first_ns: int, second_ns: int) -> int | None:
        """How far two fires are apart; None if that is too far."""
        apart_ns = second_ns - first_ns
        return abs(apart_ns) if -self.earlier_ns <= apart_ns <= self.later_ns else None


def matched(first_ns: Sequence[int], second_ns: Sequence[int], nearness: Nearness) -> tuple[list[bool], list[bool]]:
    """For each fire of either version (times of one trigger on one drive, ascending), whether the other has it.

    Of pairs that are equally near the earliest is matched first.

    >>> matched([0, 90], [90, 180], Nearness.within(100))
    ([False, True], [True, False])
    """
    found = [False] * len(first_ns), [False] * len(second_ns)
    # The nearest two fires of different versions that are left are always neighbours among those that are left.
    fires = sorted(
        [(t_ns, 0, at) for at, t_ns in enumerate(first_ns)] + [(t_ns, 1, at) for at, t_ns in enumerate(second_ns)]
    )
    before, after = list(range(-1, len(fires) - 1)), list(range(1, len(fires) + 1))
    pairs: list[tuple[int, int, int]] = []

    def consider(left: int, right: int) -> None:
        if left < 0 or right >= len(fires) or fires[left][1] == fires[right][1]:
            return
        one, other = sorted((left, right), key=lambda place: fires[place][1])
        if (apart_ns := nearness.of_two(fires[one][0], fires[other][0])) is not None:
            heapq.heappush(pairs, (apart_ns, left, right))

    for place in range(1, len(fires)):
        consider(place - 1, place)
    while pairs:
        _, left, right = heapq.heappop(pairs)
        if any(found[fires[place][1]][fires[place][2]] for place in (left, right)):
            continue
        for place in (left, right):
            found[fires[place][1]][fires[place][2]] = True
        outer = before[left], after[right]
        if outer[0] >= 0:
            after[outer[0]] = outer[1]
        if outer[1] < len(fires):
            before[outer[1]] = outer[0]
        consider(*outer)
    return found
