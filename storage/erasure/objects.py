"""Deletion of objects after the transaction that took their rows: at least once, whatever is killed in between.

The transaction writes which keys are to be deleted; the steward deletes the objects, and then these rows. A key that
is deleted twice, by two workers or after a crash, does no harm, since no clip ever gets the key of an erased one.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import Connection, delete, func, insert, select, update

from storage.tables import object_deletions

BATCH = 100
REFUSED_PAUSE = timedelta(hours=1)
"""How long an object waits that the store refused to delete: were it due at once, it would stay at the list's head."""
_c = object_deletions.c


@dataclass(frozen=True, slots=True)
class ObjectDeletion:
    """An object to delete; with `is_prefix` every object whose key begins with `key`."""

    id: int
    key: str
    is_prefix: bool


def add(
    connection: Connection, keys: Iterable[str], *, is_prefix: bool = False, after: timedelta = timedelta()
) -> None:
    """Have objects deleted once this transaction has committed, not before `after` has passed."""
    due_at = func.now() + after
    for key in keys:
        connection.execute(insert(object_deletions).values(object_key=key, is_prefix=is_prefix, due_at=due_at))


def due(connection: Connection, *, limit: int = BATCH) -> list[ObjectDeletion]:
    """At most `limit` deletions that are due, the oldest first."""
    rows = connection.execute(
        select(_c.id, _c.object_key, _c.is_prefix)
        .where(_c.due_at <= func.now())
        .order_by(_c.due_at, _c.id)
        .limit(limit)
    )
    return [ObjectDeletion(*row) for row in rows]


def forget(connection: Connection, deletions: Sequence[ObjectDeletion]) -> None:
    """Note that these objects are deleted."""
    connection.execute(delete(object_deletions).where(_c.id.in_([deletion.id for deletion in deletions])))


def postpone(connection: Connection, deletions: Sequence[ObjectDeletion]) -> None:
    """Note that the store refused to delete these objects now."""
    refused = update(object_deletions).where(_c.id.in_([deletion.id for deletion in deletions]))
    connection.execute(refused.values(due_at=func.now() + REFUSED_PAUSE))


def pending(connection: Connection, keys: Collection[str]) -> set[str]:
    """Those of `keys` that are still to be deleted."""
    return set(connection.execute(select(_c.object_key).where(_c.object_key.in_(keys), ~_c.is_prefix)).scalars())
