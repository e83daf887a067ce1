"""The budget ledger: bytes and clips are reserved before they are sent, and settled or released afterwards.

Only a reservation is conditional. It changes its accounts at once, all or none of them, under their locks.
Settlements and releases only append entries, so that the transaction that stores a clip never waits for a hot
account; `fold` carries them into the accounts in batches. Until then `held` is too high and never too low: a limit
cannot be overshot, and a refusal is given only after what waits to be folded has been counted.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import cast

from sqlalchemy import Connection, Row, text

from storage.tables.base import is_one_of
from triggers.contracts.api.budget import MAX_LISTED_ACCOUNTS, AccountKind, AccountUnit
from triggers.contracts.campaign import RUNNING
from triggers.contracts.clip import ClipManifest
from triggers.errors import BudgetExhausted


@dataclass(frozen=True, slots=True, order=True)
class AccountKey:
    """What an account is of. `day` is a UTC day; fields that a kind does not have are empty."""

    kind: AccountKind
    campaign: str = ""
    vehicle_id: str = ""
    day: date | None = None

    @property
    def unit(self) -> AccountUnit:
        """What the account's amounts count."""
        return "clips" if self.kind == "campaign_clips" else "bytes"

    def __str__(self) -> str:
        return ":".join(str(part) for part in (self.kind, self.campaign, self.vehicle_id, self.day) if part)


@dataclass(frozen=True, slots=True)
class AccountUsage:
    """One account with its exact amounts. `limit` is the one in force now; None: there is none."""

    key: AccountKey
    limit: int | None
    held: int
    """Reserved or settled; what a reservation is checked against."""
    settled: int
    """The part of `held` that arrived."""

    @property
    def unit(self) -> AccountUnit:
        """What the amounts count."""
        return self.key.unit


_LIMITS = f"""
    limits AS (
        SELECT DISTINCT ON (campaign) campaign, settings -> 'budget' AS budget
        FROM campaign_versions
        WHERE campaign = ANY (CAST(:campaigns AS text[])) AND bundle_digest IS NOT NULL
        ORDER BY campaign, {is_one_of("state", RUNNING)} DESC, version DESC
    )"""  # noqa: S608 - put together from constants
"""Limits are those of the running version, else of the latest one that ever was approved."""

_LIMIT_OF_ACCOUNT = """
    CASE a.kind
        WHEN 'fleet' THEN CAST(:fleet_limit_bytes AS bigint)
        WHEN 'campaign_bytes' THEN CAST(l.budget ->> 'total_bytes' AS bigint)
        WHEN 'campaign_clips' THEN CAST(l.budget ->> 'clips' AS bigint)
        ELSE CAST(l.budget ->> 'vehicle_day_bytes' AS bigint)
    END"""

_WANTED = """
    wanted AS (
        SELECT * FROM unnest(
            CAST(:kinds AS text[]), CAST(:account_campaigns AS text[]), CAST(:vehicles AS text[]),
            CAST(:days AS date[]), CAST(:units AS text[]), CAST(:amounts AS bigint[])
        ) AS w (kind, campaign, vehicle_id, day, unit, amount)
    )"""

_SAME_ACCOUNT = """a.kind = w.kind AND a.campaign = w.campaign AND a.vehicle_id = w.vehicle_id
            AND a.day IS NOT DISTINCT FROM w.day"""

_OPEN_MISSING_ACCOUNTS = text(f"""
    WITH {_WANTED}
    INSERT INTO ledger_accounts (kind, campaign, vehicle_id, day, unit)
    SELECT kind, campaign, vehicle_id, day, unit FROM wanted w
    WHERE NOT EXISTS (SELECT FROM ledger_accounts a WHERE {_SAME_ACCOUNT})
    ORDER BY kind, campaign, vehicle_id, day
    ON CONFLICT DO NOTHING
""")  # noqa: S608 - put together from the constants above

_LOCK = text(f"""
    WITH {_WANTED}
    SELECT a.id FROM wanted w JOIN ledger_accounts a ON {_SAME_ACCOUNT}
    ORDER BY a.id
    FOR NO KEY UPDATE OF a
""")  # noqa: S608 - put together from the constants above

_RESERVE = text(f"""
    WITH {_WANTED}, {_LIMITS},
    charged AS (
        SELECT a.id, a.kind, a.campaign, a.vehicle_id, a.day, a.held, w.amount, {_LIMIT_OF_ACCOUNT} AS limit_amount
        FROM wanted w
        JOIN ledger_accounts a ON {_SAME_ACCOUNT}
        LEFT JOIN limits l ON l.campaign = a.campaign
    ),
    refused AS (SELECT * FROM charged WHERE amount > 0 AND held + amount > limit_amount),
    taken AS (
        UPDATE ledger_accounts a SET held = a.held + charged.amount
        FROM charged
        WHERE a.id = charged.id AND NOT EXISTS (SELECT FROM refused)
        RETURNING a.id, charged.amount
    ),
    entered AS (
        INSERT INTO ledger_entries (account_id, upload_id, kind, amount, held_delta, settled_delta, folded)
        SELECT id, :upload_id, 'reserve', amount, amount, 0, true FROM taken
    )
    SELECT * FROM refused ORDER BY id
""")  # noqa: S608 - put together from the constants above


def reserve(
    connection: Connection,
    upload_id: str,
    manifest: ClipManifest,
    *,
    now: datetime,
    fleet_limit_bytes: int | None,
) -> None:
    """Charge an upload to the fleet, and to the campaigns of its fires on the UTC day of `now`; all accounts or none.

    BudgetExhausted, with nothing charged, when a limit would be overshot. It names the campaigns whose own accounts
    are exhausted (all of the clip's, when the fleet's account is), so that a vehicle can send the clip without them.
    Accounts stay locked until the transaction ends: commit soon, and reserve once per transaction.
    """
    amounts = charges(manifest, now.astimezone(UTC).date())
    keys = sorted(amounts, key=str)
    parameters = {
        "upload_id": upload_id,
        "kinds": [key.kind for key in keys],
        "account_campaigns": [key.campaign for key in keys],
        "vehicles": [key.vehicle_id for key in keys],
        "days": [key.day for key in keys],
        "units": [key.unit for key in keys],
        "amounts": [amounts[key] for key in keys],
        "campaigns": sorted({key.campaign for key in keys}),
        "fleet_limit_bytes": fleet_limit_bytes,
    }
    # Locking is a statement of its own, so that the reservation's snapshot (READ COMMITTED) is younger than the locks.
    # With an older one its update meets row versions that other reservations queue at, and those wait for this
    # transaction: a deadlock.
    connection.execute(_OPEN_MISSING_ACCOUNTS, parameters)
    connection.execute(_LOCK, parameters)
    refused = connection.execute(_RESERVE, parameters).all()
    if refused and _fold_accounts(connection, [row.id for row in refused], limit=None):
        refused = connection.execute(_RESERVE, parameters).all()
    if refused:
        raise _refusal(refused, manifest, now)


def charges(manifest: ClipManifest, day: date) -> dict[AccountKey, int]:
    """By account, what a clip costs: its size, each campaign the bytes its fires are charged and one clip."""
    recording = manifest.recording
    by_campaign: Counter[str] = Counter()
    for fire in recording.fires:
        by_campaign[fire.campaign] += fire.charged_bytes
    amounts = {AccountKey("fleet"): manifest.size_bytes}
    for campaign, amount in by_campaign.items():
        amounts[AccountKey("campaign_bytes", campaign)] = amount
        amounts[AccountKey("campaign_clips", campaign)] = 1
        amounts[AccountKey("campaign_vehicle_day", campaign, recording.vehicle_id, day)] = amount
    return amounts


def _refusal(refused: Sequence[Row[tuple[object, ...]]], manifest: ClipManifest, now: datetime) -> BudgetExhausted:
    own = {row.campaign for row in refused if row.kind != "fleet"}
    everyone = {fire.campaign for fire in manifest.recording.fires}
    campaigns = everyone if any(row.kind == "fleet" for row in refused) else own
    passes_with_the_day = all(row.kind == "campaign_vehicle_day" and row.amount <= row.limit_amount for row in refused)
    worst = refused[0]
    return BudgetExhausted(
        f"{_key(worst)} has {max(0, worst.limit_amount - worst.held)} {_key(worst).unit} left of {worst.limit_amount}, "
        f"the upload needs {worst.amount}" + (f" ({len(refused) - 1} more refused)" if refused[1:] else ""),
        accounts=tuple(str(_key(row)) for row in refused),
        campaigns=tuple(sorted(campaigns)),
        retry_after_s=_until_next_day_s(now) if passes_with_the_day else None,
        remedy="wait for the next UTC day" if passes_with_the_day else "raise the limit in a new campaign version",
    )


def _until_next_day_s(now: datetime) -> int:
    now = now.astimezone(UTC)
    tomorrow = datetime.combine(now.date() + timedelta(days=1), time(), tzinfo=UTC)
    return -(-(tomorrow - now) // timedelta(seconds=1))


def _key(row: Row[tuple[object, ...]]) -> AccountKey:
    return AccountKey(cast(AccountKind, row.kind), row.campaign, row.vehicle_id, row.day)


_SETTLE = text("""
    INSERT INTO ledger_entries (account_id, upload_id, kind, amount, held_delta, settled_delta)
    SELECT r.account_id, r.upload_id, 'settle', v.actual, v.actual - r.amount, v.actual
    FROM ledger_entries r
    JOIN ledger_accounts a ON a.id = r.account_id
    CROSS JOIN LATERAL (
        SELECT CASE
            WHEN CAST(:by_campaign AS jsonb) IS NULL OR a.kind = 'campaign_clips' THEN r.amount
            WHEN a.kind = 'fleet' THEN LEAST(r.amount, :total)
            ELSE LEAST(r.amount, COALESCE(CAST(CAST(:by_campaign AS jsonb) ->> a.campaign AS bigint), 0))
        END AS actual
    ) v
    WHERE r.upload_id = :upload_id AND r.kind = 'reserve'
    ORDER BY r.account_id
    ON CONFLICT DO NOTHING
    RETURNING id
""")

_RELEASE = text("""
    INSERT INTO ledger_entries (account_id, upload_id, kind, amount, held_delta, settled_delta)
    SELECT account_id, upload_id, 'release', amount, -amount, 0
    FROM ledger_entries
    WHERE upload_id = ANY (CAST(:upload_ids AS text[])) AND kind = 'reserve'
    ORDER BY upload_id, account_id
    ON CONFLICT DO NOTHING
    RETURNING id
""")


def settle(connection: Connection, upload_id: str, actual_bytes: Mapping[str, int] | None = None) -> bool:
    """Turn an upload's reservation into use; False, and nothing changes, when it was settled or released before.

    `actual_bytes` is what arrived, by campaign (None: everything that was reserved). Never more than was reserved
    is settled; what was reserved and did not arrive becomes free.
    """
    if actual_bytes is not None and any(amount < 0 for amount in actual_bytes.values()):
        raise ValueError("an upload cannot use a negative amount")
    parameters = {
        "upload_id": upload_id,
        "by_campaign": None if actual_bytes is None else json.dumps(dict(actual_bytes)),
        "total": 0 if actual_bytes is None else sum(actual_bytes.values()),
    }
    return bool(connection.execute(_SETTLE, parameters).all())


def release(connection: Connection, *upload_ids: str) -> bool:
    """Free what uploads reserved; False, and nothing changes, when all were settled or released before."""
    return bool(connection.execute(_RELEASE, {"upload_ids": sorted(upload_ids)}).all())


_LOCK_UNFOLDED = text("""
    SELECT id FROM ledger_accounts
    WHERE id IN (SELECT account_id FROM ledger_entries WHERE NOT folded ORDER BY account_id LIMIT :limit)
    ORDER BY id
    FOR NO KEY UPDATE
""")

_FOLD = text("""
    WITH chosen AS (
        SELECT id FROM ledger_entries
        WHERE account_id = ANY (CAST(:accounts AS bigint[])) AND NOT folded
        ORDER BY account_id LIMIT :limit
    ),
    taken AS (
        UPDATE ledger_entries e SET folded = true FROM chosen
        WHERE e.id = chosen.id
        RETURNING e.account_id, e.held_delta, e.settled_delta
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
""")


def fold(connection: Connection, limit: int = 1000) -> int:
    """Carry at most `limit` settlements and releases into their accounts; returns how many (0: nothing was left).

    Entries are folded only under their account's lock. Several may fold at once, and beside reservations: all take
    these locks in the order of account ids, waiting instead of skipping, because a busy account would always be
    skipped.
    """
    accounts = connection.execute(_LOCK_UNFOLDED, {"limit": limit}).scalars().all()
    return _fold_accounts(connection, accounts, limit=limit) if accounts else 0


def _fold_accounts(connection: Connection, accounts: Sequence[int], *, limit: int | None) -> int:
    """Fold entries of accounts that this transaction has locked: no other transaction can be folding them."""
    return int(connection.execute(_FOLD, {"accounts": list(accounts), "limit": limit}).scalar_one())


_USAGE = text(f"""
    WITH {_LIMITS},
    unfolded AS (
        SELECT account_id, sum(held_delta) AS held, sum(settled_delta) AS settled
        FROM ledger_entries WHERE NOT folded GROUP BY account_id
    )
    SELECT a.kind, a.campaign, a.vehicle_id, a.day, {_LIMIT_OF_ACCOUNT} AS limit_amount,
           a.held + coalesce(u.held, 0) AS held, a.settled + coalesce(u.settled, 0) AS settled
    FROM ledger_accounts a
    LEFT JOIN limits l ON l.campaign = a.campaign
    LEFT JOIN unfolded u ON u.account_id = a.id
    WHERE (CAST(:campaign AS text) IS NULL OR a.campaign = :campaign)
      AND (a.day IS NULL OR CAST(:day AS date) IS NULL OR a.day = :day)
    ORDER BY a.day DESC NULLS FIRST, a.kind DESC, a.campaign, a.vehicle_id
    LIMIT :limit
""")  # noqa: S608 - put together from the constants above

_CAMPAIGNS = text("SELECT DISTINCT campaign FROM ledger_accounts WHERE campaign <> ''")


def usage(
    connection: Connection,
    campaign: str | None = None,
    *,
    day: date | None = None,
    fleet_limit_bytes: int | None = None,
    limit: int = MAX_LISTED_ACCOUNTS,
) -> list[AccountUsage]:
    """Accounts with exact amounts, whether folded or not: totals first, then vehicle-days from the latest day back.

    `campaign` leaves out other campaigns and the fleet, `day` other UTC days. At most `limit`.
    """
    campaigns = [campaign] if campaign is not None else list(connection.execute(_CAMPAIGNS).scalars())
    parameters = {
        "campaign": campaign,
        "day": day,
        "campaigns": campaigns,
        "fleet_limit_bytes": fleet_limit_bytes,
        "limit": limit,
    }
    rows = connection.execute(_USAGE, parameters)
    return [AccountUsage(_key(row), row.limit_amount, int(row.held), int(row.settled)) for row in rows]
