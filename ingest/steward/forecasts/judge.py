"""Judges forecasts whose time is over: until when each can be compared, with what came, and whether its error counts.

A campaign that ran as planned is compared until the planned end. One that a limit ended, or held up, is compared until
the beginning of that UTC day: how much it had spent by then against what was expected by then. To leave it out would
keep only the errors of campaigns that spent little; to compare what it spent with all that was expected would call the
limit an error. Errors of triggers' forecasts do not count: a trigger is off as its campaign is, whose error counts.
"""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, date, datetime, time, timedelta

from ingest.steward.completion import BY_LIMIT
from storage.database import Connection, Database
from storage.ledger.accounts import total_key
from storage.rates import judgements, spending
from storage.rates.forecasts import Kept
from storage.rates.judgements import Course, Over
from triggers.statistics.budget_forecast.course import expected_until
from triggers.statistics.budget_forecast.kept import has_width, widened
from triggers.times import NS_PER_S

LATE = timedelta(days=1)
"""A campaign that begins later than planned by more than this does not run as planned."""


def judge(database: Database, now: datetime) -> bool:
    """Judge a batch of the forecasts that are over; whether there may be more."""
    with database.begin() as connection:
        over = judgements.over(connection, now=now)
        firsts: set[tuple[object, ...]] = set()
        for forecast in over:
            _judge(connection, forecast, firsts)
    return len(over) == judgements.BATCH


def _judge(connection: Connection, forecast: Over, firsts: set[tuple[object, ...]]) -> None:
    """Judge one; `firsts` are the stages of versions of which one of this batch counts already."""
    kept = forecast.kept
    until = compared_until(kept.made_at, kept.until, kept.rollout_from, forecast.course)
    begun = max(kept.made_at, forecast.course.activated_at or kept.made_at)
    if until is None or until <= begun or not _says_by(kept, until):
        judgements.note(connection, forecast, actual=None)
        return
    account = total_key(kept.campaign, kept.unit, kept.trigger)
    actual = spending.spent_between(connection, account, since=begun, until=until)
    computed, compared = kept.computed, None
    if until < kept.until:
        computed = expected_until(kept.forecast["course"], int(until.timestamp()) * NS_PER_S)
        compared = {"computed": asdict(computed), "remaining": asdict(widened(computed, kept.forecast["factor"]))}
    stage = (kept.campaign, kept.version, kept.unit, kept.stage)
    counts = not kept.trigger and forecast.is_first and stage not in firsts and has_width(computed)
    if counts:
        firsts.add(stage)
    judgements.note(connection, forecast, actual=actual, until=until, compared=compared, counts=counts)


def _says_by(kept: Kept, until: datetime) -> bool:
    """Whether the forecast says what is expected by then: those of older versions do so for their own end alone."""
    return kept.is_readable and (until >= kept.until or "course" in kept.forecast)


def compared_until(
    made_at: datetime, until: datetime, rollout_from: datetime | None, course: Course
) -> datetime | None:
    """Until when a forecast can be compared with what came; None if its campaign did not run as planned until then."""
    if course.activated_at is None or not _began_as_planned(made_at, rollout_from, course):
        return None
    if course.held_up_on is not None:
        until = min(until, _midnight(course.held_up_on))
    if course.ended_at is not None and course.ended_at < until:
        if course.ended_reason not in BY_LIMIT:
            return None
        until = _midnight(course.ended_at.astimezone(UTC).date())
    is_halted = course.halted_at is not None and course.halted_at < until
    return None if is_halted else until


def _began_as_planned(made_at: datetime, rollout_from: datetime | None, course: Course) -> bool:
    """Whether the rollout began when it was expected to, give or take a day, and was never halted: a pause or hold that
    is over has pushed its beginning forward."""
    if rollout_from is not None:
        return course.rollout_from == rollout_from
    planned = made_at if course.active_from is None else max(made_at, _midnight(course.active_from))
    return course.activated_at is not None and (
        course.rollout_from == course.activated_at and course.activated_at <= planned + LATE
    )


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)
