"""The counts of a compared head: the confusion table of its active and shadow values."""

from __future__ import annotations

from dataclasses import astuple, dataclass
from typing import Annotated

from pydantic import Field

PairCount = Annotated[int, Field(ge=0, le=2**60)]
"""The sum of a table's five counts fits 64 bits."""


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
