"""Operators whose state is one or two values: holds, edges, hysteresis, smoothing, sequences.

One class per operator; its docstring is the rule of the language. `step` is called at every tick of the operator's
expression, in order of time, with the values of its arguments; `clear` is called when a segment begins.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from triggers.language.ir import Node
from triggers.language.reference.values import Value, finite


@dataclass(slots=True)
class Tick:
    """The instant at which expressions are evaluated; `fresh` is the mask of inputs with a new sample."""

    t_ns: int = 0
    fresh: int = 0


class Operator:
    """Base of the operators: named state that is cleared when a segment begins."""

    STATE: ClassVar[dict[str, Any]] = {}
    """The attributes that make up the state, with their values at the beginning of a segment."""

    def __init__(self, node: Node, mask: int) -> None:
        self.node = node
        self.mask = mask
        self.clear()

    def clear(self) -> None:
        """Reset the state, because a segment begins."""
        for name, value in self.STATE.items():
            setattr(self, name, value)

    def step(self, tick: Tick, /, *arguments: Any) -> Value:
        """The operator's value at this tick."""
        raise NotImplementedError


class Hold(Operator):
    """`P for D tolerating G`: true if P has been true at every tick since some t_s with t - t_s >= D.

    Unknown if P is unknown, else false. False ends the run; so does an unknown stretch, unless the time from
    its first unknown tick to the next known tick is at most G.
    """

    STATE: ClassVar[dict[str, Any]] = {"since_ns": None, "unknown_ns": None}
    since_ns: int | None
    unknown_ns: int | None

    def __init__(self, node: Node, mask: int) -> None:
        super().__init__(node, mask)
        self.hold_ns = self.node.integer("hold_ns")
        self.tolerate_ns = self.node.integer("tolerate_ns")

    def step(self, tick: Tick, /, *arguments: Any) -> Value:
        condition = arguments[0]
        if condition is None:
            if self.unknown_ns is None:
                self.unknown_ns = tick.t_ns
            return None
        if self.unknown_ns is not None and tick.t_ns - self.unknown_ns > self.tolerate_ns:
            self.since_ns = None
        self.unknown_ns = None
        if not condition:
            self.since_ns = None
            return False
        if self.since_ns is None:
            self.since_ns = tick.t_ns
        return tick.t_ns - self.since_ns >= self.hold_ns


class Edge(Operator):
    """`rise(P)`, `fall(P)`: true if P is true (false) and its last known value in the segment was the opposite.

    Unknown if P is unknown; false without an earlier known value.
    """

    STATE: ClassVar[dict[str, Any]] = {"last": None}
    last: bool | None

    def step(self, _tick: Tick, /, *arguments: Any) -> Value:
        condition = arguments[0]
        if condition is None:
            return None
        edge = self.last is (not condition) and condition is (self.node.op == "rise")
        self.last = condition
        return edge


class Changed(Operator):
    """`changed(x)`: true if x differs from its last known value; unknown if x is; false at its first one."""

    STATE: ClassVar[dict[str, Any]] = {"last": None}
    last: Value

    def step(self, _tick: Tick, /, *arguments: Any) -> Value:
        value = arguments[0]
        if value is None:
            return None
        changed = self.last is not None and value != self.last
        self.last = value
        return changed


class Hysteresis(Operator):
    """`hysteresis(x, on, off)`: false at first; true once x is beyond `on`, false once it is beyond `off`.

    An unknown x keeps the state and yields unknown.
    """

    STATE: ClassVar[dict[str, Any]] = {"state": False}
    state: bool

    def step(self, _tick: Tick, /, *arguments: Any) -> Value:
        x, on, off = arguments[0], self.node.number("on"), self.node.number("off")
        if x is None:
            return None
        if (x > on) if on > off else (x < on):
            self.state = True
        elif (x < off) if on > off else (x > off):
            self.state = False
        return self.state


class Once(Operator):
    """`once(P over W)`: true if P was true at a tick in (t - W, t]; else false if P was known at one; else unknown."""

    STATE: ClassVar[dict[str, Any]] = {"true_ns": None, "known_ns": None}
    true_ns: int | None
    known_ns: int | None

    def step(self, tick: Tick, /, *arguments: Any) -> Value:
        if arguments[0] is not None:
            self.known_ns = tick.t_ns
        if arguments[0]:
            self.true_ns = tick.t_ns
        open_end_ns = tick.t_ns - self.node.integer("window_ns")
        if self.true_ns is not None and self.true_ns > open_end_ns:
            return True
        return False if self.known_ns is not None and self.known_ns > open_end_ns else None


class Smooth(Operator):
    """`ema(x over W)`: `v += (x - v) * dt / (W + dt)` at update ticks, the first value as it is; unknown with x.

    A result that is not finite is unknown, and the average starts again at the next update tick.
    """

    STATE: ClassVar[dict[str, Any]] = {"value": None, "updated_ns": None}
    value: float | None
    updated_ns: int | None

    def step(self, tick: Tick, /, *arguments: Any) -> Value:
        x = arguments[0]
        if x is None:
            return None
        if tick.fresh & self.mask:
            if self.value is None or self.updated_ns is None:
                self.value = x
            else:
                dt_s = (tick.t_ns - self.updated_ns) / 1e9
                step = (x - self.value) * dt_s / (self.node.integer("window_ns") / 1e9 + dt_s)
                self.value = finite(self.value + step)
            self.updated_ns = tick.t_ns
        return self.value


class Then(Operator):
    """`A then B within W`: true if B rises at most W after an earlier rise of A, which is then used up.

    A rise of A at the same tick only counts for later ticks; the latest rise counts. Unknown if B is unknown; else
    false.
    """

    STATE: ClassVar[dict[str, Any]] = {"last_a": None, "last_b": None, "rose_ns": None}
    last_a: bool | None
    last_b: bool | None
    rose_ns: int | None

    def step(self, tick: Tick, /, *arguments: Any) -> Value:
        a, b = arguments
        a_rises, b_rises = self.rises(a, b)
        result: bool | None = None if b is None else False
        if b_rises and self.rose_ns is not None and tick.t_ns - self.rose_ns <= self.node.integer("within_ns"):
            result = True
            self.rose_ns = None
        if a_rises:
            self.rose_ns = tick.t_ns
        return result

    def rises(self, a: bool | None, b: bool | None) -> tuple[bool, bool]:
        """Whether A and whether B rise at this tick; remembers their last known values."""
        result = (a is True and self.last_a is False, b is True and self.last_b is False)
        self.last_a = self.last_a if a is None else a
        self.last_b = self.last_b if b is None else b
        return result


class Without(Then):
    """`A without B within W`: true at the first tick at least W after a rise of A if B did not rise in between.

    The wait is abandoned if B rises or is unknown in the meantime. Further rises of A during a wait are ignored, but a
    rise at the tick that ends it starts a new wait. Otherwise false.
    """

    def step(self, tick: Tick, /, *arguments: Any) -> Value:
        a, b = arguments
        a_rises, b_rises = self.rises(a, b)
        result = False
        if self.rose_ns is not None:
            waited_ns, within_ns = tick.t_ns - self.rose_ns, self.node.integer("within_ns")
            if waited_ns <= within_ns and (b_rises or b is None):
                self.rose_ns = None
            elif waited_ns >= within_ns:
                result = True
                self.rose_ns = None
        if a_rises and self.rose_ns is None:
            self.rose_ns = tick.t_ns
        return result
