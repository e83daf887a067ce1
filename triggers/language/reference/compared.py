"""The counting of compared heads in the reference interpreter: which ticks are pairs, and what they count as."""

from __future__ import annotations

from collections.abc import Sequence

from triggers.contracts.compared import Compared
from triggers.language.ir import CompareCode
from triggers.language.reference.inputs import HeldInput
from triggers.language.reference.operators import Tick
from triggers.language.reference.values import Value

__all__ = ["Compared", "HeadCounter"]


class HeadCounter:
    """`compare H.F`: counts each new pair by its two values.

    A new pair is a tick at which at least one of the two signals has a new sample and their latest samples lie
    within the skew. Counts continue across segments.
    """

    def __init__(self, code: CompareCode, mask: int, active: HeldInput, shadow: HeldInput) -> None:
        self.code = code
        self.counts = [0] * 5
        self._mask = mask
        self._samples = (active, shadow)

    @property
    def compared(self) -> Compared:
        """The counts so far."""
        return Compared(*self.counts)

    def count(self, tick: Tick, values: Sequence[Value]) -> None:
        """Count this tick if it is a new pair; `values` are those of the program's nodes at it."""
        active_ns, shadow_ns = self._samples[0].sample_ns, self._samples[1].sample_ns
        if not tick.fresh & self._mask or active_ns is None or shadow_ns is None:
            return
        if abs(active_ns - shadow_ns) <= self.code.skew_ns:
            active, shadow = values[self.code.active], values[self.code.shadow]
            known = active is not None and shadow is not None
            self.counts[2 * bool(active) + bool(shadow) if known else 4] += 1
