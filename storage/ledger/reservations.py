"""Reservations in the budget ledger: an upload is charged to all of its accounts, or to none."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta

from sqlalchemy import Connection, Row, text

from storage.ledger.accounts import LIMIT_OF_ACCOUNT, LIMITS, SHARES, AccountKey, key_of
from storage.ledger.settlements import fold_accounts
from triggers.contracts.api.budget import AccountKind
from triggers.contracts.clip import ClipManifest
from triggers.errors import BudgetExhausted

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
    WITH {_WANTED}, {LIMITS}
    INSERT INTO ledger_accounts (kind, campaign, vehicle_id, day, unit)
    SELECT w.kind, w.campaign, w.vehicle_id, w.day, w.unit
    FROM wanted w
    LEFT JOIN limits l ON l.campaign = w.campaign
    WHERE NOT EXISTS (SELECT FROM ledger_accounts a WHERE {_SAME_ACCOUNT})
        AND CASE w.kind
            WHEN 'campaign_vehicle_bytes' THEN l.budget ->> 'total_bytes' IS NOT NULL
            WHEN 'campaign_vehicle_clips' THEN l.budget ->> 'clips' IS NOT NULL
            ELSE true
        END
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
    WITH {_WANTED}, {LIMITS},
    charged AS (
        SELECT a.id, a.kind, a.campaign, a.vehicle_id, a.day, a.unit, a.held, w.amount,
            {LIMIT_OF_ACCOUNT} AS limit_amount
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
        INSERT INTO ledger_entries
            (account_id, upload_id, kind, amount, held_delta, settled_delta, folded, network, region)
        SELECT taken.id, u.id, 'reserve', amount, amount, 0, true, u.network, coalesce(v.attributes ->> 'region', '')
        FROM taken, uploads u JOIN vehicles v ON v.id = u.vehicle_id
        WHERE u.id = :upload_id
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
    vehicle_share: float = 1.0,
) -> None:
    """Charge an upload to the fleet, and to the campaigns of its fires on the UTC day of `now`; all accounts or none.

    `vehicle_share` is how much of a campaign's totals one vehicle of many may use (above 0, up to 1).

    BudgetExhausted, with nothing charged, when a limit would be exceeded. It names the campaigns whose own accounts
    are exhausted (all of the clip's, when the fleet's account is), so that a vehicle can send the clip without them.
    Accounts stay locked until the transaction ends: commit soon, and reserve only once per transaction.
    """
    amounts = charges(manifest, now.astimezone(UTC).date())
    amounts |= shares(manifest, amounts)
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
        "vehicle_share": vehicle_share,
    }
    # Locking is a separate statement, so that the reservation's snapshot (READ COMMITTED) is younger than the locks.
    # With an older one its update meets row versions that other reservations queue at, and those wait for this
    # transaction: a deadlock.
    connection.execute(_OPEN_MISSING_ACCOUNTS, parameters)
    connection.execute(_LOCK, parameters)
    refused = connection.execute(_RESERVE, parameters).all()
    if refused and fold_accounts(connection, [row.id for row in refused], limit=None):
        refused = connection.execute(_RESERVE, parameters).all()
    if refused:
        raise _refusal(refused, manifest, now)


def charges(manifest: ClipManifest, day: date) -> dict[AccountKey, int]:
    """What a clip costs each account: its size to the fleet; one clip and its fires' charged bytes to each campaign."""
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


def shares(manifest: ClipManifest, amounts: Mapping[AccountKey, int]) -> dict[AccountKey, int]:
    """What a clip that costs `amounts` costs its vehicle's shares of campaigns' totals, as far as these are limited."""
    vehicle_id = manifest.recording.vehicle_id
    of_total: Mapping[str, AccountKind] = dict(zip(("campaign_bytes", "campaign_clips"), SHARES, strict=True))
    return {
        AccountKey(of_total[key.kind], key.campaign, vehicle_id): amount
        for key, amount in amounts.items()
        if key.kind in of_total
    }


def _refusal(refused: Sequence[Row[tuple[object, ...]]], manifest: ClipManifest, now: datetime) -> BudgetExhausted:
    """Names all accounts, but of their campaigns only those that are refused for good, if there are any.

    The vehicle cuts the clip again without them, and then hears whether the others only have to wait for the next day.
    """
    totals = {(row.campaign, row.unit) for row in refused if row.kind in ("campaign_bytes", "campaign_clips")}
    # Where a total is used up, it does not matter how much of it was the vehicle's.
    refused = [row for row in refused if row.kind not in SHARES or (row.campaign, row.unit) not in totals]
    for_good = [row for row in refused if not _passes_with_the_day(row)]
    own = {row.campaign for row in for_good or refused if row.kind != "fleet"}
    all_campaigns = {fire.campaign for fire in manifest.recording.fires}
    campaigns = all_campaigns if any(row.kind == "fleet" for row in refused) else own
    worst = (for_good or refused)[0]
    key, left = key_of(worst), max(0, worst.limit_amount - worst.held)
    return BudgetExhausted(
        f"{key} has {left} {key.unit} left of {worst.limit_amount}, the upload needs {worst.amount}"
        + (f" ({len(refused) - 1} more refused)" if refused[1:] else ""),
        accounts=tuple(str(key_of(row)) for row in refused),
        campaigns=tuple(sorted(campaigns)),
        retry_after_s=None if for_good else _until_next_day_s(now),
        remedy=_remedy(key.kind) if for_good else "wait for the next UTC day",
    )


def _remedy(kind: AccountKind) -> str:
    if kind in SHARES:
        return "raise the limit in a new campaign version, or the share of a vehicle (LONGTAIL_VEHICLE_SHARE)"
    return "raise the limit in a new campaign version"


def _passes_with_the_day(row: Row[tuple[object, ...]]) -> bool:
    return bool(row.kind == "campaign_vehicle_day" and row.amount <= row.limit_amount)


def _until_next_day_s(now: datetime) -> int:
    now = now.astimezone(UTC)
    tomorrow = datetime.combine(now.date() + timedelta(days=1), time(), tzinfo=UTC)
    return -(-(tomorrow - now) // timedelta(seconds=1))
