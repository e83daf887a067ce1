"""Retention in the database: deletes events dispatched long ago, and budget accounts of vehicle-days long past.

Both grow with every clip and are no longer needed. Sums are not touched: the accounts of the fleet and of campaigns
keep every entry. A vehicle-day is deleted as a whole, and only when nothing is reserved on it, so that no settlement
or release can still look for it.
"""

from __future__ import annotations

from sqlalchemy import Connection, text

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
        AND a.kind = 'campaign_vehicle_day'
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
