"""What came over the wire, by network and UTC month: charged as it arrives, repeats included, and folded afterwards.

There is one row per upload, network and month, which only the upload's writer changes; accounts are changed in batches.
The month is the one of the database's clock, so gateways whose clocks disagree charge the same one.
"""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Connection, text

from storage.rows import rows_json
from storage.statements.prepared import Prepared

_MONTH = "CAST(date_trunc('month', now() AT TIME ZONE 'UTC') AS date)"

_ADD = Prepared(
    text(f"""
    INSERT INTO ledger_receipts AS r (upload_id, account_id, received_bytes)
    SELECT u.id, a.id, g.amount
    FROM jsonb_to_recordset(CAST(:came AS jsonb)) AS g (upload_id text, amount bigint)
    JOIN uploads u ON u.id = g.upload_id
    JOIN ledger_accounts a ON a.kind = 'network_month' AND a.campaign = '' AND a.vehicle_id = '' AND a.cost_centre = ''
        AND a.network = u.network AND a.day IS NULL AND a.month = {_MONTH}
    ORDER BY u.id
    ON CONFLICT (upload_id, account_id) DO UPDATE SET received_bytes = r.received_bytes + excluded.received_bytes
    RETURNING r.upload_id
""")  # noqa: S608 - put together from constants
)

_OPEN_ACCOUNTS = text(f"""
    INSERT INTO ledger_accounts (kind, network, month, unit)
    SELECT DISTINCT 'network_month', network, {_MONTH}, 'bytes' FROM uploads
    WHERE id = ANY (CAST(:uploads AS text[])) ORDER BY network
    ON CONFLICT DO NOTHING
""")  # noqa: S608 - put together from the constants above

_LOCK_ACCOUNTS = text("""
    SELECT id FROM ledger_accounts
    WHERE id IN (SELECT account_id FROM ledger_receipts WHERE folded_bytes <> received_bytes)
    ORDER BY id
    FOR NO KEY UPDATE
""")

# A writer that is at work on its row is not waited for: what it adds is folded next time.
_TAKE = text("""
    SELECT upload_id, account_id, received_bytes - folded_bytes AS amount FROM ledger_receipts
    WHERE account_id = ANY (CAST(:accounts AS bigint[])) AND folded_bytes <> received_bytes
    ORDER BY account_id, upload_id LIMIT :limit
    FOR NO KEY UPDATE SKIP LOCKED
""")

_CARRY = text("""
    WITH taken AS (
        SELECT * FROM unnest(
            CAST(:uploads AS text[]), CAST(:accounts AS bigint[]), CAST(:amounts AS bigint[])
        ) AS t (upload_id, account_id, amount)
    ),
    folded AS (
        UPDATE ledger_receipts r SET folded_bytes = r.folded_bytes + t.amount
        FROM taken t WHERE r.upload_id = t.upload_id AND r.account_id = t.account_id
    )
    UPDATE ledger_accounts a SET held = a.held + s.amount, settled = a.settled + s.amount
    FROM (SELECT account_id, sum(amount) AS amount FROM taken GROUP BY account_id) s
    WHERE a.id = s.account_id
""")


def add_received(connection: Connection, came: Mapping[str, int]) -> None:
    """Charge bytes that came for uploads, good or not, to their networks; in the transaction that records progress."""
    if min(came.values(), default=0) < 0:
        raise ValueError("a negative number of bytes cannot arrive")
    left = _charge(connection, {upload_id: amount for upload_id, amount in came.items() if amount})
    if left:  # the first bytes of a month
        connection.execute(_OPEN_ACCOUNTS, {"uploads": list(left)})
        _charge(connection, left)


def _charge(connection: Connection, came: Mapping[str, int]) -> Mapping[str, int]:
    """Charge what came for each upload; returns that of those whose network has no account in this month."""
    if not came:
        return came
    rows = [{"upload_id": upload_id, "amount": amount} for upload_id, amount in came.items()]
    charged = {upload_id for (upload_id,) in _ADD.rows(connection, came=rows_json(rows))}
    return {upload_id: amount for upload_id, amount in came.items() if upload_id not in charged}


def fold_receipts(connection: Connection, limit: int = 1000) -> int:
    """Carry what came for at most `limit` uploads into their networks' accounts; returns for how many."""
    accounts = connection.execute(_LOCK_ACCOUNTS).scalars().all()
    if not accounts:
        return 0
    rows = connection.execute(_TAKE, {"accounts": list(accounts), "limit": limit}).all()
    if rows:
        uploads, of_accounts, amounts = zip(*rows, strict=True)
        connection.execute(_CARRY, {"uploads": list(uploads), "accounts": list(of_accounts), "amounts": list(amounts)})
    return len(rows)
