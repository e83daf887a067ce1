"""The counts of compared heads: the confusion table of active and shadow values, and matched events."""

from __future__ import annotations

from dataclasses import astuple, dataclass
from enum import StrEnum
from typing import Annotated

from pydantic import Field

from triggers.times import NS_PER_S

PairCount = Annotated[int, Field(ge=0, le=2**60)]
"""The sum of the five counts of pairs or events fits 64 bits."""


@dataclass(frozen=True, slots=True)
class Compared:
    """Counts of the pairs of a bool head; the first four are 00, 01, 10 and 11 in the order (active, shadow)."""

    neither: PairCount = 0
    only_shadow: PairCount = 0
    only_active: PairCount = 0
    both: PairCount = 0
    unknown: PairCount = 0
    """Pairs with an unknown value, for example a sample that is measured but invalid."""

    def __add__(self, other: Compared) -> Compared:
        """The pairs of both counts together."""
        return Compared(*(a + b for a, b in zip(astuple(self), astuple(other), strict=True)))

    def __sub__(self, earlier: Compared) -> Compared:
        """The pairs counted since `earlier`."""
        return Compared(*(a - b for a, b in zip(astuple(self), astuple(earlier), strict=True)))


class Sides(StrEnum):
    """The two signals of a head whose events are matched, first and second."""

    ACTIVE_SHADOW = "active_shadow"
    ACTIVE_DRIVER = "active_driver"
    SHADOW_DRIVER = "shadow_driver"

    @property
    def names(self) -> tuple[str, str]:
        """What the first and the second side are called."""
        first, second = self.value.split("_")
        return first, second


HeadSides = tuple[str, Sides]
"""A head and the two of its sides whose events are matched: what a campaign version counts under one name."""


@dataclass(frozen=True, slots=True)
class EventKey:
    """Which events are counted: a head's two sides, how far apart they may rise, and the driver's signal."""

    head: str
    sides: Sides
    within_ns: int
    driver: str | None = None

    @property
    def name(self) -> HeadSides:
        """Under which a campaign counts them: in a campaign each head has one window and one driver."""
        return self.head, self.sides

    def __str__(self) -> str:
        """As a report names it: `events cut_in.detected (active and shadow within 1 s)`."""
        first, second = self.sides.names
        driver = f" {self.driver}" if self.driver else ""
        return f"events {self.head} ({first} and {second}{driver} within {self.within_ns / NS_PER_S:g} s)"


@dataclass(frozen=True, slots=True)
class EventCounts:
    """Events of two sides, `first` and `second` (see `Sides`). Every rise is in exactly one count, once it is settled.

    docs/language.md has the rule (`compare events`), `triggers.compared_events.matcher` follows it.
    """

    matched: PairCount = 0
    """Two rises each, one of either side."""
    only_first: PairCount = 0
    """Rises without a partner, although the other side was known in their whole window."""
    only_second: PairCount = 0
    unresolved_first: PairCount = 0
    """Rises without a partner whose window was not observed as a whole: it may be there, unseen."""
    unresolved_second: PairCount = 0

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

    def __sub__(self, earlier: EventCounts) -> EventCounts:
        """The events counted since `earlier`."""
        return EventCounts(*(a - b for a, b in zip(astuple(self), astuple(earlier), strict=True)))


EventsBySides = dict[Sides, EventCounts]
"""The events of one head: of its active and shadow signal, and, where it is compared with a driver, of three pairs."""
