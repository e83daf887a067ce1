"""Leases on jobs with fencing tokens, for any table that has the job columns (extraction jobs, label jobs).

A claim raises the job's `token` and counts an attempt before the work begins, so that a job that kills its worker
runs out of attempts too. A worker that presents an older token has lost the job, so a worker that was slow or cut off
cannot overwrite the work of the next one. A lease that expires makes the job claimable again, until its attempts are
used up. While a job is `ready`, `lease_until` is when it may be claimed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Table,
    and_,
    case,
    false,
    func,
    or_,
    select,
    text,
    true,
    tuple_,
    update,
)

from storage.jsonb import made_storable
from storage.tables.base import is_one_of
from triggers.contracts.api.labels import MAX_CLAIM, MAX_LEASE_S, OPEN_JOBS, JobState
from triggers.errors import InvalidInput, LeaseLost, NotFound

MAX_REASON_CHARACTERS = 1000
_IS_OPEN = text(is_one_of("state", OPEN_JOBS))
"""The condition of the jobs' partial indexes, word for word: with parameters in it PostgreSQL would read every job."""


def claim(
    connection: Connection,
    table: Table,
    *,
    among: ColumnElement[bool],
    order_by: Sequence[ColumnElement[Any]],
    holder: Mapping[str, str],
    count: int,
    lease_s: float,
    max_attempts: int | None,
) -> list[Row[Any]]:
    """Lease at most `count` jobs `among` all, the first by `order_by` and then primary key; returns their rows.

    `holder` says who holds them, by column; no other claim gets them until the lease is over. Jobs whose last lease
    expired with no attempt left are failed on the way; with max_attempts=None the caller enforces the limit.
    """
    if not 1 <= count <= MAX_CLAIM:
        raise InvalidInput(f"cannot claim {count} jobs at once", remedy=f"claim 1 to {MAX_CLAIM}")
    expired = lease_is_over(table)
    if max_attempts is not None:
        exhausted = and_(among, expired, table.c.attempts >= max_attempts)
        _fail_exhausted(connection, table, _chosen(table, exhausted, order_by, MAX_CLAIM), max_attempts)
    due = or_(table.c.lease_until.is_(None), table.c.lease_until <= func.now())
    left = true() if max_attempts is None else table.c.attempts < max_attempts
    free = and_(among, or_(and_(table.c.state == JobState.READY, due), expired), left)
    rows = connection.execute(
        update(table)
        .where(_chosen(table, free, order_by, count))
        .values(
            state=JobState.LEASED,
            attempts=table.c.attempts + 1,
            token=table.c.token + 1,
            lease_until=func.now() + _lease(lease_s),
            **holder,
        )
        .returning(*table.c)
    ).all()
    return sorted(rows, key=lambda row: tuple(getattr(row, column.name) for column in table.primary_key))


def lease_is_over(table: Table) -> ColumnElement[bool]:
    """The condition of a leased job that anyone may claim; its holder keeps it until that happens."""
    return and_(table.c.state == JobState.LEASED, table.c.lease_until < func.now())


def renew(connection: Connection, table: Table, key: Mapping[str, Any], *, token: int, lease_s: float) -> Row[Any]:
    """Extend a lease that is still held, even if it is late; LeaseLost when it is not, NotFound without the job."""
    return _cas(connection, table, key, token, {"lease_until": func.now() + _lease(lease_s)})


def finish(connection: Connection, table: Table, key: Mapping[str, Any], *, token: int) -> Row[Any]:
    """Mark a leased job as done; LeaseLost when it is not held with this token, NotFound when there is none."""
    values = {"state": JobState.DONE, "reason": None, "lease_until": None, "finished_at": func.now()}
    return _cas(connection, table, key, token, values)


def fail(
    connection: Connection,
    table: Table,
    key: Mapping[str, Any],
    *,
    token: int,
    reason: str,
    max_attempts: int | None,
    delay_s: float | ColumnElement[float] = 0.0,
    counts: bool = True,
) -> Row[Any]:
    """Give a leased job back: `ready`, after `delay_s` seconds, while it has attempts left, else `failed`.

    `delay_s` may be an expression of the job's own columns, whose attempts then include the one that ends.

    With `counts` false the attempt is taken back: the job was not to blame (an outage).
    """
    attempts = table.c.attempts if counts else table.c.attempts - 1
    over = false() if max_attempts is None else attempts >= max_attempts
    again_at = case((over, None), else_=func.now() + func.make_interval(0, 0, 0, 0, 0, 0, delay_s))
    values = {
        "state": case((over, JobState.FAILED), else_=JobState.READY),
        "reason": made_storable(reason[:MAX_REASON_CHARACTERS]),
        "attempts": attempts,
        "finished_at": case((over, func.now()), else_=None),
        "lease_until": again_at,
    }
    return _cas(connection, table, key, token, values)


def abandon(connection: Connection, table: Table, key: Mapping[str, Any], *, token: int, reason: str) -> Row[Any]:
    """Make a leased job `failed` at once, whatever attempts it has left: another attempt could not do better."""
    values = {
        "state": JobState.FAILED,
        "reason": made_storable(reason[:MAX_REASON_CHARACTERS]),
        "lease_until": None,
        "finished_at": func.now(),
    }
    return _cas(connection, table, key, token, values)


def free_those_of(connection: Connection, table: Table, *, worker: str, reason: str) -> int:
    """Make `ready` all jobs that an earlier process of this worker's name left leased; returns how many."""
    freed = connection.execute(
        update(table)
        .where(table.c.worker == worker, table.c.state == JobState.LEASED)
        .values(state=JobState.READY, lease_until=None, reason=reason[:MAX_REASON_CHARACTERS])
    )
    return freed.rowcount


def count_open(connection: Connection, table: Table, *, among: ColumnElement[bool]) -> int:
    """How many jobs `among` all are free or under a lease."""
    return connection.execute(select(func.count()).select_from(table).where(_IS_OPEN, among)).scalar_one()


def _fail_exhausted(connection: Connection, table: Table, chosen: ColumnElement[bool], max_attempts: int) -> None:
    connection.execute(
        update(table)
        .where(chosen)
        .values(
            state=JobState.FAILED,
            reason=f"its lease expired {max_attempts} times",
            lease_until=None,
            finished_at=func.now(),
        )
    )


def _chosen(
    table: Table, condition: ColumnElement[bool], order_by: Sequence[ColumnElement[Any]], count: int
) -> ColumnElement[bool]:
    """The condition of the first `count` rows that no other transaction is choosing at the moment."""
    identity = list(table.primary_key)
    chosen = select(*identity).where(_IS_OPEN, condition).order_by(*order_by, *identity).limit(count)
    # SKIP LOCKED lets concurrent claims take different jobs instead of waiting for each other. In a CTE it is evaluated
    # once: in a plain subquery PostgreSQL may run it again for a row that it has already locked.
    return tuple_(*identity).in_(chosen.with_for_update(skip_locked=True).cte("chosen").select())


def _lease(lease_s: float) -> timedelta:
    if not 0 < lease_s <= MAX_LEASE_S:
        raise InvalidInput(
            f"a lease cannot last {lease_s} s", remedy=f"ask for more than 0 and at most {MAX_LEASE_S} s"
        )
    return timedelta(seconds=lease_s)


def _cas(
    connection: Connection, table: Table, key: Mapping[str, Any], token: int, values: Mapping[str, Any]
) -> Row[Any]:
    identity = and_(*(table.c[column] == value for column, value in key.items()))
    name = ", ".join(str(value) for value in key.values())
    row = connection.execute(
        update(table)
        .where(identity, table.c.state == JobState.LEASED, table.c.token == token)
        .values(**values)
        .returning(*table.c)
    ).one_or_none()
    if row is not None:
        return row
    if connection.execute(select(table.c.state).where(identity)).one_or_none() is None:
        raise NotFound(f"there is no job {name}")
    raise LeaseLost(
        f"job {name} is not leased with token {token} any more",
        remedy="drop the result: the job is finished, or another worker has it",
    )
