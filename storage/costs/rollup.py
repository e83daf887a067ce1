"""Sums of what costs are made of: days are summed up once they are over, months once all of their days are.

A day that is over does not change: what arrives, moves or is erased later is dated later. Two things can still add to
it, and both are provided for: a transaction that began on it and ends late, so that the last days are summed up again,
and a server's clock that was ahead and is put back, so that sums of days that are not over any more are dropped. Sums
are made anew in place of those before, so that doing it twice changes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import Connection, text

from storage.costs.facts import DAY_OF, FACTS
from triggers.costs.months import DAY, Month

OVER_FOR = timedelta(hours=1)
LATE_DAYS = 2
"""So many days are summed up again with the day after them."""
PIECE_DAYS = LATE_DAYS + 1
_LOCK = 0x6C745F636F737473  # any number that no other advisory lock has: "lt_costs"

_TRY_LOCK = text("SELECT pg_try_advisory_xact_lock(:key)")
_HOLD = text("SELECT pg_advisory_xact_lock_shared(:key)")
_STATE = text(f"""
    SELECT {DAY_OF.format("now() - CAST(:over_for AS interval)")} - 1 AS last,
        r.through, r.months_until
    FROM (VALUES (1)) one LEFT JOIN cost_rollups r ON r.zone = :zone
""")  # noqa: S608 - put together from the constants above
_FIRST_DAY = text(f"""
    SELECT min({DAY_OF.format("first.created_at")})
    FROM ledger_accounts a CROSS JOIN LATERAL (
        SELECT e.created_at FROM ledger_entries e
        WHERE e.account_id = a.id AND e.kind <> 'reserve' ORDER BY e.created_at LIMIT 1
    ) first
    WHERE a.kind = 'campaign_bytes'
""")  # noqa: S608 - put together from the constants above
_FORGET_OTHERS = tuple(
    text(f"DELETE FROM {table} WHERE zone <> :zone")  # noqa: S608 - constants
    for table in ("cost_days", "cost_months", "cost_rollups")
)
_DROP = text("DELETE FROM cost_days WHERE zone = :zone AND day >= :first")
_DROP_MONTHS = text("DELETE FROM cost_months WHERE zone = :zone AND month >= :first")
_SUM_UP = text(f"""
    INSERT INTO cost_days (zone, day, campaign, service, item, quantity)
    SELECT :zone, day, campaign, service, item, quantity FROM ({FACTS}) facts
""")  # noqa: S608 - put together from the constants above
_SUM_UP_MONTH = text("""
    INSERT INTO cost_months (zone, month, campaign, service, item, quantity, unit_days)
    SELECT zone, CAST(:first AS date), campaign, service, item, sum(quantity), sum(quantity * (:until - day))
    FROM cost_days WHERE zone = :zone AND day >= :first AND day < CAST(:until AS date)
    GROUP BY zone, campaign, service, item
""")
_MARK = text("""
    INSERT INTO cost_rollups (zone, through, months_until) VALUES (:zone, :through, :months_until)
    ON CONFLICT (zone) DO UPDATE SET through = excluded.through, months_until = excluded.months_until
""")


@dataclass(slots=True)
class Rollup:
    """How far the sums of a time zone reach; `last` is the last day that is over."""

    zone: str
    last: date
    through: date
    months_until: date


def first_day(connection: Connection, zone: str) -> date | None:
    """The first day on which anything was caused; None before that."""
    found: date | None = connection.execute(_FIRST_DAY, {"zone": zone}).scalar_one()
    return found


def hold(connection: Connection) -> None:
    """Let nobody change sums until this transaction ends, which reads them by several statements."""
    connection.execute(_HOLD, {"key": _LOCK})


def sum_up(connection: Connection, zone: str) -> bool:
    """Sum up the next few days that are over, or a month, in a transaction of its own; whether there are more.

    Sums of other time zones are forgotten: the account's days are in one.
    """
    if not connection.execute(_TRY_LOCK, {"key": _LOCK}).scalar_one():
        return False
    state = _state(connection, zone)
    if state is None:
        return False
    changed = _sum_up_days(connection, state) or _sum_up_month(connection, state)
    if changed:
        until = {"through": state.through, "months_until": state.months_until}
        connection.execute(_MARK, {"zone": zone, **until})
    return changed


def _state(connection: Connection, zone: str) -> Rollup | None:
    """How far the sums reach; None before anything was caused."""
    row = connection.execute(_STATE, {"zone": zone, "over_for": OVER_FOR}).one()
    if row.through is not None:
        return Rollup(zone, row.last, row.through, row.months_until)
    for statement in _FORGET_OTHERS:
        connection.execute(statement, {"zone": zone})
    first = first_day(connection, zone)
    return None if first is None else Rollup(zone, row.last, first - DAY, first.replace(day=1))


def _sum_up_days(connection: Connection, state: Rollup) -> bool:
    if state.through == state.last:
        return False
    first = min(state.through + DAY, state.last - LATE_DAYS * DAY)
    until = min(first + PIECE_DAYS * DAY, state.last + DAY)
    if first < state.months_until:  # the clock was put back, or nothing is older than some days
        state.months_until = first.replace(day=1)
        connection.execute(_DROP_MONTHS, {"zone": state.zone, "first": state.months_until})
    connection.execute(_DROP, {"zone": state.zone, "first": first})
    connection.execute(_SUM_UP, {"zone": state.zone, "first": first, "until": until})
    state.through = until - DAY
    return True


def _sum_up_month(connection: Connection, state: Rollup) -> bool:
    """The next month, once none of its days will be summed up again."""
    until = Month.of(state.months_until).end
    if until > state.last - LATE_DAYS * DAY:
        return False
    connection.execute(_SUM_UP_MONTH, {"zone": state.zone, "first": state.months_until, "until": until})
    state.months_until = until
    return True
