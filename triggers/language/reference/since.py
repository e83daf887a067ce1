"""Operators from the latest rise of a condition A in the segment on, that tick included: `x at A`, `f(x since A)`.

A rises as in `rise(A)`: it is true, and its last known value in the segment was false. Before its first rise
everything here is unknown; each rise begins anew. No samples are stored.
"""

from __future__ import annotations

from typing import Any, ClassVar

from triggers.language.ir import Node
from triggers.language.reference.operators import Operator, Tick
from triggers.language.reference.values import Value, finite, larger, smaller
from triggers.language.reference.windows import added


class SinceRise(Operator):
    """Base of the operators: x is the first argument, A the last one."""

    STATE: ClassVar[dict[str, Any]] = {"last_event": None, "began": False}
    last_event: bool | None
    began: bool

    def __init__(self, node: Node, mask: int) -> None:
        super().__init__(node, mask)
        self.subject_mask = mask
        """The signals that x reads; `make_steps` sets it."""

    def step(self, tick: Tick, /, *arguments: Any) -> Value:
        x, event = arguments[0], arguments[-1]
        if event is True and self.last_event is False:
            self.began = True
            self.begin(tick.t_ns, x)
        self.last_event = self.last_event if event is None else event
        self.take(x, x is not None and bool(tick.fresh & self.subject_mask))
        return self.result(tick.t_ns) if self.began else None

    def begin(self, _t_ns: int, _x: Value, /) -> None:
        """A rises at this time: what was is forgotten."""

    def take(self, _x: Value, _is_update: bool, /) -> None:
        """Take x at a tick, also before the first rise; an update tick has a new sample of x, and x is known."""

    def result(self, _t_ns: int, /) -> Value:
        """The value at this time, once A has risen."""
        raise NotImplementedError


class At(SinceRise):
    """`x at A`: the value x had at the latest rise of A; unknown if x was unknown there."""

    STATE: ClassVar[dict[str, Any]] = {**SinceRise.STATE, "value": None}
    value: Value

    def begin(self, _t_ns: int, x: Value, /) -> None:
        self.value = x

    def result(self, _t_ns: int, /) -> Value:
        return self.value


class TimeSince(SinceRise):
    """`time since A`: seconds since the latest rise of A."""

    STATE: ClassVar[dict[str, Any]] = {**SinceRise.STATE, "rose_ns": 0}
    rose_ns: int

    def begin(self, t_ns: int, _x: Value, /) -> None:
        self.rose_ns = t_ns

    def result(self, t_ns: int, /) -> Value:
        return (t_ns - self.rose_ns) / 1e9


class ExtremeSince(SinceRise):
    """`min(x since A)`, `max(x since A)`: over the update ticks of x; unknown if there are none."""

    STATE: ClassVar[dict[str, Any]] = {**SinceRise.STATE, "best": None}
    best: float | None

    def begin(self, _t_ns: int, _x: Value, /) -> None:
        self.best = None

    def take(self, x: Value, is_update: bool, /) -> None:
        if is_update and x is not None:
            choose = smaller if self.node.op == "since_min" else larger
            self.best = x if self.best is None else choose(self.best, x)

    def result(self, _t_ns: int, /) -> Value:
        return self.best


class SumSince(SinceRise):
    """`sum(x since A)`: over the update ticks of x; unknown if there are none, or if it is not finite.

    A compensated sum: each addition's rounding error is collected, in the order of the ticks, and added at the end.
    """

    STATE: ClassVar[dict[str, Any]] = {**SinceRise.STATE, "updated": False, "sum": 0.0, "correction": 0.0}
    updated: bool
    sum: float
    correction: float

    def begin(self, _t_ns: int, _x: Value, /) -> None:
        self.updated, self.sum, self.correction = False, 0.0, 0.0

    def take(self, x: Value, is_update: bool, /) -> None:
        if is_update and x is not None:
            self.updated = True
            self.sum, self.correction = added(self.sum, self.correction, x)

    def result(self, _t_ns: int, /) -> Value:
        return finite(self.sum + self.correction) if self.updated else None


class CountSince(SinceRise):
    """`count(P since A)`: the rises of P; unknown if P was known at no tick. It does not saturate.

    `since_count_impulses`, for P that are true at single ticks: the ticks at which P is true.
    """

    STATE: ClassVar[dict[str, Any]] = {**SinceRise.STATE, "last": None, "known": False, "count": 0}
    last: bool | None
    known: bool
    count: int

    def begin(self, _t_ns: int, _x: Value, /) -> None:
        self.known, self.count = False, 0

    def take(self, x: Value, _is_update: bool, /) -> None:
        if x is None:
            return
        self.known = True
        self.count += x is True and (self.node.op == "since_count_impulses" or self.last is False)
        self.last = x is True

    def result(self, _t_ns: int, /) -> Value:
        return float(self.count) if self.known else None


SINCE: dict[str, type[Operator]] = {
    "at": At,
    "time_since": TimeSince,
    "since_min": ExtremeSince,
    "since_max": ExtremeSince,
    "since_sum": SumSince,
    "since_count": CountSince,
    "since_count_impulses": CountSince,
}
