"""Halts of rollouts: times in which the stages of a version did not count, since it was paused or held."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, insert, select, update

from storage.campaigns.queries import checked_version
from storage.jsonb import storable
from storage.tables import rollout_halts, users
from triggers.contracts.campaign import HaltKind
from triggers.contracts.users import User

_c = rollout_halts.c


@dataclass(frozen=True, slots=True)
class Halt:
    """One of them. `until` is None while it lasts, and of a version that has ended meanwhile.

    `halted_by` is the name that the person has now; it and `reason` are None where they are not known.
    """

    kind: HaltKind
    since: datetime
    until: datetime | None
    halted_by: str | None
    reason: str | None


def begin(
    connection: Connection, campaign: str, version: int, kind: HaltKind, *, user: User, reason: str | None
) -> None:
    """Note that a halt begins now; the caller takes the step that it belongs to in the same transaction."""
    connection.execute(
        insert(rollout_halts).values(
            campaign=campaign,
            version=version,
            since=func.now(),
            kind=kind,
            halted_by_id=user.id,
            reason=storable(reason, what="the reason"),
        )
    )


def end(connection: Connection, campaign: str, version: int, kind: HaltKind) -> None:
    """Note that the halt of this kind is over, if there is one."""
    connection.execute(
        update(rollout_halts)
        .where(_c.campaign == campaign, _c.version == version, _c.kind == kind, _c.until.is_(None))
        .values(until=func.now())
    )


def listing(connection: Connection, campaign: str, version: int) -> list[Halt]:
    """The halts of a version in their order."""
    rows = connection.execute(
        select(_c.kind, _c.since, _c.until, users.c.name, _c.reason)
        .outerjoin(users, users.c.id == _c.halted_by_id)
        .where(_c.campaign == campaign, _c.version == checked_version(version))
        .order_by(_c.since)
    )
    return [Halt(HaltKind(row.kind), row.since, row.until, row.name, row.reason) for row in rows]
