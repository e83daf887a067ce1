"""A deployment's database after two years: clips, campaigns that run, what vehicles counted of them, and usage."""

from __future__ import annotations

import time

from sqlalchemy import text

from bench.search.made import make
from bench.usage import sums
from fleet_api.client import Client
from storage.database import Database
from storage.vehicles.telemetry import record_counts
from tests.support.whole_system import run_campaign
from triggers.contracts.checkin import FireCounts, Telemetry

VEHICLES = 100
"""Those that have counted, each of every campaign."""
SIGNALS = "signals: {ego.speed: {unit: m/s, rate: 10}, ego.accel: {unit: m/s^2, rate: 10}}"
_TEXT = """
trigger hard_brake_{number} {{
    when ego.accel < -4 m/s^2 and ego.speed > {number} km/h
    cooldown 10 s
    capture 5 s before, 3 s after
}}
campaign {name} {{
    collect hard_brake_{number}
    rollout 10 % for 2 h, 100 %
    budget 50 MB per vehicle per day, 100 GB total
}}
"""
_ASSIGNED = """
    INSERT INTO assignments (vehicle_id, campaign, version, assigned_from)
    SELECT v.id, c.campaign, c.version, now() - interval '30 days'
    FROM (SELECT id FROM vehicles ORDER BY id LIMIT :vehicles) v CROSS JOIN campaign_versions c
"""
_VEHICLES = "SELECT id FROM vehicles ORDER BY id LIMIT :vehicles"
_HOUR_NS = 3_600 * 10**9


def fill_clips(database: Database, clips: int) -> None:
    """Write the skewed catalog of the benchmark of searches, unless there are clips."""
    with database.begin() as connection:
        there_are = connection.execute(text("SELECT count(*) FROM clips")).scalar_one()
    if not there_are:
        make(database, clips)


def fill_campaigns(database: Database, admin: Client, campaigns: int) -> str:
    """Start so many campaigns, with counts and usage, unless there are any; returns the name of one."""
    names = [f"braking_{number}" for number in range(1, campaigns + 1)]
    if next(iter(admin.campaigns.list()), None) is not None:
        return names[0]
    admin.signal_catalogs.publish("fleet", SIGNALS)
    for number, name in enumerate(names, 1):
        run_campaign(admin, _TEXT.format(number=number, name=name), SIGNALS)
    with database.begin() as connection:
        connection.execute(text(_ASSIGNED), {"vehicles": VEHICLES})
        vehicles = connection.execute(text(_VEHICLES), {"vehicles": VEHICLES}).scalars().all()
    for number, vehicle in enumerate(vehicles):
        counts = tuple(_counts(name, fires=10 + (index * 7 + number) % 50) for index, name in enumerate(names, 1))
        with database.begin() as connection:
            record_counts(connection, vehicle, Telemetry(counts=counts, reported_at_ns=time.time_ns()))
    with database.begin() as connection:
        sums.fill(connection, names, ["wifi", "cellular"])
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM (ANALYZE)"))
    return names[0]


def trigger_text(lines: int) -> str:
    """A text without mistakes of about so many lines, for the editor."""
    one = "trigger braking_{number} {{\n    when ego.accel < -{number} m/s^2\n    cooldown 10 s\n}}\n\n"
    return "".join(one.format(number=number) for number in range(1, lines // 5 + 1))


def _counts(campaign: str, *, fires: int) -> FireCounts:
    """A month of a vehicle: fires of which a fifth was refused and a tenth sampled out."""
    refused, sampled_out = fires // 5, fires // 10
    return FireCounts(
        campaign=campaign,
        version=1,
        watermark=fires,
        suppressed=fires,
        sampled_out=sampled_out,
        refused={"budget": refused},
        handed_over=fires - refused - sampled_out,
        per_trigger={f"hard_brake_{campaign.rpartition('_')[2]}": fires},
        armed_ns=40 * _HOUR_NS,
        distance_m=2_000_000,
        compared={},
    )
