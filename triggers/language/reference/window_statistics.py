"""Operators over the update ticks of a window that compute with all of its numbers: sums, deviations, order statistics.

As for means (see `windows`), no number is ever subtracted from a sum: the window's entries are an older and a younger
part. When the oldest entry leaves and the older part is empty, the younger part becomes the older one, and each of its
entries remembers what is true of itself and all younger entries of the part.
"""

from __future__ import annotations

from math import copysign
from typing import Any, ClassVar

from triggers.language.reference.operators import Tick
from triggers.language.reference.values import Value, finite, square_root
from triggers.language.reference.windows import Mean, Ring, UpdateWindow, added


class Sum(Mean):
    """`sum(x over W)`: the sum over the update ticks; unknown if there are none, or if it is not finite."""

    def result(self) -> Value:
        return finite(self.total()) if self.entries else None


class Integral(UpdateWindow):
    """`integral(x over W)`: the trapezoids between update ticks in the window, in x times seconds.

    The trapezoid of an entry lies between the entry before it and itself, so the window's oldest entry has none that
    counts. Zero for a single entry; unknown if there are none, or if the sum is not finite.
    """

    STATE: ClassVar[dict[str, Any]] = {"sum": 0.0, "correction": 0.0, "bridge": 0.0, "younger": 0, "latest": None}
    sum: float
    correction: float
    bridge: float
    """The trapezoid from the youngest entry of the older part to the oldest of the younger part."""
    younger: int
    latest: tuple[int, float] | None
    sums: list[float]
    """Of each entry of the older part, the trapezoids that begin at it or at a younger entry of the part."""

    def clear(self) -> None:
        super().clear()
        self.sums = []

    def add(self, t_ns: int, x: float) -> None:
        area = 0.0
        if self.entries and self.latest is not None:
            latest_ns, latest = self.latest
            area = (latest + x) / 2.0 * ((t_ns - latest_ns) / 1e9)
            if self.younger:
                self.sum, self.correction = added(self.sum, self.correction, area)
            else:
                self.bridge = area
        super().add(t_ns, area)
        self.younger += 1
        self.latest = t_ns, x

    def drop_oldest(self) -> Any:
        if not self.sums:
            total = correction = 0.0
            for _, area in reversed(self.entries):
                self.sums.append(total + correction)
                total, correction = added(total, correction, area)
            self.sum = self.correction = 0.0
            self.younger = 0
        self.sums.pop()
        if not self.sums:
            self.bridge = 0.0
        return super().drop_oldest()

    def result(self) -> Value:
        if not self.entries:
            return None
        older_sum = self.sums[-1] if self.sums else 0.0
        return finite(((self.sum + self.correction) + self.bridge) + older_sum)


class Deviation(UpdateWindow):
    """`std(x over W)`: the standard deviation of the population of the update ticks' values.

    Unknown if there are none, or if the sum of the squared differences is not finite. A part of the window is known by
    the number of its entries, their mean, and the sum of their squared differences from it.
    """

    STATE: ClassVar[dict[str, Any]] = {"younger": (0, 0.0, 0.0)}
    younger: tuple[int, float, float]
    older: list[tuple[int, float, float]]
    """Of each entry of the older part, that of itself and all younger ones of the part; the oldest entry is last."""

    def clear(self) -> None:
        super().clear()
        self.older = []

    def add(self, t_ns: int, x: float) -> None:
        super().add(t_ns, x)
        self.younger = included(*self.younger, x)

    def drop_oldest(self) -> Any:
        if not self.older:
            part = (0, 0.0, 0.0)
            for _, x in reversed(self.entries):
                part = included(*part, x)
                self.older.append(part)
            self.younger = (0, 0.0, 0.0)
        self.older.pop()
        return super().drop_oldest()

    def result(self) -> Value:
        if not self.entries:
            return None
        count, mean, squares = self.younger
        older_count, older_mean, older_squares = self.older[-1] if self.older else (0, 0.0, 0.0)
        apart = mean - older_mean if count and older_count else 0.0
        entries = float(count + older_count)
        between = apart * apart * (float(count) * float(older_count) / entries)
        variance = finite((squares + older_squares + between) / entries)
        return None if variance is None else square_root(variance)


def included(count: int, mean: float, squares: float, x: float) -> tuple[int, float, float]:
    """The number of entries, their mean and their sum of squared differences from it, with one more entry (Welford).

    >>> included(1, 10.0, 0.0, 12.0)
    (2, 11.0, 2.0)
    """
    apart = x - mean
    mean = mean + apart / (count + 1)
    return count + 1, mean, squares + apart * (x - mean)


class Quantile(UpdateWindow):
    """`quantile(x over W, q)`: the value at place ceil(q * n) of the n values in order; unknown if there are none.

    Equal values are the same but for -0, which comes before +0. `median` is the quantile 0.5. q is `part / whole`.
    """

    def result(self) -> Value:
        part, whole = int(self.node.number("part")), int(self.node.number("whole"))
        place = -(-part * len(self.entries) // whole)
        ordered = sorted((x for _, x in self.entries), key=lambda x: (x, copysign(1.0, x)))
        return ordered[place - 1] if ordered else None


class Samples(Ring):
    """`samples(x over W)`: the number of update ticks of x, a number or a condition, in the window."""

    def step(self, tick: Tick, /, *arguments: Any) -> Value:
        start_ns = tick.t_ns - self.node.integer("window_ns")
        while self.entries and self.entries[0][0] <= start_ns:
            self.drop_oldest()
        if arguments[0] is not None and tick.fresh & self.mask:
            self.make_room()
            self.entries.append((tick.t_ns, None))
        return float(len(self.entries))
