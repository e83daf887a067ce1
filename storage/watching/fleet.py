"""Numbers over all vehicles, fires and label jobs: each takes as long as there are, so they are read now and then."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, text

from storage.counts.outcomes import OutcomeCounts, outcomes
from storage.labels import jobs
from storage.rates.forecasts import Kept, current
from storage.tables.base import is_one_of
from storage.time_limit import time_limit
from triggers.contracts.campaign import RUNNING

SLOW_S = 30.0
"""How long each of the statements may take."""

_FORECASTS = text(
    f"SELECT campaign, version, forecast FROM campaign_versions WHERE {is_one_of('state', RUNNING)}"  # noqa: S608
)

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
class FleetNumbers:
    """Numbers over everything, as of one moment."""

    outcomes: Mapping[tuple[str, int], OutcomeCounts]
    """By campaign and version; those that vehicles have reported on."""
    forecasts: Mapping[tuple[str, int], Mapping[str, Any] | None]
    """What the author's backtest expects, by campaign and version; those that run."""
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
        forecasts = {(row.campaign, row.version): row.forecast for row in connection.execute(_FORECASTS)}
        budget_forecasts = current(connection)
        vehicles = connection.execute(_VEHICLES).one()._mapping
        label_jobs = jobs.stats(connection)
    return FleetNumbers(
        counted, forecasts, budget_forecasts, {name: int(vehicles[name]) for name in vehicles}, label_jobs
    )
