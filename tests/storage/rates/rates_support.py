"""Vehicles that report counts, under a software, at a stage of a rollout."""

from __future__ import annotations

import itertools

from sqlalchemy import text, update

from storage.database import Database
from storage.tables import campaign_versions, vehicles
from storage.vehicles.enrolment import enrol
from storage.vehicles.telemetry import record_counts
from triggers.contracts.checkin import FireCounts, Telemetry
from triggers.contracts.compared import Compared, EventsBySides

HOUR_NS = 3_600 * 10**9
_times = itertools.count(1)


def enrol_all(database: Database, *vehicle_ids: str) -> None:
    with database.begin() as connection:
        for vehicle_id in vehicle_ids:
            enrol(connection, vehicle_id, {})


def run_software(database: Database, vehicle_id: str, **software: str) -> None:
    """As if it had told so at a check-in."""
    with database.begin() as connection:
        connection.execute(update(vehicles).where(vehicles.c.id == vehicle_id).values(software=software))


def roll_out(database: Database, *stages: tuple[float, int], elapsed_s: int = 0, campaign: str = "braking") -> None:
    """Let a campaign have these stages (share and seconds), the last without an end, of which so many seconds are over.

    A campaign that ran before ran under other stages then: nobody remembers.
    """
    listed = [{"share": share, "duration_ns": seconds * 10**9} for share, seconds in stages]
    listed[-1]["duration_ns"] = None  # type: ignore[assignment]
    settings = campaign_versions.c.settings.op("||")({"rollout": listed})
    with database.begin() as connection:
        connection.execute(
            update(campaign_versions)
            .where(campaign_versions.c.campaign == campaign)
            .values(settings=settings, rollout_from=text(f"now() - interval '{elapsed_s} s'"))
        )


def report(
    database: Database,
    vehicle_id: str,
    hours: float,
    fires: dict[str, int],
    *,
    kilometres: int = 0,
    heads: dict[str, Compared] | None = None,
    events: dict[str, EventsBySides] | None = None,
    version: int = 1,
) -> int:
    """The vehicle's cumulative counts of `braking`; whether they are news."""
    watermark = sum(fires.values())
    counts = FireCounts(
        campaign="braking",
        version=version,
        watermark=watermark,
        suppressed=0,
        handed_over=watermark,
        per_trigger=fires,
        armed_ns=round(hours * HOUR_NS),
        distance_m=1000 * kilometres,
        compared=heads or {},
        events=events or {},
    )
    with database.begin() as connection:
        return record_counts(connection, vehicle_id, Telemetry(counts=(counts,), reported_at_ns=next(_times)))
