"""The counting of compared heads in the reference interpreter: which ticks are pairs or events, and as what."""

from __future__ import annotations

from collections.abc import Sequence

from triggers.compared_events.matcher import EventMatcher, Side
from triggers.contracts.compared import Compared, EventCounts, EventKey
from triggers.language.ir import CompareCode, EventCode
from triggers.language.reference.inputs import HeldInput
from triggers.language.reference.operators import Tick
from triggers.language.reference.values import Value

__all__ = ["Compared", "EventCounter", "EventCounts", "EventKey", "HeadCounter"]


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


class EventCounter:
    """`compare events H.F within W`: matches the rises of two sides; `mask` has the signals of both.

    A segment is a stretch of its own: at its first tick nothing is known yet, and with its last tick all that waits
    is settled. A side rises as in `rise(P)`: it is true, and its last known value in the segment was false.
    """

    def __init__(self, code: EventCode, mask: int) -> None:
        self.code = code
        self.mask = mask
        self._before = EventCounts()
        self._matcher: EventMatcher | None = None
        self._last_known: list[Value] = [None, None]

    @property
    def counts(self) -> EventCounts:
        """What is settled so far; counts continue across segments."""
        return self._before if self._matcher is None else self._before + self._matcher.counts

    def end_segment(self) -> None:
        """Nothing more comes after the latest tick."""
        if self._matcher is not None:
            self._before += self._matcher.finish()
        self._matcher = None
        self._last_known = [None, None]

    def step(self, t_ns: int, values: Sequence[Value]) -> None:
        """A tick of one of the two sides; `values` are those of the program's nodes at it."""
        both = values[self.code.first], values[self.code.second]
        if self._matcher is None:
            self._matcher = EventMatcher(self.code.within_ns, t_ns)
        for side, value in zip(Side, both, strict=True):
            self._matcher.observe(side, t_ns, is_known=value is not None)
        for side, value in zip(Side, both, strict=True):
            if value is True and self._last_known[side] is False:
                self._matcher.rise(side, t_ns)
            if value is not None:
                self._last_known[side] = value
