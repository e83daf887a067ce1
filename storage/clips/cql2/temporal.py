"""Time in filters: instants, days and intervals as closed ranges of ns, and Allen's relations between them.

A `TIMESTAMP` is an instant; a `DATE` is the whole day in UTC, so `start = DATE('2026-01-05')` finds that day's clips,
and `start > DATE(...)` means behind that day's end.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, and_, literal, not_, or_

from storage.tables import clips
from triggers.contracts.base import NS_PER_S
from triggers.errors import InvalidInput
from triggers.times import parse_time

LOWEST_NS, HIGHEST_NS = -(2**63), 2**63 - 1
_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_EPOCH = date(1970, 1, 1)

Number = ColumnElement[Any]


@dataclass(frozen=True)
class Range:
    """A closed range of time in ns since the Unix epoch; first == last for an instant."""

    first: Number
    last: Number


def timestamp_range(value: object) -> Range:
    """The instant of an RFC 3339 text."""
    return _point(_timestamp_ns(value))


def date_range(value: object) -> Range:
    """The day of an ISO 8601 date, in UTC."""
    first_ns = _day_ns(value)
    return Range(_bound(first_ns), _bound(first_ns + 86400 * NS_PER_S - 1))


def instant_or_day(value: object) -> Range:
    """The range of a text that may be a date or a timestamp."""
    return date_range(value) if isinstance(value, str) and _DAY.fullmatch(value) else timestamp_range(value)


def clip_range() -> Range:
    """From the clip's start to its end."""
    return Range(clips.c.start_ns, clips.c.end_ns)


def compare(operator: str, a: Range, b: Range) -> ColumnElement[bool]:
    """`a operator b`, where a day is before another when it ends before that one begins."""
    compared: Mapping[str, Callable[[], ColumnElement[bool]]] = {
        "=": lambda: and_(a.first >= b.first, a.last <= b.last),
        "<>": lambda: not_(and_(a.first >= b.first, a.last <= b.last)),
        "<": lambda: a.last < b.first,
        "<=": lambda: a.last <= b.last,
        ">": lambda: a.first > b.last,
        ">=": lambda: a.first >= b.first,
    }
    return compared[operator]()


RELATIONS: Mapping[str, Callable[[Range, Range], ColumnElement[bool]]] = {
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


def _point(ns: int) -> Range:
    return Range(_bound(ns), _bound(ns))


def _bound(ns: int) -> Number:
    return literal(min(max(ns, LOWEST_NS), HIGHEST_NS), BigInteger)


def open_range() -> Range:
    """All of time: the open ends `..` of an interval."""
    return Range(_bound(LOWEST_NS), _bound(HIGHEST_NS))


def _timestamp_ns(value: object) -> int:
    try:
        return parse_time(value if isinstance(value, str) else "")
    except InvalidInput as error:
        raise _invalid(value) from error


def _day_ns(value: object) -> int:
    try:
        day = date.fromisoformat(value) if isinstance(value, str) and _DAY.fullmatch(value) else None
    except ValueError as error:
        raise _invalid(value) from error
    if day is None:
        raise _invalid(value)
    return (day - _EPOCH).days * 86400 * NS_PER_S


def _invalid(value: object) -> InvalidInput:
    return InvalidInput(
        f"invalid time in the filter: {str(value)[:60]!r}",
        remedy="write TIMESTAMP('2026-01-05T12:00:00Z') or DATE('2026-01-05')",
    )
