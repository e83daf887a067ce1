"""One-time codes, with which a vehicle enrols itself under a key that it has made; only their hashes are kept."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, delete, func, select
from sqlalchemy.dialects.postgresql import insert

from storage.erasure.vehicles import require_not_erased
from storage.jsonb import storable
from storage.tables import enrolment_codes, vehicles
from storage.tokens import new_token, token_hash
from storage.vehicles.check_in import raise_vehicles
from triggers.contracts.base import AttributeValue
from triggers.errors import Conflict, Unauthenticated

PREFIX = "le_"


@dataclass(frozen=True, slots=True)
class EnrolmentCode:
    """A code, which is shown once, and until when it can be used."""

    code: str
    expires_at: datetime


def issue(
    connection: Connection,
    vehicle_id: str,
    attributes: Mapping[str, AttributeValue],
    *,
    ttl_s: int,
    replace: bool = False,
) -> EnrolmentCode:
    """A code for this vehicle, in place of any that it has; its access changes only when the code is used.

    `replace` is needed for a vehicle that is enrolled already (Conflict without it). Erased when a vehicle with this id
    was erased.
    """
    require_not_erased(connection, vehicle_id)
    enrolled = select(vehicles.c.id).where(vehicles.c.id == vehicle_id)
    if not replace and connection.execute(enrolled).first() is not None:
        raise Conflict(
            f"vehicle {vehicle_id} is enrolled already, and the code would end its token or key",
            remedy="give the vehicle another id, or say `replace` (`--replace`)",
        )
    connection.execute(delete(enrolment_codes).where(enrolment_codes.c.expires_at <= func.now()))
    code = PREFIX + secrets.token_urlsafe(24)
    row: dict[str, Any] = {
        "code_hash": _hash(code),
        "attributes": storable(dict(attributes), what="the attributes"),
        "expires_at": func.now() + timedelta(seconds=ttl_s),
    }
    expires_at = connection.execute(
        insert(enrolment_codes)
        .values(vehicle_id=vehicle_id, **row)
        .on_conflict_do_update(index_elements=[enrolment_codes.c.vehicle_id], set_=row)
        .returning(enrolment_codes.c.expires_at)
    ).scalar_one()
    return EnrolmentCode(code, expires_at)


def redeem(connection: Connection, vehicle_id: str, code: str, public_key: bytes) -> None:
    """Enrol the vehicle under its key; its tokens and its former key end, and so does a revocation.

    The attributes that came with the code are added to those that it has.
    Unauthenticated for a code that is unknown, used, expired or another vehicle's; Conflict when another vehicle has
    this key. Erased when the vehicle was erased meanwhile.
    """
    row = connection.execute(
        delete(enrolment_codes)
        .where(
            enrolment_codes.c.vehicle_id == vehicle_id,
            enrolment_codes.c.code_hash == _hash(code),
            enrolment_codes.c.expires_at > func.now(),
        )
        .returning(enrolment_codes.c.attributes)
    ).one_or_none()
    if row is None:
        raise Unauthenticated(
            "the enrolment code is unknown, used or expired", remedy="ask an operator for another one"
        )
    require_not_erased(connection, vehicle_id)
    others = select(vehicles.c.id).where(vehicles.c.public_key == public_key, vehicles.c.id != vehicle_id)
    if connection.execute(others).first() is not None:
        raise Conflict("another vehicle has this key", remedy="make a key of the vehicle's own")
    values: dict[str, Any] = {
        "attributes": row.attributes,
        "public_key": public_key,
        "token_hash": token_hash(new_token()),  # nobody knows it
        "token_expires_at": func.now(),
        "former_token_hash": None,
        "replays": False,
    }
    statement = insert(vehicles).values(id=vehicle_id, **values)
    added = {**values, "attributes": vehicles.c.attributes.concat(statement.excluded.attributes), "revoked_at": None}
    connection.execute(statement.on_conflict_do_update(index_elements=[vehicles.c.id], set_=added))
    raise_vehicles(connection)


def _hash(code: str) -> bytes:
    return hashlib.sha256(code.encode("utf-8", "replace")).digest()
