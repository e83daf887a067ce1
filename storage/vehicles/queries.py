"""Reading vehicles: their attributes, what they reported at their latest check-in, and their problems."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, func, select

from storage.erasure.vehicles import require_not_erased
from storage.rows import columns_of
from storage.tables import assignment_revision, vehicles
from storage.vehicles.attributes import VEHICLE_ATTRIBUTES
from storage.vehicles.refusals import totals
from storage.vehicles.telemetry import fallen_counts
from triggers.contracts.base import AttributeValue
from triggers.errors import NotFound

MAX_PAGE = 1000


@dataclass(frozen=True, slots=True)
class Vehicle:
    """A vehicle as the fleet knows it. `clock_offset_ns` is its clock minus the cloud's at the latest check-in.

    `problems` are those it reported then, and counts of fires that fell, which are signs of a lost journal. `refusals`
    are how often something of it was refused, by reason.
    """

    id: str
    attributes: dict[str, AttributeValue]
    software: dict[str, str]
    problems: list[str]
    clock_offset_ns: int
    enrolled_at: datetime
    last_check_in_at: datetime | None
    revoked_at: datetime | None
    quarantined_at: datetime | None
    quarantined_by: str | None
    quarantine_reason: str | None
    counts_voided_at: datetime | None
    counts_voided_by: str | None
    counts_void_reason: str | None
    refusals: dict[str, int]


_VEHICLES = select(
    *columns_of(Vehicle, vehicles, without=("attributes", "refusals")), VEHICLE_ATTRIBUTES.label("attributes")
).where(vehicles.c.erasure.is_(None))


def get_vehicle(connection: Connection, vehicle_id: str) -> Vehicle:
    """One vehicle; NotFound for an unknown one, Erased for one that was erased."""
    row = connection.execute(_VEHICLES.where(vehicles.c.id == vehicle_id)).one_or_none()
    if row is None:
        require_not_erased(connection, vehicle_id)
        raise NotFound(f"there is no vehicle {vehicle_id[:64]!r}", remedy="`longtail vehicles list` shows all vehicles")
    return _vehicles(connection, [row])[0]


def list_vehicles(connection: Connection, *, prefix: str = "", after: str = "", limit: int = 100) -> list[Vehicle]:
    """At most `limit` (up to MAX_PAGE) vehicles whose id begins with `prefix` and sorts after `after`, by id."""
    rows = connection.execute(
        _VEHICLES.where(vehicles.c.id > after, func.starts_with(vehicles.c.id, prefix))
        .order_by(vehicles.c.id)
        .limit(max(1, min(limit, MAX_PAGE)))
    ).all()
    return _vehicles(connection, rows)


def clocks_off_by(connection: Connection, offset_ns: int) -> list[str]:
    """Up to MAX_PAGE vehicles that take part and whose clock was further off at the latest check-in, by id."""
    wrong = func.abs(vehicles.c.clock_offset_ns) > offset_ns
    taking_part = vehicles.c.revoked_at.is_(None), vehicles.c.last_check_in_at.is_not(None)
    return list(
        connection.execute(select(vehicles.c.id).where(wrong, *taking_part).order_by("id").limit(MAX_PAGE)).scalars()
    )


def ahead_of_database(connection: Connection) -> tuple[int, list[tuple[str, int]]]:
    """The database's revision, and up to MAX_PAGE vehicles that follow a higher one, with theirs, highest first."""
    own = connection.execute(select(func.coalesce(func.max(assignment_revision.c.revision), 0))).scalar_one()
    ahead = (
        select(vehicles.c.id, vehicles.c.revision)
        .where(vehicles.c.revision > own, vehicles.c.erasure.is_(None))
        .order_by(vehicles.c.revision.desc(), vehicles.c.id)
        .limit(MAX_PAGE)
    )
    return own, [(row.id, row.revision) for row in connection.execute(ahead)]


def _vehicles(connection: Connection, rows: Sequence[Row[*tuple[Any, ...]]]) -> list[Vehicle]:
    ids = [row.id for row in rows]
    fallen, refused = fallen_counts(connection, ids), totals(connection, ids)
    return [
        Vehicle(
            **row._asdict()
            | {"problems": [*row.problems, *fallen.get(row.id, ())], "refusals": refused.get(row.id, {})}
        )
        for row in rows
    ]
