"""Tables of what was erased: clips, vehicles, and objects that are still to be deleted."""

from __future__ import annotations

from enum import StrEnum

from sqlalchemy import BigInteger, Boolean, CheckConstraint, Column, Identity, Index, LargeBinary, Table, Text, text

from storage.tables.base import at, created_at, is_one_of, json, metadata


class ErasureCause(StrEnum):
    """Why a clip is no longer in the catalog."""

    EXPIRED = "expired"
    """All of its campaigns' `retain` are over."""
    ERASED = "erased"
    """A user erased it."""
    VEHICLE_ERASED = "vehicle_erased"
    """A user erased its vehicle."""


class VehicleErasure(StrEnum):
    """How far the erasure of a vehicle is."""

    REQUESTED = "requested"
    """It takes no part any more, and the steward erases what it sent."""
    DONE = "done"
    """The row is what its counts and budgets refer to, under an id that says nothing."""


erased_clips = Table(
    "erased_clips",
    metadata,
    Column("clip_id", Text, primary_key=True),
    Column("digest", Text, nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    Column("cause", Text, nullable=False),
    Column("reason", Text),
    Column("erased_by", Text),
    Column("was_used", Boolean),
    created_at("erased_at"),
    CheckConstraint(is_one_of("cause", ErasureCause), name="cause"),
    Index("ix_erased_clips_erased_at", "erased_at"),
    Index("ix_erased_clips_used", "clip_id", postgresql_where=text("was_used IS DISTINCT FROM false")),
)
"""One row per clip that was in the catalog. `reason` and `erased_by` are a user's; retention has neither. `was_used`
says whether anybody had opened it, labelled it or put it into a dataset; null: erased before that was kept."""

erased_vehicles = Table(
    "erased_vehicles",
    metadata,
    Column("id_digest", LargeBinary, primary_key=True),
    Column("reason", Text, nullable=False),
    Column("erased_by", Text, nullable=False),
    Column("clips", BigInteger, nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    created_at("requested_at"),
    at("finished_at"),
    json("counts", default=text("'{}'")),
    Column("clips_digest", LargeBinary),
    Column("last_deletion", BigInteger),
)
"""`id_digest` is the SHA-256 of the vehicle's id, which is kept nowhere else. `clips` and `size_bytes` are what was in
the catalog when the erasure was requested. `counts` says what is `erased` and `unlinked` by now, by name. Once it is
finished, `clips_digest` says of which clips, and none of its objects is left when `object_deletions` has no row up to
`last_deletion`."""

erased_vehicle_clips = Table(
    "erased_vehicle_clips",
    metadata,
    Column("vehicle_digest", LargeBinary, primary_key=True),
    Column("clip_digest", LargeBinary, primary_key=True),
)
"""Digests of the ids of clips that were erased with a vehicle, until its erasure is finished."""

object_deletions = Table(
    "object_deletions",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("object_key", Text, nullable=False),
    Column("is_prefix", Boolean, nullable=False, server_default="false"),
    at("due_at", nullable=False),
    created_at(),
    Index("ix_object_deletions_due_at", "due_at"),
    Index("ix_object_deletions_object_key", "object_key"),
)
"""Objects that no row names any more, written in the transaction that deleted the row. A row goes once its object, or
every object whose key begins with `object_key`, is deleted."""
