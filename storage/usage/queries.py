"""Asking for usage: sums over a span of time by any dimensions, exact at any moment.

Whole days are taken from the sums by day, the hours before and after them from those by hour, and increments that are
not folded yet are added. One statement, so all of it is of one moment.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, text

from storage.tables.usage.sums import DIMENSIONS
from storage.usage.folding import HOURS_DAYS
from storage.usage.reported import OF_A_VERSION
from triggers.contracts.api.usage.answers import UsageDimension, UsageKey
from triggers.errors import InvalidInput

_HOUR, _DAY = timedelta(hours=1), timedelta(days=1)
_TIMES = {"hour": "at", "day": "date_trunc('day', at, 'UTC')", "month": "date_trunc('month', at, 'UTC')"}
_CAST = {"version": "integer"} | dict.fromkeys(_TIMES, "timestamptz")
_SHOWN = ("kept_fires", "clip_bytes", "wire_bytes", "fires", *OF_A_VERSION)


@dataclass(frozen=True, slots=True)
class Span:
    """A span of whole hours, and the whole UTC days in it (none: both ends are equal)."""

    since: datetime
    until: datetime
    first_day: datetime
    last_day: datetime
    """When the first day begins, and when the last one ends."""

    @classmethod
    def over(cls, since: datetime, until: datetime, *, by_hour: bool, now: datetime) -> Span:
        """The hours that a span touches; the days, where sums by hour are not kept any more.

        InvalidInput for a span that ends before it begins, or whose hours are not known.
        """
        if until <= since:
            raise InvalidInput("`until` is not after `since`", remedy="swap them")
        # A day of slack: the clock by which old hours are deleted is the database's.
        oldest = _floor(now, _DAY) - (HOURS_DAYS - 1) * _DAY
        if by_hour and since < oldest:
            raise InvalidInput(
                f"sums by hour begin at {oldest:%Y-%m-%dT%H:%M:%SZ}", remedy="begin there, or group by day"
            )
        since = _floor(since, _HOUR if since >= oldest else _DAY)
        until = _ceil(until, _HOUR if until >= oldest else _DAY)
        first, last = _ceil(since, _DAY), _floor(until, _DAY)
        return cls(since, until, first, last) if first < last and not by_hour else cls(since, until, since, since)


def _floor(moment: datetime, unit: timedelta) -> datetime:
    origin = datetime(1, 1, 1, tzinfo=UTC)
    return moment.astimezone(UTC) - (moment - origin) % unit


def _ceil(moment: datetime, unit: timedelta) -> datetime:
    below = _floor(moment, unit)
    return below if below == moment else below + unit


@dataclass(frozen=True, slots=True)
class UsageQuery:
    """Which usage: by what it is grouped, over which span, of which values, and which page of the groups."""

    by: Sequence[UsageKey]
    span: Span
    where: Mapping[UsageDimension, Sequence[str | int]] = field(default_factory=dict)
    after: Sequence[str | int | datetime] | None = None
    limit: int = 1000


@dataclass(frozen=True, slots=True)
class UsageRow:
    """What a group used; `key` has a value for each thing it is grouped by."""

    key: tuple[str | int | datetime, ...]
    clips: int
    kept_fires: int
    clip_bytes: int
    wire_bytes: int
    fires: int
    suppressed: int
    sampled_out: int
    refused: int
    dropped: int
    failed: int
    armed_ns: int
    distance_m: int


def ask(connection: Connection, query: UsageQuery) -> list[UsageRow]:
    """At most `limit` groups after a key, in the order of their keys."""
    span = query.span
    parameters: dict[str, Any] = {
        "since": span.since,
        "until": span.until,
        "first_day": span.first_day,
        "last_day": span.last_day,
        "limit": query.limit,
        **{f"only_{name}": list(values) for name, values in query.where.items()},
        **{f"after_{number}": value for number, value in enumerate(query.after or ())},
    }
    rows = connection.execute(text(_statement(query)), parameters).all()
    keys = len(query.by)
    return [UsageRow(tuple(row[:keys]), *(int(number) for number in row[keys:])) for row in rows]


def clips_measure(query: UsageQuery) -> str:
    """Which count of clips counts each clip once in each group: that of the finest thing that groups are told by.

    Versions are of one campaign, and triggers of one version: told without these, a clip counts once for each of them.
    """
    told = {*query.by, *query.where}
    finest = next((name for name in ("trigger", "version", "campaign") if name in told), None)
    return "clips" if finest is None else f"{finest}_clips"


def _statement(query: UsageQuery) -> str:
    """The SQL of a query; names come from the lists of this module, values are bound."""
    counted = [clips_measure(query), *_SHOWN]
    measures, sums = ", ".join(counted), ", ".join(f"sum({name}) AS {name}" for name in counted)
    told = [name for name in query.by if name in DIMENSIONS]
    times = [name for name in query.by if name in _TIMES]
    moments = [f"{_TIMES[name]} AS {name}" for name in times]
    only = " AND ".join(f"{name} = ANY (CAST(:only_{name} AS {_CAST.get(name, 'text')}[]))" for name in query.where)
    of_series = f"AND series_id IN (SELECT id FROM usage_series WHERE {only})" if only else ""  # noqa: S608
    # Sums of a series come first, by its number: names are looked up for those, and only where they are asked for.
    series = ["series_id"] if told else []
    grouped = ", ".join([*series, *times])
    named = "JOIN usage_series s ON s.id = series_id" if told else ""
    keys = [f'{name} COLLATE "C"' if name not in _CAST else name for name in query.by]
    after = ", ".join(f"CAST(:after_{number} AS {_CAST.get(name, 'text')})" for number, name in enumerate(query.by))
    return f"""
        WITH summed AS (
            SELECT {", ".join([*series, *moments, sums])}
            FROM (
                SELECT series_id, day AS at, {measures} FROM usage_days
                WHERE day >= :first_day AND day < :last_day {of_series}
                UNION ALL
                SELECT series_id, hour, {measures} FROM usage_hours
                WHERE hour >= :since AND hour < :first_day {of_series}
                UNION ALL
                SELECT series_id, hour, {measures} FROM usage_hours
                WHERE hour >= greatest(:since, :last_day) AND hour < :until {of_series}
            ) parts
            {f"GROUP BY {grouped}" if grouped else ""}
        ),
        counted AS (
            SELECT {", ".join([*told, *times, measures])} FROM summed {named}
            UNION ALL
            SELECT {", ".join([*told, *moments, measures])} FROM (
                SELECT *, hour AS at FROM usage_increments
                WHERE hour >= :since AND hour < :until {f"AND {only}" if only else ""}
            ) i
        )
        SELECT {"".join(f"{name}, " for name in query.by)}{", ".join(f"coalesce(sum({name}), 0)" for name in counted)}
        FROM counted
        {f"WHERE ({', '.join(keys)}) > ({after})" if query.after else ""}
        {f"GROUP BY {', '.join(query.by)} ORDER BY {', '.join(keys)}" if keys else ""} LIMIT :limit
    """  # noqa: S608 - names come from lists of this module
