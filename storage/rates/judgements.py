"""Forecasts whose time is over, with what their version did since, and the judgement on each, which is noted once."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, text

from storage.rates.forecasts import Kept
from triggers.statistics.budget_forecast.kept import stage_of

BATCH = 100
"""Forecasts that are judged at once, each by two short ranges of an index."""

_OVER = text("""
    SELECT f.*, v.activated_at, v.rollout_from AS began_rollout, v.ended_at, v.ended_reason,
        least(v.paused_at, v.held_at) AS halted_at,
        CAST(v.settings ->> 'active_from' AS date) AS active_from, (
            SELECT min(h.day) FROM forecasts h
            WHERE h.campaign = f.campaign AND h.version = f.version AND h.trigger = f.trigger
                AND h.held_up AND h.day >= f.day
        ) AS held_up_on, ARRAY(
            SELECT c.progress FROM forecasts c
            WHERE c.campaign = f.campaign AND c.version = f.version AND c.unit = f.unit AND c.counts
        ) AS counted
    FROM forecasts f JOIN campaign_versions v ON v.campaign = f.campaign AND v.version = f.version
    WHERE NOT f.is_judged AND f.until <= :now
    ORDER BY f.until, f.made_at, f.campaign, f.version, f.trigger, f.unit
    LIMIT :limit
    FOR NO KEY UPDATE OF f SKIP LOCKED
""")

_JUDGE = text("""
    UPDATE forecasts SET is_judged = true, actual = :actual, compared_until = :until, counts = :counts,
        forecast = forecast || CAST(:compared AS jsonb)
    WHERE campaign = :campaign AND version = :version AND unit = :unit AND day = :day AND trigger = :trigger
""")


@dataclass(frozen=True, slots=True)
class Course:
    """What a version did: when it began and ended, and the first day on which a limit held it up.

    `halted_at` is since when it is paused, or its rollout held.
    """

    activated_at: datetime | None
    rollout_from: datetime | None
    halted_at: datetime | None
    ended_at: datetime | None
    ended_reason: str | None
    active_from: date | None
    held_up_on: date | None


@dataclass(frozen=True, slots=True)
class Over:
    """A forecast whose time is over. `is_first` says that none of its version's in its stage counts yet."""

    kept: Kept
    day: date
    course: Course
    is_first: bool


def over(connection: Connection, *, now: datetime, limit: int = BATCH) -> list[Over]:
    """The forecasts that are to be judged, in the order of their ends; locked, so that each is judged once."""
    return [_over(row._asdict()) for row in connection.execute(_OVER, {"now": now, "limit": limit})]


def note(
    connection: Connection,
    forecast: Over,
    *,
    actual: int | None,
    until: datetime | None = None,
    compared: dict[str, Any] | None = None,
    counts: bool = False,
) -> None:
    """Note what came of a forecast, None: nothing that it could be compared with; for good.

    `compared` is what was expected by `until`, where that is before the forecast's own end.
    """
    kept = forecast.kept
    values = {"actual": actual, "until": until, "counts": counts}
    document = json.dumps({} if compared is None else {"compared": compared})
    key = {"campaign": kept.campaign, "version": kept.version, "trigger": kept.trigger, "unit": kept.unit}
    connection.execute(_JUDGE, {**key, "day": forecast.day, **values, "compared": document})


def _over(row: dict[str, Any]) -> Over:
    kept = Kept(**{name: row[name] for name in Kept.__dataclass_fields__})
    course = Course(
        row["activated_at"],
        row["began_rollout"],
        row["halted_at"],
        row["ended_at"],
        row["ended_reason"],
        row["active_from"],
        row["held_up_on"],
    )
    stages = {stage_of(progress) for progress in row["counted"]}
    return Over(kept, row["day"], course, stage_of(kept.progress) not in stages)
