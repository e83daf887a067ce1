"""Retention in the database: deletes events sent, uploads closed and vehicle-days past, each long ago.

All grow with every clip and are no longer needed. Sums are not touched: the accounts of the fleet and of campaigns
keep every entry. A vehicle-day is deleted as a whole, and only when nothing is reserved on it, so that no settlement
or release can still look for it.
"""

from __future__ import annotations

from sqlalchemy import Connection, text

from storage.ledger.accounts import DAYS
from storage.tables.base import is_one_of

SENT_EVENTS_DAYS = 7
VEHICLE_DAYS = 90
BATCH = 500

_FORGET_EVENTS = text(f"""
    DELETE FROM outbox WHERE id IN (
        SELECT id FROM outbox
        WHERE sent_at IS NOT NULL AND sent_at < now() - interval '{SENT_EVENTS_DAYS} days'
        ORDER BY sent_at LIMIT :limit
        FOR UPDATE SKIP LOCKED
    )
""")  # noqa: S608 - put together from the constants above

_LOCK_VEHICLE_DAYS = text(f"""
    SELECT a.id FROM ledger_accounts a
    WHERE a.day IS NOT NULL AND a.day < CAST(now() AT TIME ZONE 'UTC' AS date) - {VEHICLE_DAYS}
        AND {is_one_of("a.kind", DAYS)}
        AND NOT EXISTS (SELECT FROM ledger_entries e WHERE e.account_id = a.id AND NOT e.folded)
        AND NOT EXISTS (
            SELECT FROM ledger_entries r WHERE r.account_id = a.id AND r.kind = 'reserve' AND NOT EXISTS (
                SELECT FROM ledger_entries c
                WHERE c.account_id = r.account_id AND c.upload_id = r.upload_id AND c.kind <> 'reserve'
            )
        )
    ORDER BY a.day LIMIT :limit
    FOR UPDATE SKIP LOCKED
""")  # noqa: S608 - put together from the constants above

_FORGET_ENTRIES = text("DELETE FROM ledger_entries WHERE account_id = ANY (CAST(:accounts AS bigint[]))")
_FORGET_ACCOUNTS = text("DELETE FROM ledger_accounts WHERE id = ANY (CAST(:accounts AS bigint[]))")

# Of an upload that brought bytes, the entries stay, and so does its row: every sum of the ledger can be followed.
_FORGET_UPLOADS = text("""
    WITH due AS (
        SELECT u.id FROM uploads u
        WHERE u.state IN ('failed', 'expired') AND u.offset_bytes = 0
            AND u.closed_at < now() - make_interval(secs => :after_s)
            AND NOT EXISTS (SELECT FROM ledger_entries e WHERE e.upload_id = u.id AND NOT e.folded)
            AND NOT EXISTS (SELECT FROM parked_cells p WHERE p.upload_id = u.id)
            AND NOT EXISTS (SELECT FROM upload_pieces p WHERE p.upload_id = u.id)
            AND NOT EXISTS (SELECT FROM upload_hours h WHERE h.upload_id = u.id)
            AND NOT EXISTS (SELECT FROM ledger_receipts r WHERE r.upload_id = u.id)
        ORDER BY u.closed_at LIMIT :limit
        FOR UPDATE SKIP LOCKED
    ),
    entries AS (DELETE FROM ledger_entries WHERE upload_id IN (SELECT id FROM due))
    SELECT id FROM due
""")
_DELETE_UPLOADS = text("DELETE FROM uploads WHERE id = ANY (CAST(:uploads AS text[]))")
_DROP_MANIFESTS = text("""
    UPDATE uploads SET manifest = '', cell_digests = NULL, metadata = NULL
    WHERE id IN (
        SELECT id FROM uploads
        WHERE state IN ('failed', 'expired') AND closed_at < now() - make_interval(secs => :after_s)
            AND octet_length(manifest) > 0
        ORDER BY closed_at LIMIT :limit
        FOR UPDATE SKIP LOCKED
    )
""")


def drop_manifests(connection: Connection, *, after_s: float, limit: int = BATCH) -> int:
    """Empty the manifests of at most `limit` uploads closed without a clip `after_s` ago; returns how many.

    After the log's retention no cell can ask for them any more.
    """
    return connection.execute(_DROP_MANIFESTS, {"after_s": after_s, "limit": limit}).rowcount


def forget_closed_uploads(connection: Connection, *, after_s: float, limit: int = BATCH) -> int:
    """Delete at most `limit` uploads that ended without a byte `after_s` ago, with their entries; returns how many.

    These entries sum to nothing, so all accounts stay what they are.
    """
    due = connection.execute(_FORGET_UPLOADS, {"after_s": after_s, "limit": limit}).scalars().all()
    if due:
        connection.execute(_DELETE_UPLOADS, {"uploads": list(due)})
    return len(due)


def forget_sent_events(connection: Connection, *, limit: int = BATCH) -> int:
    """Delete at most `limit` events that were sent more than SENT_EVENTS_DAYS ago; returns how many."""
    return connection.execute(_FORGET_EVENTS, {"limit": limit}).rowcount


def forget_vehicle_days(connection: Connection, *, limit: int = BATCH) -> int:
    """Delete at most `limit` vehicle-days older than VEHICLE_DAYS with their entries; returns how many.

    Those with a reservation that is neither settled nor released, or with entries that are not folded yet, are kept.
    """
    accounts = connection.execute(_LOCK_VEHICLE_DAYS, {"limit": limit}).scalars().all()
    if accounts:
        connection.execute(_FORGET_ENTRIES, {"accounts": accounts})
        connection.execute(_FORGET_ACCOUNTS, {"accounts": accounts})
    return len(accounts)
