"""Expressions over metrics, which are both PromQL and something to evaluate: aggregated series, growth, sums, ratios.

A value is a vector: numbers by the labels that are left. Arithmetic and `and` combine those with the same labels, as
PromQL does without `on`; each part of one expression therefore aggregates by the same labels.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Literal, Protocol

Labels = frozenset[tuple[str, str]]
Vector = dict[Labels, float]
Fold = Literal["max", "min", "sum"]
Comparison = Literal[">", ">=", "<", "<=", "==", "!="]
_FOLDS: Mapping[str, Callable[[Iterable[float]], float]] = {"max": max, "min": min, "sum": sum}
_COMPARISONS: Mapping[str, Callable[[float, float], bool]] = {
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
    "==": operator.eq,
    "!=": operator.ne,
}
_UNITS = ((86400, "d"), (3600, "h"), (60, "m"), (1, "s"))


class World(Protocol):
    """What can be asked about metrics."""

    def now(self, name: str) -> Mapping[Labels, float]:
        """The series of a metric now, by their labels."""
        ...

    def before(self, key: str, seconds: int) -> Vector | None:
        """What an aggregated series was so long ago, by its PromQL; None when that is not known."""
        ...


class Expression(Protocol):
    """Something that has a vector now."""

    def promql(self) -> str:
        """It in Prometheus's language."""
        ...

    def value(self, world: World) -> Vector:
        """It now."""
        ...

    def series(self) -> Iterable[Series]:
        """The aggregated series in it."""
        ...


@dataclass(frozen=True)
class Series:
    """A metric aggregated by some labels: `max by (campaign) (longtail_x{state="y", reason!="z"})`."""

    name: str
    by: tuple[str, ...] = ()
    fold: Fold = "max"
    having: tuple[tuple[str, str], ...] = ()
    lacking: tuple[tuple[str, str], ...] = ()

    def promql(self, *, ago_s: int = 0) -> str:
        """It in Prometheus's language, now or some time ago."""
        having = [f'{label}="{value}"' for label, value in self.having]
        matchers = ", ".join([*having, *(f'{label}!="{value}"' for label, value in self.lacking)])
        selector = self.name + (f"{{{matchers}}}" if matchers else "") + (f" offset {duration(ago_s)}" if ago_s else "")
        return f"{self.fold} by ({', '.join(self.by)}) ({selector})" if self.by else f"{self.fold} ({selector})"

    def value(self, world: World) -> Vector:
        """It now; a label that a series lacks is left out, as in Prometheus."""
        groups: dict[Labels, list[float]] = {}
        for labels, value in world.now(self.name).items():
            if set(self.having) <= labels and labels.isdisjoint(self.lacking):
                groups.setdefault(frozenset(each for each in labels if each[0] in self.by), []).append(value)
        return {labels: _FOLDS[self.fold](values) for labels, values in groups.items()}

    def series(self) -> Iterable[Series]:
        """Itself."""
        return (self,)


@dataclass(frozen=True)
class Growth:
    """How much a series is more than it was so long ago; nothing where that is not known."""

    of: Series
    over_s: int

    def promql(self) -> str:
        """A difference with an offset: unlike `increase`, it needs no more samples than two."""
        return f"({self.of.promql()} - {self.of.promql(ago_s=self.over_s)})"

    def value(self, world: World) -> Vector:
        """It now."""
        before = world.before(self.of.promql(), self.over_s) or {}
        return {labels: now - before[labels] for labels, now in self.of.value(world).items() if labels in before}

    def series(self) -> Iterable[Series]:
        """The one that grows."""
        return (self.of,)


@dataclass(frozen=True)
class Arithmetic:
    """A sum or a ratio of two expressions with the same labels."""

    left: Expression
    operation: Literal["+", "/"]
    right: Expression

    def promql(self) -> str:
        """In parentheses."""
        return f"({self.left.promql()} {self.operation} {self.right.promql()})"

    def value(self, world: World) -> Vector:
        """As Prometheus: a division by 0 is infinite, or, for 0 / 0, nothing that compares."""
        right = self.right.value(world)
        pairs = {labels: (value, right[labels]) for labels, value in self.left.value(world).items() if labels in right}
        return {labels: self._of(*pair) for labels, pair in pairs.items()}

    def series(self) -> Iterable[Series]:
        """Those of both."""
        return (*self.left.series(), *self.right.series())

    def _of(self, left: float, right: float) -> float:
        if self.operation == "+":
            return left + right
        if right:
            return left / right
        return math.copysign(math.inf, left) if left else math.nan


@dataclass(frozen=True)
class Compared:
    """The values of an expression that compare so with a number."""

    of: Expression
    comparison: Comparison
    number: float

    def promql(self) -> str:
        """A filter in Prometheus's language."""
        return f"{self.of.promql()} {self.comparison} {self.number:.12g}"

    def value(self, world: World) -> Vector:
        """Those that pass."""
        passes = _COMPARISONS[self.comparison]
        return {labels: value for labels, value in self.of.value(world).items() if passes(value, self.number)}

    def series(self) -> Iterable[Series]:
        """Those of what is compared."""
        return self.of.series()


@dataclass(frozen=True)
class Both:
    """The values of the first condition whose labels the second one has, too."""

    first: Condition
    second: Compared

    def promql(self) -> str:
        """`and` in Prometheus's language."""
        return f"{self.first.promql()} and {self.second.promql()}"

    def value(self, world: World) -> Vector:
        """Those that pass both."""
        second = self.second.value(world)
        return {labels: value for labels, value in self.first.value(world).items() if labels in second}

    def series(self) -> Iterable[Series]:
        """Those of both."""
        return (*self.first.series(), *self.second.series())


@dataclass(frozen=True)
class Unless:
    """The values of the first condition whose labels the second series does not have."""

    first: Condition
    second: Series

    def promql(self) -> str:
        """`unless` in Prometheus's language: it binds as `and` does, from left to right."""
        return f"{self.first.promql()} unless {self.second.promql()}"

    def value(self, world: World) -> Vector:
        """Those that pass."""
        second = self.second.value(world)
        return {labels: value for labels, value in self.first.value(world).items() if labels not in second}

    def series(self) -> Iterable[Series]:
        """Those of both."""
        return (*self.first.series(), *self.second.series())


Condition = Compared | Both | Unless


def growths(condition: Condition) -> Iterable[Growth]:
    """The growths in a condition: what must be remembered to evaluate it later."""
    parts: list[object] = [condition]
    while parts:
        part = parts.pop()
        if isinstance(part, Growth):
            yield part
        parts += [getattr(part, name) for name in ("of", "left", "right", "first", "second") if hasattr(part, name)]


def duration(seconds: int) -> str:
    """As Prometheus writes durations.

    >>> duration(86400), duration(5400), duration(0)
    ('1d', '90m', '0s')
    """
    return next((f"{seconds // size}{unit}" for size, unit in _UNITS if seconds and seconds % size == 0), f"{seconds}s")
