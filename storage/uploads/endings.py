"""How uploads end: stored, failed, terminated by the vehicle or its quarantine, or expired.

Each of them settles what came, releases the rest of the upload's reservation, and drops the pieces of its incomplete
cell, in the transaction that closes it. An upload that ends without a byte loses its manifest at once; others keep it
as long as the log may bring their cells again (`storage.retention`).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, case, func, select, update

from storage import ledger, usage
from storage.rows import is_among
from storage.tables import uploads
from storage.tables.uploads import ASSEMBLING, UPLOAD_IS_OPEN, UploadState
from storage.uploads import pieces
from storage.uploads.rows import EXPIRED_BY_TIME, find_usable
from triggers.errors import Conflict

TERMINATED_BY_VEHICLE = "terminated"
QUARANTINED = "quarantined"
CELLS_LOST = "cells_lost"
"""The reason of an upload whose acknowledged cells the log has lost; the clip may be sent again."""

_NOTHING_CAME = uploads.c.offset_bytes == 0
_WITHOUT_MANIFEST = {
    "manifest": case((_NOTHING_CAME, b""), else_=uploads.c.manifest),
    "cell_digests": case((_NOTHING_CAME, None), else_=uploads.c.cell_digests),
    "metadata": case((_NOTHING_CAME, None), else_=uploads.c.metadata),
}


def mark_stored(connection: Connection, upload_id: str) -> bool:
    """Close an upload whose clip is in the catalog, settle its reservation and count it. False when it was closed
    before.

    An `open` upload may be stored too: its gateway can die between the last cell and its offset.
    """
    closed = connection.execute(
        update(uploads)
        .where(uploads.c.id == upload_id, uploads.c.state.in_(ASSEMBLING))
        .values(state=UploadState.STORED, offset_bytes=uploads.c.size_bytes, closed_at=func.now())
    )
    pieces.forget(connection, [upload_id])
    if closed.rowcount == 0:
        return False
    usage.add_stored(connection, [upload_id])
    return ledger.settle(connection, upload_id)


def mark_all_stored(connection: Connection, upload_ids: Sequence[str]) -> None:
    """Close uploads as `mark_stored` does; the transaction has locked them, and knows that they are not closed."""
    connection.execute(
        update(uploads)
        .where(is_among(uploads.c.id, upload_ids))
        .values(state=UploadState.STORED, offset_bytes=uploads.c.size_bytes, closed_at=func.now())
    )
    pieces.forget(connection, upload_ids)
    usage.add_stored(connection, upload_ids)
    ledger.settle_all(connection, upload_ids)


def fail(connection: Connection, upload_id: str, reason: str) -> bool:
    """Close an upload whose clip can never be stored, releasing what did not come. False when it was closed before."""
    return _close(connection, upload_id, ASSEMBLING, UploadState.FAILED, reason)


def expire_one(connection: Connection, upload_id: str) -> bool:
    """Close an open upload that has expired, and release what did not come of it. False when it was closed before."""
    return _close(connection, upload_id, (UploadState.OPEN,), UploadState.EXPIRED, EXPIRED_BY_TIME)


def lose(connection: Connection, upload_id: str) -> bool:
    """Close an open upload whose acknowledged cells are gone, so that its vehicle begins again. False when closed."""
    return _close(connection, upload_id, (UploadState.OPEN,), UploadState.EXPIRED, CELLS_LOST)


def end_for_quarantine(connection: Connection, upload_id: str) -> bool:
    """Close an open upload of a vehicle in quarantine; what came of it is settled. False when it was closed before."""
    return _close(connection, upload_id, (UploadState.OPEN,), UploadState.EXPIRED, QUARANTINED)


def terminate(connection: Connection, upload_id: str, vehicle_id: str, *, now: datetime) -> None:
    """Close an upload that its vehicle gives up, releasing what did not come. Conflict when all bytes have arrived."""
    upload = find_usable(connection, upload_id, vehicle_id, now=now)
    if not _close(connection, upload.id, (UploadState.OPEN,), UploadState.EXPIRED, TERMINATED_BY_VEHICLE):
        raise Conflict("the upload is complete; its clip is kept")


def expire(connection: Connection, *, now: datetime, limit: int = 100) -> int:
    """Close at most `limit` open uploads that have expired, and release what did not come of them; returns how many.

    Several processes may expire uploads at once: each takes different ones. The vehicle still has the clip and may
    begin again.
    """
    due = (
        select(uploads.c.id)
        .where(UPLOAD_IS_OPEN, uploads.c.expires_at <= now)
        .order_by(uploads.c.expires_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
        .cte("due")
    )
    closed = connection.execute(
        update(uploads)
        .where(uploads.c.id.in_(select(due.c.id)))
        .values(state=UploadState.EXPIRED, reason=EXPIRED_BY_TIME, closed_at=func.now(), **_WITHOUT_MANIFEST)
        .returning(uploads.c.id)
    )
    expired = list(closed.scalars())
    pieces.forget(connection, expired)
    ledger.release(connection, *expired)
    return len(expired)


def _close(
    connection: Connection, upload_id: str, states: tuple[UploadState, ...], state: UploadState, reason: str
) -> bool:
    closed = connection.execute(
        update(uploads)
        .where(uploads.c.id == upload_id, uploads.c.state.in_(states))
        .values(state=state, reason=reason, closed_at=func.now(), **_WITHOUT_MANIFEST)
    )
    if closed.rowcount == 0:
        return False
    pieces.forget(connection, [upload_id])
    ledger.release(connection, upload_id)
    return True
