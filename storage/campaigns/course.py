"""The vehicles of a campaign version: those that were given it, with what each does with it, and the others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, text

from storage.campaigns.queries import checked_version
from triggers.contracts.api.watching.course import VehicleCourse
from triggers.contracts.base import AttributeValue

# The first that holds: who is shut out runs nothing; what was taken away does not fail.
_GIVEN = """
    SELECT a.vehicle_id AS vehicle, a.assigned_from, a.assigned_until, v.last_check_in_at, v.quarantine_reason,
        own.problems, coalesce(c.watermark, 0) AS fired, coalesce(c.in_flight, 0) AS in_flight,
        CASE
            WHEN v.revoked_at IS NOT NULL THEN 'revoked'
            WHEN v.quarantined_at IS NOT NULL THEN 'quarantined'
            WHEN a.assigned_until IS NOT NULL THEN 'left'
            WHEN v.last_check_in_at < now() - :list_s * interval '1 second' THEN 'silent'
            WHEN own.problems <> '{}' THEN 'fails'
            ELSE 'runs'
        END AS state
    FROM assignments a
    JOIN vehicles v ON v.id = a.vehicle_id AND v.erasure IS NULL
    LEFT JOIN fire_counts c
        ON c.vehicle_id = a.vehicle_id AND c.campaign = a.campaign AND c.version = a.version
    CROSS JOIN LATERAL (
        SELECT array(
            SELECT told FROM jsonb_array_elements_text(v.problems) AS told
            WHERE starts_with(told, :named || ' ') OR starts_with(told, :named || ':')
        ) AS problems
    ) own
    WHERE a.campaign = :campaign AND a.version = :version
"""

_PAGE = text(f"""
    SELECT * FROM ({_GIVEN}) given
    WHERE vehicle > :after AND (CAST(:state AS text) IS NULL OR state = :state)
    ORDER BY vehicle LIMIT :limit
""")  # noqa: S608 - put together from constants
_COUNTS = text(f"SELECT state, count(*) AS vehicles FROM ({_GIVEN}) given GROUP BY 1")  # noqa: S608 - likewise

_OTHERS = text("""
    SELECT v.id, v.attributes, v.reported_attributes,
        v.revoked_at IS NOT NULL AS is_revoked, v.quarantined_at IS NOT NULL AS is_quarantined
    FROM vehicles v
    WHERE v.erasure IS NULL AND NOT EXISTS (
        SELECT FROM assignments a WHERE a.vehicle_id = v.id AND a.campaign = :campaign AND a.version = :version
    )
    ORDER BY v.id LIMIT :limit
""")


@dataclass(frozen=True, slots=True)
class OtherVehicle:
    """A vehicle that was never given a version, with its attributes: the fleet's own record, and what it reports."""

    id: str
    attributes: Mapping[str, AttributeValue]
    reported_attributes: Mapping[str, AttributeValue]
    is_revoked: bool
    is_quarantined: bool


@dataclass(frozen=True, slots=True)
class GivenVehicle:
    """A vehicle that was given a version. `problems` are those that it has reported of this version.

    `fired` and `in_flight` are what it has counted.
    """

    vehicle: str
    assigned_from: datetime
    assigned_until: datetime | None
    last_check_in_at: datetime | None
    quarantine_reason: str | None
    problems: Sequence[str]
    fired: int
    in_flight: int
    state: VehicleCourse


def vehicles_of(
    connection: Connection,
    campaign: str,
    version: int,
    *,
    list_s: int,
    state: VehicleCourse | None = None,
    after: str = "",
    limit: int = 100,
) -> list[GivenVehicle]:
    """At most `limit` vehicles (in `state`, where one is given) whose id sorts after `after`, by id.

    `list_s` is how long a list of campaigns is in force, in seconds.
    """
    asked = _asked(campaign, version, list_s) | {"state": state, "after": after, "limit": limit}
    rows = connection.execute(_PAGE, asked)
    return [GivenVehicle(**row._asdict() | {"state": VehicleCourse(row.state)}) for row in rows]


def vehicles_by_state(
    connection: Connection, campaign: str, version: int, *, list_s: int
) -> Mapping[VehicleCourse, int]:
    """How many of the vehicles that were given a version are in each state; states that none is in are missing."""
    rows = connection.execute(_COUNTS, _asked(campaign, version, list_s))
    return {VehicleCourse(row.state): row.vehicles for row in rows}


def other_vehicles(connection: Connection, campaign: str, version: int, *, limit: int) -> list[OtherVehicle]:
    """At most `limit` vehicles that were never given a version, by id."""
    asked = {"campaign": campaign, "version": checked_version(version), "limit": limit}
    return [OtherVehicle(**row._asdict()) for row in connection.execute(_OTHERS, asked)]


def _asked(campaign: str, version: int, list_s: int) -> dict[str, Any]:
    return {
        "campaign": campaign,
        "version": checked_version(version),
        "list_s": list_s,
        "named": f"{campaign} version {version}",
    }
