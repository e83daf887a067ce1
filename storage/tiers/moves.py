"""Which recordings are to be moved to which tier, and the restoration of those that are archived."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Connection, ScalarSelect, func, insert, or_, select, tuple_, update

from storage.tables import clips, tier_moves
from storage.tiers.rules import ARCHIVES, Tier
from triggers.costs.storage_classes import AS_STORED, STORAGE_CLASSES

BATCH = 20
"""Recordings of a round: each is a copy within the store, of up to 4 GiB."""
RESTORED_DAYS = 7
LONGEST_RESTORE = {"GLACIER": timedelta(hours=5), "DEEP_ARCHIVE": timedelta(hours=12)}
"""How long a standard retrieval takes at most (Amazon S3, "Understanding archive retrieval options")."""
_c, _m = clips.c, tier_moves.c


@dataclass(frozen=True, slots=True)
class Due:
    """A clip whose recording is to have another storage class, and its place in their order."""

    stored_at: datetime
    clip_id: str


@dataclass(frozen=True, slots=True)
class Move:
    """A recording that is old enough for another storage class."""

    clip_id: str
    object_key: str
    from_class: str
    storage_class: str


def due(connection: Connection, tiers: Sequence[Tier], *, limit: int, after: Due | None = None) -> list[Due]:
    """At most `limit` clips whose recording is to have another storage class, the oldest first, from after `after`."""
    is_due = [_is_due(tier) for tier in tiers]
    if not is_due:
        return []
    found = select(_c.stored_at, _c.id).where(or_(*is_due)).order_by(_c.stored_at, _c.id).limit(limit)
    if after is not None:
        found = found.where(tuple_(_c.stored_at, _c.id) > (after.stored_at, after.clip_id))
    return [Due(*row) for row in connection.execute(found)]


def lock(connection: Connection, tiers: Sequence[Tier], clip_id: str) -> Move | None:
    """The move of one clip, whose row is locked until the transaction ends; None if there is none any more.

    An erasure waits for the lock: what deletes the object comes after what copies it, so no copy outlives its clip.
    """
    for tier in reversed(tiers):
        row = connection.execute(
            select(_c.id, _c.object_key, _c.tier)
            .where(_c.id == clip_id, _is_due(tier))
            .with_for_update(skip_locked=True, key_share=True)
        ).one_or_none()
        if row is not None:
            return Move(row.id, row.object_key, row.tier or AS_STORED, tier.storage_class)
    return None


def note(connection: Connection, move: Move) -> None:
    """Note that a recording has its storage class, and since when.

    A move is never before the clip's arrival or its last move, whichever way the server's clock was set in between:
    what it costs where is counted in this order.
    """
    connection.execute(update(clips).where(_c.id == move.clip_id).values(tier=move.storage_class))
    stored_at = select(_c.stored_at).where(_c.id == move.clip_id).scalar_subquery()
    row = {
        "clip_id": move.clip_id,
        "from_class": move.from_class,
        "to_class": move.storage_class,
        "moved_at": func.greatest(func.now(), stored_at, last_move_at(move.clip_id)),
    }
    connection.execute(insert(tier_moves).values(row))


def last_move_at(clip_id: str | ColumnElement[str]) -> ScalarSelect[datetime]:
    """When a clip was moved last; null: never."""
    return select(func.max(_m.moved_at)).where(_m.clip_id == clip_id).scalar_subquery()


def ask_for_restore(connection: Connection, clip_id: str) -> datetime:
    """Note that an archived recording is to be readable; returns when it will be at the latest."""
    asked = update(clips).where(_c.id == clip_id).values(restore_asked_at=func.now()).returning(_c.tier, func.now())
    tier, now = connection.execute(asked).one()
    return readable_at(tier, now)


def readable_at(tier: str, asked_at: datetime) -> datetime:
    """When a recording that was asked for is readable at the latest."""
    return asked_at + LONGEST_RESTORE[tier]


def is_archived(tier: str | None) -> bool:
    """Whether a recording of this tier cannot be read at once."""
    return tier in ARCHIVES


def _is_due(tier: Tier) -> ColumnElement[bool]:
    before = STORAGE_CLASSES[: STORAGE_CLASSES.index(tier.storage_class)]
    return (_c.stored_at <= func.now() - tier.after) & (_c.tier.is_(None) | _c.tier.in_(before))
