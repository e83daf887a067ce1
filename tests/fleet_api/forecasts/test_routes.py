"""Forecasts over HTTP and on the command line: all campaigns in one request, drawn beside what is spent."""

from __future__ import annotations

import csv
import json
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from fleet_api.cli.fleet.rates.forecast import bar
from storage.watching.fleet import fleet_numbers
from tests.fleet_api.api_server import Api
from tests.fleet_api.cli.conftest import Longtail, longtail
from tests.ingest.steward.forecasts.forecasts_support import (
    MB,
    TODAY,
    add_campaign,
    add_vehicles,
    attach,
    backtest,
    days_ago,
    keep_forecasts,
    spend,
)
from tests.support.fleet import TRIGGER, add_version
from triggers.contracts.api.rates.estimates import Estimate
from triggers.contracts.api.rates.forecasts import ForecastView
from triggers.contracts.campaign import BudgetLimits
from triggers.errors import NotFound

__all__ = ["longtail"]


@pytest.fixture
def forecast_fleet(api: Api) -> Api:
    """`braking` has spent 100 of 150 MB in ten days, `waiting` has a backtest, `old` has ended."""
    database = api.database
    add_campaign(database, "braking", began=days_ago(10), last_day=None, total_bytes=150 * MB)
    add_campaign(database, "waiting", began=None, last_day=(TODAY + timedelta(days=9)).date(), clips=10**6)
    add_campaign(database, "old", began=days_ago(10), last_day=None, total_bytes=10**9)
    add_vehicles(database, 20, since=days_ago(10))
    attach(database, "waiting", backtest(1, MB))
    for day in range(10):
        spend(database, "braking", days_ago(day), [MB] * 10)
    spend(database, "old", days_ago(5), [MB])
    keep_forecasts(database, now=TODAY)
    with database.begin() as connection:
        ended = "UPDATE campaign_versions SET state = 'stopped', ended_at = now() WHERE campaign = 'old'"
        connection.execute(text(ended))
    return api


def test_all_campaigns_that_run_or_wait_come_in_one_answer(forecast_fleet: Api) -> None:
    spend(forecast_fleet.database, "braking", TODAY, [2 * MB])
    answer = forecast_fleet.as_client("viewer").forecasts.current()
    assert [(each.campaign, each.unit, each.stage) for each in answer.forecasts] == [
        ("braking", "bytes", answer.forecasts[0].stage),
        ("braking", "clips", answer.forecasts[0].stage),
        ("waiting", "bytes", "before"),
        ("waiting", "clips", "before"),
    ]
    braking = answer.forecasts[0]
    assert (braking.spent, braking.limit, braking.total.mean) == (102 * MB, 150 * MB, 150 * MB)
    assert braking.end is not None and braking.end.expected is not None
    assert timedelta(days=3) < braking.end.expected - TODAY < timedelta(days=7)
    assert answer.forecasts[2].end is None, "no limit in bytes"
    assert answer.past == []
    alone = forecast_fleet.as_client("viewer").forecasts.current("waiting").forecasts
    assert [each.campaign for each in alone] == ["waiting", "waiting"]


@pytest.mark.parametrize("lacks", ["limit", "per_day", "computed", "remaining", "total", "demand", "end", "factor"])
def test_a_forecast_of_another_version_of_longtail_is_left_out_alone(forecast_fleet: Api, lacks: str) -> None:
    client = forecast_fleet.as_client("viewer").forecasts
    with forecast_fleet.database.begin() as connection:
        connection.execute(text("UPDATE forecasts SET counts = true, actual = 5"))
    assert {each.forecasts for each in client.current().past if each.stage == "before"} == {1}
    with forecast_fleet.database.begin() as connection:
        without = "UPDATE forecasts SET forecast = forecast - CAST(:lacks AS text) WHERE campaign <> 'waiting'"
        connection.execute(text(without), {"lacks": lacks})
    answer = client.current()
    assert {each.campaign for each in answer.forecasts} == {"waiting"}
    assert sum(each.forecasts for each in answer.past) == 2, "those of `waiting`, in bytes and in clips"
    assert list(client.kept("braking")) == []
    with forecast_fleet.database.begin() as connection:
        assert {each.campaign for each in fleet_numbers(connection).budget_forecasts} == {"waiting"}


def test_forecasts_of_triggers_come_after_their_campaigns_and_are_asked_for_by_their_names(
    api: Api, longtail: Longtail
) -> None:
    own = BudgetLimits(total_bytes=30 * MB)
    add_campaign(api.database, "braking", began=days_ago(10), last_day=None, own=own, total_bytes=10**12)
    add_vehicles(api.database, 20, since=days_ago(10))
    for day in range(10):
        spend(api.database, "braking", days_ago(day), [MB] * 9)
        spend(api.database, "braking.other", days_ago(day), [MB] * 2)
    keep_forecasts(api.database, now=TODAY)
    client = api.as_client("viewer").forecasts
    found = client.current().forecasts
    assert [(each.trigger, each.unit, each.spent) for each in found] == [
        ("", "bytes", 110 * MB),
        ("", "clips", 110),
        ("other", "bytes", 20 * MB),
    ]
    assert [each.trigger for each in client.kept("braking")] == ["", ""]
    assert [each.trigger for each in client.kept("braking", "other")] == ["other"]
    (drawn,) = (
        line for line in longtail("budget", "show").out.splitlines() if line.startswith("braking.other (bytes)")
    )
    assert "limit reached" in drawn
    shown = longtail("budget", "forecast", "braking.other").out
    assert "braking.other" in shown and "110.0 MB" not in shown
    (row,) = csv.DictReader(longtail("budget", "forecast", "braking.other", "--csv").out.splitlines())
    assert (row["campaign"], row["trigger"], row["limit"]) == ("braking", "other", "30000000")
    kept = longtail("budget", "forecast", "braking.other", "--kept")
    assert (kept.status, len(kept.out.splitlines())) == (0, 2)


@pytest.mark.parametrize("options", [(), ("--kept",)])
@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("braking.othr", "braking has no trigger 'othr'; did you mean other?"),
        (f"braking.{TRIGGER}", f"braking.{TRIGGER} has no budget of its own"),
        ("brakin.other", "there is no campaign 'brakin'; did you mean braking?"),
        ("brakin", "there is no campaign 'brakin'; did you mean braking?"),
        ("braking.", "'braking.' names no trigger after the dot"),
    ],
)
def test_a_trigger_without_a_budget_of_its_own_is_not_found(
    api: Api, longtail: Longtail, asked: str, said: str, options: tuple[str, ...]
) -> None:
    add_campaign(api.database, "braking", began=days_ago(10), last_day=None, own=BudgetLimits(clips=3), clips=10)
    refused = longtail("budget", "forecast", asked, *options)
    assert refused.status != 0 and said in refused.err
    nothing_yet = longtail("budget", "forecast", "braking.other", *options)
    assert nothing_yet.status == 0 and "of braking.other" in nothing_yet.err


def test_forecasts_of_a_trigger_that_does_not_exist_are_not_found(api: Api) -> None:
    add_campaign(api.database, "braking", began=days_ago(10), last_day=None, own=BudgetLimits(clips=3), clips=10)
    for path in ("/v1/forecasts", "/v1/forecasts/kept"):
        assert api.get(path, "viewer", campaign="braking", trigger="other").status_code == 200
        assert api.get(path, "viewer", campaign="braking", trigger="typo").status_code == 404
    assert api.get("/v1/forecasts", "viewer", trigger="other").status_code == 422


def test_kept_forecasts_of_a_trigger_are_shown_after_a_version_without_it(api: Api) -> None:
    add_campaign(api.database, "braking", began=days_ago(10), last_day=None, own=BudgetLimits(clips=3), clips=10)
    with api.database.begin() as connection:
        add_version(connection, "braking", 2)
    client = api.as_client("viewer").forecasts
    assert client.kept("braking", "other") == []
    with pytest.raises(NotFound, match="braking has no trigger 'other'"):
        client.current("braking", "other")


def test_kept_forecasts_say_what_came_of_them(forecast_fleet: Api) -> None:
    earlier = {"at": days_ago(0.5), "made": days_ago(6)}
    with forecast_fleet.database.begin() as connection:
        connection.execute(
            text("UPDATE forecasts SET until = :at, made_at = :made, day = day - 6 WHERE campaign = 'braking'"), earlier
        )
    keep_forecasts(forecast_fleet.database, now=TODAY)
    client = forecast_fleet.as_client("viewer")
    kept = client.forecasts.kept("braking")
    assert [(each.unit, each.actual) for each in kept] == [
        ("bytes", None),
        ("clips", None),
        ("bytes", 50 * MB),
        ("clips", 50),
    ]
    (of_bytes, _) = (each for each in client.forecasts.current().past if each.forecasts)
    assert (of_bytes.unit, of_bytes.forecasts, of_bytes.held, of_bytes.factor) == ("bytes", 1, 0, 1.0)
    assert of_bytes.median_error is not None and of_bytes.median_error < 0, "90 days were expected, and five came"
    with pytest.raises(NotFound):
        client.forecasts.kept("none")
    with pytest.raises(NotFound):
        client.forecasts.current("none")


def test_budgets_are_drawn_with_their_bands_and_limits(forecast_fleet: Api, longtail: Longtail) -> None:
    lines = longtail("budget", "show").out.splitlines()
    (drawn,) = (line for line in lines if line.startswith("braking (bytes)"))
    assert "  ###=" in drawn and "|" in drawn and "limit reached" in drawn
    (waits,) = (line for line in lines if line.startswith("waiting (bytes)"))
    assert "|" not in waits and "#" not in waits and "--" in waits
    shown = longtail("budget", "forecast")
    assert "150.0 MB" in shown.out and "backtest" in shown.out
    assert "no campaign that was forecast has come to its planned end" in shown.err
    rows = list(csv.DictReader(longtail("budget", "forecast", "waiting", "--csv").out.splitlines()))
    assert [(row["unit"], row["limit"]) for row in rows] == [("bytes", ""), ("clips", "1000000")]
    kept = longtail("budget", "forecast", "braking", "--kept")
    assert kept.status == 0 and len(kept.out.splitlines()) == 3
    assert longtail("budget", "forecast", "--kept").status == 2
    assert longtail("budget", "forecast", "--json").json()["past"] == []


def view(spent: int, low: float, high: float, limit: int | None) -> ForecastView:
    estimate = Estimate(mean=(low + high) / 2, low=low, high=high)
    at = datetime(2026, 1, 1, tzinfo=UTC)
    return ForecastView(
        campaign="a",
        version=1,
        trigger="",
        unit="bytes",
        made_at=at,
        until=at,
        open_ended=False,
        stage="before",
        from_backtest=True,
        spent=spent,
        limit=limit,
        per_day=estimate,
        remaining=estimate,
        total=estimate,
        demand=estimate,
        end=None,
        factor=1.0,
        actual=None,
        compared_until=None,
        expected=None,
    )


@pytest.mark.parametrize(
    ("forecast", "drawn"),
    [
        (view(20, 50, 100, None), "##===-----"),
        (view(20, 50, 100, 80), "##===---|-"),
        (view(20, 30, 50, 100), "##=--....|"),
        (view(0, 0, 0, None), "." * 10),
        (view(90, 92, 100, 40), "####|####-"),
    ],
)
def test_a_bar_has_spent_expected_band_and_limit_on_one_scale(forecast: ForecastView, drawn: str) -> None:
    assert bar(forecast, 10) == drawn


def test_a_limit_that_is_not_reached_within_the_plan_is_reached_later(forecast_fleet: Api, longtail: Longtail) -> None:
    raised = BudgetLimits(total_bytes=10**15).model_dump(mode="json")
    with forecast_fleet.database.begin() as connection:
        connection.execute(
            text("UPDATE campaign_versions SET settings = settings || jsonb_build_object('budget', CAST(:b AS jsonb))"),
            {"b": json.dumps(raised)},
        )
    keep_forecasts(forecast_fleet.database, now=TODAY + timedelta(hours=2))
    (row,) = (line for line in longtail("budget", "forecast", "braking").out.splitlines() if "1.0 PB" in line)
    assert "later" in row and "never" not in row
