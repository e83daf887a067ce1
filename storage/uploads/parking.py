"""Parked cells: cells of an open clip that were moved from a worker's spool to staging objects.

A part's object is named by the cells in it, whose bytes the manifest fixes: parking the same cells again rewrites the
same object. The row is written after the object and before the log's offset advances.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, delete, select
from sqlalchemy.dialects.postgresql import insert

from storage.rows import is_given
from storage.statements.prepared import Prepared
from storage.tables import parked_cells, uploads
from storage.tables.uploads import ASSEMBLING

STAGING_PREFIX = "staging/"
_FORGET = Prepared(
    delete(parked_cells)
    .where(is_given(parked_cells.c.upload_id))
    .returning(parked_cells.c.upload_id, parked_cells.c.object_key)
)


@dataclass(frozen=True, slots=True)
class ParkedPart:
    """One staging object: the bytes of `cells`, one after the other in this order."""

    upload_id: str
    part: int
    cells: tuple[int, ...]
    object_key: str
    size_bytes: int


def staging_key(upload_id: str, cells: Sequence[int]) -> str:
    """The key of the staging object that holds these cells of an upload."""
    listed = ",".join(str(cell) for cell in cells).encode()
    return f"{STAGING_PREFIX}{upload_id}/{hashlib.blake2b(listed, digest_size=12).hexdigest()}"


def upload_of(object_key: str) -> str:
    """The upload a staging object belongs to."""
    return object_key.removeprefix(STAGING_PREFIX).split("/", 1)[0]


def park(connection: Connection, upload_id: str, cells: Sequence[int], *, size_bytes: int) -> bool:
    """Record that these cells are in their staging object; False when the upload is closed and needs them no more."""
    state = connection.execute(
        select(uploads.c.state).where(uploads.c.id == upload_id).with_for_update(key_share=True)
    ).scalar_one_or_none()
    if state not in ASSEMBLING:
        return False
    key = staging_key(upload_id, cells)
    existing = parts(connection, upload_id)
    if any(part.object_key == key for part in existing):
        return True
    number = max((part.part for part in existing), default=-1) + 1
    connection.execute(
        insert(parked_cells).values(
            upload_id=upload_id, part=number, cells=list(cells), object_key=key, size_bytes=size_bytes
        )
    )
    return True


def parts(connection: Connection, upload_id: str) -> list[ParkedPart]:
    """The parked parts of an upload, in the order they were parked."""
    return parts_of(connection, [upload_id]).get(upload_id, [])


def parts_of(connection: Connection, upload_ids: Collection[str]) -> dict[str, list[ParkedPart]]:
    """The parked parts of each of these uploads that has any, in the order they were parked."""
    rows = connection.execute(
        select(
            parked_cells.c.upload_id,
            parked_cells.c.part,
            parked_cells.c.cells,
            parked_cells.c.object_key,
            parked_cells.c.size_bytes,
        )
        .where(parked_cells.c.upload_id.in_(upload_ids))
        .order_by(parked_cells.c.upload_id, parked_cells.c.part)
    )
    found: dict[str, list[ParkedPart]] = {}
    for row in rows:
        found.setdefault(row[0], []).append(ParkedPart(row[0], row[1], tuple(row[2]), row[3], row[4]))
    return found


def forget(connection: Connection, upload_id: str) -> list[str]:
    """Drop an upload's rows; returns the keys of its staging objects, to be deleted after the transaction."""
    return list(forget_many(connection, [upload_id]).get(upload_id, ()))


def forget_many(connection: Connection, upload_ids: Collection[str]) -> dict[str, tuple[str, ...]]:
    """Drop the rows of uploads; returns, by upload, the keys of staging objects to be deleted afterwards."""
    keys: dict[str, tuple[str, ...]] = {}
    for upload_id, key in _FORGET.rows(connection, ids=list(upload_ids)):
        keys[upload_id] = (*keys.get(upload_id, ()), key)
    return keys


def closed_uploads(connection: Connection, *, limit: int = 100) -> list[str]:
    """Uploads that are closed and still have parked rows (they expired, or their worker died before tidying)."""
    rows = connection.execute(
        select(uploads.c.id)
        .where(uploads.c.id.in_(select(parked_cells.c.upload_id)), uploads.c.state.not_in(ASSEMBLING))
        .limit(limit)
    )
    return list(rows.scalars())


def open_uploads(connection: Connection, upload_ids: Sequence[str]) -> set[str]:
    """Which of these uploads are still being assembled."""
    rows = connection.execute(select(uploads.c.id).where(uploads.c.id.in_(upload_ids), uploads.c.state.in_(ASSEMBLING)))
    return set(rows.scalars())
