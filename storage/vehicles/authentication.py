"""Authentication of vehicles by their bearer tokens; and the keys of those that sign their requests."""

from __future__ import annotations

from datetime import UTC

from sqlalchemy import Connection, case, func, or_, select, update

from storage.tables import vehicles
from storage.tokens import token_hash
from triggers.errors import Unauthenticated


def authenticate_vehicle(connection: Connection, token: str) -> str:
    """The id of the vehicle whose token this is; Unauthenticated when it is malformed, unknown, revoked or expired.

    The first use of a rotated token ends its predecessor.
    """
    digest, known = token_hash(token), vehicles.c
    is_newest = known.token_hash == digest
    expires_at = case((is_newest, known.token_expires_at), else_=known.former_token_expires_at)
    row = connection.execute(
        select(
            known.id,
            expires_at.label("expires_at"),
            (expires_at <= func.now()).label("expired"),
            (is_newest & known.former_token_hash.is_not(None)).label("ends_former"),
        ).where(or_(is_newest, known.former_token_hash == digest), known.revoked_at.is_(None))
    ).one_or_none()
    if row is None:
        raise Unauthenticated("no vehicle has this token, or it was revoked", remedy="enrol the vehicle again")
    if row.expired:
        raise Unauthenticated(
            f"the vehicle's token expired at {row.expires_at.astimezone(UTC):%Y-%m-%d %H:%M} UTC",
            remedy="enrol the vehicle again; a vehicle rotates its token once half of its time is over",
        )
    if row.ends_former:
        connection.execute(update(vehicles).where(known.id == row.id, is_newest).values(former_token_hash=None))
    return str(row.id)


def vehicle_key(connection: Connection, vehicle_id: str) -> bytes | None:
    """The raw Ed25519 key with which a vehicle signs its requests; None without one, or when it was revoked."""
    key = select(vehicles.c.public_key).where(vehicles.c.id == vehicle_id, vehicles.c.revoked_at.is_(None))
    found: bytes | None = connection.execute(key).scalar_one_or_none()
    return None if found is None else bytes(found)
