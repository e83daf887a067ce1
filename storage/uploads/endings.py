"""How uploads end: stored, failed, terminated by the vehicle or its quarantine, or expired.

Each of them settles what came, releases the rest of the upload's reservation, and drops the pieces of its incomplete
cell, in the transaction that closes it. An upload that ends without a byte loses its manifest at once; others keep it
as long as the log may bring their cells again (`storage.retention`).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, case, func, select, text, update

from storage import ledger, usage
from storage.ledger import AccountKey, FleetTerms
from storage.ledger.usage import account, place_of
from storage.rows import is_given
from storage.statements.prepared import Prepared
from storage.tables import uploads
from storage.tables.uploads import ASSEMBLING, UPLOAD_IS_OPEN, UploadState
from storage.uploads import pieces, received
from storage.uploads.rows import EXPIRED_BY_TIME, find_usable
from triggers.errors import Conflict

TERMINATED_BY_VEHICLE = "terminated"
QUARANTINED = "quarantined"
BUDGET_LOWERED = "budget_lowered"
"""The reason of an upload that was under way when a limit was set below what was held."""
MAX_ENDED = 1000
CELLS_LOST = "cells_lost"
"""The reason of an upload whose acknowledged cells the log has lost; the clip may be sent again."""

_NOTHING_CAME = uploads.c.offset_bytes == 0
_WITHOUT_MANIFEST = {
    "manifest": case((_NOTHING_CAME, b""), else_=uploads.c.manifest),
    "cell_digests": case((_NOTHING_CAME, None), else_=uploads.c.cell_digests),
    "metadata": case((_NOTHING_CAME, None), else_=uploads.c.metadata),
}
_AS_STORED = {"state": UploadState.STORED, "offset_bytes": uploads.c.size_bytes, "closed_at": func.now()}
_MARK_STORED = Prepared(update(uploads).where(is_given(uploads.c.id)).values(_AS_STORED))


def mark_stored(connection: Connection, upload_id: str) -> bool:
    """Close an upload whose clip is in the catalog, settle its reservation and count it. False when it was closed
    before.

    An `open` upload may be stored too: its gateway can die between the last cell and its offset.
    """
    received.add_unrecorded(connection, [upload_id])
    closed = connection.execute(
        update(uploads).where(uploads.c.id == upload_id, uploads.c.state.in_(ASSEMBLING)).values(_AS_STORED)
    )
    pieces.forget(connection, [upload_id])
    if closed.rowcount == 0:
        return False
    usage.add_stored(connection, [upload_id])
    return ledger.settle(connection, upload_id)


def mark_all_stored(connection: Connection, upload_ids: Sequence[str]) -> None:
    """Close uploads as `mark_stored` does; the transaction has locked them, and knows that they are not closed."""
    received.add_unrecorded(connection, upload_ids)
    _MARK_STORED.rows(connection, ids=list(upload_ids))
    pieces.forget(connection, upload_ids)
    usage.add_stored(connection, upload_ids)
    ledger.settle(connection, *upload_ids)


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


def end_above_limit(connection: Connection, key: AccountKey, fleet: FleetTerms, *, limit: int = MAX_ENDED) -> int:
    """Close open uploads with a reservation in an account that holds more than its limit, the newest first, until what
    it holds fits; at most `limit` of them. Returns how many."""
    now = account(connection, key, fleet)
    above = 0 if now.limit is None else now.held - now.limit
    if above <= 0:
        return 0
    ended = 0
    for row in connection.execute(_OPEN_IN, {"limit": limit, **place_of(key)}).all():
        if above <= 0:
            break
        ended += _close(connection, row.id, (UploadState.OPEN,), UploadState.EXPIRED, BUDGET_LOWERED)
        above -= (
            row.amount if key.unit == "clips" else row.amount * (row.size_bytes - row.offset_bytes) // row.size_bytes
        )
    return ended


_OPEN_IN = text("""
    SELECT u.id, e.amount, u.offset_bytes, u.size_bytes
    FROM uploads u
    JOIN ledger_entries e ON e.upload_id = u.id AND e.kind = 'reserve'
    JOIN ledger_accounts a ON a.id = e.account_id
    WHERE u.state = 'open' AND e.amount > 0 AND a.kind = :kind AND a.campaign = :campaign
        AND a.trigger = :trigger AND a.cost_centre = :cost_centre AND a.month IS NOT DISTINCT FROM CAST(:month AS date)
    ORDER BY u.created_at DESC, u.id
    LIMIT :limit
    FOR NO KEY UPDATE OF u SKIP LOCKED
""")


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
