"""What a leaf of a filter says about one column: bounds of its value, or the values that it may have.

Every clip for which the leaf is true has a value within its bounds. Where a leaf is about one property and literals,
the opposite holds as well.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import ARRAY, ColumnElement, and_, any_, false, true

from storage.clips.cql2.moments import HIGHEST_NS, LOWEST_NS, Moment
from storage.clips.cql2.operands import Operand, Reference, Value, literal_ends
from storage.clips.cql2.tree import Between, Comparison, In, Leaf, TemporalRelation
from storage.clips.order import SQL_TYPES
from storage.clips.properties import Property, SortType
from storage.statements.forms import Condition
from storage.statements.prepared import Template

_MIRRORED = {"=": "=", "<>": "<>", "<": ">", "<=": ">=", ">": "<", ">=": "<="}


@dataclass(frozen=True)
class Bounds:
    """Values from `low` to `high` (None: without an end); `choices`, if not None, are all there are.

    `low_open` and `high_open` leave out the end itself. A time is in ns, a literal day is its first or last ns.
    """

    low: Any = None
    high: Any = None
    low_open: bool = False
    high_open: bool = False
    choices: tuple[Any, ...] | None = None

    def __and__(self, other: Bounds) -> Bounds:
        """What both allow. Texts are ordered by the database, so of two bounds of texts the first one stays."""
        low, low_open = _tighter(self.low, self.low_open, other.low, other.low_open, sign=1)
        high, high_open = _tighter(self.high, self.high_open, other.high, other.high_open, sign=-1)
        choices = self.choices if other.choices is None else other.choices
        if self.choices is not None and other.choices is not None:
            choices = tuple(choice for choice in self.choices if choice in other.choices)
        return Bounds(low, high, low_open, high_open, choices)

    def condition(self, column: ColumnElement[Any], kind: SortType) -> Condition:
        """The bounds as a condition that an index of the column answers."""
        tests = self._tests(kind)
        if tests is None:
            return false()
        if not tests:
            return true()
        form = _form(column, kind, tuple(operator for operator, _ in tests))
        return form.bound(**{f"value{number}": operand for number, (_, operand) in enumerate(tests)})

    def _tests(self, kind: SortType) -> list[tuple[str, Any]] | None:
        """Operators that must hold of a value, each with its operand; None if no value is within the bounds."""
        tests: list[tuple[str, Any]] = []
        if self.choices is not None:
            values = [self._typed(choice, kind, up=None) for choice in self.choices]
            values = [value for value in values if value is not None]
            if not values:
                return None
            tests.append(("=", values[0]) if len(values) == 1 else ("IN", values))
        low = None if self.low is None else self._typed(self.low, kind, up=True)
        high = None if self.high is None else self._typed(self.high, kind, up=False)
        if kind == "integer" and (_beyond(low, HIGHEST_NS, 1) or _beyond(high, LOWEST_NS, -1)):
            return None
        if low is not None:
            first = low if kind != "integer" else max(low, LOWEST_NS)
            tests.append((">" if self.low_open and first == self.low else ">=", first))
        if high is not None:
            last = high if kind != "integer" else min(high, HIGHEST_NS)
            tests.append(("<" if self.high_open and last == self.high else "<=", last))
        return tests

    def _typed(self, value: Any, kind: SortType, *, up: bool | None) -> Any:
        """A value as the column has it: integers rounded into the bounds, and no choice that is not one."""
        if kind == "text":
            return value
        if kind == "float":
            return float(value)
        if up is None:
            return int(value) if value == int(value) and LOWEST_NS <= value <= HIGHEST_NS else None
        return math.ceil(value) if up else math.floor(value)


@lru_cache(1024)
def _form(column: ColumnElement[Any], kind: SortType, operators: tuple[str, ...]) -> Template:
    """The condition that tests of a column hold. However many values there are to choose from, they are one operand."""

    def write(**operands: ColumnElement[Any]) -> ColumnElement[bool]:
        return and_(
            *(_TESTS[operator](column, each) for operator, each in zip(operators, operands.values(), strict=True))
        )

    one = SQL_TYPES[kind]
    types = {f"value{number}": ARRAY(one()) if name == "IN" else one() for number, name in enumerate(operators)}
    return Template(write, **types)


_TESTS: Mapping[str, Callable[[ColumnElement[Any], ColumnElement[Any]], ColumnElement[bool]]] = {
    "=": lambda column, value: column == value,
    "IN": lambda column, values: column == any_(values),
    ">": lambda column, value: column > value,
    ">=": lambda column, value: column >= value,
    "<": lambda column, value: column < value,
    "<=": lambda column, value: column <= value,
}


def _beyond(end: int | None, limit: int, sign: int) -> bool:
    return end is not None and sign * end > sign * limit


def _tighter(a: Any, a_open: bool, b: Any, b_open: bool, *, sign: int) -> tuple[Any, bool]:
    if a is None or b is None:
        return (b, b_open) if a is None else (a, a_open)
    if isinstance(a, str) or a == b:
        return a, a_open or (b_open and a == b)
    return (b, b_open) if (b > a) == (sign > 0) else (a, a_open)


def bounds_of(leaf: Leaf) -> tuple[Property, Bounds] | None:
    """The one property that a leaf compares with literals, and its bounds; None if it is of another form."""
    match leaf:
        case Comparison(name, Reference() as asked, literal_):
            return _compared(asked, name, literal_)
        case Comparison(name, literal_, Reference() as asked):
            return _compared(asked, _MIRRORED[name], literal_)
        case Between(at_least, at_most):
            low, high = bounds_of(at_least), bounds_of(at_most)
            return (low[0], low[1] & high[1]) if low and high else None
        case In(Reference() as asked, choices) if all(isinstance(choice, Value) for choice in choices):
            return asked.property, Bounds(choices=tuple(choice.value for choice in choices))  # type: ignore[union-attr]
    return None


def _compared(asked: Reference, name: str, other: Operand) -> tuple[Property, Bounds] | None:
    match other:
        case Value(bool()):
            return None
        case Value(value):
            first = last = value
        case Moment(first, last):
            pass
        case _:
            return None
    found = _BY_OPERATOR.get(name)
    return None if found is None else (asked.property, found(first, last))


_BY_OPERATOR: Mapping[str, Any] = {
    "=": lambda first, last: Bounds(choices=(first,)) if first == last else Bounds(first, last),
    "<": lambda first, _: Bounds(high=first, high_open=True),
    "<=": lambda _, last: Bounds(high=last),
    ">": lambda _, last: Bounds(low=last, low_open=True),
    ">=": lambda first, _: Bounds(low=first),
}


@dataclass(frozen=True)
class Span:
    """Bounds of the beginning and of the end of a time or an interval."""

    first: Bounds = Bounds()
    last: Bounds = Bounds()


def span_of(leaf: Leaf) -> tuple[Property, Span] | None:
    """The time or interval of a clip that a temporal relation relates with a literal one, and its bounds."""
    match leaf:
        case TemporalRelation(name, Reference() as asked, literal_):
            pass
        case TemporalRelation(name, literal_, Reference() as asked):
            name = _CONVERSES.get(name, name)
        case _:
            return None
    ends = literal_ends(literal_)
    related = _RELATIONS.get(name)
    return None if ends is None or related is None else (asked.property, related(*ends))


def _equal(value: int) -> Bounds:
    return Bounds(value, value)


# Of a clip's time and a literal one from `first` to `last` (OGC 21-065r2, section 8.3); the ends are left in.
_RELATIONS: Mapping[str, Callable[[int, int], Span]] = {
    "t_after": lambda _, last: Span(Bounds(low=last), Bounds(low=last)),
    "t_before": lambda first, _: Span(Bounds(high=first), Bounds(high=first)),
    "t_contains": lambda first, last: Span(Bounds(high=first), Bounds(low=last)),
    "t_during": lambda first, last: Span(Bounds(first, last), Bounds(first, last)),
    "t_equals": lambda first, last: Span(_equal(first), _equal(last)),
    "t_finishedby": lambda first, last: Span(Bounds(high=first), _equal(last)),
    "t_finishes": lambda first, last: Span(Bounds(first, last), _equal(last)),
    "t_intersects": lambda first, last: Span(Bounds(high=last), Bounds(low=first)),
    "t_meets": lambda first, _: Span(Bounds(high=first), _equal(first)),
    "t_metby": lambda _, last: Span(_equal(last), Bounds(low=last)),
    "t_overlappedby": lambda first, last: Span(Bounds(first, last), Bounds(low=last)),
    "t_overlaps": lambda first, last: Span(Bounds(high=first), Bounds(first, last)),
    "t_startedby": lambda first, last: Span(_equal(first), Bounds(low=last)),
    "t_starts": lambda first, last: Span(_equal(first), Bounds(first, last)),
}
_CONVERSES = {
    "t_after": "t_before",
    "t_before": "t_after",
    "t_contains": "t_during",
    "t_during": "t_contains",
    "t_finishedby": "t_finishes",
    "t_finishes": "t_finishedby",
    "t_meets": "t_metby",
    "t_metby": "t_meets",
    "t_overlappedby": "t_overlaps",
    "t_overlaps": "t_overlappedby",
    "t_startedby": "t_starts",
    "t_starts": "t_startedby",
}
