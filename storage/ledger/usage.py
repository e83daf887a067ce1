"""Usage of budgets: accounts with their exact amounts and limits."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sqlalchemy import Connection, text

from storage.ledger.accounts import LIMIT_OF_ACCOUNT, LIMITS, AccountKey, AccountUsage, Position, key_of
from triggers.contracts.api.budget import MAX_LISTED_ACCOUNTS

# Entries that are not folded yet are added to what their account already says.
_EXACT = """
    exact AS (
        SELECT a.id, a.kind, a.campaign, a.vehicle_id, a.day,
               a.held + coalesce(u.held, 0) AS held, a.settled + coalesce(u.settled, 0) AS settled
        FROM ledger_accounts a
        LEFT JOIN (
            SELECT account_id, sum(held_delta) AS held, sum(settled_delta) AS settled
            FROM ledger_entries WHERE NOT folded GROUP BY account_id
        ) u ON u.account_id = a.id
    )
"""

# In the order of `Position`. Of vehicle-days, of which a fleet has as many as vehicles, those that hold the most come
# first.
_USAGE = text(f"""
    WITH {LIMITS}, {_EXACT}
    SELECT a.kind, a.campaign, a.vehicle_id, a.day, {LIMIT_OF_ACCOUNT} AS limit_amount, a.held, a.settled
    FROM exact a
    LEFT JOIN limits l ON l.campaign = a.campaign
    WHERE (CAST(:campaign AS text) IS NULL OR a.campaign = :campaign)
      AND a.kind NOT IN ('campaign_vehicle_bytes','campaign_vehicle_clips')
      AND (a.day IS NULL OR CAST(:day AS date) IS NULL OR a.day = :day)
      AND (CAST(:kind AS text) IS NULL OR (a.day IS NOT NULL) > :is_day OR (a.day IS NOT NULL) = :is_day AND (
          a.kind COLLATE "C" < :kind OR a.kind = :kind AND (
              CASE WHEN a.day IS NOT NULL THEN -a.held ELSE 0 END, a.campaign COLLATE "C", a.vehicle_id COLLATE "C"
          ) > (-CAST(:held AS numeric), CAST(:after_campaign AS text), CAST(:vehicle_id AS text))))
    ORDER BY a.day DESC NULLS FIRST, a.kind COLLATE "C" DESC, CASE WHEN a.day IS NOT NULL THEN -a.held ELSE 0 END,
        a.campaign COLLATE "C", a.vehicle_id COLLATE "C"
    LIMIT :limit
""")  # noqa: S608 - put together from the constants above

_UNUSED = text(f"""
    WITH {LIMITS}
    SELECT k.kind, l.campaign, CAST(l.budget ->> k.setting AS bigint) AS limit_amount
    FROM limits l
    CROSS JOIN (VALUES ('campaign_clips', 'clips'), ('campaign_bytes', 'total_bytes')) AS k (kind, setting)
    WHERE l.budget ->> k.setting IS NOT NULL
      AND NOT EXISTS (SELECT FROM ledger_accounts a WHERE a.kind = k.kind AND a.campaign = l.campaign)
    ORDER BY k.kind DESC, l.campaign
""")  # noqa: S608 - put together from the constants above

_APPROVED = text("SELECT DISTINCT campaign FROM campaign_versions WHERE bundle_digest IS NOT NULL")

_SETTLED = text(f"""
    WITH {_EXACT}
    SELECT a.campaign,
           sum(a.settled) FILTER (WHERE a.kind = 'campaign_bytes') AS bytes,
           sum(a.settled) FILTER (WHERE a.kind = 'campaign_clips') AS clips
    FROM exact a
    WHERE a.kind IN ('campaign_bytes', 'campaign_clips')
    GROUP BY a.campaign
""")  # noqa: S608 - put together from the constants above

_UNDECIDED = text("""
    SELECT f.campaign, count(DISTINCT c.id) AS clips
    FROM clips c JOIN clip_fires f ON f.clip_id = c.id
    WHERE c.state = 'stored'
    GROUP BY f.campaign
""")

_CAMPAIGNS = text("SELECT DISTINCT campaign FROM ledger_accounts WHERE campaign <> ''")


@dataclass(frozen=True, slots=True)
class Settled:
    """What a campaign's clips have used that are ready. Neither reservations are included, which may still be released,
    nor clips (but their bytes) of which it is not known yet whether they are damaged."""

    bytes: int = 0
    clips: int = 0


def settled_by_campaign(connection: Connection) -> dict[str, Settled]:
    """What each campaign has used, by the campaign's name."""
    undecided = {row.campaign: int(row.clips) for row in connection.execute(_UNDECIDED)}
    return {
        row.campaign: Settled(int(row.bytes or 0), max(0, int(row.clips or 0) - undecided.get(row.campaign, 0)))
        for row in connection.execute(_SETTLED)
    }


def unused_limits(connection: Connection, campaign: str | None = None) -> list[AccountUsage]:
    """Limits of approved campaigns, or of one, without accounts, because nothing was uploaded for them yet."""
    campaigns = [campaign] if campaign is not None else list(connection.execute(_APPROVED).scalars())
    rows = connection.execute(_UNUSED, {"campaigns": campaigns, "vehicle_share": 1.0})
    return [AccountUsage(AccountKey(row.kind, row.campaign), row.limit_amount, 0, 0) for row in rows]


def usage(
    connection: Connection,
    campaign: str | None = None,
    *,
    day: date | None = None,
    fleet_limit_bytes: int | None = None,
    after: Position | None = None,
    limit: int = MAX_LISTED_ACCOUNTS,
) -> list[AccountUsage]:
    """At most `limit` accounts with exact amounts, folded or not: totals first, then vehicle-days, latest day first.

    Vehicles' shares of totals are left out: a refusal tells a vehicle about its own.

    The vehicle-days of a day are in the order of what they hold, the most first.

    `campaign` excludes other campaigns and the fleet, `day` excludes other UTC days, `after` (with `day`) all that does
    not come after this position.
    """
    campaigns = [campaign] if campaign is not None else list(connection.execute(_CAMPAIGNS).scalars())
    parameters = {
        "campaign": campaign,
        "day": day,
        "campaigns": campaigns,
        "fleet_limit_bytes": fleet_limit_bytes,
        "vehicle_share": 1.0,
        "limit": limit,
        "kind": after and after.kind,
        "is_day": after is not None and after.is_day,
        "held": 0 if after is None else after.held,
        "after_campaign": "" if after is None else after.campaign,
        "vehicle_id": "" if after is None else after.vehicle_id,
    }
    rows = connection.execute(_USAGE, parameters)
    return [AccountUsage(key_of(row), row.limit_amount, int(row.held), int(row.settled)) for row in rows]
