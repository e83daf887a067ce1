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
from triggers.contracts.base import AttributeValue
from triggers.errors import NotFound


def enrol(
    connection: Connection, vehicle_id: str, attributes: Mapping[str, AttributeValue], *, replays: bool = False
) -> str:
    """Enrol a vehicle and return its token; enrolling again replaces attributes and token, and ends a revocation.

    `replays` is for a simulated vehicle, whose drives take less time than they contain.

    The previous token stops working with this transaction. Erased when a vehicle with this id was erased.
    """
    require_not_erased(connection, vehicle_id)
    token = new_token()
    row: dict[str, Any] = {
        "token_hash": token_hash(token),
        "attributes": storable(dict(attributes), what="the attributes"),
    }
    row["replays"] = replays
    connection.execute(
        insert(vehicles)
        .values(id=vehicle_id, **row)
        .on_conflict_do_update(index_elements=[vehicles.c.id], set_={**row, "revoked_at": None})
    )
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
