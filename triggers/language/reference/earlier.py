"""The operator that gives the value at an earlier update."""

from __future__ import annotations

from typing import Any, ClassVar

from triggers.language.reference.operators import Operator, Tick
from triggers.language.reference.values import Value


class Previous(Operator):
    """`prev(x)`: x at the update tick before its latest one in the segment; unknown if there is none.

    An update tick is one at which a signal of x has a new sample and x is known. Between update ticks, and while x is
    unknown, the value stays.
    """

    STATE: ClassVar[dict[str, Any]] = {"latest": None, "before": None}
    latest: Value
    before: Value

    def step(self, tick: Tick, /, *arguments: Any) -> Value:
        x = arguments[0]
        if x is not None and tick.fresh & self.mask:
            self.before, self.latest = self.latest, x
        return self.before
