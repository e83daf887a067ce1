"""What campaigns and triggers spend by day, on how many vehicles, and how these differ: what forecasts learn from."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, text

from storage.ledger.accounts import TOTALS, AccountKey
from storage.tables.base import is_one_of
from triggers.assignment.given import Version
from triggers.statistics.budget_forecast.days import Day
from triggers.statistics.fleet_rates import VehicleSums

ACTIVE_DAYS = 7
"""A vehicle that has not checked in for so long is not expected to run or to send anything."""
USUAL_CLIPS = 100
"""The newest so many clips say how large those of an account usually are: reading them takes no longer as it grows."""

_ACCOUNT = """(
        SELECT id FROM ledger_accounts
        WHERE kind = :kind AND campaign = :campaign AND trigger = :trigger
            AND vehicle_id = '' AND cost_centre = '' AND network = ''
    )"""
_DAY = "CAST(e.created_at AT TIME ZONE 'UTC' AS date)"

_ENTRY = f"""SELECT {_DAY}, e.settled_delta,
            CASE WHEN e.kind = 'settle' THEN CAST(e.settled_delta AS numeric) * e.settled_delta ELSE 0 END
        FROM ledger_entries e WHERE e.account_id = {_ACCOUNT} AND e.kind <> 'reserve'"""  # noqa: S608 - constants

# All entries of a clip's charge, with those that take a damaged clip back: of whole days as sums by day and what is not
# folded into them yet; of the first day, which is one in part, one by one.
_SPENT = text(f"""
    SELECT day, sum(amount) AS amount, sum(squares) AS squares
    FROM (
        SELECT day, settled AS amount, squares FROM ledger_days
        WHERE account_id = {_ACCOUNT} AND day >= :second AND day < :end_day
        UNION ALL
        {_ENTRY} AND NOT e.folded AND e.created_at >= :second_at AND e.created_at < :until
        UNION ALL
        {_ENTRY} AND e.created_at >= :since AND e.created_at < least(:second_at, CAST(:until AS timestamptz))
    ) spent
    GROUP BY 1 ORDER BY 1
""")  # noqa: S608 - put together from the constants above

_SETTLED = text(f"""
    SELECT a.kind, a.campaign, a.trigger, a.settled + coalesce(sum(e.settled_delta), 0) AS settled
    FROM ledger_accounts a LEFT JOIN ledger_entries e ON e.account_id = a.id AND NOT e.folded
    WHERE {is_one_of("a.kind", TOTALS)} AND a.campaign = ANY (CAST(:campaigns AS text[]))
    GROUP BY a.id
""")  # noqa: S608 - put together from constants

_USUAL = text(f"""
    SELECT avg(amount) FROM (
        SELECT e.settled_delta AS amount FROM ledger_entries e
        WHERE e.account_id = {_ACCOUNT} AND e.kind = 'settle'
        ORDER BY e.created_at DESC LIMIT {USUAL_CLIPS}
    ) newest
""")  # noqa: S608 - put together from the constants above

# Vehicles that were given the version, and that had it taken from them, by day; `rest` is what was left of the day.
_ASSIGNED = text("""
    WITH given AS (
        SELECT greatest(assigned_from, CAST(:since AS timestamptz)) AS begun, assigned_until AS ended
        FROM assignments WHERE campaign = :campaign AND version = :version
            AND (assigned_until IS NULL OR assigned_until > :since)
    ),
    changes (at, sign) AS (
        SELECT begun, 1 FROM given UNION ALL SELECT ended, -1 FROM given WHERE ended IS NOT NULL
    )
    SELECT CAST(at AT TIME ZONE 'UTC' AS date) AS day, sum(sign) AS vehicles,
        CAST(sum(sign * (86400 - extract(epoch FROM at - date_trunc('day', at, 'UTC')))) / 86400 AS float) AS rest
    FROM changes GROUP BY 1 ORDER BY 1
""")

_SPREAD = text("""
    WITH each AS (
        SELECT CAST(coalesce(
            CASE CAST(:trigger AS text) WHEN '' THEN c.watermark
                ELSE CAST(c.per_trigger ->> CAST(:trigger AS text) AS bigint) END, 0
        ) AS numeric) AS f, CAST(extract(
            epoch FROM coalesce(a.assigned_until, now()) - greatest(a.assigned_from, CAST(:since AS timestamptz))
        ) AS numeric(20)) AS e
        FROM assignments a
        LEFT JOIN fire_counts c USING (vehicle_id, campaign, version)
        JOIN vehicles v ON v.id = a.vehicle_id
        WHERE a.campaign = :campaign AND a.version = :version AND v.counts_voided_at IS NULL
    )
    SELECT count(*) AS vehicles, sum(f) AS f, sum(e) AS e, sum(f * f) AS ff, sum(f * e) AS fe, sum(e * e) AS ee
    FROM each WHERE e > 0
""")

_GROUPS = text(f"""
    SELECT named.given, named.told, count(*) AS vehicles
    FROM vehicles v CROSS JOIN LATERAL (
        SELECT coalesce(jsonb_object_agg(key, v.attributes -> key) FILTER (WHERE v.attributes ? key), '{{}}') AS given,
            coalesce(
                jsonb_object_agg(key, v.reported_attributes -> key) FILTER (WHERE v.reported_attributes ? key), '{{}}'
            ) AS told
        FROM unnest(CAST(:names AS text[])) AS key
    ) named
    WHERE v.revoked_at IS NULL AND v.erasure IS NULL AND v.quarantined_at IS NULL
        AND v.last_check_in_at > now() - interval '{ACTIVE_DAYS} days'
    GROUP BY named.given, named.told
""")  # noqa: S608 - put together from the constant above


@dataclass(frozen=True, slots=True)
class VehicleGroup:
    """Vehicles that are alike in the attributes that a target names."""

    attributes: dict[str, Any]
    reported: dict[str, Any]
    vehicles: int


def vehicle_days(connection: Connection, version: Version, *, since: datetime, now: datetime) -> dict[date, float]:
    """For how many whole days vehicles had a version on each UTC day from `since` to `now`, in order; of the first and
    the last day in part."""
    since, now = since.astimezone(UTC), now.astimezone(UTC)
    asked = {"campaign": version[0], "version": version[1], "since": since}
    changed = {row.day: row for row in connection.execute(_ASSIGNED, asked)}
    found, vehicles = {}, 0
    day, today = since.date(), now.date()
    left_of_today = 1 - (now - _midnight(now)) / timedelta(days=1)
    while day <= today:
        change = changed.get(day)
        begun, rest = (int(change.vehicles), float(change.rest)) if change else (0, 0.0)
        left = left_of_today if day == today else 0.0
        found[day] = max(0.0, vehicles * (1 - left) + rest - begun * left)
        vehicles += begun
        day += timedelta(days=1)
    return found


def seen_days(
    connection: Connection, account: AccountKey, of_vehicles: Mapping[date, float], *, since: datetime, now: datetime
) -> list[Day]:
    """What an account of a total settled on each of its version's `vehicle_days` from `since` to `now`."""
    end = _midnight(now.astimezone(UTC)) + timedelta(days=1)
    spent = {row.day: row for row in _spent(connection, account, since.astimezone(UTC), end)}
    return [Day(vehicles, *_amounts(spent.get(day))) for day, vehicles in of_vehicles.items()]


def _amounts(row: Any) -> tuple[int, int]:
    """Bytes or clips of a day, and the sum of their squares; a clip taken back may be one of the day before."""
    return (0, 0) if row is None else (max(0, int(row.amount)), int(row.squares or 0))


def spent_between(connection: Connection, account: AccountKey, *, since: datetime, until: datetime) -> int:
    """What an account of a total settled after `since` and before `until`, the beginning of a UTC day."""
    after = since.astimezone(UTC) + timedelta(microseconds=1)
    return sum(int(row.amount) for row in _spent(connection, account, after, until.astimezone(UTC)))


def _spent(connection: Connection, account: AccountKey, since: datetime, until: datetime) -> Sequence[Row[Any]]:
    """Amounts and squares by UTC day; both times are in UTC, and `until` begins a day."""
    second = _midnight(since) + timedelta(days=1)
    days = {"second": second.date(), "second_at": second, "end_day": until.date()}
    return connection.execute(_SPENT, {**_named(account), "since": since, "until": until, **days}).all()


def _named(account: AccountKey) -> dict[str, str]:
    """The parameters of _ACCOUNT."""
    return {"kind": account.kind, "campaign": account.campaign, "trigger": account.trigger}


def _midnight(moment: datetime) -> datetime:
    return moment.replace(hour=0, minute=0, second=0, microsecond=0)


def settled(connection: Connection, campaigns: Collection[str]) -> dict[AccountKey, int]:
    """What the totals of these campaigns and of their triggers' own budgets have settled, exactly, folded or not;
    nothing for those without an account."""
    rows = connection.execute(_SETTLED, {"campaigns": sorted(campaigns)})
    return {AccountKey(row.kind, row.campaign, trigger=row.trigger): int(row.settled) for row in rows}


def usual_size(connection: Connection, account: AccountKey) -> float:
    """What a clip usually takes of the account of a total, in its unit: the mean of the newest USUAL_CLIPS that settled
    something, and at least 1, also before the first."""
    return max(1.0, float(connection.execute(_USUAL, _named(account)).scalar_one() or 0))


def vehicles_that_differ(
    connection: Connection, version: Version, *, since: datetime, trigger: str = ""
) -> VehicleSums:
    """Fires (of a trigger, '': of all) and assigned time (s) of the version's vehicles, as sums that tell how they
    differ."""
    asked = {"campaign": version[0], "version": version[1], "trigger": trigger, "since": since}
    row = connection.execute(_SPREAD, asked).one()
    fires = int(row.f or 0)
    return VehicleSums(
        row.vehicles, fires, int(row.e or 0), int(row.ff or 0), int(row.fe or 0), int(row.ee or 0), fires
    )


def active_vehicles(connection: Connection, names: Sequence[str]) -> list[VehicleGroup]:
    """The vehicles that can be expected to run campaigns, grouped by these attributes of theirs."""
    rows = connection.execute(_GROUPS, {"names": list(names)})
    return [VehicleGroup(row.given, row.told, row.vehicles) for row in rows]
