"""Reservations in the budget ledger: an upload is charged to all of its accounts, or to none."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import UTC, date, datetime

from sqlalchemy import Connection, text

from storage.ledger.accounts import SHARES, AccountKey
from storage.ledger.limits import ANY_AMOUNT, LIMIT_OF_ACCOUNT, LIMITS, LIMITS_LOCK, FleetTerms
from storage.ledger.refusals import refusal
from storage.ledger.settlements import fold_accounts
from triggers.contracts.api.budget import AccountKind
from triggers.contracts.clip import ClipManifest

_WANTED = """
    wanted AS (
        SELECT * FROM unnest(
            CAST(:kinds AS text[]), CAST(:account_campaigns AS text[]), CAST(:vehicles AS text[]),
            CAST(:centres AS text[]), CAST(:days AS date[]), CAST(:months AS date[]), CAST(:units AS text[]),
            CAST(:amounts AS bigint[])
        ) AS w (kind, campaign, vehicle_id, cost_centre, day, month, unit, amount)
    )"""

_SAME_ACCOUNT = """a.kind = w.kind AND a.campaign = w.campaign AND a.vehicle_id = w.vehicle_id
            AND a.cost_centre = w.cost_centre AND a.network = ''
            AND a.day IS NOT DISTINCT FROM w.day AND a.month IS NOT DISTINCT FROM w.month"""

# Until this transaction ends, nobody sets a limit: see `limits.set_limit`. And its statements, which are prepared, are
# planned once instead of every time: the lengths of their arrays do not decide on the plan.
_CENTRES = text("""
    WITH held AS MATERIALIZED (
        SELECT pg_advisory_xact_lock_shared(:lock), set_config('plan_cache_mode', 'force_generic_plan', true)
    )
    SELECT c.campaign, c.cost_centre, c.zone
    FROM held
    LEFT JOIN (
        SELECT o.campaign, o.cost_centre, b.zone
        FROM campaign_owners o
        LEFT JOIN budget_limits b ON b.kind = 'cost_centre_month' AND b.name = o.cost_centre
        WHERE o.campaign = ANY (CAST(:campaigns AS text[])) AND o.cost_centre <> ''
    ) c ON true
""")

_OPEN_MISSING_ACCOUNTS = text(f"""
    WITH {_WANTED}, {LIMITS}
    INSERT INTO ledger_accounts (kind, campaign, vehicle_id, cost_centre, day, month, unit)
    SELECT w.kind, w.campaign, w.vehicle_id, w.cost_centre, w.day, w.month, w.unit
    FROM wanted w
    LEFT JOIN limits l ON l.campaign = w.campaign
    WHERE NOT EXISTS (SELECT FROM ledger_accounts a WHERE {_SAME_ACCOUNT})
        AND CASE w.kind
            WHEN 'campaign_vehicle_bytes' THEN l.budget ->> 'total_bytes' IS NOT NULL
            WHEN 'campaign_vehicle_clips' THEN l.budget ->> 'clips' IS NOT NULL
            ELSE true
        END
    ORDER BY kind, campaign, vehicle_id, cost_centre, day, month
    ON CONFLICT DO NOTHING
""")  # noqa: S608 - put together from the constants above

# Accounts with a limit are changed, one reservation after the other. To those without one, reservations are appended.
_LOCK = text(f"""
    WITH {_WANTED}, {LIMITS}
    SELECT a.id FROM ledger_accounts a
    WHERE a.id IN (
        SELECT a.id FROM wanted w
        JOIN ledger_accounts a ON {_SAME_ACCOUNT}
        LEFT JOIN limits l ON l.campaign = a.campaign
        WHERE {LIMIT_OF_ACCOUNT} IS NOT NULL
    )
    ORDER BY a.id
    FOR NO KEY UPDATE OF a
""")  # noqa: S608 - put together from the constants above

# What was reserved while an account had no limit counts at once, whether it is folded or not.
_RESERVE = text(f"""
    WITH {_WANTED}, {LIMITS},
    charged AS MATERIALIZED (
        SELECT a.id, a.kind, a.campaign, a.vehicle_id, a.cost_centre, a.network, a.day, a.month, a.unit, w.amount,
            a.held + CASE WHEN v.limit_amount IS NULL THEN 0 ELSE coalesce((
                SELECT sum(e.held_delta) FROM ledger_entries e
                WHERE e.account_id = a.id AND NOT folded AND kind = 'reserve'
            ), 0) END AS held,
            v.limit_amount
        FROM wanted w
        JOIN ledger_accounts a ON {_SAME_ACCOUNT}
        LEFT JOIN limits l ON l.campaign = a.campaign
        CROSS JOIN LATERAL (SELECT {LIMIT_OF_ACCOUNT} AS limit_amount OFFSET 0) v
    ),
    refused AS (SELECT * FROM charged WHERE amount > 0 AND held + amount > limit_amount),
    taken AS (
        UPDATE ledger_accounts a SET held = a.held + charged.amount
        FROM charged
        WHERE a.id = charged.id AND a.id = ANY (CAST(:locked AS bigint[])) AND NOT EXISTS (SELECT FROM refused)
    ),
    entered AS (
        INSERT INTO ledger_entries
            (account_id, upload_id, kind, amount, held_delta, settled_delta, folded, network, region)
        SELECT c.id, u.id, 'reserve', c.amount, c.amount, 0, c.id = ANY (CAST(:locked AS bigint[])), u.network,
            coalesce(v.attributes ->> 'region', '')
        FROM charged c, uploads u JOIN vehicles v ON v.id = u.vehicle_id
        WHERE u.id = :upload_id AND NOT EXISTS (SELECT FROM refused)
    )
    SELECT *, (SELECT array_agg(campaign) FROM limits WHERE priority >= CAST(:reserve_priority AS integer)) AS preferred
    FROM refused ORDER BY id
""")  # noqa: S608 - put together from the constants above


def reserve(
    connection: Connection, upload_id: str, manifest: ClipManifest, *, now: datetime, fleet: FleetTerms = ANY_AMOUNT
) -> None:
    """Charge an upload to the fleet, its month, the campaigns of its fires on the UTC day of `now`, and the months of
    their cost centres; all accounts or none.

    BudgetExhausted, with nothing charged, when a limit would be exceeded. It names the campaigns whose own accounts
    are exhausted (all of the clip's, when the fleet's account is), so that a vehicle can send the clip without them.
    Where the fleet's reserve would still admit some campaigns, it names the others.
    Accounts stay locked until the transaction ends: commit soon, and reserve only once per transaction.
    """
    amounts = charges(manifest, now.astimezone(UTC).date())
    campaigns = sorted({key.campaign for key in amounts if key.campaign})
    rows = connection.execute(_CENTRES, {"campaigns": campaigns, "lock": LIMITS_LOCK})
    centres = {row.campaign: row for row in rows if row.campaign is not None}
    amounts |= shares(manifest, amounts)
    amounts |= _months(amounts, {name: (row.cost_centre, row.zone) for name, row in centres.items()}, fleet, now)
    keys = sorted(amounts, key=str)
    parameters = {
        "upload_id": upload_id,
        "kinds": [key.kind for key in keys],
        "account_campaigns": [key.campaign for key in keys],
        "vehicles": [key.vehicle_id for key in keys],
        "centres": [key.cost_centre for key in keys],
        "days": [key.day for key in keys],
        "months": [key.month for key in keys],
        "units": [key.unit for key in keys],
        "amounts": [amounts[key] for key in keys],
        "campaigns": campaigns,
        **fleet.parameters(),
    }
    # Locking is a separate statement, so that the reservation's snapshot (READ COMMITTED) is younger than the locks.
    # With an older one its update meets row versions that other reservations queue at, and those wait for this
    # transaction: a deadlock.
    connection.execute(_OPEN_MISSING_ACCOUNTS, parameters)
    parameters["locked"] = list(connection.execute(_LOCK, parameters).scalars())
    refused = connection.execute(_RESERVE, parameters).all()
    if refused and fold_accounts(connection, [row.id for row in refused], limit=None):
        refused = connection.execute(_RESERVE, parameters).all()
    if refused:
        raise refusal(refused, manifest, {name: row.cost_centre for name, row in centres.items()}, now)


def _months(
    amounts: Mapping[AccountKey, int],
    centres: Mapping[str, tuple[str, str | None]],
    fleet: FleetTerms,
    now: datetime,
) -> dict[AccountKey, int]:
    """What a clip that costs `amounts` costs the months of the fleet and of its campaigns' cost centres."""
    of_months = Counter({AccountKey("fleet_month", month=fleet.month(now)): amounts[AccountKey("fleet")]})
    for campaign, (cost_centre, zone) in centres.items():
        key = AccountKey("cost_centre_month", cost_centre=cost_centre, month=fleet.month(now, zone))
        of_months[key] += amounts[AccountKey("campaign_bytes", campaign)]
    return dict(of_months)


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
