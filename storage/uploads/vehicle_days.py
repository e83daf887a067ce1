"""What each vehicle created and sent on a UTC day, whatever campaigns it names: a limit on all that it may store here.

Budgets of campaigns bound what is meant to come. This bounds what comes over the wire: manifests of uploads that are
given up, cells that came with other bytes than their manifest says, repeats, and all campaigns together.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from sqlalchemy import Connection, delete, select
from sqlalchemy.dialects.postgresql import Insert, insert

from storage.rows import insert_rows
from storage.tables import vehicle_days
from triggers.errors import TooMany

KEPT_DAYS = 7
_d = vehicle_days.c


@dataclass(frozen=True, slots=True)
class VehicleDayLimits:
    """How many uploads a vehicle may create on a UTC day, and how many bytes it may send."""

    uploads: int
    received_bytes: int


def create_one(
    connection: Connection, vehicle_id: str, manifest_bytes: int, limits: VehicleDayLimits, *, now: datetime
) -> None:
    """Count one more created upload and its manifest; TooMany, with nothing counted, when a limit is reached."""
    require_room(connection, vehicle_id, limits, now=now)
    row = {"vehicle_id": vehicle_id, "day": _day(now)}
    added = insert(vehicle_days).values(**row, uploads=1, received_bytes=manifest_bytes)
    counted = connection.execute(
        added.on_conflict_do_update(
            index_elements=[_d.vehicle_id, _d.day],
            set_={"uploads": _d.uploads + 1, "received_bytes": _d.received_bytes + manifest_bytes},
            where=_d.uploads < limits.uploads,
        ).returning(_d.uploads)
    ).one_or_none()
    if counted is None:
        raise _refusal(f"has created the {limits.uploads} uploads that one vehicle may create", now)


def require_room(connection: Connection, vehicle_id: str, limits: VehicleDayLimits, *, now: datetime) -> None:
    """TooMany when a vehicle has sent as many bytes on this day as it may."""
    sent = select(_d.received_bytes).where(_d.vehicle_id == vehicle_id, _d.day == _day(now))
    if (connection.execute(sent).scalar_one_or_none() or 0) >= limits.received_bytes:
        raise _refusal(f"has sent the {limits.received_bytes} bytes that one vehicle may send", now)


def add_received(connection: Connection, came: Mapping[str, int], *, now: datetime) -> None:
    """Count bytes that came over the wire from vehicles, good or not; 0 are none. Rows are locked by vehicle."""
    new = {"day": _day(now), "uploads": 0}
    rows = [{"vehicle_id": vehicle_id, **new, "received_bytes": came[vehicle_id]} for vehicle_id in sorted(came)]
    rows = [row for row in rows if row["received_bytes"]]
    insert_rows(connection, vehicle_days, rows, _added)


def _added(insertion: Insert) -> Insert:
    return insertion.on_conflict_do_update(
        index_elements=[_d.vehicle_id, _d.day],
        set_={"received_bytes": _d.received_bytes + insertion.excluded.received_bytes},
    )


def forget(connection: Connection) -> int:
    """Delete days that are over for KEPT_DAYS; returns how many."""
    over = datetime.now(UTC).date() - timedelta(days=KEPT_DAYS)
    return connection.execute(delete(vehicle_days).where(_d.day < over)).rowcount


def _day(now: datetime) -> date:
    return now.astimezone(UTC).date()


def _refusal(what: str, now: datetime) -> TooMany:
    now = now.astimezone(UTC)
    tomorrow = datetime.combine(now.date() + timedelta(days=1), time(), tzinfo=UTC)
    return TooMany(
        f"this vehicle {what} on one UTC day",
        retry_after_s=-(-(tomorrow - now) // timedelta(seconds=1)),
        remedy="wait for the next UTC day; operators raise LONGTAIL_VEHICLE_DAY_UPLOADS or LONGTAIL_VEHICLE_DAY_BYTES",
    )
