"""Backtests as jobs, held under the leases of storage.job_leases: begun, moved on, ended, forgotten.

A backtest is run in one go: one whose process died begins again from its start. One that its user removes is gone at
once, and frees the place for another: its holder notices soon after.
"""

from __future__ import annotations

import json
import secrets
import zlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, cast, delete, func, insert, select, true, update
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.exc import IntegrityError
from sqlalchemy.types import Text

from storage import job_leases
from storage.clips.records import locked
from storage.jsonb import made_storable
from storage.rows import columns_of
from storage.tables import backtests
from triggers.contracts.api.labels import OPEN_JOBS
from triggers.errors import NotFound, TooMany

MAX_ATTEMPTS = 2
"""How often a backtest is begun before it is given up: it may be what ends the process."""
KEPT_OF_A_USER = 20
"""Backtests of one user; a new one displaces the oldest."""
_RETRY_AFTER_S = 5
_EXPIRED_AT_ONCE = 100
_c = backtests.c


@dataclass(frozen=True, slots=True)
class Backtest:
    """A backtest as its row has it, without the texts of its programs."""

    id: str
    user_id: int
    names: list[dict[str, Any]]
    over: dict[str, Any]
    fleet: dict[str, Any]
    sees_positions: bool
    state: str
    attempts: int
    token: int
    reason: str | None
    remedy: str | None
    program: int | None
    diagnostics: list[dict[str, Any]]
    created_at: datetime
    finished_at: datetime | None
    expires_at: datetime
    step: str | None
    done: int
    total: int | None


@dataclass(frozen=True, slots=True)
class ProgramText:
    """The texts that a program is compiled from."""

    filename: str
    source: str
    signals: str


@dataclass(frozen=True, slots=True)
class NewBacktest:
    """What a user asks for."""

    names: Sequence[Mapping[str, Any]]
    programs: Sequence[ProgramText]
    over: Mapping[str, Any]
    fleet: Mapping[str, Any]
    sees_positions: bool


_COLUMNS = columns_of(Backtest, backtests)


def create(connection: Connection, new: NewBacktest, *, user_id: int, keep_s: float) -> Backtest:
    """A new backtest of a user; TooMany, naming the other one, while one of theirs is not over.

    Call it first in its transaction, which a refusal leaves unusable.
    """
    open_one = connection.execute(select(_c.id).where(_c.user_id == user_id, _c.state.in_(OPEN_JOBS))).scalar()
    if open_one is not None:
        raise _one_at_a_time(open_one)
    try:
        row = connection.execute(
            insert(backtests)
            .values(
                id=secrets.token_hex(16),
                user_id=user_id,
                names=[dict(name) for name in new.names],
                over=dict(new.over),
                fleet=dict(new.fleet),
                programs=zlib.compress(_json_of(new.programs)),
                sees_positions=new.sees_positions,
                expires_at=func.now() + func.make_interval(0, 0, 0, 0, 0, 0, keep_s),
            )
            .returning(*_COLUMNS)
        ).one()
    except IntegrityError as error:  # another request of this user was faster
        raise _one_at_a_time("another") from error
    mine = select(_c.id).where(_c.user_id == user_id).order_by(_c.created_at.desc(), _c.id)
    _forget(connection, connection.execute(mine.offset(KEPT_OF_A_USER)).scalars().all())
    return Backtest(*row)


def _one_at_a_time(other: str) -> TooMany:
    return TooMany(
        f"each user may have 1 backtest at a time, and yours is not over yet: {other}",
        retry_after_s=_RETRY_AFTER_S,
        remedy="wait for it, or end it: `DELETE /v1/backtests/ID`",
    )


def get(connection: Connection, backtest_id: str, *, user_id: int | None = None) -> Backtest:
    """A backtest that is kept still; with `user_id` only if it is this user's. NotFound otherwise."""
    mine = true() if user_id is None else _c.user_id == user_id
    found = select(*_COLUMNS).where(_c.id == backtest_id, mine, _c.expires_at > func.now())
    row = connection.execute(found).one_or_none()
    if row is None:
        raise NotFound(
            f"there is no backtest {backtest_id[:100]!r} of yours",
            remedy="it may have expired, or clips that it ran over were erased: begin another",
        )
    return Backtest(*row)


def texts(connection: Connection, backtest_id: str) -> list[ProgramText]:
    """The texts of a backtest's programs; NotFound when it was removed."""
    stored = connection.execute(select(_c.programs).where(_c.id == backtest_id)).scalar()
    if stored is None:
        raise NotFound(f"there is no backtest {backtest_id[:100]!r}")
    return [ProgramText(*text) for text in json.loads(zlib.decompress(stored))]


def list_of(connection: Connection, user_id: int) -> list[Backtest]:
    """A user's backtests, the newest first."""
    rows = connection.execute(
        select(*_COLUMNS)
        .where(_c.user_id == user_id, _c.expires_at > func.now())
        .order_by(_c.created_at.desc(), _c.id)
        .limit(KEPT_OF_A_USER)
    )
    return [Backtest(*row) for row in rows]


def remove(connection: Connection, backtest_id: str) -> None:
    """Forget a backtest with its results; one that runs ends soon after."""
    _forget(connection, [backtest_id])


def claim(connection: Connection, *, worker: str, lease_s: float) -> Backtest | None:
    """Take the backtest that has waited longest, or whose holder is gone, for `lease_s` seconds."""
    taken = job_leases.claim(
        connection,
        backtests,
        among=_c.expires_at > func.now(),
        order_by=(_c.created_at,),
        holder={"worker": worker},
        count=1,
        lease_s=lease_s,
        max_attempts=MAX_ATTEMPTS,
    )
    return Backtest(*(getattr(taken[0], column.name) for column in _COLUMNS)) if taken else None


def move_on(
    connection: Connection, backtest: Backtest, *, step: str, done: int, total: int | None, lease_s: float
) -> None:
    """Say how far a backtest is, and keep it; LeaseLost when another has it, NotFound when it was removed."""
    job_leases.renew(connection, backtests, {"id": backtest.id}, token=backtest.token, lease_s=lease_s)
    connection.execute(update(backtests).where(_c.id == backtest.id).values(step=step, done=done, total=total))


def note_clips(connection: Connection, backtest: Backtest, clip_ids: Sequence[str]) -> set[str]:
    """Note which clips a backtest runs over, so that it goes with them. Do so before any of them is read.

    Returns those that are noted: others were erased meanwhile, and must not be read.
    """
    alive = locked(connection, clip_ids)
    held = update(backtests).where(_c.id == backtest.id, _c.token == backtest.token)
    connection.execute(held.values(clip_ids=[clip_id for clip_id in clip_ids if clip_id in alive]))
    return alive


def finish(connection: Connection, backtest: Backtest) -> None:
    """End a backtest, whose results are written in the same transaction. Errors as in `move_on`."""
    job_leases.finish(connection, backtests, {"id": backtest.id}, token=backtest.token)
    connection.execute(update(backtests).where(_c.id == backtest.id).values(step=None))


def abandon(
    connection: Connection,
    backtest: Backtest,
    *,
    reason: str,
    remedy: str = "",
    program: int | None = None,
    diagnostics: Sequence[Mapping[str, Any]] = (),
) -> None:
    """End a backtest that cannot go on, and say why. Errors as in `move_on`."""
    job_leases.abandon(connection, backtests, {"id": backtest.id}, token=backtest.token, reason=reason)
    quoted = [
        {key: made_storable(value) if isinstance(value, str) else value for key, value in each.items()}
        for each in diagnostics
    ]
    told = {"remedy": made_storable(remedy) or None, "program": program, "diagnostics": quoted}
    connection.execute(update(backtests).where(_c.id == backtest.id).values(step=None, **told))


def give_back(connection: Connection, backtest: Backtest, *, reason: str, delay_s: float = 0.0) -> None:
    """Let another process, or this one later, begin a backtest again: it was not to blame. Errors as in `move_on`."""
    job_leases.fail(
        connection,
        backtests,
        {"id": backtest.id},
        token=backtest.token,
        reason=reason,
        max_attempts=MAX_ATTEMPTS,
        delay_s=delay_s,
        counts=False,
    )


def expire(connection: Connection) -> int:
    """Delete backtests whose time is over, some at a time; returns how many."""
    due = select(_c.id).where(_c.expires_at <= func.now()).limit(_EXPIRED_AT_ONCE)
    return _forget(connection, connection.execute(due).scalars().all())


def forget_those_over(connection: Connection, clip_ids: Collection[str]) -> int:
    """Delete backtests that ran over one of these clips, which are being erased; returns how many."""
    ran_over = _c.clip_ids.bool_op("&&")(cast(list(clip_ids), ARRAY(Text)))
    return connection.execute(delete(backtests).where(ran_over)).rowcount


def _json_of(programs: Sequence[ProgramText]) -> bytes:
    return json.dumps([[text.filename, text.source, text.signals] for text in programs]).encode()


def _forget(connection: Connection, backtest_ids: Sequence[str]) -> int:
    return connection.execute(delete(backtests).where(_c.id.in_(backtest_ids))).rowcount
