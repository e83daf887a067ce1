"""Usage of budgets: accounts with their exact amounts and limits."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import cast

from pydantic_core import to_json
from sqlalchemy import Connection, text

from storage.ledger.accounts import ORDER_OF_KINDS, SHARES, AccountKey, AccountUsage, Position, key_of
from storage.ledger.limits import (
    ANY_AMOUNT,
    LIMITS,
    OWN_LIMITS,
    WHOLE_LIMIT_OF_ACCOUNT,
    FleetTerms,
    get_limit,
    months_by_zone,
)
from storage.tables.base import is_one_of
from triggers.contracts.api.budget import MAX_LISTED_ACCOUNTS, LimitKind
from triggers.contracts.campaign import budget_owner
from triggers.costs.months import FIRST_YEAR, LAST_YEAR

# Entries that are not folded yet are added to what their account already says.
_EXACT = """
    exact AS (
        SELECT a.id, a.kind, a.campaign, a.trigger, a.vehicle_id, a.cost_centre, a.network, a.day, a.month,
               a.held + coalesce(u.held, 0) AS held, a.settled + coalesce(u.settled, 0) AS settled
        FROM ledger_accounts a
        LEFT JOIN (
            SELECT account_id, sum(held_delta) AS held, sum(settled_delta) AS settled FROM (
                SELECT account_id, held_delta, settled_delta FROM ledger_entries WHERE NOT folded
                UNION ALL
                SELECT account_id, received_bytes - folded_bytes, received_bytes - folded_bytes
                FROM ledger_receipts WHERE folded_bytes <> received_bytes
            ) unfolded GROUP BY account_id
        ) u ON u.account_id = a.id
    )
"""

_NAME = "(a.campaign || CASE a.trigger WHEN '' THEN '' ELSE '.' || a.trigger END || a.cost_centre || a.network)"
"""What an account is of: a campaign or a trigger in it, a cost centre or a network; none has two of them."""
_RANK = "array_position(CAST(:kinds AS text[]), a.kind)"
_ORDER = f"""CASE WHEN a.day IS NOT NULL THEN -a.held ELSE 0 END, {_NAME} COLLATE "C", a.vehicle_id COLLATE "C",
        coalesce(a.month, 'epoch')"""

# In the order of `Position`. Of vehicle-days, of which a fleet has as many as vehicles, those that hold the most come
# first.
_USAGE = text(f"""
    WITH {LIMITS}, {OWN_LIMITS}, {_EXACT}
    SELECT a.kind, a.campaign, a.trigger, a.vehicle_id, a.cost_centre, a.network, a.day, a.month,
        CASE WHEN a.trigger = '' THEN {WHOLE_LIMIT_OF_ACCOUNT} ELSE o.limit_amount END AS limit_amount,
        a.held, a.settled
    FROM exact a
    LEFT JOIN limits l ON l.campaign = a.campaign
    LEFT JOIN own_limits o ON o.kind = a.kind AND o.campaign = a.campaign AND o.trigger = a.trigger
    LEFT JOIN budget_limits b ON b.kind = a.kind AND b.kind = 'cost_centre_month' AND b.name = a.cost_centre
    WHERE (CAST(:campaign AS text) IS NULL OR a.campaign = :campaign)
      AND NOT {is_one_of("a.kind", SHARES)}
      AND (a.day IS NULL OR CAST(:day AS date) IS NULL OR a.day = :day)
      AND (a.month IS NULL OR CAST(:month AS date) IS NULL OR a.month = CASE a.kind
          WHEN 'network_month' THEN CAST(:utc_month AS date)
          ELSE coalesce(CAST(CAST(:months AS jsonb) ->> b.zone AS date), CAST(:month AS date))
      END)
      AND (CAST(:rank AS integer) IS NULL OR ({_RANK}, {_ORDER}) > (
          CAST(:rank AS integer), -CAST(:held AS numeric), CAST(:after_name AS text), CAST(:vehicle_id AS text),
          CAST(:after_month AS date)
      ))
    ORDER BY a.day DESC NULLS FIRST, {_RANK}, {_ORDER}
    LIMIT :limit
""")  # noqa: S608 - put together from the constants above

_UNUSED = text(f"""
    WITH {LIMITS}, {OWN_LIMITS}
    SELECT k.kind, k.campaign, k.trigger, k.limit_amount
    FROM (
        SELECT m.kind, l.campaign, '' AS trigger, m.limit_amount FROM limits l
        CROSS JOIN LATERAL (
            VALUES ('campaign_clips', l.clips), ('campaign_bytes', l.total_bytes)
        ) AS m (kind, limit_amount)
        UNION ALL
        SELECT kind, campaign, trigger, limit_amount FROM own_limits WHERE NOT of_vehicle
    ) k
    WHERE k.limit_amount IS NOT NULL
      AND NOT EXISTS (
          SELECT FROM ledger_accounts a
          WHERE a.kind = k.kind AND a.campaign = k.campaign AND a.trigger = k.trigger
      )
    ORDER BY k.kind DESC, k.campaign, k.trigger
""")  # noqa: S608 - put together from the constants above

_CENTRE_LIMITS = text("""
    SELECT name, amount, zone FROM budget_limits WHERE kind = 'cost_centre_month' AND amount IS NOT NULL
""")
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
    rows = connection.execute(_UNUSED, {"campaigns": campaigns, **FleetTerms().parameters()})
    return [
        AccountUsage(AccountKey(row.kind, row.campaign, trigger=row.trigger), row.limit_amount, 0, 0) for row in rows
    ]


_AMOUNTS = text(f"""
    WITH {_EXACT}
    SELECT coalesce(sum(held), 0) AS held, coalesce(sum(settled), 0) AS settled FROM exact
    WHERE kind = :kind AND campaign = :campaign AND trigger = :trigger AND cost_centre = :cost_centre
        AND vehicle_id = '' AND network = '' AND month IS NOT DISTINCT FROM CAST(:month AS date)
""")  # noqa: S608 - put together from the constants above

_GIVEN = text(f"""
    WITH {LIMITS} SELECT CAST(budget ->> 'total_bytes' AS bigint), CAST(budget ->> 'clips' AS bigint) FROM limits
""")  # noqa: S608 - put together from the constants above

_GIVEN_TO_TRIGGER = text(f"""
    WITH {LIMITS}, {OWN_LIMITS} SELECT given FROM own_limits WHERE kind = :kind AND trigger = :trigger
""")  # noqa: S608 - put together from constants


def given_limit(connection: Connection, key: AccountKey, fleet: FleetTerms) -> int | None:
    """What the settings, or the approved version, say of an account's limit; without what was set by command."""
    if key.trigger:
        of_trigger = {"campaigns": [key.campaign], "kind": key.kind, "trigger": key.trigger}
        return connection.execute(_GIVEN_TO_TRIGGER, {**of_trigger, **fleet.parameters()}).scalar_one_or_none()
    if key.campaign:
        row = connection.execute(_GIVEN, {"campaigns": [key.campaign], **fleet.parameters()}).one_or_none()
        return None if row is None else row[key.unit == "clips"]
    return fleet.total_bytes if key.kind == "fleet" else fleet.month_bytes if key.kind == "fleet_month" else None


def account(connection: Connection, key: AccountKey, fleet: FleetTerms) -> AccountUsage:
    """An account of a campaign's or trigger's totals, the fleet or a month with its exact amounts, 0 before any
    reservation."""
    row = connection.execute(_AMOUNTS, place_of(key)).one()
    limit = given_limit(connection, key, fleet)
    if limit is not None or not key.trigger:  # nothing is charged to a trigger without an approved limit
        name = budget_owner(key.campaign, key.trigger) or key.cost_centre
        limit = _lower(limit, get_limit(connection, cast(LimitKind, key.kind), name)[0])
    return AccountUsage(key, limit, int(row.held), int(row.settled))


def place_of(key: AccountKey) -> dict[str, object]:
    """The parameters that find an account of totals or a month."""
    names = {"kind": key.kind, "campaign": key.campaign, "trigger": key.trigger, "cost_centre": key.cost_centre}
    return {**names, "month": key.month}


def moment_of(day: date, now: datetime) -> datetime:
    """The moment whose months are shown with the vehicle-days of a UTC day: now on this day, else the day's noon, at
    which every zone is in the month that it is in for most of that day. No account is of a day before 1970."""
    day = min(max(day, date(FIRST_YEAR, 1, 2)), date(LAST_YEAR, 12, 30))
    return now if day == now.astimezone(UTC).date() else datetime.combine(day, time(12), tzinfo=UTC)


def unused_limits_of_all(connection: Connection, fleet: FleetTerms, at: datetime) -> list[AccountUsage]:
    """Limits of the fleet, and of it and of cost centres in the months in which they are at a moment; with or without
    an account yet."""
    found = [AccountUsage(AccountKey("fleet"), _lower(fleet.total_bytes, get_limit(connection, "fleet")[0]), 0, 0)]
    of_month = _lower(fleet.month_bytes, get_limit(connection, "fleet_month")[0])
    found.append(AccountUsage(AccountKey("fleet_month", month=fleet.month(at)), of_month, 0, 0))
    for row in connection.execute(_CENTRE_LIMITS):
        key = AccountKey("cost_centre_month", cost_centre=row.name, month=fleet.month(at, row.zone))
        found.append(AccountUsage(key, row.amount, 0, 0))
    return [account for account in found if account.limit is not None]


def _lower(first: int | None, second: int | None) -> int | None:
    return min((limit for limit in (first, second) if limit is not None), default=None)


def usage(
    connection: Connection,
    campaign: str | None = None,
    *,
    day: date | None = None,
    at: datetime | None = None,
    fleet: FleetTerms = ANY_AMOUNT,
    after: Position | None = None,
    limit: int = MAX_LISTED_ACCOUNTS,
) -> list[AccountUsage]:
    """At most `limit` accounts with exact amounts, folded or not: totals first, then vehicle-days, latest day first.

    Vehicles' shares of totals are left out: a refusal tells a vehicle about its own.

    The vehicle-days of a day are in the order of what they hold, the most first.

    `campaign` excludes other campaigns and the fleet, `day` excludes other UTC days, `at` (None: all months) months in
    which the account was not at this moment, in its zone, and `after` (with `day`) all that does not come after this
    position.
    """
    campaigns = [campaign] if campaign is not None else list(connection.execute(_CAMPAIGNS).scalars())
    parameters = {
        "campaign": campaign,
        "day": day,
        "month": None if at is None else fleet.month(at),
        "months": None if at is None else to_json(months_by_zone(connection, fleet, at)).decode(),
        "utc_month": None if at is None else fleet.month(at, "UTC"),
        "campaigns": campaigns,
        **fleet.parameters(),
        "limit": limit,
        "kinds": list(ORDER_OF_KINDS),
        "rank": None if after is None else ORDER_OF_KINDS.index(after.kind) + 1,
        "held": 0 if after is None else after.held,
        "after_name": "" if after is None else after.name,
        "vehicle_id": "" if after is None else after.vehicle_id,
        "after_month": date(1970, 1, 1) if after is None or after.month is None else after.month,
    }
    rows = connection.execute(_USAGE, parameters)
    return [AccountUsage(key_of(row), row.limit_amount, int(row.held), int(row.settled)) for row in rows]
