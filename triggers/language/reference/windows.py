"""Operators over a window `(t - W, t]`: extremes, means, differences, shares, counts, and `past`.

A ring holds at most `capacity` entries. When more arrive, the window only covers the latest ones, and `overflows`
counts each entry that was dropped too early.
"""

from __future__ import annotations

import math
from collections import deque
from typing import Any, ClassVar

from triggers.language.ir import Node
from triggers.language.reference.operators import Operator, Tick
from triggers.language.reference.values import Value, finite, larger, smaller


class Ring(Operator):
    """Base of the rings: entries `(time in ns, value)` in order of time, at most `capacity` of them."""

    def __init__(self, node: Node, mask: int) -> None:
        self.entries: deque[tuple[int, Any]] = deque()
        self.overflows = 0
        super().__init__(node, mask)
        self.capacity = self.node.integer("capacity")

    def clear(self) -> None:
        super().clear()
        self.entries.clear()

    def make_room(self) -> None:
        """Drop and count the oldest entry of a full ring, before an entry is added."""
        if len(self.entries) >= self.capacity:
            self.overflows += 1
            self.drop_oldest()

    def drop_oldest(self) -> Any:
        """Remove the oldest entry and return its value."""
        return self.entries.popleft()[1]


class UpdateWindow(Ring):
    """Base of the windows over the update ticks of x: evict old entries, oldest first, then add the new one."""

    def __init__(self, node: Node, mask: int) -> None:
        super().__init__(node, mask)
        self.window_ns = self.node.integer("window_ns")

    def step(self, tick: Tick, /, *arguments: Any) -> Value:
        while self.entries and self.entries[0][0] <= tick.t_ns - self.window_ns:
            self.drop_oldest()
        x = arguments[0]
        if x is not None and tick.fresh & self.mask:
            self.make_room()
            self.add(tick.t_ns, x)
        return self.result()

    def add(self, t_ns: int, x: float) -> None:
        """Append an entry."""
        self.entries.append((t_ns, x))

    def result(self) -> Value:
        """The value of the window's entries."""
        raise NotImplementedError


class Extreme(UpdateWindow):
    """`min(x over W)`, `max(x over W)`: over the update ticks in the window; unknown if there are none."""

    STATE: ClassVar[dict[str, Any]] = {"best": None}
    best: float | None

    def __init__(self, node: Node, mask: int) -> None:
        super().__init__(node, mask)
        self.choose = smaller if node.op == "window_min" else larger

    def add(self, t_ns: int, x: float) -> None:
        super().add(t_ns, x)
        if self.best is not None:
            self.best = self.choose(self.best, x)

    def drop_oldest(self) -> Any:
        dropped = super().drop_oldest()
        if dropped == self.best:
            self.best = None
        return dropped

    def result(self) -> Value:
        if self.best is None and self.entries:
            self.best = self.entries[0][1]
            for _, x in self.entries:
                self.best = self.choose(self.best, x)
        return self.best


class Mean(UpdateWindow):
    """`avg(x over W)`: arithmetic mean over the update ticks, by a Neumaier-compensated running sum.

    The sum is recomputed from the ring when it empties or is not finite; unknown if the window is empty.
    """

    STATE: ClassVar[dict[str, Any]] = {"sum": 0.0, "correction": 0.0}
    sum: float
    correction: float

    def add(self, t_ns: int, x: float) -> None:
        super().add(t_ns, x)
        self._accumulate(x)

    def drop_oldest(self) -> Any:
        dropped = super().drop_oldest()
        self._accumulate(-dropped)
        if not self.entries:
            self.sum = self.correction = 0.0
        return dropped

    def _accumulate(self, x: float) -> None:
        total = self.sum + x
        if abs(self.sum) >= abs(x):
            self.correction += (self.sum - total) + x
        else:
            self.correction += (x - total) + self.sum
        self.sum = total

    def result(self) -> Value:
        if not self.entries:
            return None
        if not math.isfinite(self.sum + self.correction):
            self.sum = self.correction = 0.0
            for _, x in self.entries:
                self._accumulate(x)
        return finite((self.sum + self.correction) / len(self.entries))


class Difference(UpdateWindow):
    """`delta(x over W)`: latest minus oldest value over the update ticks; unknown with fewer than two.

    `rate(x over W)`: `delta` divided by the time between these two update ticks, per second.
    """

    def result(self) -> Value:
        if len(self.entries) < 2:
            return None
        (oldest_ns, oldest), (latest_ns, latest) = self.entries[0], self.entries[-1]
        delta = finite(latest - oldest)
        if delta is None or self.node.op == "delta":
            return delta
        return finite(delta / ((latest_ns - oldest_ns) / 1e9))


class Share(Ring):
    """`share(P over W)`: time in the window during which P was true over the time during which it was known.

    P keeps its value from one tick to the next. The ring has an entry for each change of P, so at most one per tick.
    Unknown if P was never known in the window.
    """

    def step(self, tick: Tick, /, *arguments: Any) -> Value:
        start_ns = tick.t_ns - self.node.integer("window_ns")
        while len(self.entries) > 1 and self.entries[1][0] <= start_ns:
            self.drop_oldest()
        true_ns = known_ns = 0
        for index, (from_ns, value) in enumerate(self.entries):
            until_ns = self.entries[index + 1][0] if index + 1 < len(self.entries) else tick.t_ns
            span_ns = until_ns - max(from_ns, start_ns)
            known_ns += span_ns if value is not None else 0
            true_ns += span_ns if value else 0
        if not self.entries or self.entries[-1][1] is not arguments[0]:
            self.make_room()
            self.entries.append((tick.t_ns, arguments[0]))
        return float(true_ns) / float(known_ns) if known_ns else None


class Past(Ring):
    """`past(x, D)`: the value x had at its latest tick not later than t - D; unknown if there is none."""

    def step(self, tick: Tick, /, *arguments: Any) -> Value:
        self.make_room()
        self.entries.append((tick.t_ns, arguments[0]))
        asked_ns = tick.t_ns - self.node.integer("delay_ns")
        while len(self.entries) > 1 and self.entries[1][0] <= asked_ns:
            self.entries.popleft()
        t_ns, value = self.entries[0]
        return value if t_ns <= asked_ns else None


class Counter(Operator):
    """`count(P over W)`: number of rises of P in the window; `flicker(x over W)`: number of changes of the known value.

    For `rise`, `fall`, `changed`, `then` and `without` (operation `count_impulses`) it counts the ticks at which they
    are true. Unknown if P was known at no tick in the window. Saturates at `limit`, so the latest `limit` events are
    enough.
    """

    STATE: ClassVar[dict[str, Any]] = {"last": None, "known_ns": None}
    last: Value
    known_ns: int | None

    def __init__(self, node: Node, mask: int) -> None:
        self.events: deque[int] = deque(maxlen=node.integer("limit"))
        super().__init__(node, mask)

    def clear(self) -> None:
        super().clear()
        self.events.clear()

    def step(self, tick: Tick, /, *arguments: Any) -> Value:
        value = arguments[0]
        if value is not None:
            if self._is_event(value):
                self.events.append(tick.t_ns)
            self.last = value
            self.known_ns = tick.t_ns
        start_ns = tick.t_ns - self.node.integer("window_ns")
        while self.events and self.events[0] <= start_ns:
            self.events.popleft()
        if self.known_ns is None or self.known_ns <= start_ns:
            return None
        return float(len(self.events))

    def _is_event(self, value: Value) -> bool:
        if self.node.op == "count_impulses":
            return value is True
        if self.last is None:
            return False
        return self.last != value and (self.node.op == "flicker" or value is True)
