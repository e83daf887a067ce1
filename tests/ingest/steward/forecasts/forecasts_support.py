"""A campaign that has run for some days: its vehicles, what it was charged on each day, and its author's backtest."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, text, update

from ingest.steward.forecasts.make import Forecasting
from storage import ledger
from storage.database import Database
from storage.ledger.accounts import total_key
from storage.ledger.limits import ANY_AMOUNT, FleetTerms
from storage.rates import spending
from storage.tables import campaign_versions, ledger_entries
from storage.vehicles.enrolment import enrol
from tests.storage.ledger.ledger_support import add_upload
from tests.support.fleet import PROGRAM_DIGEST, TRIGGER, add_version, charged_manifest
from triggers.contracts.api.budget import AccountUnit
from triggers.contracts.api.campaigns import BacktestForecast
from triggers.contracts.campaign import BudgetLimits
from triggers.statistics.budget_forecast.days import Day

MB = 10**6
OTHER = "other"
"""The trigger that has a budget of its own."""
TODAY = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0)


def keep_forecasts(database: Database, *, now: datetime | None = None, fleet: FleetTerms = ANY_AMOUNT) -> int:
    """A round of forecasts, piece by piece; returns how many versions it forecast."""
    forecasting = Forecasting(database, fleet)
    while forecasting.go_on(now):
        pass
    return forecasting.made


def add_campaign(
    database: Database,
    name: str,
    *,
    began: datetime | None,
    last_day: date | None,
    own: BudgetLimits | None = None,
    **limits: int,
) -> None:
    """A campaign that began then (None: it is approved and waits), with limits; `own` are those of a second trigger."""
    of_triggers = None if own is None else {TRIGGER: None, OTHER: own}
    dates = {"active_to": None if last_day is None else last_day.isoformat()}
    settings = campaign_versions.c.settings.op("||")(dates)
    with database.begin() as connection:
        add_version(
            connection,
            name,
            state="approved" if began is None else "active",
            limits=BudgetLimits(**limits),
            of_triggers=of_triggers,
        )
        connection.execute(
            update(campaign_versions)
            .where(campaign_versions.c.campaign == name)
            .values(settings=settings, activated_at=began, rollout_from=began)
        )


def add_vehicles(database: Database, number: int, *, since: datetime) -> None:
    """Vehicles that check in, and have every version from then on."""
    with database.begin() as connection:
        for index in range(number):
            enrol(connection, f"car-{index}", {"region": "eu" if index % 2 else "us"})
        connection.execute(text("UPDATE vehicles SET last_check_in_at = now()"))
        connection.execute(
            text("""
                INSERT INTO assignments (vehicle_id, campaign, version, assigned_from)
                SELECT v.id, c.campaign, c.version, :since FROM vehicles v CROSS JOIN campaign_versions c
                WHERE c.activated_at IS NOT NULL
                ON CONFLICT (vehicle_id, campaign, version) DO UPDATE SET assigned_from = excluded.assigned_from
            """),
            {"since": since},
        )


def spend(database: Database, campaign: str, at: datetime, sizes: Sequence[int]) -> None:
    """Clips of these sizes are charged to a campaign, and arrive at this time."""
    for size in sizes:
        manifest = charged_manifest({campaign: size}, vehicle_id="car-0")
        with database.begin() as connection:
            upload_id = add_upload(connection, manifest)
            ledger.reserve(connection, upload_id, manifest, now=at)
            ledger.settle(connection, upload_id)
            of_upload = ledger_entries.c.upload_id == upload_id
            connection.execute(update(ledger_entries).where(of_upload).values(created_at=at))


def seen_days(
    connection: Connection, campaign: str, unit: AccountUnit, *, since: datetime, now: datetime, trigger: str = ""
) -> list[Day]:
    """The days of the first version of a campaign, or of a trigger's own budget in it."""
    of_vehicles = spending.vehicle_days(connection, (campaign, 1), since=since, now=now)
    return spending.seen_days(connection, total_key(campaign, unit, trigger), of_vehicles, since=since, now=now)


def backtest(
    clips_per_vehicle_day: float, clip_bytes: int, *, vehicles: int = 1000, others: float | None = None
) -> BacktestForecast:
    """What a backtest of one trigger forecasts, off by a half to either side; and of the one with an own budget in
    bytes, if `others` says how many clips that has per vehicle and day."""

    def expected(mean: float) -> dict[str, float]:
        return {"mean": mean, "low": 0.5 * mean, "high": 1.5 * mean}

    def of_trigger(per_day: float) -> dict[str, object]:
        return {
            "fires_per_fleet_day": expected(per_day * vehicles),
            "clips_per_fleet_day": expected(per_day * vehicles),
            "bytes_per_fleet_day": expected(per_day * vehicles * clip_bytes),
            "bytes_per_vehicle_day": expected(per_day * clip_bytes),
        }

    used = {"amount": 10**12, "days": None, "clips": 9, "larger_clips": 0}
    budgets: list[dict[str, object]] = []
    if others is not None:
        per_day = expected(others * vehicles * clip_bytes)
        budgets = [{"trigger": OTHER, "limit": "total_bytes", "per_day": per_day, **used}]
    document: dict[str, Any] = {
        "program_digest": PROGRAM_DIGEST,
        "drives": 20,
        "hours": 40.0,
        "vehicles": vehicles,
        "hours_per_day": 2.0,
        "triggers": {TRIGGER: of_trigger(clips_per_vehicle_day)}
        | ({} if others is None else {OTHER: of_trigger(others)}),
        "budgets": budgets,
    }
    return BacktestForecast.model_validate_json(json.dumps(document))


def attach(database: Database, campaign: str, forecast: BacktestForecast) -> None:
    """Store a backtest with a campaign's version."""
    with database.begin() as connection:
        connection.execute(
            update(campaign_versions)
            .where(campaign_versions.c.campaign == campaign)
            .values(forecast=forecast.model_dump(mode="json"))
        )


def days_ago(days: float) -> datetime:
    """Noon (UTC) so many days before today's."""
    return TODAY - timedelta(days=days)
