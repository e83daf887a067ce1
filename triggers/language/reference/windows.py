"""Operators over a window `(t - W, t]`: extremes, means, differences, shares, counts, and `past`.

A ring holds at most `capacity` entries. When more arrive, the window only covers the latest ones, and `overflows`
counts each entry that was dropped too early; one that had left the window was not.
"""

from __future__ import annotations

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


def added(total: float, correction: float, x: float) -> tuple[float, float]:
    """x added to a compensated sum: `correction` collects exactly what each addition rounds off (Knuth's two-sum).

    >>> added(1e16, 0.0, 1.0)
    (1e+16, 1.0)
    """
    after = total + x
    moved = after - total
    return after, correction + ((total - (after - moved)) + (x - moved))


class Mean(UpdateWindow):
    """`avg(x over W)`: arithmetic mean over the update ticks; unknown if there are none, or if their sum is not finite.

    No number is ever subtracted, so one that has left the window leaves no trace, however large it was. The window's
    entries are an older and a younger part. The younger part has a running sum. When the oldest entry leaves and the
    older part is empty, the younger part becomes the older one: its entries are summed from the youngest to the
    oldest, and each remembers the sum up to itself, rounded. The oldest entry thus has the sum of the older part.
    """

    STATE: ClassVar[dict[str, Any]] = {"sum": 0.0, "correction": 0.0}
    sum: float
    correction: float
    sums: list[float]
    """Of each entry of the older part, the sum of itself and all younger ones of the part; the oldest entry is last."""

    def clear(self) -> None:
        super().clear()
        self.sums = []

    def add(self, t_ns: int, x: float) -> None:
        super().add(t_ns, x)
        self.sum, self.correction = added(self.sum, self.correction, x)

    def drop_oldest(self) -> Any:
        if not self.sums:
            total = correction = 0.0
            for _, x in reversed(self.entries):
                total, correction = added(total, correction, x)
                self.sums.append(total + correction)
            self.sum = self.correction = 0.0
        self.sums.pop()
        return super().drop_oldest()

    def total(self) -> float:
        """The sum of the window's entries."""
        return self.sum + self.correction + (self.sums[-1] if self.sums else 0.0)

    def result(self) -> Value:
        return finite(self.total() / len(self.entries)) if self.entries else None


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
    Unknown if P was never known in the window. The run that a full ring drops was counted at that tick; it is lost if
    it also lies in the window of the next one.
    """

    STATE: ClassVar[dict[str, Any]] = {"dropped_until_ns": None}
    dropped_until_ns: int | None

    def step(self, tick: Tick, /, *arguments: Any) -> Value:
        start_ns = tick.t_ns - self.node.integer("window_ns")
        if self.dropped_until_ns is not None and self.dropped_until_ns > start_ns:
            self.overflows += 1
        self.dropped_until_ns = None
        while len(self.entries) > 1 and self.entries[1][0] <= start_ns:
            self.drop_oldest()
        true_ns = known_ns = 0
        for index, (from_ns, value) in enumerate(self.entries):
            until_ns = self.entries[index + 1][0] if index + 1 < len(self.entries) else tick.t_ns
            span_ns = until_ns - max(from_ns, start_ns)
            known_ns += span_ns if value is not None else 0
            true_ns += span_ns if value else 0
        if not self.entries or self.entries[-1][1] is not arguments[0]:
            if len(self.entries) >= self.capacity:
                self.drop_oldest()
                self.dropped_until_ns = self.entries[0][0] if self.entries else tick.t_ns
            self.entries.append((tick.t_ns, arguments[0]))
        return float(true_ns) / float(known_ns) if known_ns else None


class Past(Ring):
    """`past(x, D)`: the value x had at its latest tick not later than t - D; unknown if there is none or it is lost.

    The ticks before that one are dropped before the new one is added: what no later tick asks for needs no room.
    """

    def step(self, tick: Tick, /, *arguments: Any) -> Value:
        asked_ns = tick.t_ns - self.node.integer("delay_ns")
        while len(self.entries) > 1 and self.entries[1][0] <= asked_ns:
            self.drop_oldest()
        self.make_room()
        self.entries.append((tick.t_ns, arguments[0]))
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
