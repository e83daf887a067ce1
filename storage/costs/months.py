"""Months of costs that are closed, and their entries: rows that are added once, and never changed or taken back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnClause, Connection, Row, insert, literal_column, select, text

from storage.rows import insert_rows, values_of
from storage.tables import closed_months, cost_entries, deployment, users
from triggers.contracts.users import User

_m, _e = closed_months.c, cost_entries.c
_LOCK = 0x6C745F6D6F6E7468  # any number that no other advisory lock has: "lt_month"
_closer: ColumnClause[int] = literal_column(f"{closed_months.name}.closed_by_id")


@dataclass(frozen=True)
class NewMonth:
    """A month that is to be closed, known by its first day; `account` has `id`, `name` and `provider`."""

    month: date
    price_book: int
    currency: str
    zone: str
    amount: Decimal
    account: dict[str, str]


@dataclass(frozen=True)
class ClosedMonth(NewMonth):
    """A closed month: how many entries it has, and when it was closed by whom."""

    entries: int
    closed_at: datetime
    closed_by: str


@dataclass(frozen=True, slots=True)
class CostEntry:
    """An entry of a closed month. Its charge is of the days from `start` until before `until`."""

    month: date
    number: int
    campaign: str
    service: str
    item: str
    start: date
    until: date
    unit_price: Decimal
    quantity: int
    tags: dict[str, str]


_COLUMNS = (
    *(_m[name] for name in ("month", "price_book", "currency", "zone", "amount", "account", "entries", "closed_at")),
    select(users.c.name).where(users.c.id == _closer).scalar_subquery().label("closed_by"),
)
_ENTRY_COLUMNS = tuple(cost_entries.c)


def try_lock(connection: Connection) -> bool:
    """Let nobody else close a month until this transaction ends; False if somebody else is closing one."""
    return bool(connection.execute(text("SELECT pg_try_advisory_xact_lock(:key)"), {"key": _LOCK}).scalar_one())


def closed(connection: Connection) -> list[ClosedMonth]:
    """All closed months, in order."""
    return [ClosedMonth(*row) for row in connection.execute(select(*_COLUMNS).order_by(_m.month))]


def entries(
    connection: Connection, *, first: date, last: date, after: tuple[date, int] | None = None, limit: int | None = None
) -> list[CostEntry]:
    """Entries of the months from `first` through `last` in their order; at most `limit`, those after a position."""
    query = select(*_ENTRY_COLUMNS).where(_e.month.between(first, last)).order_by(_e.month, _e.number).limit(limit)
    if after is not None:
        query = query.where(text("(month, number) > (:after_month, :after_number)"))
        query = query.params(after_month=after[0], after_number=after[1])
    return [_entry(row) for row in connection.execute(query)]


def close(connection: Connection, month: NewMonth, of_month: Sequence[CostEntry], *, user: User) -> ClosedMonth:
    """Close a month with its entries; the caller has `try_lock`, and has seen that it may be closed."""
    row = {**values_of(month, closed_months), "entries": len(of_month), "closed_by_id": user.id}
    closed_month = connection.execute(insert(closed_months).values(row).returning(*_COLUMNS)).one()
    # One statement: once it is done the month is complete, and another would be refused.
    insert_rows(connection, cost_entries, [values_of(each, cost_entries) for each in of_month])
    return ClosedMonth(*closed_month)


def deployment_id(connection: Connection) -> str:
    """What the deployment is known by: the id of its billing account."""
    return str(connection.execute(select(deployment.c.id)).scalar_one())


def _entry(row: Row[Any]) -> CostEntry:
    values = dict(row._mapping)
    return CostEntry(**{**values, "quantity": int(values["quantity"]), "unit_price": values["unit_price"].normalize()})
