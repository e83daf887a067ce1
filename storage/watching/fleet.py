"""Numbers over all vehicles, fires and label jobs: each takes as long as there are, so they are read now and then."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, text

from storage.counts.outcomes import OutcomeCounts, outcomes
from storage.labels import jobs
from storage.rates.forecasts import Kept, current
from storage.statements.time_limit import time_limit
from storage.tables.base import is_one_of
from triggers.assignment.given import Version
from triggers.contracts.campaign import ENDED

SLOW_S = 30.0
"""How long each of the statements may take."""

LATELY = "2 days"
"""For so long after its end, a version's fires and bytes count among those of a day."""

# Of every version that has run of the campaigns that run now: counts are compared with what all of them expected.
_FORECASTS = text(f"""
    SELECT campaign, version, forecast,
        state = 'active' OR activated_at IS NOT NULL AND ended_at > now() - interval '{LATELY}' AS ran_lately
    FROM campaign_versions
    WHERE (state = 'active' OR {is_one_of("state", ENDED)})
        AND campaign IN (SELECT campaign FROM campaign_versions WHERE state = 'active')
""")  # noqa: S608 - put together from constants

# A vehicle stopped uploading when it talks to the API and has clips that wait, but sent no byte today or yesterday.
_VEHICLES = text("""
    SELECT count(*) AS enrolled,
        count(*) FILTER (WHERE v.last_check_in_at > now() - interval '1 day') AS seen,
        count(*) FILTER (WHERE v.quarantined_at IS NOT NULL) AS quarantined,
        count(*) FILTER (
            WHERE v.quarantined_at IS NULL AND v.last_check_in_at > now() - interval '1 day'
            AND EXISTS (SELECT FROM fire_counts c WHERE c.vehicle_id = v.id AND c.in_flight > 0)
            AND NOT EXISTS (
                SELECT FROM vehicle_days d
                WHERE d.vehicle_id = v.id AND d.received_bytes > 0
                  AND d.day >= CAST(now() AT TIME ZONE 'UTC' AS date) - 1
            )
        ) AS stalled
    FROM vehicles v WHERE v.erasure IS NULL AND v.revoked_at IS NULL
""")


@dataclass(frozen=True, slots=True)
class Planned:
    """What the author's backtest expects of a version (None: there was none), and whether it ran within LATELY."""

    forecast: Mapping[str, Any] | None
    ran_lately: bool


@dataclass(frozen=True, slots=True)
class FleetNumbers:
    """Numbers over everything, as of one moment."""

    outcomes: Mapping[Version, OutcomeCounts]
    """By campaign and version; those that vehicles have reported on."""
    plans: Mapping[Version, Planned]
    """Of the versions that have run, of campaigns that are active and not paused."""
    budget_forecasts: Sequence[Kept]
    """The newest forecast of each budget."""
    vehicles: Mapping[str, int]
    """By state: enrolled, seen (checked in within a day), quarantined, stalled (see above)."""
    label_jobs: Mapping[str, Mapping[str, int]]
    """By task and state."""


def fleet_numbers(connection: Connection) -> FleetNumbers:
    """Count everything; Overloaded when a statement takes longer than SLOW_S."""
    with time_limit(connection, SLOW_S, what="counting for metrics", remedy="none is needed: it is tried again"):
        counted = outcomes(connection)
        plans = {
            (row.campaign, row.version): Planned(row.forecast, bool(row.ran_lately))
            for row in connection.execute(_FORECASTS)
        }
        budget_forecasts = current(connection)
        vehicles = connection.execute(_VEHICLES).one()._mapping
        label_jobs = jobs.stats(connection)
    return FleetNumbers(counted, plans, budget_forecasts, {name: int(vehicles[name]) for name in vehicles}, label_jobs)
