"""Pieces of an incomplete cell: bytes that are acknowledged, but cannot go to the log before their cell is whole.

An upload has pieces of one cell at most, so they are bounded by a cell per open upload. They follow each other without
a gap, up to the upload's offset. They go when their cell is in the log, when it proves to have other bytes than the
manifest says, and when the upload ends.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, delete, func, select
from sqlalchemy.dialects.postgresql import insert

from storage.rows import is_given
from storage.statements.prepared import Prepared
from storage.tables import upload_pieces

_FORGET = Prepared(delete(upload_pieces).where(is_given(upload_pieces.c.upload_id)))
MAX_PIECES = 64
"""More are joined to one, so that a client that sends single bytes fills no table with rows."""


def keep(connection: Connection, upload_id: str, start_bytes: int, payload: bytes) -> None:
    """Add a piece; the caller holds the lock on the upload's row."""
    piece = insert(upload_pieces).values(upload_id=upload_id, start_bytes=start_bytes, payload=payload)
    again = piece.on_conflict_do_update(
        index_elements=[upload_pieces.c.upload_id, upload_pieces.c.start_bytes], set_={"payload": payload}
    )
    connection.execute(again)
    number = select(func.count()).select_from(upload_pieces).where(upload_pieces.c.upload_id == upload_id)
    if connection.execute(number).scalar_one() > MAX_PIECES:
        _join(connection, upload_id)


def load(connection: Connection, upload_id: str) -> bytes:
    """The bytes of all pieces of an upload, one after the other."""
    rows = connection.execute(
        select(upload_pieces.c.payload)
        .where(upload_pieces.c.upload_id == upload_id)
        .order_by(upload_pieces.c.start_bytes)
    )
    return b"".join(rows.scalars())


def forget(connection: Connection, upload_ids: Sequence[str]) -> None:
    """Delete the pieces of these uploads."""
    _FORGET.rows(connection, ids=list(upload_ids))


def _join(connection: Connection, upload_id: str) -> None:
    start_bytes = connection.execute(
        select(func.min(upload_pieces.c.start_bytes)).where(upload_pieces.c.upload_id == upload_id)
    ).scalar_one()
    payload = load(connection, upload_id)
    forget(connection, [upload_id])
    connection.execute(insert(upload_pieces).values(upload_id=upload_id, start_bytes=start_bytes, payload=payload))
