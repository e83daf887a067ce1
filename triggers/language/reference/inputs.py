"""The held values of a program's inputs, and the operators on samples: input, age, pairs."""

from __future__ import annotations

import math
from typing import Any, ClassVar

from triggers.language.ir import Input, Node
from triggers.language.reference.operators import Operator, Tick
from triggers.language.reference.values import Value, finite


class HeldInput:
    """The latest sample of a signal in the segment; `initial` is used as a value, but never as a sample."""

    def __init__(self, item: Input) -> None:
        self.item = item
        self.sample_ns: int | None = None
        self._value: float | None = None
        self._since_ns = 0

    def begin_segment(self, t_ns: int) -> None:
        """Forget the sample; an `initial` value holds from here."""
        self.sample_ns = None
        self._value = self.item.initial
        self._since_ns = t_ns

    def take(self, t_ns: int, sample: float) -> None:
        """Take a new sample; an infinite one means measured but invalid."""
        self.sample_ns = self._since_ns = t_ns
        self._value = sample

    def value(self, t_ns: int) -> Value:
        """The latest sample if it is valid and not older than the signal's `max_age`, otherwise unknown."""
        if self._value is None or not math.isfinite(self._value):
            return None
        if self.item.max_age_ns is not None and t_ns - self._since_ns > self.item.max_age_ns:
            return None
        return self._value != 0 if self.item.type == "bool" else self._value


class Read(Operator):
    """A signal: its latest sample in the segment, unknown once that is older than `max_age`."""

    def __init__(self, node: Node, mask: int, held: HeldInput) -> None:
        super().__init__(node, mask)
        self.held = held

    def step(self, tick: Tick, /, *_arguments: Any) -> Value:
        return self.held.value(tick.t_ns)


class Age(Operator):
    """`age(x)`: seconds since the latest sample of signal x in the segment; unknown if there is none."""

    def __init__(self, node: Node, mask: int, held: HeldInput) -> None:
        super().__init__(node, mask)
        self.held = held

    def step(self, tick: Tick, /, *_arguments: Any) -> Value:
        return None if self.held.sample_ns is None else (tick.t_ns - self.held.sample_ns) / 1e9


class Pair(Operator):
    """`disagree(a, b)`, `divergence(a, b)`: two signals, compared when their samples are close in time.

    The value is that of the latest tick at which the two samples were within the skew; it is unknown when that tick is
    older than the longer `max_age` of the two. `disagree` is `a != b`, `divergence` is `abs(b - a)`.
    """

    STATE: ClassVar[dict[str, Any]] = {"value": None, "paired_ns": None}
    value: Value
    paired_ns: int | None

    def __init__(self, node: Node, mask: int, a: HeldInput, b: HeldInput) -> None:
        super().__init__(node, mask)
        self.samples = (a, b)

    def step(self, tick: Tick, /, *arguments: Any) -> Value:
        a_ns, b_ns = self.samples[0].sample_ns, self.samples[1].sample_ns
        if a_ns is not None and b_ns is not None and abs(a_ns - b_ns) <= self.node.integer("skew_ns"):
            self.value = self._compare(*arguments)
            self.paired_ns = tick.t_ns
        if self.paired_ns is None or tick.t_ns - self.paired_ns > self.node.integer("stale_ns"):
            return None
        return self.value

    def _compare(self, a: Value, b: Value) -> Value:
        if a is None or b is None:
            return None
        return a != b if self.node.op == "disagree" else finite(abs(b - a))
