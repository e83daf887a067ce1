"""Forecasts are made of backtest, days, plan and past errors as the tables have them, kept once a day, and scored."""

from __future__ import annotations

from datetime import UTC, date, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select, text

from storage.database import Database
from storage.ledger.limits import set_limit
from storage.rates import forecasts, spending
from storage.rates.forecasts import Kept
from storage.tables import forecasts as table
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


def current(database: Database) -> dict[tuple[str, str], Kept]:
    with database.begin() as connection:
        return {(kept.campaign, kept.unit): kept for kept in forecasts.current(connection)}


def test_days_have_what_was_charged_on_them_and_the_vehicles_that_had_the_campaign(database: Database) -> None:
    add_campaign(database, "braking", began=days_ago(2), last_day=None, total_bytes=10**12)
    add_vehicles(database, 4, since=days_ago(2))
    with database.begin() as connection:
        taken = {"at": days_ago(1)}
        connection.execute(text("UPDATE assignments SET assigned_until = :at WHERE vehicle_id = 'car-3'"), taken)
    spend(database, "braking", days_ago(2), [3, 4])
    spend(database, "braking", days_ago(0), [5])
    with database.begin() as connection:
        days, clips = (
            seen_days(connection, "braking", unit, since=days_ago(2), now=TODAY + timedelta(hours=6))
            for unit in forecasts.UNITS
        )
        sums = spending.vehicles_that_differ(connection, ("braking", 1), since=days_ago(2))
    assert [(day.amount, day.squares) for day in days] == [(7, 25), (0, 0), (5, 25)]
    assert [day.amount for day in clips] == [2, 0, 1]
    assert [day.vehicle_days for day in days] == pytest.approx([2.0, 3.5, 2.25])
    assert sums.vehicles == 4


def test_before_the_start_the_forecast_is_the_backtests(database: Database) -> None:
    add_campaign(database, "braking", began=None, last_day=(TODAY + timedelta(days=9)).date(), total_bytes=10**12)
    add_vehicles(database, 100, since=days_ago(1))
    attach(database, "braking", backtest(0.5, 2 * MB))
    assert keep_forecasts(database, now=TODAY) == 1
    kept = current(database)["braking", "bytes"]
    assert (kept.progress, kept.from_backtest, kept.spent, kept.open_ended) == (0.0, True, 0, False)
    assert kept.forecast["total"]["mean"] == pytest.approx(9.5 * 100 * MB, rel=1e-6)
    assert kept.forecast["total"]["low"] < 0.6 * 950 * MB < 1.6 * 950 * MB < kept.forecast["total"]["high"]
    assert current(database)["braking", "clips"].forecast["total"]["mean"] == pytest.approx(475, rel=1e-6)


def test_a_last_day_at_the_end_of_the_calendar_is_looked_at_for_ten_years(database: Database) -> None:
    add_campaign(database, "braking", began=None, last_day=date.max, total_bytes=10**12)
    add_campaign(database, "swerve", began=None, last_day=None, total_bytes=10**12)
    add_vehicles(database, 10, since=days_ago(1))
    for name in ("braking", "swerve"):
        attach(database, name, backtest(1, MB))
    with database.begin() as connection:
        first = 'UPDATE campaign_versions SET settings = settings || \'{"active_from": "9999-12-30"}\''
        connection.execute(text(f"{first} WHERE campaign = 'swerve'"))
    assert keep_forecasts(database, now=TODAY) == 2
    far, never = (current(database)[name, "bytes"] for name in ("braking", "swerve"))
    assert far.until == never.until == TODAY.replace(hour=0) + timedelta(days=3660)
    assert far.open_ended and never.open_ended
    assert far.forecast["demand"]["mean"] == pytest.approx(3659.5 * 10 * MB, rel=1e-6)
    assert never.forecast["demand"]["high"] == 0


def test_days_outweigh_a_backtest_that_was_wrong(database: Database) -> None:
    add_campaign(
        database, "braking", began=days_ago(10), last_day=(TODAY + timedelta(days=9)).date(), total_bytes=10**12
    )
    add_vehicles(database, 20, since=days_ago(10))
    attach(database, "braking", backtest(10, 2 * MB))
    for day in range(10):
        spend(database, "braking", days_ago(day), [MB] * 10)
    keep_forecasts(database, now=TODAY)
    kept = current(database)["braking", "bytes"]
    assert kept.spent == 100 * MB and 0.4 < kept.progress < 0.6
    per_day = kept.forecast["per_day"]
    assert per_day["low"] < 10 * MB < per_day["high"] < 20 * MB, "the backtest said 400 MB"


def test_a_limit_has_the_day_on_which_it_is_reached_and_the_total_stops_there(database: Database) -> None:
    add_campaign(database, "braking", began=days_ago(10), last_day=None, total_bytes=150 * MB)
    add_vehicles(database, 20, since=days_ago(10))
    for day in range(10):
        spend(database, "braking", days_ago(day), [MB] * 10)
    keep_forecasts(database, now=TODAY)
    kept = current(database)["braking", "bytes"]
    end = {name: (moment / 1e9 - TODAY.timestamp()) / 86_400 for name, moment in kept.forecast["end"].items() if moment}
    assert end["earliest_ns"] < end["expected_ns"] < end["latest_ns"]
    assert end["expected_ns"] == pytest.approx(5, abs=1)
    assert kept.forecast["total"]["mean"] == 150 * MB < kept.forecast["demand"]["mean"]
    assert kept.open_ended and not kept.from_backtest


@pytest.mark.parametrize(("commanded", "counts"), [(80 * MB, 80 * MB), (900 * MB, 150 * MB), (None, 150 * MB)])
def test_a_limit_by_command_counts_if_it_is_the_lower_one(
    database: Database, commanded: int | None, counts: int
) -> None:
    add_campaign(database, "braking", began=days_ago(10), last_day=None, total_bytes=150 * MB)
    add_vehicles(database, 20, since=days_ago(10))
    for day in range(5):
        spend(database, "braking", days_ago(day), [MB] * 10)
    with database.begin() as connection:
        set_limit(connection, "campaign_bytes", "braking", amount=commanded)
    keep_forecasts(database, now=TODAY)
    forecast = current(database)["braking", "bytes"].forecast
    assert (forecast["limit"], forecast["total"]["high"]) == (counts, counts)
    assert current(database)["braking", "clips"].forecast["limit"] is None


def test_days_are_those_of_utc_whatever_the_sessions_zone(database: Database) -> None:
    since = days_ago(3) + timedelta(hours=6)
    add_campaign(database, "braking", began=since, last_day=None, total_bytes=10**12)
    add_vehicles(database, 4, since=since)
    spend(database, "braking", days_ago(2), [3])
    with database.begin() as connection:
        here, there = (
            seen_days(connection, "braking", "bytes", since=since.astimezone(zone), now=TODAY)
            for zone in (UTC, ZoneInfo("Asia/Tokyo"))
        )
    assert [day.amount for day in here] == [0, 3, 0, 0]
    assert here == there


def test_a_version_that_cannot_be_forecast_holds_no_other_up(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    for name in ("braking", "cut_in", "swerve"):
        add_campaign(database, name, began=None, last_day=(TODAY + timedelta(days=9)).date(), total_bytes=10**12)
        attach(database, name, backtest(1, MB))
    add_vehicles(database, 10, since=days_ago(1))
    with database.begin() as connection:
        broken = "UPDATE campaign_versions SET forecast = '{}' WHERE campaign = 'cut_in'"
        connection.execute(text(broken))
    assert keep_forecasts(database, now=TODAY) == 2
    assert {campaign for campaign, _ in current(database)} == {"braking", "swerve"}
    assert "campaign cut_in, version 1: its forecast failed" in caplog.text


def test_vehicles_that_the_target_does_not_match_are_not_planned(database: Database) -> None:
    add_campaign(database, "braking", began=None, last_day=(TODAY + timedelta(days=9)).date(), total_bytes=10**12)
    add_vehicles(database, 10, since=days_ago(1))
    attach(database, "braking", backtest(1, MB))
    with database.begin() as connection:
        target = '{"kind": "compare", "attribute": "region", "op": "==", "values": ["eu"], "reported": false}'
        connection.execute(
            text("UPDATE campaign_versions SET settings = settings || jsonb_build_object('target', CAST(:t AS jsonb))"),
            {"t": target},
        )
        connection.execute(text("UPDATE vehicles SET last_check_in_at = NULL WHERE id = 'car-1'"))
    keep_forecasts(database, now=TODAY)
    assert current(database)["braking", "bytes"].forecast["total"]["mean"] == pytest.approx(9.5 * 4 * MB, rel=1e-6)


def test_without_backtest_and_without_clips_nothing_is_forecast(database: Database) -> None:
    add_campaign(database, "braking", began=days_ago(3), last_day=None, total_bytes=10**9)
    add_vehicles(database, 3, since=days_ago(3))
    keep_forecasts(database, now=TODAY)
    assert current(database) == {}


def test_one_forecast_of_each_day_is_kept_its_last(database: Database) -> None:
    add_campaign(database, "braking", began=None, last_day=(TODAY + timedelta(days=9)).date(), total_bytes=10**12)
    add_vehicles(database, 10, since=days_ago(1))
    attach(database, "braking", backtest(1, MB))
    made = [keep_forecasts(database, now=TODAY + timedelta(minutes=minutes)) for minutes in (0, 30, 61, 24 * 60)]
    assert made == [1, 0, 1, 1]
    with database.begin() as connection:
        rows = connection.execute(
            select(table.c.made_at).where(table.c.unit == "bytes").order_by(table.c.day)
        ).scalars()
        assert list(rows) == [TODAY + timedelta(minutes=61), TODAY + timedelta(days=1)]


def test_what_is_over_is_scored_if_it_ran_as_planned_and_errors_widen_what_is_forecast_next(database: Database) -> None:
    """Of 25 campaigns, 21 spend far more than their backtest says; one was stopped, one never began, one began half a
    day too late, and one was paused for an hour.
    """
    last = days_ago(2).date()
    names = [f"past_{number}" for number in range(25)]
    for name in names:
        add_campaign(database, name, began=None, last_day=last, total_bytes=10**12)
    add_vehicles(database, 10, since=days_ago(9))
    for name in names:
        attach(database, name, backtest(1, MB))
    assert keep_forecasts(database, now=days_ago(6)) == 25
    with database.begin() as connection:
        connection.execute(text("UPDATE campaign_versions SET state = 'completed', ended_at = now()"))
        begun = {"at": days_ago(5)}
        start = "UPDATE campaign_versions SET activated_at = :at, rollout_from = :at WHERE campaign "
        connection.execute(text(f"{start} <> 'past_9'"), begun)
        connection.execute(text(f"{start} = 'past_3'"), {"at": days_ago(4.5)})
        paused = (
            "UPDATE campaign_versions SET rollout_from = rollout_from + interval '1 hour' WHERE campaign = 'past_5'"
        )
        connection.execute(text(paused))
        stopped = {"at": days_ago(4)}
        connection.execute(text("UPDATE campaign_versions SET ended_at = :at WHERE campaign = 'past_7'"), stopped)
    for number, name in enumerate(names):
        spend(database, name, days_ago(4), [(200 + number) * MB])
        spend(database, name, days_ago(8), [999 * MB])
        spend(database, name, days_ago(0), [999 * MB])
    add_campaign(database, "next", began=None, last_day=(TODAY + timedelta(days=9)).date(), total_bytes=10**15)
    attach(database, "next", backtest(1, MB))
    keep_forecasts(database, now=TODAY)
    with database.begin() as connection:
        actual = {kept.campaign: kept.actual for kept in forecasts.counted(connection, "bytes")}
    assert actual == {name: (200 + number) * MB for number, name in enumerate(names) if number not in (3, 5, 7, 9)}
    kept = current(database)["next", "bytes"].forecast
    assert kept["factor"] > 2
    assert kept["remaining"]["high"] > 2 * kept["computed"]["high"] - kept["computed"]["mean"]
