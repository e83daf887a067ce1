"""Forecasts of triggers' own budgets: made beside their campaign's, judged as those, and never counted as errors."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import text

from storage import ledger
from storage.database import Database
from storage.diagnosis.ledger import days_that_differ
from storage.ledger.limits import set_limit
from storage.rates import forecasts
from storage.rates.forecasts import Kept
from tests.ingest.steward.forecasts.forecasts_support import (
    MB,
    OTHER,
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
from triggers.contracts.campaign import BudgetLimits

OWN = BudgetLimits(total_bytes=30 * MB, vehicle_day_clips=100)


def current(database: Database) -> dict[tuple[str, str], Kept]:
    """By trigger and unit."""
    with database.begin() as connection:
        return {(kept.trigger, kept.unit): kept for kept in forecasts.current(connection)}


def running(database: Database, own: BudgetLimits = OWN) -> None:
    """`braking` has sent 11 clips on each of ten days, of which two were of its trigger with a budget of its own."""
    add_campaign(database, "braking", began=days_ago(10), last_day=None, own=own, total_bytes=10**12)
    add_vehicles(database, 20, since=days_ago(10))
    for day in range(10):
        spend(database, "braking", days_ago(day), [MB] * 9)
        spend(database, f"braking.{OTHER}", days_ago(day), [MB] * 2)


def test_a_trigger_is_forecast_in_what_its_own_budget_limits(database: Database) -> None:
    running(database)
    assert keep_forecasts(database, now=TODAY) == 1
    found = current(database)
    assert list(found) == [("", "bytes"), ("", "clips"), (OTHER, "bytes")], "the campaign's first"
    kept = found[OTHER, "bytes"]
    assert (kept.spent, found["", "bytes"].spent) == (20 * MB, 110 * MB)
    assert kept.forecast["per_day"]["mean"] == pytest.approx(2 * MB, rel=0.2)
    assert (kept.forecast["limit"], kept.forecast["total"]["mean"]) == (30 * MB, 30 * MB)
    assert (kept.forecast["end"]["expected_ns"] / 1e9 - TODAY.timestamp()) / 86_400 == pytest.approx(5, abs=1)


def test_a_limit_by_command_of_the_trigger_counts_if_it_is_the_lower_one(database: Database) -> None:
    running(database)
    for amount, counts in ((25 * MB, 25 * MB), (10**9, 30 * MB)):
        with database.begin() as connection:
            connection.execute(text("DELETE FROM forecasts"))
            set_limit(connection, "trigger_bytes", f"braking.{OTHER}", amount=amount)
        keep_forecasts(database, now=TODAY)
        assert current(database)[OTHER, "bytes"].forecast["limit"] == counts


def test_before_the_start_each_is_what_the_backtest_says_of_it_and_no_budget_of_a_trigger_is_the_campaigns(
    database: Database,
) -> None:
    last = (TODAY + timedelta(days=9)).date()
    own = BudgetLimits(total_bytes=10**12, clips=10**9)
    add_campaign(database, "braking", began=None, last_day=last, own=own, total_bytes=10**12)
    add_vehicles(database, 10, since=days_ago(1))
    attach(database, "braking", backtest(1, MB, others=0.5))
    keep_forecasts(database, now=TODAY)
    totals = {of: kept.forecast["total"]["mean"] for of, kept in current(database).items()}
    days = 9.5 * 10
    assert totals == pytest.approx({
        ("", "bytes"): 1.5 * days * MB,
        ("", "clips"): 1.5 * days,
        (OTHER, "bytes"): 0.5 * days * MB,
        (OTHER, "clips"): 0.5 * days,
    })  # fmt: skip


def test_days_of_a_trigger_are_its_own_whether_they_are_folded_or_not(database: Database) -> None:
    running(database)

    def amounts() -> list[int]:
        with database.begin() as connection:
            assert days_that_differ(connection) == []
            seen = seen_days(connection, "braking", "bytes", since=days_ago(3), now=TODAY, trigger=OTHER)
            return [day.amount for day in seen]

    before = amounts()
    assert before == [2 * MB] * 4
    with database.begin() as connection:
        while ledger.fold(connection):
            pass
    assert amounts() == before


def test_a_triggers_limit_ends_the_comparison_of_its_forecast_and_its_campaigns_and_its_error_does_not_count(
    database: Database,
) -> None:
    last = days_ago(2).date()
    own = BudgetLimits(total_bytes=10 * MB)
    add_campaign(database, "braking", began=None, last_day=last, own=own, total_bytes=10**12)
    add_vehicles(database, 10, since=days_ago(9))
    attach(database, "braking", backtest(1, MB, others=0.5))
    keep_forecasts(database, now=days_ago(6))
    with database.begin() as connection:
        begun = "UPDATE campaign_versions SET state = 'active', activated_at = :at, rollout_from = :at"
        connection.execute(text(begun), {"at": days_ago(6)})
    spend(database, "braking", days_ago(4.9), [MB] * 5)
    spend(database, f"braking.{OTHER}", days_ago(4.8), [5 * MB, 5 * MB])
    keep_forecasts(database, now=days_ago(4))
    spend(database, "braking", days_ago(3), [MB] * 7)
    with database.begin() as connection:
        ended = "UPDATE campaign_versions SET state = 'completed', ended_at = :at, ended_reason = 'date'"
        connection.execute(text(ended), {"at": days_ago(1)})
    keep_forecasts(database, now=TODAY)
    with database.begin() as connection:
        of_campaign = forecasts.past(connection, "braking", limit=100)
        of_trigger = forecasts.past(connection, "braking", OTHER, limit=100)
        counted = forecasts.counted(connection, "bytes")
    for kept, actual in ((of_campaign, 15 * MB), (of_trigger, 10 * MB)):
        first = next(each for each in reversed(kept) if each.unit == "bytes")
        assert (first.compared_until, first.actual) == (days_ago(4).replace(hour=0), actual)
    assert {each.trigger for each in counted} == {""}


def test_a_trigger_is_held_up_by_its_limit_however_many_triggers_earlier_versions_had(database: Database) -> None:
    running(database, BudgetLimits(total_bytes=20 * MB))
    earlier = """
        INSERT INTO ledger_accounts (kind, campaign, trigger, unit, held, settled)
        SELECT 'trigger_bytes', 'braking', 'earlier_' || number, 'bytes', 1, 1 FROM generate_series(1, 5) number
    """
    with database.begin() as connection:
        connection.execute(text(earlier))
    keep_forecasts(database, now=TODAY)
    assert {of: kept.held_up for of, kept in current(database).items()} == {
        ("", "bytes"): True,
        ("", "clips"): True,
        (OTHER, "bytes"): True,
    }


@pytest.mark.parametrize(("others", "own"), [(100 * MB, MB), (MB, 100 * MB)])
def test_a_trigger_is_held_up_when_its_limit_takes_no_clip_of_its_own_usual_size(
    database: Database, others: int, own: int
) -> None:
    limits = BudgetLimits(total_bytes=57 * own // 10)
    add_campaign(database, "braking", began=days_ago(1), last_day=None, own=limits, total_bytes=10**12)
    add_vehicles(database, 20, since=days_ago(1))
    spend(database, "braking", days_ago(0.4), [others] * 3)
    for sizes, is_held_up in (([own] * 3, False), ([own] * 2, True)):
        spend(database, f"braking.{OTHER}", days_ago(0.3), sizes)
        with database.begin() as connection:
            connection.execute(text("DELETE FROM forecasts"))
        keep_forecasts(database, now=TODAY)
        assert {kept.held_up for kept in current(database).values()} == {is_held_up}
