"""Backtests as jobs, held under the leases of storage.job_leases: begun, moved on, ended, forgotten.

A backtest is run in one go: one whose process died begins again from its start. One that its user removes is gone at
once, and frees the place for another: its holder notices soon after.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import astuple, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, cast, delete, select, update
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.types import Text

from storage import job_leases
from storage.clips.records import locked
from storage.jsonb import made_storable
from storage.tables import backtests
from storage.user_jobs import UserJobs
from triggers.errors import NotFound

MAX_ATTEMPTS = 2
"""How often a backtest is begun before it is given up: it may be what ends the process."""
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
    """The texts that a program is compiled from, what is swept over, and whether fires are told by speed and place."""

    filename: str
    source: str
    signals: str
    sweep: str | None = None
    breakdown: bool = False


@dataclass(frozen=True, slots=True)
class NewBacktest:
    """What a user asks for."""

    names: Sequence[Mapping[str, Any]]
    programs: Sequence[ProgramText]
    over: Mapping[str, Any]
    fleet: Mapping[str, Any]
    sees_positions: bool


_jobs = UserJobs(Backtest, backtests, "backtest", "it may have expired, or clips that it ran over were erased", 5)


def create(connection: Connection, new: NewBacktest, *, user_id: int, keep_s: float) -> Backtest:
    """A new backtest of a user; errors as in `UserJobs.create`."""
    values = {
        "names": [dict(name) for name in new.names],
        "over": dict(new.over),
        "fleet": dict(new.fleet),
        "programs": zlib.compress(_json_of(new.programs)),
        "sees_positions": new.sees_positions,
    }
    backtest, displaced = _jobs.create(connection, values, user_id=user_id, keep_s=keep_s)
    _forget(connection, displaced)
    return backtest


def get(connection: Connection, backtest_id: str, *, user_id: int | None = None) -> Backtest:
    """A backtest that is kept still; with `user_id` only if it is this user's. NotFound otherwise."""
    return _jobs.get(connection, backtest_id, user_id=user_id)


def texts(connection: Connection, backtest_id: str) -> list[ProgramText]:
    """The texts of a backtest's programs; NotFound when it was removed."""
    stored = connection.execute(select(_c.programs).where(_c.id == backtest_id)).scalar()
    if stored is None:
        raise NotFound(f"there is no backtest {backtest_id[:100]!r}")
    return [ProgramText(*text) for text in json.loads(zlib.decompress(stored))]  # those of before have three members


def list_of(connection: Connection, user_id: int) -> list[Backtest]:
    """A user's backtests, the newest first."""
    return _jobs.list_of(connection, user_id)


def remove(connection: Connection, backtest_id: str) -> None:
    """Forget a backtest with its results; one that runs ends soon after."""
    _forget(connection, [backtest_id])


def claim(connection: Connection, *, worker: str, lease_s: float) -> Backtest | None:
    """Take the backtest that has waited longest, or whose holder is gone, for `lease_s` seconds."""
    return _jobs.claim(connection, worker=worker, lease_s=lease_s, max_attempts=MAX_ATTEMPTS)


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
    return _forget(connection, _jobs.expired(connection))


def forget_those_over(connection: Connection, clip_ids: Collection[str]) -> int:
    """Delete backtests that ran over one of these clips, which are being erased; returns how many."""
    ran_over = _c.clip_ids.bool_op("&&")(cast(list(clip_ids), ARRAY(Text)))
    return connection.execute(delete(backtests).where(ran_over)).rowcount


def _json_of(programs: Sequence[ProgramText]) -> bytes:
    return json.dumps([astuple(text) for text in programs]).encode()


def _forget(connection: Connection, backtest_ids: Sequence[str]) -> int:
    return connection.execute(delete(backtests).where(_c.id.in_(backtest_ids))).rowcount
