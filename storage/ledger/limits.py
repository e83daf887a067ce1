"""Limits of accounts: where each comes from, as SQL, and those that people set by command.

A limit has up to two sources, of which the lower one counts: the settings of the deployment or the campaign version
that was approved, and `budget_limits`. So a command lowers a limit at once and raises it again, and going beyond what
was approved takes another version, which somebody approves.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import Connection, delete, func, select, text
from sqlalchemy.dialects.postgresql import insert

from storage.tables import budget_limits
from storage.tables.base import is_one_of
from triggers.contracts.api.budget import LimitKind
from triggers.contracts.campaign import RUNNING
from triggers.costs.months import day_at, zone_named

if TYPE_CHECKING:
    from storage.settings import Settings  # which has this folder's settings

EVEN_SHARES = 2
"""A vehicle may use so many times its even share of a total, or `vehicle_share` of it when that is more: a campaign for
one or two vehicles is theirs, and of many no single one can use it up."""


@dataclass(frozen=True, slots=True)
class FleetTerms:
    """What the deployment's settings say of the ledger: limits in bytes (None: none), and shares from 0 to 1.

    `reserve_share` of the fleet's limits is only for campaigns whose priority is `reserve_priority` or more. Months
    begin in the zone `month_zone`, unless a cost centre states another one.
    """

    total_bytes: int | None = None
    month_bytes: int | None = None
    month_zone: str = "UTC"
    reserve_share: float = 0.0
    reserve_priority: int = 101
    vehicle_share: float = 1.0

    def parameters(self) -> dict[str, object]:
        """The parameters of the SQL below, but `campaigns`."""
        return {
            "fleet_limit_bytes": self.total_bytes,
            "fleet_month_bytes": self.month_bytes,
            "reserve_share": self.reserve_share,
            "reserve_priority": self.reserve_priority,
            "vehicle_share": self.vehicle_share,
        }

    def month(self, now: datetime, zone: str | None = None) -> date:
        """The first day of the month in which `now` is, in a zone (None: the fleet's)."""
        return day_at(now, zone_named(zone or self.month_zone)).replace(day=1)


_ZONES = text("SELECT DISTINCT zone FROM budget_limits WHERE zone IS NOT NULL")
_A_DAY = timedelta(days=1)
"""No zone is as far from UTC."""


def months_by_zone(connection: Connection, fleet: FleetTerms, at: datetime) -> dict[str, date]:
    """The months of the zones that cost centres state, where they can be others than the fleet's; else none.

    A zone that is set at this moment counts for what follows.
    """
    if fleet.month(at - _A_DAY) == fleet.month(at + _A_DAY):
        return {}
    return {zone: fleet.month(at, zone) for zone in connection.execute(_ZONES).scalars()}


ANY_AMOUNT = FleetTerms()
"""A fleet without limits."""


def fleet_terms(settings: Settings) -> FleetTerms:
    """The terms in a deployment's settings."""
    return FleetTerms(
        total_bytes=settings.fleet_total_bytes,
        month_bytes=settings.fleet_month_bytes,
        month_zone=settings.month_zone,
        reserve_share=settings.reserve_share,
        reserve_priority=settings.reserve_priority,
        vehicle_share=settings.vehicle_share,
    )


def _set_by_command(kind: LimitKind, name: str) -> str:
    return f"""(
                SELECT amount FROM budget_limits WHERE kind = '{kind}' AND name = {name}
            )"""  # noqa: S608 - put together from constants


LIMITS = f"""
    limits AS (
        SELECT campaign, budget, triggers, priority,
            CAST(budget ->> 'vehicle_day_bytes' AS bigint) AS vehicle_day_bytes,
            CAST(budget ->> 'vehicle_day_clips' AS bigint) AS vehicle_day_clips,
            least(CAST(budget ->> 'total_bytes' AS bigint), {_set_by_command("campaign_bytes", "v.campaign")})
                AS total_bytes,
            least(CAST(budget ->> 'clips' AS bigint), {_set_by_command("campaign_clips", "v.campaign")}) AS clips,
            (
                SELECT count(*) FROM (
                    SELECT FROM assignments s WHERE s.campaign = v.campaign
                    LIMIT CAST(ceil({EVEN_SHARES} / CAST(:vehicle_share AS numeric)) AS bigint)
                ) given
            ) AS vehicles
        FROM (
            SELECT DISTINCT ON (campaign) campaign, budget, own_budgets AS triggers, priority
            FROM campaign_versions
            WHERE campaign = ANY (CAST(:campaigns AS text[])) AND bundle_digest IS NOT NULL
            ORDER BY campaign, {is_one_of("state", RUNNING)} DESC, version DESC
        ) v
    ),
    -- the part of the fleet's limits that all of these campaigns may use together
    open_part AS (
        SELECT CASE
            WHEN count(*) > 0 AND bool_and(priority >= CAST(:reserve_priority AS integer)) THEN 1
            ELSE 1 - CAST(:reserve_share AS numeric)
        END AS share
        FROM limits
    )"""  # noqa: S608 - put together from constants
"""Limits of campaigns: `budget` is that of the running version, else of the latest version that was ever approved, and
`total_bytes` and `clips` are those in force. `vehicles` is how many have been given the campaign, counted as far as
that decides on their shares. `triggers` are those with budgets of their own, NULL without any."""

_SHARE = f"""least(1, greatest(
            CAST(:vehicle_share AS numeric), {EVEN_SHARES}.0 / greatest(1, l.vehicles)
        ))"""


OWN_LIMITS = f"""
    own_limits AS (
        SELECT k.kind, l.campaign, t.value ->> 'name' AS trigger, k.unit, k.of_vehicle, k.of_day, given.amount AS given,
            CASE WHEN k.total IS NULL THEN given.amount
                WHEN k.of_vehicle THEN CAST(ceil(total.amount * {_SHARE}) AS bigint)
                ELSE total.amount
            END AS limit_amount
        FROM limits l
        CROSS JOIN LATERAL jsonb_array_elements(l.triggers) AS t (value)
        CROSS JOIN (VALUES
            ('trigger_bytes', 'bytes', 'total_bytes', 'trigger_bytes', false, false),
            ('trigger_clips', 'clips', 'clips', 'trigger_clips', false, false),
            ('trigger_vehicle_bytes', 'bytes', 'total_bytes', 'trigger_bytes', true, false),
            ('trigger_vehicle_clips', 'clips', 'clips', 'trigger_clips', true, false),
            ('trigger_vehicle_day', 'bytes', 'vehicle_day_bytes', NULL, true, true),
            ('trigger_vehicle_day_clips', 'clips', 'vehicle_day_clips', NULL, true, true)
        ) AS k (kind, unit, member, total, of_vehicle, of_day)
        CROSS JOIN LATERAL (SELECT CAST(t.value -> 'budget' ->> k.member AS bigint)) AS given (amount)
        CROSS JOIN LATERAL (SELECT least(given.amount, (
            SELECT b.amount FROM budget_limits b
            WHERE b.kind = k.total AND b.name = l.campaign || '.' || (t.value ->> 'name')
        ))) AS total (amount)
        WHERE given.amount IS NOT NULL
    )"""  # noqa: S608 - put together from constants
"""The limits of triggers' own budgets, of each the accounts that it has: `given` is what was approved, `limit_amount`
the limit in force. A limit by command counts beside an approved one only: without that, nothing is charged."""

_OPEN_PART = "(SELECT share FROM open_part)"

WHOLE_LIMIT_OF_ACCOUNT = f"""
    CASE a.kind
        WHEN 'fleet' THEN least(CAST(:fleet_limit_bytes AS bigint), {_set_by_command("fleet", "''")})
        WHEN 'fleet_month' THEN least(CAST(:fleet_month_bytes AS bigint), {_set_by_command("fleet_month", "''")})
        WHEN 'cost_centre_month' THEN {_set_by_command("cost_centre_month", "a.cost_centre")}
        WHEN 'campaign_bytes' THEN l.total_bytes
        WHEN 'campaign_clips' THEN l.clips
        WHEN 'campaign_vehicle_bytes' THEN CAST(ceil(l.total_bytes * {_SHARE}) AS bigint)
        WHEN 'campaign_vehicle_clips' THEN CAST(ceil(l.clips * {_SHARE}) AS bigint)
        WHEN 'campaign_vehicle_day' THEN l.vehicle_day_bytes
        WHEN 'campaign_vehicle_day_clips' THEN l.vehicle_day_clips
    END"""
"""The limit of account `a`, which is no trigger's, and whose campaign's row of `limits` is `l`; of the fleet with its
reserve."""

LIMIT_OF_ACCOUNT = f"""
    CAST(floor({WHOLE_LIMIT_OF_ACCOUNT} * CASE WHEN a.kind IN ('fleet','fleet_month') THEN {_OPEN_PART} ELSE 1 END)
        AS bigint)"""
"""The same for the campaigns in `limits` together: without the reserve unless all may use it."""


LIMITS_LOCK = 0x6C65_6467_6572
"""Shared by reservations; whoever changes a limit has it alone, and takes it before any account is locked."""


def hold_reservations(connection: Connection) -> None:
    """Let no reservation be under way until this transaction ends: it changes a limit."""
    connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LIMITS_LOCK})


def get_limit(connection: Connection, kind: LimitKind, name: str = "") -> tuple[int | None, str | None]:
    """The amount and the zone that were set by command for a campaign, a cost centre or the fleet; None: not set."""
    table = budget_limits.c
    found = select(table.amount, table.zone).where(table.kind == kind, table.name == name)
    row = connection.execute(found).one_or_none()
    return (None, None) if row is None else (row.amount, row.zone)


def set_limit(
    connection: Connection, kind: LimitKind, name: str = "", *, amount: int | None, zone: str | None = None
) -> None:
    """Set the limit of a campaign, a cost centre or the fleet; None takes a limit away that was set so.

    Reservations that are under way have ended when this returns, and those that follow wait until the limit is
    committed. With an amount, a zone of None leaves the one that was set before.
    """
    hold_reservations(connection)
    if amount is None and zone is None:
        gone = delete(budget_limits).where(budget_limits.c.kind == kind, budget_limits.c.name == name)
        connection.execute(gone)
        return
    row = insert(budget_limits).values(kind=kind, name=name, amount=amount, zone=zone)
    values = {"amount": amount, "zone": func.coalesce(row.excluded.zone, budget_limits.c.zone)}
    connection.execute(row.on_conflict_do_update(index_elements=["kind", "name"], set_=values))
