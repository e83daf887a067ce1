"""`/metrics` of the API on a real port: budgets, queues, fires and vehicles, bounded, for whoever has the token."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import insert, text

from fleet_api.api.app import create_app
from fleet_api.watching import series
from fleet_api.watching.series import MAX_SERIES
from ingest.metrics.names import METRICS, Kind
from storage import ledger
from storage.database import Database
from storage.ledger import FleetTerms
from storage.rates.forecasts import Kept, keep
from storage.settings import Settings
from storage.tables import dead_letters, label_jobs, uploads
from tests.fleet_api.watching.scraping import TOKEN, Scrape, plain_names, scrape
from tests.ingest.gateway.serving import serve
from tests.storage.clips.catalog_support import add_clip
from tests.storage.ledger.ledger_support import add_upload
from tests.support.fleet import add_version, charged_manifest, enroll_vehicle
from tests.support.rows import add_row
from triggers.contracts.campaign import BudgetLimits

HOUR_NS = 3_600_000_000_000


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"metrics_token": TOKEN, "fleet_total_bytes": 10**6})


@contextmanager
def serving(settings: Settings) -> Iterator[tuple[str, FastAPI]]:
    app = create_app(settings)
    with serve(app) as url:
        yield url, app


def scraped(settings: Settings) -> Scrape:
    with serving(settings) as (url, _):
        return scrape(url)


def report(database: Database, vehicle_id: str, campaign: str, **counts: Any) -> None:
    """What a vehicle reported of a campaign's first version, or of another."""
    values = {
        "version": 1,
        "watermark": 0,
        "sampled_out": 0,
        "in_flight": 0,
        "handed_over": 0,
        "armed_ns": 0,
        "dropped": "{}",
    }
    with database.begin() as connection:
        connection.execute(
            text("""
                INSERT INTO fire_counts (vehicle_id, campaign, version, watermark, suppressed, sampled_out, refused,
                    dropped, failed, in_flight, handed_over, per_trigger, armed_ns, distance_m, reported_at_ns,
                    received_at)
                VALUES (:vehicle_id, :campaign, :version, :watermark, 0, :sampled_out, '{}', CAST(:dropped AS jsonb),
                    '{}', :in_flight, :handed_over, '{}', :armed_ns, 0, 0, now())
            """),
            {"vehicle_id": vehicle_id, "campaign": campaign, **values, **counts},
        )


def forecast(
    database: Database, campaign: str, *, fires: float, bytes_: float, vehicles: int = 10, version: int = 1
) -> None:
    """A forecast of a campaign's first version, or of another: per day of the fleet, and of a vehicle."""
    one = '{"mean": %s, "low": 0, "high": null}'
    expected = (
        f'{{"fires_per_fleet_day": {one % fires}, "clips_per_fleet_day": {one % fires}, '
        f'"bytes_per_fleet_day": {one % (bytes_ * vehicles)}, "bytes_per_vehicle_day": {one % bytes_}}}'
    )
    stored = (
        f'{{"program_digest": "{"0" * 64}", "drives": 1, "hours": 5, "vehicles": {vehicles}, "hours_per_day": 2, '
        f'"triggers": {{"hard_brake": {expected}}}, "budgets": []}}'
    )
    with database.begin() as connection:
        connection.execute(
            text("UPDATE campaign_versions SET forecast = CAST(:f AS jsonb) WHERE campaign = :c AND version = :v"),
            {"f": stored, "c": campaign, "v": version},
        )


def test_budgets_are_those_of_the_ledger_folded_or_not(settings: Settings, database: Database) -> None:
    with database.begin() as connection:
        add_version(connection, "braking", limits=BudgetLimits(total_bytes=1000))
        add_version(connection, "lanes", limits=BudgetLimits(clips=5))
        add_version(connection, "draft", state="draft", approved=False)
        for name, days in (("over", 6), ("long_over", 8)):
            add_version(connection, name, state="completed", limits=BudgetLimits(total_bytes=7))
            ended = (
                "UPDATE campaign_versions SET ended_at = now() - make_interval(days => :days), ended_reason = 'budget' "
                "WHERE campaign = :name"
            )
            connection.execute(text(ended), {"days": days, "name": name})
        enroll_vehicle(connection)
        manifest = charged_manifest({"braking": 30, "lanes": 20})
        upload_id = add_upload(connection, manifest)
        ledger.reserve(connection, upload_id, manifest, now=datetime.now(UTC), fleet=FleetTerms(total_bytes=10**6))
    reserved, over = scraped(settings), {"over": 0}
    assert reserved.by("longtail_budget_limit_bytes", "campaign") == {"": 10**6, "braking": 1000, "over": 7}
    assert reserved.by("longtail_budget_reserved_bytes", "campaign") == {"": 50, "braking": 30, "lanes": 20} | over
    assert reserved.by("longtail_budget_settled_bytes", "campaign") == {"": 0, "braking": 0, "lanes": 0} | over
    assert reserved.by("longtail_campaign_completed", "campaign") == {"over": 1}
    assert reserved.value("longtail_campaign_completed", campaign="over", reason="budget") == 1
    assert reserved.by("longtail_budget_limit_clips", "campaign") == {"lanes": 5}
    assert reserved.by("longtail_budget_held_clips", "campaign") == {"lanes": 1}
    with database.begin() as connection:
        ledger.settle(connection, upload_id)
    settled = scraped(settings)
    assert settled.by("longtail_budget_settled_bytes", "campaign") == {"": 50, "braking": 30, "lanes": 20} | over
    with database.begin() as connection:
        ledger.fold(connection)
    assert (
        scraped(settings).by("longtail_budget_settled_bytes", "campaign") == {"": 50, "braking": 30, "lanes": 20} | over
    )


def test_queues_and_dead_letters_are_counted(settings: Settings, database: Database) -> None:
    with database.begin() as connection:
        enroll_vehicle(connection)
        for state in ("open", "received", "received", "stored"):
            add_row(connection, uploads, state=state)
        letter = {"stage": "gateway", "detail": "it was wrong", "state": "open"}
        for reason, state in (("bad", "open"), ("bad", "open"), ("worse", "discarded")):
            connection.execute(insert(dead_letters).values(letter | {"reason": reason, "state": state}))
    found = scraped(settings)
    assert found.by("longtail_open_clips", "state") == {"open": 1, "received": 2}
    assert found.by("longtail_dead_letters", "reason") == {"bad": 2}
    assert found.value("longtail_waiting_extractions") == 0
    assert found.value("longtail_campaigns_left_out") == 0


def test_fires_and_what_was_expected_of_the_time_armed(settings: Settings, database: Database) -> None:
    with database.begin() as connection:
        add_version(connection, "braking")
        for vehicle_id in ("car-1", "car-2"):
            enroll_vehicle(connection, vehicle_id)
    dropped = '{"disk_full": 2, "restart": 1}'
    report(database, "car-1", "braking", watermark=10, sampled_out=4, dropped=dropped, in_flight=3, armed_ns=HOUR_NS)
    report(database, "car-2", "braking", watermark=1, sampled_out=1, armed_ns=3 * HOUR_NS)
    forecast(database, "braking", fires=20, bytes_=500, vehicles=10)
    found = scraped(settings)
    assert found.value("longtail_fired_total", campaign="braking") == 11
    assert found.by("longtail_fires_total", "outcome") == {"sampled_out": 5, "dropped": 3}
    assert found.value("longtail_fires_in_flight", campaign="braking") == 3
    # 20 fires a day of 10 vehicles that drive 2 hours are 1 per armed hour; 500 bytes a day are 250.
    assert found.value("longtail_expected_fires_total", campaign="braking") == pytest.approx(4)
    assert found.value("longtail_expected_bytes_total", campaign="braking") == pytest.approx(1000)
    assert 0 <= found.value("longtail_snapshot_age_seconds") < 60


def end(database: Database, campaign: str, version: int, days_ago: float) -> None:
    """A version that was activated was stopped so long ago."""
    with database.begin() as connection:
        connection.execute(
            text("""
                UPDATE campaign_versions SET activated_at = now() - interval '9 days',
                    ended_at = now() - make_interval(secs => 86400.0 * :days)
                WHERE campaign = :campaign AND version = :version
            """),
            {"campaign": campaign, "version": version, "days": days_ago},
        )


def test_what_was_expected_is_that_of_all_versions_each_by_its_own_backtest(
    settings: Settings, database: Database
) -> None:
    with database.begin() as connection:
        add_version(connection, "braking", 1)
        add_version(connection, "braking", 2)
        enroll_vehicle(connection, "car-1")
    end(database, "braking", 1, days_ago=0.5)
    report(database, "car-1", "braking", version=1, armed_ns=10 * HOUR_NS)
    report(database, "car-1", "braking", version=2, armed_ns=HOUR_NS)
    forecast(database, "braking", fires=20, bytes_=500, version=1)
    forecast(database, "braking", fires=60, bytes_=100, version=2)
    found = scraped(settings)
    assert found.value("longtail_expected_fires_total", campaign="braking") == pytest.approx(10 * 1 + 1 * 3)
    assert found.value("longtail_expected_bytes_total", campaign="braking") == pytest.approx(10 * 250 + 1 * 50)


@pytest.mark.parametrize(("days_ago", "is_expected"), [(1.9, False), (2.1, True)])
def test_nothing_is_expected_of_a_campaign_while_a_version_without_a_forecast_counts_in_a_day(
    settings: Settings, database: Database, days_ago: float, is_expected: bool
) -> None:
    with database.begin() as connection:
        add_version(connection, "braking", 1)
        add_version(connection, "braking", 2)
        add_version(connection, "braking", 3, state="draft", approved=False)
    end(database, "braking", 1, days_ago)
    forecast(database, "braking", fires=20, bytes_=500, version=2)
    found = scraped(settings)
    assert (found.get("longtail_expected_fires_total", campaign="braking") is not None) == is_expected


def test_nothing_is_expected_of_a_campaign_that_is_paused(settings: Settings, database: Database) -> None:
    with database.begin() as connection:
        for name, state in (("braking", "active"), ("lanes", "paused")):
            add_version(connection, name, state=state)
    for name in ("braking", "lanes"):
        forecast(database, name, fires=20, bytes_=500)
    assert scraped(settings).by("longtail_expected_bytes_total", "campaign") == {"braking": 0}


def test_the_newest_forecast_of_bytes_and_when_the_limit_is_reached(settings: Settings, database: Database) -> None:
    moment = datetime(2026, 12, 24, tzinfo=UTC)
    estimate = {"mean": 700.0, "low": 500.0, "high": None}
    kept = kept_until(moment, estimate, limit=1000)
    with database.begin() as connection:
        for name in ("braking", "lanes"):
            add_version(connection, name, limits=BudgetLimits(total_bytes=1000))
        keep(connection, kept)
        keep(connection, replace(kept, unit="clips"))
    found = scraped(settings)
    assert found.by("longtail_forecast_bytes", "quantile") == {"0.05": 500, "mean": 700}
    ends = found.by("longtail_budget_exhaustion_timestamp_seconds", "campaign")
    assert ends == {"braking": moment.timestamp()}


def kept_until(moment: datetime, estimate: dict[str, float | None], *, limit: int) -> Kept:
    """A forecast in bytes that everything in it is `estimate`, and that the budget ends at this moment."""
    end = {"expected_ns": int(moment.timestamp()) * 10**9, "earliest_ns": None, "latest_ns": None}
    document = dict.fromkeys(("per_day", "computed", "remaining", "total", "demand"), estimate)
    return Kept(
        campaign="braking",
        version=1,
        unit="bytes",
        made_at=datetime.now(UTC),
        until=moment,
        open_ended=False,
        rollout_from=None,
        progress=0.0,
        from_backtest=True,
        spent=0,
        forecast={**document, "limit": limit, "end": end, "factor": 1.0},
    )


def test_forecasts_of_triggers_are_those_that_come_closest_to_their_limits(
    settings: Settings, database: Database
) -> None:
    moment = datetime(2026, 12, 24, tzinfo=UTC)
    with database.begin() as connection:
        add_version(connection, "braking")
        for number in range(12):
            estimate = {"mean": 100.0 + number, "low": 50.0, "high": None}
            kept = replace(kept_until(moment, estimate, limit=110), trigger=f"t_{number}")
            keep(connection, kept)
            keep(connection, replace(kept, unit="clips"))
    found = scraped(settings)
    shown = {f"t_{number}" for number in range(2, 12)}
    assert found.by("longtail_trigger_budget_limit_bytes", "trigger") == dict.fromkeys(shown, 110)
    ends = found.by("longtail_trigger_budget_exhaustion_timestamp_seconds", "trigger")
    assert ends == dict.fromkeys(shown, moment.timestamp())
    assert found.value("longtail_trigger_forecast_bytes", campaign="braking", trigger="t_11", quantile="mean") == 111
    assert found.get("longtail_forecast_bytes", campaign="braking") is None, "that is of the campaign"


def test_vehicles_that_stopped_uploading_are_those_that_talk_and_have_clips_that_wait(
    settings: Settings, database: Database
) -> None:
    with database.begin() as connection:
        add_version(connection, "braking")
        for vehicle_id in ("stalled", "sends", "away", "idle", "revoked"):
            enroll_vehicle(connection, vehicle_id)
        seen = "UPDATE vehicles SET last_check_in_at = now() - interval '1 hour' WHERE id <> 'away'"
        connection.execute(text(seen))
        connection.execute(text("UPDATE vehicles SET revoked_at = now() WHERE id = 'revoked'"))
        connection.execute(
            text("INSERT INTO vehicle_days VALUES ('sends', CAST(now() AT TIME ZONE 'UTC' AS date), 1, 5)")
        )
        connection.execute(
            text("INSERT INTO vehicle_days VALUES ('stalled', CAST(now() AT TIME ZONE 'UTC' AS date), 3, 0)")
        )
    for vehicle_id in ("stalled", "sends", "away", "revoked"):
        report(database, vehicle_id, "braking", watermark=1, in_flight=1)
    vehicles = scraped(settings).by("longtail_vehicles", "state")
    assert vehicles == {"enrolled": 4, "seen": 3, "quarantined": 0, "stalled": 1}


def test_label_jobs_by_task_and_state(settings: Settings, database: Database) -> None:
    with database.begin() as connection:
        enroll_vehicle(connection)
        add_version(connection, "braking")
        clips = [add_clip(connection) for _ in range(2)]
        for clip in clips:
            connection.execute(insert(label_jobs).values(clip_id=clip, task="auto"))
    found = scraped(settings)
    assert found.value("longtail_label_jobs", task="auto", state="ready") == 2
    assert found.value("longtail_label_jobs", task="auto", state="done") == 0


def test_what_vehicles_and_people_ask_is_counted_by_status(settings: Settings) -> None:
    with serving(settings) as (url, _):
        before = scrape(url)
        for _ in range(3):
            assert httpx.post(f"{url}/v1/vehicles/car-1/check-in", json={}, timeout=60).status_code == 401
        assert httpx.post(f"{url}/v1/others/car-1/check-in", json={}, timeout=60).status_code == 404, (
            "which is no check-in"
        )
        after = scrape(url)

    def grown(name: str, **labels: str) -> float:
        return after.value(name, **labels) - (before.get(name, **labels) or 0)

    assert grown("longtail_check_ins_total", code="401") == 3
    assert after.get("longtail_check_ins_total", code="404") == before.get("longtail_check_ins_total", code="404")
    assert grown("longtail_http_requests_total", method="POST", code="401") == 3
    assert grown("longtail_http_request_seconds_count", method="POST") == 4


def test_only_with_the_token(settings: Settings) -> None:
    with serving(settings) as (url, _):
        for headers in ({}, {"Authorization": "Bearer " + "x" * len(TOKEN)}, {"Authorization": f"Basic {TOKEN}"}):
            answer = httpx.get(f"{url}/metrics", headers=headers, timeout=60)
            assert answer.status_code == 401
            assert "LONGTAIL_METRICS_TOKEN" in answer.json()["remedy"]


def test_without_a_token_in_the_settings_nobody_finds_metrics_beside_the_routes(settings: Settings) -> None:
    with serving(settings.model_copy(update={"metrics_token": ""})) as (url, _):
        assert httpx.get(f"{url}/metrics", timeout=60).status_code == 404


def test_the_older_text_format_is_for_those_who_do_not_ask_for_another(settings: Settings) -> None:
    with serving(settings) as (url, _):
        answer = httpx.get(f"{url}/metrics", headers={"Authorization": f"Bearer {TOKEN}"}, timeout=60)
    assert answer.headers["Content-Type"].startswith("text/plain")
    assert "longtail_budget_settled_bytes" in plain_names(answer.text)


def test_every_metric_has_the_kind_and_the_labels_of_the_table(settings: Settings, database: Database) -> None:
    with database.begin() as connection:
        add_version(connection, "braking", limits=BudgetLimits(clips=3, total_bytes=10))
    found = scraped(settings)
    own = {name for name in found.kinds if name.startswith("longtail_")}
    known = {name.removesuffix("_total"): metric for name, metric in METRICS.items() if "api" in metric.processes}
    assert own <= set(known)
    assert {name: found.kinds[name] for name in own} == {name: known[name].kind for name in own}
    for name, labels in found.samples:
        base = name.removesuffix("_total").removesuffix("_bucket").removesuffix("_count").removesuffix("_sum")
        if base in known and known[base].kind is not Kind.HISTOGRAM:
            assert {label for label, _ in labels} == set(known[base].labels), name


def test_221_campaigns_have_fewer_than_2000_series(settings: Settings, database: Database) -> None:
    many_campaigns(database, 221)
    found = scraped(settings)
    assert len(found.samples) < 2000
    shown = found.by("longtail_budget_settled_bytes", "campaign")
    assert len(shown) - 1 + found.value("longtail_campaigns_left_out") == 221


def test_of_too_many_campaigns_those_in_trouble_are_shown_and_the_others_counted(
    settings: Settings, database: Database
) -> None:
    many_campaigns(database, 500)
    with database.begin() as connection:
        full = text(
            "UPDATE ledger_accounts SET held = 1000000 WHERE campaign = 'campaign_499' AND kind = 'campaign_bytes'"
        )
        assert connection.execute(full).rowcount == 1
    found = scraped(settings)
    assert len(found.samples) < 2000
    shown = found.by("longtail_budget_settled_bytes", "campaign")
    assert "campaign_499" in shown and "campaign_000" in shown
    left_out = found.value("longtail_campaigns_left_out")
    assert left_out > 0 and len(shown) - 1 + left_out == 500


def test_a_database_that_hangs_costs_its_metrics_and_no_others(settings: Settings, database: Database) -> None:
    with serving(settings) as (url, _):
        with database.begin() as connection:
            connection.execute(text("LOCK TABLE ledger_accounts IN ACCESS EXCLUSIVE MODE"))
            found = scrape(url)
        assert found.by("longtail_metrics_collected", "source") == {"database": 0, "disks": 1}
        assert found.get("longtail_budget_settled_bytes", campaign="") is None
        assert found.value("longtail_disk_free_bytes", disk="data") > 0
        assert scrape(url).value("longtail_metrics_collected", source="database") == 1


def many_campaigns(database: Database, count: int) -> None:
    """Running campaigns with everything that has series: limits, amounts, all outcomes, and a forecast."""
    with database.begin() as connection:
        for vehicle_id in ("car-1",):
            enroll_vehicle(connection, vehicle_id)
        for number in range(count):
            add_version(connection, f"campaign_{number:03d}", limits=BudgetLimits(total_bytes=10**6, clips=100))
        connection.execute(
            text("""
                INSERT INTO ledger_accounts (kind, campaign, unit, held, settled)
                SELECT k.kind, c.campaign, k.unit, 10, 5 FROM campaign_versions c
                CROSS JOIN (VALUES ('campaign_bytes', 'bytes'), ('campaign_clips', 'clips')) k (kind, unit)
            """)
        )
        connection.execute(
            text("""
                INSERT INTO fire_counts (vehicle_id, campaign, version, watermark, suppressed, sampled_out, refused,
                    dropped, failed, in_flight, handed_over, per_trigger, armed_ns, distance_m, reported_at_ns,
                    received_at)
                SELECT 'car-1', campaign, 1, 100, 0, 10, '{"budget": 5}', '{"disk_full": 5}', '{"lost": 5}', 1, 0,
                    '{}', 3600000000000, 0, 0, now()
                FROM campaign_versions
            """)
        )
    forecast_all(database)


def forecast_all(database: Database) -> None:
    with database.begin() as connection:
        names = list(connection.execute(text("SELECT campaign FROM campaign_versions")).scalars())
    forecast(database, names[0], fires=20, bytes_=500)
    with database.begin() as connection:
        connection.execute(
            text(
                "UPDATE campaign_versions SET forecast = "
                "(SELECT forecast FROM campaign_versions WHERE campaign = :first) WHERE campaign <> :first"
            ),
            {"first": names[0]},
        )


def test_the_bound_is_for_whole_campaigns_in_order_of_concern() -> None:
    def campaign(name: str, size: int, concern: float) -> series.CampaignSeries:
        one = series.Series(METRICS["longtail_fired_total"], (name,), 0)
        return series.CampaignSeries(name, (one,) * size, concern)

    shown = series.chosen([campaign("a", 3, 0), campaign("b", 3, 0), campaign("c", 3, 1)], limit=7)
    assert {each.labels[0] for each in shown.series} == {"a", "c"}
    assert shown.left_out == 1
    assert series.chosen([], limit=MAX_SERIES).left_out == 0
