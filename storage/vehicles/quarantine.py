"""Quarantine: a vehicle whose uploads and reports are refused until an operator lifts it; and counts that are voided.

A vehicle that sends junk is put into quarantine by the deployment: after so many damaged clips and refusals in a UTC
day. What was there before is left as it is. Counts that are voided are kept, and left out of every sum.
"""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import ColumnElement, Connection, case, func, select, text, update

from storage import audit, usage
from storage.jsonb import storable
from storage.tables import vehicles
from storage.vehicles import refusals
from triggers.assignment.given import Refusal
from triggers.errors import Conflict, NotFound, Quarantined

AUTOMATIC = "longtail"
"""Who quarantines a vehicle that sends junk."""
MAX_SHOWN = 1000
_c = vehicles.c

# What was there when an operator released the vehicle is pardoned: it starts from 0 again.
_JUNK_TODAY = text("""
    SELECT coalesce(sum(r.refusals), 0)
        - CASE WHEN v.pardoned_day = (now() AT TIME ZONE 'UTC')::date THEN v.pardoned ELSE 0 END AS junk
    FROM vehicles v
    LEFT JOIN vehicle_refusals r ON r.vehicle_id = v.id AND r.day = (now() AT TIME ZONE 'UTC')::date
        AND r.reason <> :harmless
    WHERE v.id = :vehicle
    GROUP BY v.id
""")
_HARMLESS = str(Refusal.ASSIGNMENT_OVER)


def require_free(connection: Connection, vehicle_id: str) -> None:
    """Quarantined if the vehicle is in quarantine."""
    row = connection.execute(
        select(_c.quarantined_at, _c.quarantine_reason).where(_c.id == vehicle_id, _c.quarantined_at.is_not(None))
    ).one_or_none()
    if row is not None:
        raise Quarantined(
            f"this vehicle is in quarantine since {row.quarantined_at:%Y-%m-%dT%H:%M:%SZ}: {row.quarantine_reason}",
            remedy="keep what there is to send; an operator lifts it with `longtail vehicles release`",
        )


def note_junk(connection: Connection, vehicle_id: str, reason: Refusal, *, after: int | None) -> None:
    """Count something of a vehicle that was refused or damaged, and quarantine it once there were `after` in a day.

    `after` None: never. That is recorded in the audit log, so call it last in a transaction.
    """
    refusals.note(connection, vehicle_id, reason)
    if after is None or reason == _HARMLESS:
        return
    junk = _junk_today(connection, vehicle_id)
    if junk >= after:
        why = f"{junk} damaged clips and refusals today, the last one: {reason}"
        free = update(vehicles).where(_c.id == vehicle_id, _c.quarantined_at.is_(None))
        if connection.execute(free.values(**_entered(why, AUTOMATIC))).rowcount:
            about = audit.vehicle_object(vehicle_id)
            audit.record(connection, audit.the_deployment(), "vehicle.quarantine", "vehicle", about, reason=why)


def quarantine(connection: Connection, vehicle_id: str, *, reason: str, by: str) -> None:
    """Refuse what a vehicle sends from now on; Conflict if it is in quarantine, NotFound for an unknown vehicle."""
    values = _entered(storable(reason, what="the reason"), by)
    _change(connection, vehicle_id, _c.quarantined_at.is_(None), values, otherwise="is in quarantine already")


def release(connection: Connection, vehicle_id: str, *, reason: str, by: str) -> None:
    """Accept again what a vehicle sends; its junk of today is pardoned. Conflict if it is not in quarantine."""
    today = func.date(func.timezone("UTC", func.now()))
    values = {
        "quarantined_at": None,
        "quarantined_by": by,
        "quarantine_reason": f"released: {storable(reason, what='the reason')}",
        "pardoned": case((_c.pardoned_day == today, _c.pardoned), else_=0) + _junk_today(connection, vehicle_id),
        "pardoned_day": today,
    }
    _change(connection, vehicle_id, _c.quarantined_at.is_not(None), values, otherwise="is not in quarantine")


def void_counts(connection: Connection, vehicle_id: str, *, reason: str, by: str) -> None:
    """Leave a vehicle's counts out of every sum, also those to come; Conflict if they are left out already."""
    values = {
        "counts_voided_at": func.now(),
        "counts_voided_by": by,
        "counts_void_reason": storable(reason, what="the reason"),
    }
    _change(connection, vehicle_id, _c.counts_voided_at.is_(None), values, otherwise="has no counts in any sum already")
    usage.void_reported(connection, vehicle_id)


def restore_counts(connection: Connection, vehicle_id: str, *, reason: str, by: str) -> None:
    """Have a vehicle's counts in every sum again; Conflict if they are not left out."""
    values = {
        "counts_voided_at": None,
        "counts_voided_by": by,
        "counts_void_reason": f"restored: {storable(reason, what='the reason')}",
    }
    _change(connection, vehicle_id, _c.counts_voided_at.is_not(None), values, otherwise="has its counts in the sums")
    usage.restore_reported(connection, vehicle_id)


def in_quarantine(connection: Connection) -> list[tuple[str, str]]:
    """Up to MAX_SHOWN vehicles in quarantine, with the reason, by id."""
    rows = connection.execute(
        select(_c.id, _c.quarantine_reason).where(_c.quarantined_at.is_not(None)).order_by(_c.id).limit(MAX_SHOWN)
    )
    return [(row.id, row.quarantine_reason) for row in rows]


def _entered(reason: str, by: str) -> dict[str, object]:
    return {"quarantined_at": func.now(), "quarantined_by": by, "quarantine_reason": reason}


def _junk_today(connection: Connection, vehicle_id: str) -> int:
    counted = connection.execute(_JUNK_TODAY, {"vehicle": vehicle_id, "harmless": _HARMLESS}).scalar_one_or_none()
    return int(counted or 0)


def _change(
    connection: Connection,
    vehicle_id: str,
    condition: ColumnElement[bool],
    values: Mapping[str, object],
    *,
    otherwise: str,
) -> None:
    known = _c.id == vehicle_id, _c.erasure.is_(None)
    changed = connection.execute(update(vehicles).where(*known, condition).values(**values))
    if changed.rowcount == 0:
        if connection.execute(select(_c.id).where(*known)).one_or_none() is None:
            raise NotFound(
                f"there is no vehicle {vehicle_id[:64]!r}", remedy="`longtail vehicles list` shows all vehicles"
            )
        raise Conflict(f"vehicle {vehicle_id} {otherwise}")
