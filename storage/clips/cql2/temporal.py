"""Temporal relations in SQL: closed ranges of ns, comparisons of them, and Allen's relations between them.

A day is before another when it ends before the other begins, so `start > DATE(...)` means after that day's end. Two
times are equal if neither is before the other. Every comparison says the same when it is read from right to left.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, and_, literal, not_, or_

from storage.clips.cql2.moments import HIGHEST_NS

_Compares = Callable[[Any, Any], Any]


@dataclass(frozen=True, eq=False)
class End:
    """An end of a range, as a column in ns since the Unix epoch; compared with another one it gives a condition.

    `beyond` is -1 or 1 for a literal before or after all times that a clip can have. The type of a column has no such
    number: compared with one, it would be cast, which no index and no statistics know.
    """

    column: ColumnElement[Any]
    beyond: int = 0

    def __lt__(self, other: End) -> ColumnElement[bool]:
        return self._compared(operator.lt, other)

    def __le__(self, other: End) -> ColumnElement[bool]:
        return self._compared(operator.le, other)

    def __gt__(self, other: End) -> ColumnElement[bool]:
        return self._compared(operator.gt, other)

    def __ge__(self, other: End) -> ColumnElement[bool]:
        return self._compared(operator.ge, other)

    def is_at(self, other: End) -> ColumnElement[bool]:
        """Whether they are the same time."""
        return self._compared(operator.eq, other)

    def _compared(self, compares: _Compares, other: End) -> ColumnElement[bool]:
        if bool(self.beyond) == bool(other.beyond):
            result: ColumnElement[bool] = compares(self.column, other.column)
            return result
        known = other if self.beyond else self
        return known._has_time() if compares(self.beyond, other.beyond) else not_(known._has_time())

    def _has_time(self) -> ColumnElement[bool]:
        """True, in the terms of an index; unknown where the column is null."""
        return self.column <= literal(HIGHEST_NS, BigInteger)


@dataclass(frozen=True)
class Range:
    """A closed range of time; first and last are the same for an instant."""

    first: End
    last: End


Relation = Callable[[Range, Range], ColumnElement[bool]]

TIME_COMPARISONS: Mapping[str, Relation] = {
    "=": lambda a, b: and_(a.first <= b.last, a.last >= b.first),
    "<>": lambda a, b: not_(and_(a.first <= b.last, a.last >= b.first)),
    "<": lambda a, b: a.last < b.first,
    "<=": lambda a, b: a.first <= b.last,
    ">": lambda a, b: a.first > b.last,
    ">=": lambda a, b: a.last >= b.first,
}

RELATIONS: Mapping[str, Relation] = {
    "t_after": lambda a, b: a.first > b.last,
    "t_before": lambda a, b: a.last < b.first,
    "t_contains": lambda a, b: and_(a.first < b.first, a.last > b.last),
    "t_disjoint": lambda a, b: or_(a.last < b.first, a.first > b.last),
    "t_during": lambda a, b: and_(a.first > b.first, a.last < b.last),
    "t_equals": lambda a, b: and_(a.first.is_at(b.first), a.last.is_at(b.last)),
    "t_finishedby": lambda a, b: and_(a.first < b.first, a.last.is_at(b.last)),
    "t_finishes": lambda a, b: and_(a.first > b.first, a.last.is_at(b.last)),
    "t_intersects": lambda a, b: and_(a.first <= b.last, a.last >= b.first),
    "t_meets": lambda a, b: a.last.is_at(b.first),
    "t_metby": lambda a, b: a.first.is_at(b.last),
    "t_overlappedby": lambda a, b: and_(a.first > b.first, a.first < b.last, a.last > b.last),
    "t_overlaps": lambda a, b: and_(a.first < b.first, a.last > b.first, a.last < b.last),
    "t_startedby": lambda a, b: and_(a.first.is_at(b.first), a.last > b.last),
    "t_starts": lambda a, b: and_(a.first.is_at(b.first), a.last < b.last),
}
"""Relations of CQL2 (OGC 21-065r2, section 8.3) by their lower-case names."""
