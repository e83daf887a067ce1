"""What each vehicle was assigned: recorded when its list changes, and asked when fires and counts come.

A clip may wait on its vehicle for a network, and a vehicle without one runs its latest list until that expires. So
fires of a version are accepted until `grace_s` after it was in a list of the vehicle for the last time; where the
vehicle has not asked since the version ended, after that list has expired.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, Row, text

from storage.campaigns.queries import MAX_VERSION
from triggers.assignment.given import AssignedVersion, Version
from triggers.errors import NotFound

DEFAULT_LIST_S = 7 * 86_400
DEFAULT_GRACE_S = 30 * 86_400


@dataclass(frozen=True, slots=True)
class AssignmentTerms:
    """How long a list is in force, and how long after its end fires of its campaigns are accepted, in seconds."""

    list_s: int = DEFAULT_LIST_S
    grace_s: int = DEFAULT_GRACE_S


_RECORD = text("""
    WITH given AS (
        SELECT * FROM unnest(CAST(:campaigns AS text[]), CAST(:versions AS integer[])) AS g (campaign, version)
    ),
    ended AS (
        UPDATE assignments a SET assigned_until = now()
        WHERE a.vehicle_id = :vehicle AND a.assigned_until IS NULL
            AND NOT EXISTS (SELECT FROM given g WHERE g.campaign = a.campaign AND g.version = a.version)
    ),
    followed AS (
        UPDATE vehicles SET assigned_digest = :digest, assigned_revision = :revision WHERE id = :vehicle
    )
    INSERT INTO assignments (vehicle_id, campaign, version, assigned_from)
    SELECT :vehicle, campaign, version, now() FROM given
    ON CONFLICT (vehicle_id, campaign, version) DO UPDATE SET assigned_until = NULL
    WHERE assignments.assigned_until IS NOT NULL
""")

_ASSIGNED = text("""
    SELECT a.campaign, a.version, c.settings -> 'triggers' AS triggers, v.replays,
        CAST(extract(epoch FROM a.assigned_from) * 1000000000 AS bigint) AS since_ns,
        coalesce(
            least(a.assigned_until, c.ended_at + :list_s * interval '1 second') + :grace_s * interval '1 second'
                >= :now,
            true
        ) AS in_time
    FROM assignments a
    JOIN vehicles v ON v.id = a.vehicle_id
    JOIN campaign_versions c ON c.campaign = a.campaign AND c.version = a.version
    JOIN unnest(CAST(:campaigns AS text[]), CAST(:versions AS integer[])) AS w (campaign, version)
        ON w.campaign = a.campaign AND w.version = a.version
    WHERE a.vehicle_id = :vehicle
""")

_BUNDLE = text("""
    SELECT c.bundle FROM campaign_versions c
    JOIN assignments a ON a.vehicle_id = :vehicle AND a.campaign = c.campaign AND a.version = c.version
    WHERE c.bundle_digest = :digest LIMIT 1
""")

_AWAITED = text("""
    SELECT EXISTS (
        SELECT FROM restores r JOIN vehicles v ON v.id = :vehicle
        WHERE v.last_check_in_at IS NULL OR v.last_check_in_at < r.restored_at
    )
""")


def record(connection: Connection, vehicle_id: str, given: Collection[Version], *, digest: str, revision: int) -> None:
    """Record the list that a vehicle is given: what it has begins, what it lacks ends. `digest` is its content's.

    The transaction has locked the vehicle's row, so that two of its check-ins are recorded one after the other.
    """
    _execute(connection, _RECORD, vehicle_id, given, digest=digest, revision=revision)


def assigned(
    connection: Connection, vehicle_id: str, versions: Collection[Version], terms: AssignmentTerms, *, now: datetime
) -> dict[Version, AssignedVersion]:
    """Those of these versions that the vehicle was ever given."""
    known = [(campaign, version) for campaign, version in versions if version <= MAX_VERSION]
    rows = _execute(connection, _ASSIGNED, vehicle_id, known, list_s=terms.list_s, grace_s=terms.grace_s, now=now)
    return {
        (row.campaign, row.version): AssignedVersion(
            since_ns=row.since_ns,
            in_time=row.in_time,
            cooldowns={trigger["name"]: trigger["cooldown_ns"] for trigger in row.triggers},
            replays=row.replays,
        )
        for row in rows
    }


def assigned_bundle(connection: Connection, vehicle_id: str, digest: str) -> bytes:
    """The sealed bundle with this SHA-256; NotFound, in the same words, if the vehicle was never given its version."""
    bundle = connection.execute(_BUNDLE, {"vehicle": vehicle_id, "digest": digest}).scalar_one_or_none()
    if bundle is None:
        raise NotFound(
            f"no campaign of this vehicle has the bundle {digest}", remedy="check in, and ask for those of the new list"
        )
    return bytes(bundle)


def awaits_check_in(connection: Connection, vehicle_id: str) -> bool:
    """Whether the database was restored since the vehicle's latest check-in: it may have been given more than is known.

    Its next check-in tells, since it then gets a list that is recorded.
    """
    return bool(connection.execute(_AWAITED, {"vehicle": vehicle_id}).scalar_one())


def _execute(
    connection: Connection, statement: object, vehicle_id: str, versions: Collection[Version], **values: object
) -> list[Row[tuple[object, ...]]]:
    arrays = {"campaigns": [name for name, _ in versions], "versions": [version for _, version in versions]}
    result = connection.execute(statement, {"vehicle": vehicle_id, **arrays, **values})  # type: ignore[call-overload]
    return list(result.all()) if result.returns_rows else []
