"""Enrolling vehicles, and revoking their access."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, case, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert

from storage.erasure.vehicles import require_not_erased
from storage.jsonb import storable
from storage.settings import Settings
from storage.tables import enrolment_codes, vehicles
from storage.tokens import new_token, token_hash
from storage.vehicles.check_in import raise_vehicles
from triggers.contracts.base import AttributeValue
from triggers.errors import Conflict, NotFound

DEFAULT_TTL_S: int = Settings.model_fields["vehicle_token_ttl_s"].default


@dataclass(frozen=True, slots=True)
class VehicleToken:
    """A new token of a vehicle, when it expires, and from when on the vehicle should ask for the next."""

    token: str
    expires_at: datetime
    renew_at: datetime


def enrol(
    connection: Connection,
    vehicle_id: str,
    attributes: Mapping[str, AttributeValue],
    *,
    replays: bool = False,
    replace: bool = False,
    ttl_s: int = DEFAULT_TTL_S,
) -> VehicleToken:
    """Enrol a vehicle and return its token.

    `replace` is needed for a vehicle that is enrolled already (Conflict without it): its tokens, its key and a code for
    it stop working with this transaction, a revocation ends, and `attributes` are added to those that it has. `replays`
    is for a simulated vehicle, whose drives take less time than they contain. Erased when a vehicle with this id was
    erased.
    """
    require_not_erased(connection, vehicle_id)
    token = new_token()
    row: dict[str, Any] = {
        "token_hash": token_hash(token),
        "token_expires_at": func.now() + timedelta(seconds=ttl_s),
        "former_token_hash": None,
        "public_key": None,
        "attributes": storable(dict(attributes), what="the attributes"),
        "replays": replays,
    }
    statement = insert(vehicles).values(id=vehicle_id, **row)
    added = {**row, "attributes": vehicles.c.attributes.concat(statement.excluded.attributes), "revoked_at": None}
    again = statement.on_conflict_do_update(index_elements=[vehicles.c.id], set_=added)
    once = statement.on_conflict_do_nothing(index_elements=[vehicles.c.id])
    expires_at = connection.execute(
        (again if replace else once).returning(vehicles.c.token_expires_at)
    ).scalar_one_or_none()
    if expires_at is None:
        raise Conflict(
            f"vehicle {vehicle_id} is enrolled already, and its token would stop working",
            remedy="give the vehicle another id, or say `replace` (`--replace`)",
        )
    _end_code(connection, vehicle_id)
    if replace:
        raise_vehicles(connection)
    return _issued(token, expires_at, ttl_s)


def rotate(connection: Connection, vehicle_id: str, *, ttl_s: int) -> VehicleToken:
    """Issue the next token of a vehicle; the one in use stays valid until the next is used for the first time.

    So a vehicle that never got the answer asks again with the token that it has. NotFound for an unknown vehicle.
    """
    token, known = new_token(), vehicles.c
    is_early = select(known.token_expires_at - timedelta(seconds=ttl_s / 2) > func.now()).where(known.id == vehicle_id)
    may_be_remembered = connection.execute(is_early).scalar_one_or_none()
    expires_at = connection.execute(
        update(vehicles)
        .where(vehicles.c.id == vehicle_id, vehicles.c.revoked_at.is_(None))
        .values(
            # A former token that is still there is the one in use: the first use of its successor removes it.
            former_token_hash=func.coalesce(known.former_token_hash, known.token_hash),
            former_token_expires_at=case(
                (known.former_token_hash.is_(None), known.token_expires_at), else_=known.former_token_expires_at
            ),
            token_hash=token_hash(token),
            token_expires_at=func.now() + timedelta(seconds=ttl_s),
        )
        .returning(vehicles.c.token_expires_at)
    ).scalar_one_or_none()
    if expires_at is None:
        raise NotFound(f"vehicle {vehicle_id!r} is unknown or revoked")
    if may_be_remembered:  # past its half, no process does: usual rotations leave the memory of other vehicles alone
        raise_vehicles(connection)
    return _issued(token, expires_at, ttl_s)


def _end_code(connection: Connection, vehicle_id: str) -> None:
    """End a code that the vehicle has not used, which would undo what is decided now."""
    connection.execute(delete(enrolment_codes).where(enrolment_codes.c.vehicle_id == vehicle_id))


def _issued(token: str, expires_at: datetime, ttl_s: int) -> VehicleToken:
    return VehicleToken(token, expires_at, expires_at - timedelta(seconds=ttl_s / 2))


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
    _end_code(connection, vehicle_id)
    raise_vehicles(connection)
