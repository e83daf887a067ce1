"""Jobs that a user asks for, under the leases of storage.job_leases: one open at a time, the newest kept, until expiry.

The table has, beside the job columns, a text `id`, `user_id`, `created_at` and `expires_at`, and a unique index by
which a user has one open job.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from sqlalchemy import Connection, Table, func, insert, select, true
from sqlalchemy.exc import IntegrityError

from storage import job_leases
from storage.rows import columns_of
from triggers.contracts.api.labels import OPEN_JOBS
from triggers.errors import NotFound, TooMany

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

KEPT_OF_A_USER = 20
"""Jobs of one kind of one user; a new one displaces the oldest."""
_EXPIRED_AT_ONCE = 100
Job = TypeVar("Job", bound="DataclassInstance")


class UserJobs(Generic[Job]):
    """The jobs of one table, as `record` has a row; `what` is what one is called, `/v1/{what}s` where users end it.

    `gone` says what may have become of one that is not there, `retry_after_s` when a refused user may try again.
    """

    def __init__(self, record: type[Job], table: Table, what: str, gone: str, retry_after_s: int) -> None:
        self.record = record
        self.table = table
        self.columns = columns_of(record, table)
        self.what = what
        self.gone = gone
        self.retry_after_s = retry_after_s

    def create(
        self, connection: Connection, values: Mapping[str, Any], *, user_id: int, keep_s: float
    ) -> tuple[Job, Sequence[str]]:
        """A new job of a user, and the ids of those that it displaces, which the caller forgets.

        TooMany, naming the other one, while one of theirs is not over. Call it first in its transaction, which a
        refusal leaves unusable.
        """
        c = self.table.c
        open_one = connection.execute(select(c.id).where(c.user_id == user_id, c.state.in_(OPEN_JOBS))).scalar()
        if open_one is not None:
            raise self._one_at_a_time(open_one)
        expires_at = func.now() + func.make_interval(0, 0, 0, 0, 0, 0, keep_s)
        given = {**values, "id": secrets.token_hex(16), "user_id": user_id, "expires_at": expires_at}
        try:
            row = connection.execute(insert(self.table).values(**given).returning(*self.columns)).one()
        except IntegrityError as error:  # another request of this user was faster
            raise self._one_at_a_time("another") from error
        mine = select(c.id).where(c.user_id == user_id).order_by(c.created_at.desc(), c.id)
        return self.record(*row), connection.execute(mine.offset(KEPT_OF_A_USER)).scalars().all()

    def get(self, connection: Connection, job_id: str, *, user_id: int | None = None) -> Job:
        """A job that is kept still; with `user_id` only if it is this user's. NotFound otherwise."""
        c = self.table.c
        mine = true() if user_id is None else c.user_id == user_id
        found = select(*self.columns).where(c.id == job_id, mine, c.expires_at > func.now())
        row = connection.execute(found).one_or_none()
        if row is None:
            raise NotFound(f"there is no {self.what} {job_id[:100]!r} of yours", remedy=f"{self.gone}: begin another")
        return self.record(*row)

    def list_of(self, connection: Connection, user_id: int) -> list[Job]:
        """A user's jobs, the newest first."""
        c = self.table.c
        rows = connection.execute(
            select(*self.columns)
            .where(c.user_id == user_id, c.expires_at > func.now())
            .order_by(c.created_at.desc(), c.id)
            .limit(KEPT_OF_A_USER)
        )
        return [self.record(*row) for row in rows]

    def claim(self, connection: Connection, *, worker: str, lease_s: float, max_attempts: int) -> Job | None:
        """Take the job that has waited longest, or whose holder is gone, for `lease_s` seconds."""
        c = self.table.c
        taken = job_leases.claim(
            connection,
            self.table,
            among=c.expires_at > func.now(),
            order_by=(c.created_at,),
            holder={"worker": worker},
            count=1,
            lease_s=lease_s,
            max_attempts=max_attempts,
        )
        return self.record(*(getattr(taken[0], column.name) for column in self.columns)) if taken else None

    def expired(self, connection: Connection) -> Sequence[str]:
        """The ids of jobs whose time is over, some at a time."""
        c = self.table.c
        over = select(c.id).where(c.expires_at <= func.now()).limit(_EXPIRED_AT_ONCE)
        return connection.execute(over).scalars().all()

    def _one_at_a_time(self, other: str) -> TooMany:
        return TooMany(
            f"each user may have 1 {self.what} at a time, and yours is not over yet: {other}",
            retry_after_s=self.retry_after_s,
            remedy=f"wait for it, or end it: `DELETE /v1/{self.what}s/ID`",
        )
