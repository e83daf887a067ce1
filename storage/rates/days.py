"""What had been counted of each trigger by the end of each day (UTC): how a rate changes, and the latest sums.

Counts are cumulative, so a day is the difference of two records. The steward records several times a day; the last
record of a day stays.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, func, select, text, tuple_
from sqlalchemy.dialects.postgresql import insert

from storage.rates.sums import Exposure, TriggerSums, sums_of_json, sums_to_json
from storage.tables import campaign_versions, rate_days
from triggers.assignment.given import Version
from triggers.contracts.campaign import RUNNING

LATE_REPORTS = timedelta(days=7)
"""Vehicles report what they counted of a version for so long after its end, as far as records are concerned."""
MAX_DAYS = 90
"""The trend of a rate is that of so many days: a version may run for years, and what was long before says little."""

# By the primary key, a look for each trigger: a version has as many records as it has had days.
_NEWEST_OF_EACH = """
    SELECT r.{columns}
    FROM unnest(CAST(:campaigns AS text[]), CAST(:versions AS integer[]), CAST(:triggers AS text[]))
        AS w (campaign, version, trigger)
    CROSS JOIN LATERAL (
        SELECT * FROM rate_days d
        WHERE d.campaign = w.campaign AND d.version = w.version AND d.trigger = w.trigger
        ORDER BY d.day DESC LIMIT :days
    ) r
    ORDER BY r.campaign, r.version, r.trigger, r.day
"""
_COUNTED = ("campaign", "version", "trigger", "day", "recorded_at", "fires", "armed_ns")
_NEWEST = text(_NEWEST_OF_EACH.format(columns=", r.".join(_COUNTED)))
_LATEST = text(_NEWEST_OF_EACH.format(columns=", r.".join((*_COUNTED, "distance_m", "sums"))))


@dataclass(frozen=True, slots=True)
class RateDay:
    """What had been counted of a trigger when it was recorded last on a day."""

    day: date
    recorded_at: datetime
    fires: int
    armed_ns: int


@dataclass(frozen=True, slots=True)
class Recorded:
    """The latest sums of a trigger, and of when they are."""

    sums: TriggerSums
    recorded_at: datetime


def counting_versions(connection: Connection) -> dict[Version, list[str]]:
    """The versions that vehicles may still report counts of, with their triggers' names."""
    table = campaign_versions.c
    late = table.ended_at > func.now() - LATE_REPORTS
    return triggers_of(connection, table.state.in_(RUNNING) | late)


def triggers_of_versions(connection: Connection, versions: Sequence[Version]) -> dict[Version, list[str]]:
    """The names of these versions' triggers."""
    table = campaign_versions.c
    return triggers_of(connection, tuple_(table.campaign, table.version).in_(versions))


def triggers_of(connection: Connection, condition: Any) -> dict[Version, list[str]]:
    """The names of the triggers of the versions that meet a condition."""
    table = campaign_versions.c
    rows = connection.execute(
        select(table.campaign, table.version, table.settings["triggers"].label("triggers"))
        .where(condition)
        .order_by(table.campaign, table.version)
    )
    return {(row.campaign, row.version): [trigger["name"] for trigger in row.triggers] for row in rows}


def record(connection: Connection, sums: Sequence[TriggerSums]) -> None:
    """Keep these sums, of all software together, as those of today."""
    if not sums:
        return
    today = text("CAST(now() AT TIME ZONE 'UTC' AS date)")
    rows = [
        {
            "campaign": each.exposure.campaign,
            "version": each.exposure.version,
            "trigger": each.trigger,
            "day": today,
            "recorded_at": func.now(),
            "fires": each.fires,
            "armed_ns": each.exposure.armed_ns,
            "distance_m": each.exposure.distance_m,
            "sums": {"time": sums_to_json(each.time), "way": sums_to_json(each.way)},
        }
        for each in sums
    ]
    statement = insert(rate_days).values(rows)
    new = {name: statement.excluded[name] for name in ("recorded_at", "fires", "armed_ns", "distance_m", "sums")}
    keys = ["campaign", "version", "trigger", "day"]
    connection.execute(statement.on_conflict_do_update(index_elements=keys, set_=new))


def recorded_days(
    connection: Connection, triggers: Mapping[Version, Sequence[str]]
) -> dict[tuple[str, int, str], list[RateDay]]:
    """The newest MAX_DAYS records of each trigger, by campaign, version and trigger, the oldest first."""
    found: dict[tuple[str, int, str], list[RateDay]] = {}
    for row in connection.execute(_NEWEST, {**_asked(triggers), "days": MAX_DAYS}):
        day = RateDay(row.day, row.recorded_at, row.fires, row.armed_ns)
        found.setdefault((row.campaign, row.version, row.trigger), []).append(day)
    return found


def latest(connection: Connection, triggers: Mapping[Version, Sequence[str]]) -> list[Recorded]:
    """The newest record of each trigger, in their order by name."""
    return [_recorded(row) for row in connection.execute(_LATEST, {**_asked(triggers), "days": 1})]


def _asked(triggers: Mapping[Version, Sequence[str]]) -> dict[str, list[Any]]:
    rows = [(*version, name) for version, names in triggers.items() for name in names]
    return {key: [row[index] for row in rows] for index, key in enumerate(("campaigns", "versions", "triggers"))}


def _recorded(row: Any) -> Recorded:
    time, way = (sums_of_json(row.sums[kind]) for kind in ("time", "way"))
    exposure = Exposure(row.campaign, row.version, "", row.armed_ns, row.distance_m, time, way)
    return Recorded(TriggerSums(exposure, row.trigger, row.fires, time, way), row.recorded_at)
