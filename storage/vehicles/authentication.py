"""Authentication of vehicles by their bearer tokens."""

from __future__ import annotations

from sqlalchemy import Connection, select

from storage.tables import vehicles
from storage.tokens import token_hash
from triggers.errors import Unauthenticated


def authenticate_vehicle(connection: Connection, token: str) -> str:
    """The id of the vehicle whose token this is; Unauthenticated when it is malformed, unknown or revoked."""
    vehicle_id = connection.execute(
        select(vehicles.c.id).where(vehicles.c.token_hash == token_hash(token), vehicles.c.revoked_at.is_(None))
    ).scalar_one_or_none()
    if vehicle_id is None:
        raise Unauthenticated("no vehicle has this token, or it was revoked", remedy="enrol the vehicle again")
    return str(vehicle_id)
