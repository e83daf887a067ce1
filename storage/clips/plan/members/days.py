"""What a filter by times says of the key of an order by another time: bounds of it, by the days of the catalog.

`storage/clips/properties/days.py` keeps, for each day on which clips were recorded, when these were stored, became
ready and expire. Of the days that have what a filter asks for, the key's bounds are those of all its clips.
"""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import ColumnElement, Connection, and_, func, select

from storage.clips.plan.indexes import END, EXPIRES, READY, RECORDED, START, STORED, Index
from storage.clips.plan.members import spans
from storage.clips.plan.members.bounds import Bounds
from storage.statements.forms import clause
from storage.tables import clip_days
from triggers.times import DAY_NS

_MOMENTS = {
    STORED: (clip_days.c.stored_first_ns, clip_days.c.stored_last_ns),
    READY: (clip_days.c.ready_first_ns, clip_days.c.ready_last_ns),
    EXPIRES: (clip_days.c.expires_first_ns, clip_days.c.expires_last_ns),
}


def is_narrowed(key: Index | None, ranges: Mapping[Index, Bounds]) -> bool:
    """Whether the days can say anything of this key that the ranges of a filter do not say themselves."""
    if key in (RECORDED, START):  # which say it of each other, see `spans.by_recording`
        return any(moment in ranges for moment in _MOMENTS)
    return (key == END or key in _MOMENTS) and any(one in ranges for one in (*_MOMENTS, RECORDED, START) if one != key)


def leaves_strays(key: Index, ranges: Mapping[Index, Bounds]) -> bool:
    """Whether clips of a wrong clock may lie beyond the bounds: their start and end are not of the day."""
    return START in ranges or key in (START, END)


def narrowed(connection: Connection, key: Index, ranges: Mapping[Index, Bounds]) -> Bounds:
    """Bounds of the key of every clip within the ranges, except for those that `leaves_strays` is about."""
    conditions = [_meets(*_MOMENTS[index], bounds) for index, bounds in ranges.items() if index in _MOMENTS]
    recorded = [ranges[index] for index in (RECORDED, START) if index in ranges]
    conditions += [_recorded(bounds) for bounds in recorded]
    first, last = _MOMENTS.get(key, (clip_days.c.day, clip_days.c.day))
    low, high = connection.execute(select(func.min(first), func.max(last)).where(and_(*conditions))).one()
    if low is None:
        return Bounds(choices=())
    if key in _MOMENTS:
        return Bounds(low, high)
    of_days = Bounds(low * DAY_NS, (high + 1) * DAY_NS - 1) & spans.shifted(ranges.get(RECORDED, Bounds()), 0, 0)
    return spans.shifted(of_days, 0, spans.longest_ns(connection) if key == END else 0)


def _meets(first: ColumnElement[int], last: ColumnElement[int], bounds: Bounds) -> ColumnElement[bool]:
    """Whether the values from `first` to `last` of a day have one within bounds."""
    within = spans.shifted(bounds, 0, 0)
    ends = Bounds(low=within.low).condition(last, "integer"), Bounds(high=within.high).condition(first, "integer")
    return and_(first.is_not(None), *map(clause, ends))


def _recorded(bounds: Bounds) -> ColumnElement[bool]:
    within = spans.shifted(bounds, 0, 0)
    low = None if within.low is None else within.low // DAY_NS
    high = None if within.high is None else within.high // DAY_NS
    return clause(Bounds(low, high).condition(clip_days.c.day, "integer"))
