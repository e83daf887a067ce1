"""Settlements and releases in the budget ledger: appended as entries, and folded into their accounts in batches."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, text

from storage.ledger.accounts import TOTALS
from storage.tables.base import is_one_of

_SETTLE = """
    INSERT INTO ledger_entries (account_id, upload_id, kind, amount, held_delta, settled_delta, network, region)
    SELECT r.account_id, r.upload_id, 'settle', r.amount, 0, r.amount, u.network, r.region
    FROM ledger_entries r
    JOIN uploads u ON u.id = r.upload_id
    WHERE r.upload_id = ANY (CAST(:upload_ids AS text[])) AND r.kind = 'reserve'
    ORDER BY r.account_id, r.upload_id
    ON CONFLICT DO NOTHING
"""

_RELEASE = """
    INSERT INTO ledger_entries (account_id, upload_id, kind, amount, held_delta, settled_delta, network, region)
    SELECT r.account_id, r.upload_id,
           CASE WHEN v.actual > 0 THEN 'settle' ELSE 'release' END,
           CASE WHEN v.actual > 0 THEN v.actual ELSE r.amount END,
           v.actual - r.amount, v.actual, u.network, r.region
    FROM ledger_entries r
    JOIN ledger_accounts a ON a.id = r.account_id
    JOIN uploads u ON u.id = r.upload_id
    CROSS JOIN LATERAL (
        SELECT CASE
            WHEN a.unit = 'clips' THEN 0
            -- numeric: the product of two sizes does not fit into bigint
            ELSE CAST(ceil(CAST(r.amount AS numeric) * u.offset_bytes / u.size_bytes) AS bigint)
        END AS actual
    ) v
    WHERE r.upload_id = ANY (CAST(:upload_ids AS text[])) AND r.kind = 'reserve'
    ORDER BY r.upload_id, r.account_id
    ON CONFLICT DO NOTHING
"""
# The plan for one upload is made once. That for several would be made every time: the server takes it for cheaper.
_OF_ONE = {sql: text(sql.replace("= ANY (CAST(:upload_ids AS text[]))", "= :upload_id")) for sql in (_SETTLE, _RELEASE)}
_OF_MANY = {sql: text(sql) for sql in (_SETTLE, _RELEASE)}


def _close(connection: Connection, sql: str, upload_ids: Sequence[str]) -> bool:
    if len(upload_ids) == 1:
        return connection.execute(_OF_ONE[sql], {"upload_id": upload_ids[0]}).rowcount > 0
    return connection.execute(_OF_MANY[sql], {"upload_ids": sorted(upload_ids)}).rowcount > 0


def settle(connection: Connection, *upload_ids: str) -> bool:
    """Turn all that uploads reserved into use; False, with nothing changed, when all were closed before."""
    return _close(connection, _SETTLE, upload_ids)


def release(connection: Connection, *upload_ids: str) -> bool:
    """Free what uploads reserved and did not send; False, with nothing changed, when all were closed before.

    What came of a clip is settled although there will be no clip: a budget is a limit on bytes received. Each account
    is charged its share of them, rounded up, and no clip.
    """
    return _close(connection, _RELEASE, upload_ids)


_VOID = text("""
    INSERT INTO ledger_entries (account_id, upload_id, kind, amount, held_delta, settled_delta, network, region)
    SELECT e.account_id, e.upload_id, 'void', e.amount, -e.amount, -e.amount, e.network, e.region
    FROM ledger_entries e
    JOIN ledger_accounts a ON a.id = e.account_id
    WHERE e.upload_id = :upload_id AND e.kind = 'settle' AND a.unit = 'clips'
    ORDER BY e.account_id
    ON CONFLICT DO NOTHING
""")


def void_clip(connection: Connection, upload_id: str) -> None:
    """Take a damaged clip out of the limits on clips; once, however often. Its bytes have arrived, and stay settled."""
    connection.execute(_VOID, {"upload_id": upload_id})


_LOCK_UNFOLDED = text("""
    SELECT id FROM ledger_accounts
    WHERE id IN (SELECT account_id FROM ledger_entries WHERE NOT folded ORDER BY account_id LIMIT :limit)
    ORDER BY id
    FOR NO KEY UPDATE
""")

_FOLD = text(f"""
    WITH chosen AS (
        SELECT id FROM ledger_entries
        WHERE account_id = ANY (CAST(:accounts AS bigint[])) AND NOT folded
        ORDER BY account_id LIMIT :limit
    ),
    taken AS (
        UPDATE ledger_entries e SET folded = true FROM chosen
        WHERE e.id = chosen.id AND NOT e.folded
        RETURNING e.account_id, e.held_delta, e.settled_delta, e.kind, e.created_at
    ),
    days AS (
        INSERT INTO ledger_days AS d (account_id, day, settled, squares)
        SELECT account_id, CAST(t.created_at AT TIME ZONE 'UTC' AS date), sum(t.settled_delta),
            coalesce(sum(CAST(t.settled_delta AS numeric) * t.settled_delta) FILTER (WHERE t.kind = 'settle'), 0)
        FROM taken t JOIN ledger_accounts a ON a.id = t.account_id
        WHERE {is_one_of("a.kind", TOTALS)} AND t.settled_delta <> 0
        GROUP BY 1, 2
        ON CONFLICT (account_id, day) DO UPDATE
            SET settled = d.settled + excluded.settled, squares = d.squares + excluded.squares
    ),
    sums AS (
        SELECT account_id, sum(held_delta) AS held, sum(settled_delta) AS settled, count(*) AS entries
        FROM taken GROUP BY account_id
    ),
    carried AS (
        UPDATE ledger_accounts a SET held = a.held + sums.held, settled = a.settled + sums.settled
        FROM sums WHERE a.id = sums.account_id
        RETURNING sums.entries
    )
    SELECT coalesce(sum(entries), 0) FROM carried
""")  # noqa: S608 - put together from constants


def fold(connection: Connection, limit: int = 1000) -> int:
    """Carry at most `limit` entries into their accounts; returns how many (0: nothing was left).

    Entries are folded only under their account's lock. Several processes may fold at once, also during reservations:
    all take these locks in the order of account ids, and wait instead of skipping, because a busy account would always
    be skipped.
    """
    accounts = connection.execute(_LOCK_UNFOLDED, {"limit": limit}).scalars().all()
    return fold_accounts(connection, accounts, limit=limit) if accounts else 0


def fold_accounts(connection: Connection, accounts: Sequence[int], *, limit: int | None) -> int:
    """Fold entries of accounts that this transaction has locked: so no other transaction can be folding them.

    Their sums by day grow in the same statement, so an entry is in them exactly if it is folded.
    """
    return int(connection.execute(_FOLD, {"accounts": list(accounts), "limit": limit}).scalar_one())
