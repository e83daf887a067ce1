"""Temporal relations in SQL: closed ranges of ns, comparisons of them, and Allen's relations between them.

A day is before another when it ends before the other begins, so `start > DATE(...)` means after that day's end. Two
times are equal if neither is before the other. Every comparison says the same when it is read from right to left.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, and_, not_, or_


@dataclass(frozen=True)
class Range:
    """A closed range of time in ns since the Unix epoch, as columns; first == last for an instant."""

    first: ColumnElement[Any]
    last: ColumnElement[Any]


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
    "t_equals": lambda a, b: and_(a.first == b.first, a.last == b.last),
    "t_finishedby": lambda a, b: and_(a.first < b.first, a.last == b.last),
    "t_finishes": lambda a, b: and_(a.first > b.first, a.last == b.last),
    "t_intersects": lambda a, b: and_(a.first <= b.last, a.last >= b.first),
    "t_meets": lambda a, b: a.last == b.first,
    "t_metby": lambda a, b: a.first == b.last,
    "t_overlappedby": lambda a, b: and_(a.first > b.first, a.first < b.last, a.last > b.last),
    "t_overlaps": lambda a, b: and_(a.first < b.first, a.last > b.first, a.last < b.last),
    "t_startedby": lambda a, b: and_(a.first == b.first, a.last > b.last),
    "t_starts": lambda a, b: and_(a.first == b.first, a.last < b.last),
}
"""Relations of CQL2 (OGC 21-065r2, section 8.3) by their lower-case names."""
