"""The evaluation of alert rules: whose turn it is, what the last one remembers, and what it found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, func, select, update
from sqlalchemy.dialects.postgresql import insert as insert_unless_there

from storage.tables import alert_evaluation

_e = alert_evaluation.c
_NOTHING: dict[str, Any] = {"held": {}, "samples": [], "alerts": [], "missing": []}


@dataclass(frozen=True, slots=True)
class Evaluation:
    """An evaluation; `evaluated_at` is None before the first. `held` and `samples` are what the next goes on from.

    `begun_at` is whose turn the next one is: None unless it was taken.
    """

    evaluated_at: datetime | None
    held: Mapping[str, Any]
    samples: Sequence[Any]
    alerts: Sequence[Mapping[str, Any]]
    missing: Sequence[str]
    begun_at: datetime | None = None


def take(connection: Connection, *, every_s: float) -> Evaluation | None:
    """The last evaluation, if it is time for another one; the caller has `every_s` for it. None: another has it."""
    empty = insert_unless_there(alert_evaluation).values(begun_at=datetime.fromtimestamp(0).astimezone(), **_NOTHING)
    connection.execute(empty.on_conflict_do_nothing())
    row = connection.execute(
        update(alert_evaluation)
        .where(_e.begun_at < func.now() - timedelta(seconds=every_s))
        .values(begun_at=func.now())
        .returning(_e.evaluated_at, _e.held, _e.samples, _e.alerts, _e.missing, _e.begun_at)
    ).one_or_none()
    return None if row is None else Evaluation(*row)


def write(
    connection: Connection,
    *,
    taken: Evaluation,
    held: Mapping[str, Any],
    alerts: Sequence[Mapping[str, Any]],
    missing: Sequence[str],
    samples: Sequence[Any] | None,
) -> bool:
    """Keep an evaluation, of now, in the turn that was `taken`; False when another has taken the next one since.

    `samples` may be large: None leaves those that there are.
    """
    kept = {} if samples is None else {"samples": samples}
    values = {"held": held, "alerts": alerts, "missing": missing, **kept}
    ours = update(alert_evaluation).where(_e.begun_at == taken.begun_at)
    return connection.execute(ours.values(evaluated_at=func.now(), **values)).rowcount == 1


def newest(connection: Connection) -> Evaluation:
    """The last evaluation; an empty one before the first."""
    found = connection.execute(select(_e.evaluated_at, _e.alerts, _e.missing)).one_or_none()
    if found is None:
        return Evaluation(None, {}, [], [], [])
    return Evaluation(found.evaluated_at, {}, [], found.alerts, found.missing)
