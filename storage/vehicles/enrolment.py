"""Enrolling vehicles, and revoking their access."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, func, select, update
from sqlalchemy.dialects.postgresql import insert

from storage.erasure.vehicles import require_not_erased
from storage.jsonb import storable
from storage.tables import vehicles
from storage.tokens import new_token, token_hash
from storage.vehicles.check_in import raise_vehicles
from triggers.contracts.base import AttributeValue
from triggers.errors import Conflict, NotFound


def enrol(
    connection: Connection,
    vehicle_id: str,
    attributes: Mapping[str, AttributeValue],
    *,
    replays: bool = False,
    replace: bool = False,
) -> str:
    """Enrol a vehicle and return its token.

    `replace` is needed for a vehicle that is enrolled already (Conflict without it): its token stops working with this
    transaction, a revocation ends, and `attributes` are added to those that it has. `replays` is for a simulated
    vehicle, whose drives take less time than they contain. Erased when a vehicle with this id was erased.
    """
    require_not_erased(connection, vehicle_id)
    token = new_token()
    row: dict[str, Any] = {
        "token_hash": token_hash(token),
        "attributes": storable(dict(attributes), what="the attributes"),
        "replays": replays,
    }
    statement = insert(vehicles).values(id=vehicle_id, **row)
    added = {**row, "attributes": vehicles.c.attributes.concat(statement.excluded.attributes), "revoked_at": None}
    again = statement.on_conflict_do_update(index_elements=[vehicles.c.id], set_=added)
    once = statement.on_conflict_do_nothing(index_elements=[vehicles.c.id])
    enrolled = connection.execute((again if replace else once).returning(vehicles.c.id)).one_or_none()
    if enrolled is None:
        raise Conflict(
            f"vehicle {vehicle_id} is enrolled already, and its token would stop working",
            remedy="give the vehicle another id, or say `replace` (`--replace`)",
        )
    if replace:
        raise_vehicles(connection)
    return token


def enrolled_attributes(connection: Connection, vehicle_id: str) -> dict[str, AttributeValue] | None:
    """The attributes that a vehicle was enrolled with; None if it is not enrolled, or erased."""
    known = select(vehicles.c.attributes).where(vehicles.c.id == vehicle_id, vehicles.c.erasure.is_(None))
    found: dict[str, AttributeValue] | None = connection.execute(known).scalar_one_or_none()
    return found


def revoke(connection: Connection, vehicle_id: str) -> None:
    """Revoke a vehicle's access until it is enrolled again; NotFound when it is unknown or revoked already."""
    revoked = connection.execute(
        update(vehicles)
        .where(vehicles.c.id == vehicle_id, vehicles.c.revoked_at.is_(None))
        .values(revoked_at=func.now())
    )
    if revoked.rowcount == 0:
        raise NotFound(f"vehicle {vehicle_id!r} is unknown or revoked already")
    raise_vehicles(connection)
