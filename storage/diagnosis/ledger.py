"""Whether the budget ledger adds up: accounts against their entries, entries against each other and against clips."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import date

from sqlalchemy import Connection, func, select, text

from storage import ledger
from storage.diagnosis.objects import StoredClip
from storage.ledger.accounts import TOTALS, key_of
from storage.tables import ledger_accounts, ledger_entries
from storage.tables.base import is_one_of
from triggers.contracts.campaign import budget_owner

_ACCOUNTS_OFF = text("""
    SELECT a.kind, a.campaign, a.trigger, a.vehicle_id, a.cost_centre, a.network, a.day, a.month, a.held, a.settled,
           coalesce(s.held, 0) AS entries_held, coalesce(s.settled, 0) AS entries_settled
    FROM ledger_accounts a
    LEFT JOIN (
        SELECT account_id, sum(held_delta) AS held, sum(settled_delta) AS settled FROM (
            SELECT account_id, held_delta, settled_delta FROM ledger_entries WHERE folded
            UNION ALL
            SELECT account_id, folded_bytes, folded_bytes FROM ledger_receipts
        ) counted GROUP BY account_id
    ) s ON s.account_id = a.id
    WHERE a.held <> coalesce(s.held, 0) OR a.settled <> coalesce(s.settled, 0)
    ORDER BY a.id LIMIT :limit
""")

# Every entry but a reservation closes one, and what it changes follows from both amounts.
_ENTRIES_OFF = text("""
    SELECT e.upload_id, e.kind, coalesce(a.kind, 'an account that does not exist') AS account
    FROM ledger_entries e
    LEFT JOIN ledger_accounts a ON a.id = e.account_id
    LEFT JOIN ledger_entries r ON r.account_id = e.account_id AND r.upload_id = e.upload_id AND r.kind = 'reserve'
    WHERE a.id IS NULL OR CASE e.kind
        WHEN 'reserve' THEN e.held_delta = e.amount AND e.settled_delta = 0
        WHEN 'void' THEN e.amount = r.amount AND e.held_delta = -e.amount AND e.settled_delta = -e.amount
        WHEN 'settle' THEN e.amount <= r.amount AND e.held_delta = e.amount - r.amount AND e.settled_delta = e.amount
        ELSE e.amount = r.amount AND e.held_delta = -r.amount AND e.settled_delta = 0
    END IS NOT TRUE
    ORDER BY e.id LIMIT :limit
""")

# Sums by day have what is folded, and nothing else.
_DAYS_OFF = text(f"""
    SELECT a.campaign, a.trigger, a.kind, coalesce(d.day, e.day) AS day, d.settled, d.squares,
        e.settled AS entries_settled, e.squares AS entries_squares
    FROM ledger_days d
    FULL JOIN (
        SELECT e.account_id, CAST(e.created_at AT TIME ZONE 'UTC' AS date) AS day, sum(e.settled_delta) AS settled,
            coalesce(sum(CAST(e.settled_delta AS numeric) * e.settled_delta) FILTER (WHERE e.kind = 'settle'), 0)
                AS squares
        FROM ledger_entries e JOIN ledger_accounts a ON a.id = e.account_id
        WHERE e.folded AND {is_one_of("a.kind", TOTALS)} AND e.settled_delta <> 0
        GROUP BY 1, 2
    ) e ON e.account_id = d.account_id AND e.day = d.day
    JOIN ledger_accounts a ON a.id = coalesce(d.account_id, e.account_id)
    WHERE (d.settled, d.squares) IS DISTINCT FROM (e.settled, e.squares)
    ORDER BY 1, 2, 3, 4 LIMIT :limit
""")  # noqa: S608 - put together from constants

# A reservation that stays for ever: its upload has ended, and nothing closed it.
_LEFT_OPEN = text("""
    SELECT u.id, u.state FROM uploads u
    JOIN ledger_entries r ON r.upload_id = u.id AND r.kind = 'reserve'
    WHERE u.state IN ('stored', 'failed', 'expired') AND NOT EXISTS (
        SELECT FROM ledger_entries c
        WHERE c.account_id = r.account_id AND c.upload_id = r.upload_id AND c.kind <> 'reserve'
    )
    ORDER BY u.id LIMIT :limit
""")


def count_accounts(connection: Connection) -> int:
    """How many accounts there are."""
    return int(connection.execute(select(func.count()).select_from(ledger_accounts)).scalar_one())


def accounts_that_differ(connection: Connection, *, limit: int = 10) -> list[str]:
    """Sentences on at most `limit` accounts that are not the sums of their entries."""
    return [
        f"{key_of(row)} has {row.held} held and {row.settled} settled, but its entries sum to {row.entries_held} and "
        f"{row.entries_settled}"
        for row in connection.execute(_ACCOUNTS_OFF, {"limit": limit})
    ]


def days_that_differ(connection: Connection, *, limit: int = 10) -> list[str]:
    """Sentences on at most `limit` days of campaigns' and triggers' totals that are not the sums of their entries."""
    return [
        f"{row.kind}:{budget_owner(row.campaign, row.trigger)} settled {row.settled} (squares {row.squares}) on "
        f"{row.day} by its sums, but its entries sum to {row.entries_settled} ({row.entries_squares})"
        for row in connection.execute(_DAYS_OFF, {"limit": limit})
    ]


def entries_that_differ(connection: Connection, *, limit: int = 10) -> list[str]:
    """Sentences on at most `limit` entries that contradict their reservation, or reservations that nothing closed."""
    off = connection.execute(_ENTRIES_OFF, {"limit": limit}).all()
    left = connection.execute(_LEFT_OPEN, {"limit": limit}).all()
    return [f"the entry {row.kind} of upload {row.upload_id} in {row.account} is not what follows" for row in off] + [
        f"upload {row.id} is {row.state}, but its reservation is still open" for row in left
    ]


def clips_that_differ(connection: Connection, of_clips: Sequence[StoredClip]) -> list[str]:
    """Sentences on clips that their accounts were not charged for as their manifests say.

    A vehicle-day that retention has deleted is not missed.
    """
    settled: dict[str, Counter[tuple[str, str]]] = {}
    columns = (ledger_entries.c.upload_id, ledger_entries.c.settled_delta, ledger_accounts.c.kind)
    rows = connection.execute(
        select(*columns, ledger_accounts.c.campaign)
        .join(ledger_accounts, ledger_accounts.c.id == ledger_entries.c.account_id)
        .where(ledger_entries.c.upload_id.in_([clip.upload_id for clip in of_clips]), ledger_entries.c.kind != "void")
    )
    for row in rows:
        settled.setdefault(row.upload_id, Counter())[row.kind, row.campaign] += row.settled_delta
    return [
        sentence
        for clip in of_clips
        if (sentence := _charged_wrongly(clip, settled.get(clip.upload_id, Counter()))) is not None
    ]


def _charged_wrongly(clip: StoredClip, settled: Counter[tuple[str, str]]) -> str | None:
    if clip.manifest is None:
        return None  # said of the clip itself
    for key, amount in ledger.charges(clip.manifest, date.min).items():
        charged = settled.get((key.kind, key.campaign))
        if charged != amount and not (key.day and charged is None):
            account = ":".join(filter(None, (key.kind, key.campaign)))
            return f"clip {clip.id} costs {account} {amount} {key.unit}, but {charged or 0} were settled"
    return None
