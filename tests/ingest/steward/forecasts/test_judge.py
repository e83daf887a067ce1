"""Forecasts that are over are judged once: up to the planned end, or to where a limit ended or held up the campaign."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text

from ingest.steward.forecasts.judge import compared_until
from ingest.steward.forecasts.make import Forecasting
from storage import ledger
from storage.database import Database
from storage.diagnosis.ledger import days_that_differ
from storage.ledger.accounts import total_key
from storage.ledger.limits import FleetTerms
from storage.rates import forecasts, spending
from storage.rates.judgements import Course
from tests.ingest.steward.forecasts.forecasts_support import (
    MB,
    TODAY,
    add_campaign,
    add_vehicles,
    attach,
    backtest,
    days_ago,
    keep_forecasts,
    seen_days,
    spend,
)
from tests.storage.clips.plan.explained import explain_statements

LAST = days_ago(2).date()
"""The last day of campaigns that are over: forecasts of them are compared until the midnight after it."""
MADE, UNTIL = datetime(2026, 3, 1, 12, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=UTC)
RAN = {
    "activated_at": MADE,
    "rollout_from": MADE,
    "halted_at": None,
    "ended_at": UNTIL,
    "ended_reason": "date",
    "active_from": None,
    "held_up_on": None,
}
NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
TENTH = datetime(2026, 3, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    ("did", "until"),
    [
        ({}, UNTIL),
        ({"ended_at": None}, UNTIL),
        ({"activated_at": None, "rollout_from": None}, None),
        ({"activated_at": NOON, "rollout_from": NOON}, None),
        ({"activated_at": NOON, "rollout_from": NOON, "active_from": date(2026, 3, 10)}, UNTIL),
        ({"rollout_from": NOON}, None),
        ({"halted_at": NOON}, None),
        ({"halted_at": UNTIL}, UNTIL),
        ({"ended_at": NOON, "ended_reason": "stopped by ann"}, None),
        ({"ended_at": NOON, "ended_reason": "clips"}, TENTH),
        ({"ended_at": NOON, "ended_reason": "budget"}, TENTH),
        ({"held_up_on": date(2026, 3, 10)}, TENTH),
        ({"held_up_on": date(2026, 3, 10), "ended_at": NOON + timedelta(days=2), "ended_reason": "clips"}, TENTH),
        ({"held_up_on": date(2026, 3, 10), "halted_at": NOON}, TENTH),
    ],
    ids=str,
)
def test_a_forecast_is_compared_until_its_end_or_a_limits_day(did: dict[str, Any], until: datetime | None) -> None:
    assert compared_until(MADE, UNTIL, None, Course(**{**RAN, **did})) == until


def judged(database: Database, campaign: str) -> dict[str, forecasts.Kept]:
    """By unit the first forecast of which it is known what came."""
    with database.begin() as connection:
        found = forecasts.past(connection, campaign, limit=100)
    return {each.unit: each for each in found if each.actual is not None}


def plan_and_begin(database: Database, *campaigns: str, **limits: int) -> None:
    """Campaigns that ten vehicles have had since five days ago, with forecasts from the day before."""
    for name in campaigns:
        add_campaign(database, name, began=None, last_day=LAST, **limits)
    add_vehicles(database, 10, since=days_ago(9))
    for name in campaigns:
        attach(database, name, backtest(1, MB))
    assert keep_forecasts(database, now=days_ago(6)) == len(campaigns)
    with database.begin() as connection:
        connection.execute(
            text("UPDATE campaign_versions SET state = 'active', activated_at = :at, rollout_from = :at"),
            {"at": days_ago(5)},
        )


def end(database: Database, campaign: str, at: datetime, reason: str) -> None:
    with database.begin() as connection:
        ended = "UPDATE campaign_versions SET state = 'completed', ended_at = :at, ended_reason = :reason"
        connection.execute(
            text(f"{ended} WHERE campaign = :campaign"), {"at": at, "reason": reason, "campaign": campaign}
        )


def test_a_campaign_that_its_clip_count_ended_is_compared_with_what_was_expected_by_then(database: Database) -> None:
    plan_and_begin(database, "braking", total_bytes=10**12, clips=20)
    for day in (4.9, 4):
        spend(database, "braking", days_ago(day), [MB] * 5)
    spend(database, "braking", days_ago(3), [MB] * 10)
    end(database, "braking", days_ago(3), "clips")
    keep_forecasts(database, now=TODAY)
    of_bytes = judged(database, "braking")["bytes"]
    assert of_bytes.compared_until == days_ago(3).replace(hour=0)
    assert of_bytes.actual == 10 * MB, "what came on the day of the end is not compared"
    # half of the day on which it was made, and two whole days, of ten vehicles with a clip each
    assert of_bytes.computed.mean == pytest.approx(25 * MB, rel=1e-6)
    assert of_bytes.forecast["computed"]["mean"] == pytest.approx(45 * MB, rel=1e-6), "by the planned end"
    assert judged(database, "braking")["clips"].actual == 10
    with database.begin() as connection:
        (counted,) = forecasts.kept_forecasts(forecasts.counted(connection, "bytes"))
    assert (counted.actual, counted.computed) == (10 * MB, of_bytes.computed)


def test_a_day_on_which_the_fleets_limit_admits_nothing_ends_the_comparison(database: Database) -> None:
    plan_and_begin(database, "braking", total_bytes=10**12)
    spend(database, "braking", days_ago(4.9), [MB] * 5)
    full = FleetTerms(total_bytes=5 * MB + 1)
    keep_forecasts(database, now=days_ago(4), fleet=full)
    keep_forecasts(database, now=days_ago(3))
    end(database, "braking", days_ago(1), "date")
    keep_forecasts(database, now=TODAY)
    of_bytes = judged(database, "braking")["bytes"]
    assert (of_bytes.compared_until, of_bytes.actual) == (days_ago(4).replace(hour=0), 5 * MB)


def test_what_an_earlier_version_spent_before_the_start_is_no_error_of_the_forecast(database: Database) -> None:
    plan_and_begin(database, "braking", total_bytes=10**12)
    spend(database, "braking", days_ago(5.5), [100 * MB])
    spend(database, "braking", days_ago(4), [MB] * 7)
    keep_forecasts(database, now=TODAY)
    assert judged(database, "braking")["bytes"].actual == 7 * MB


def test_one_error_counts_of_each_version_and_stage_its_first(database: Database) -> None:
    plan_and_begin(database, "braking", "swerve", total_bytes=10**12)
    for name in ("braking", "swerve"):
        spend(database, name, days_ago(4), [MB] * 5)
    for day in (4.9, 4, 3):
        keep_forecasts(database, now=days_ago(day))
    spend(database, "braking", days_ago(2), [MB])
    end(database, "swerve", days_ago(3), "stopped by ann")
    keep_forecasts(database, now=TODAY)
    keep_forecasts(database, now=TODAY + timedelta(hours=2))
    with database.begin() as connection:
        counted = {unit: forecasts.counted(connection, unit) for unit in forecasts.UNITS}
        over = connection.execute(text("SELECT count(*) FROM forecasts WHERE NOT is_judged AND until < now()"))
        assert over.scalar_one() == 0, "those that tell nothing are judged once, too"
    for of_unit in counted.values():
        stages = [(each.campaign, each.stage.value) for each in of_unit]
        assert sorted(set(stages)) == sorted(stages) and ("braking", "before") in stages
        assert {campaign for campaign, _ in stages} == {"braking"}


@pytest.mark.parametrize("lacks", ["computed", "factor"])
def test_a_forecast_of_another_version_of_longtail_is_judged_and_keeps_no_other_from_it(
    database: Database, lacks: str
) -> None:
    plan_and_begin(database, "braking", "swerve", total_bytes=10**12, clips=20)
    with database.begin() as connection:
        without = "UPDATE forecasts SET forecast = forecast - CAST(:lacks AS text) WHERE campaign = 'braking'"
        connection.execute(text(without), {"lacks": lacks})
    for name in ("braking", "swerve"):
        end(database, name, days_ago(3), "clips")
    keep_forecasts(database, now=TODAY)
    assert (sorted(judged(database, "braking")), sorted(judged(database, "swerve"))) == ([], ["bytes", "clips"])
    with database.begin() as connection:
        over = connection.execute(text("SELECT count(*) FROM forecasts WHERE NOT is_judged AND until < now()"))
        assert over.scalar_one() == 0, "once and for good"


def test_a_round_is_made_version_by_version_and_one_that_fails_is_left_to_the_next(database: Database) -> None:
    for name in ("braking", "lanes", "swerve"):
        add_campaign(database, name, began=None, last_day=TODAY.date(), total_bytes=10**12)
        attach(database, name, backtest(1, MB))
    add_vehicles(database, 2, since=days_ago(1))
    with database.begin() as connection:
        connection.execute(text("UPDATE campaign_versions SET forecast = '{}' WHERE campaign = 'lanes'"))
    forecasting, made = Forecasting(database), []
    while forecasting.go_on(TODAY):
        made.append(forecasting.made)
    assert (made, forecasting.made) == ([0, 1, 1], 2)
    assert [forecasting.go_on(TODAY), forecasting.go_on(TODAY), forecasting.made] == [True, False, 2], "lanes again"


def test_days_of_the_ledger_are_the_sums_of_its_entries_folded_or_not(database: Database) -> None:
    add_campaign(database, "braking", began=days_ago(9), last_day=None, total_bytes=10**12)
    add_vehicles(database, 1, since=days_ago(9))
    for day in (8.25, 7.75, 7, 6):
        spend(database, "braking", days_ago(day), [3, 4])
    since = days_ago(8)

    def days() -> list[tuple[int, int]]:
        with database.begin() as connection:
            seen = seen_days(connection, "braking", "bytes", since=since, now=days_ago(5))
            until = days_ago(6).replace(hour=0)
            between = spending.spent_between(connection, total_key("braking", "bytes"), since=since, until=until)
        assert between == sum(day.amount for day in seen[:2])
        return [(day.amount, day.squares) for day in seen]

    expected = [(7, 25), (7, 25), (7, 25), (0, 0)]
    assert days() == expected
    with database.begin() as connection:
        while ledger.fold(connection, limit=3):
            pass
    assert days() == expected
    with database.begin() as connection:
        assert days_that_differ(connection) == []
        connection.execute(text("UPDATE ledger_days SET settled = settled + 1"))
        assert len(days_that_differ(connection)) == 6, "three days in bytes, and in clips"


def test_what_a_day_costs_to_read_does_not_grow_with_the_ledger(database: Database) -> None:
    add_campaign(database, "braking", began=days_ago(9), last_day=None, total_bytes=10**12)
    add_vehicles(database, 1, since=days_ago(9))
    for day in range(9):
        spend(database, "braking", days_ago(day), [3] * 20)
    with database.begin() as connection:
        while ledger.fold(connection):
            pass
        connection.execute(text("ANALYZE ledger_entries, ledger_days"))
        connection.execute(text("SET LOCAL enable_seqscan = off"))
        explained = explain_statements(
            connection,
            lambda: spending.spent_between(
                connection, total_key("braking", "bytes"), since=days_ago(8), until=TODAY.replace(hour=0)
            ),
        )
        account = total_key("braking", "bytes")
        connection.execute(text("SET LOCAL enable_sort = off"))  # so few entries are as quickly sorted
        newest = explain_statements(connection, lambda: spending.usual_size(connection, account))
    for each in (explained, newest):
        assert "ix_ledger_entries_account_id_created_at" in each.indexes
        assert "ledger_entries" not in each.whole_tables
    assert explained.visited < 9 * 20, "the entries of one day, and the sums of the others"
    assert newest.visited <= spending.USUAL_CLIPS + 1, "the newest entries, and their account"
