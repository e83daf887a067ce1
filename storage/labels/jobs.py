"""Label jobs: one per clip and task, claimed under a lease and completed once with labels in ASAM OpenLABEL.

A token numbers the claims of a job and is not a secret, so callers check who holds the job (`lock_claim`) before they
renew, complete or fail it. Labels record who made them, how (`provenance`), and the types that they name.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, and_, exists, false, func, insert, literal, select, true, update
from sqlalchemy.dialects.postgresql import insert as upsert

from storage import job_leases
from storage.clips.marks import texts
from storage.jsonb import storable
from storage.rows import columns_of
from storage.tables import clips, label_jobs, labels
from triggers.contracts.api.labels import JobState
from triggers.errors import Conflict, NotFound

MAX_ATTEMPTS = 5
FIRST_PAUSE_S = 30.0
"""How long a job rests after it was given back for the first time; four times as long after each further time, so
that a labeler that fails at once does not use up the attempts of every job."""
MAX_BIGINT = 2**63 - 1
_c = label_jobs.c


@dataclass(frozen=True, slots=True)
class LabelJob:
    """A job as its claimant gets it; `token` is needed to renew, complete or fail it."""

    id: int
    clip_id: str
    task: str
    token: int
    attempts: int
    lease_until: datetime


@dataclass(frozen=True, slots=True)
class JobRecord:
    """A job as a list shows it. `reason` says why it was given back last, or why it failed."""

    id: int
    clip_id: str
    task: str
    state: JobState
    attempts: int
    reason: str | None
    claimed_by: str | None
    labeler: str | None
    lease_until: datetime | None
    created_at: datetime
    finished_at: datetime | None


@dataclass(frozen=True, slots=True)
class LabelClaim:
    """The newest claim of a job: the state that it led to, and the user who claimed."""

    state: JobState
    claimed_by: str


_JOB_COLUMNS = columns_of(LabelJob, label_jobs)
_RECORD_COLUMNS = columns_of(JobRecord, label_jobs)
_DUE = func.coalesce(_c.lease_until, _c.created_at)
"""When a job became free to be claimed: the order of claims."""
_PAUSE_S = FIRST_PAUSE_S * func.power(4, _c.attempts - 1)


def has_claimed(connection: Connection, clip_id: str, *, user: str) -> bool:
    """Whether the user holds a job of the clip, or held it last."""
    return connection.execute(select(exists().where(_c.clip_id == clip_id, _c.claimed_by == user))).scalar_one()


def require_claimed(connection: Connection, clip_id: str, *, user: str) -> None:
    """NotFound unless the user has claimed a job of the clip."""
    if not has_claimed(connection, clip_id, user=user):
        raise NotFound(f"{user} has claimed no clip {clip_id[:100]!r}", remedy="claim its job: `longtail labels claim`")


def ensure(connection: Connection, clip_id: str, task: str) -> bool:
    """Create the job of this task for a clip; False when it exists already, or when the clip was erased."""
    is_duplicate = clips.c.duplicate_of.is_not(None)
    clip = select(clips.c.id, literal(task), is_duplicate).where(clips.c.id == clip_id)
    clip = clip.with_for_update(read=True, key_share=True)
    added = connection.execute(
        upsert(label_jobs)
        .from_select(["clip_id", "task", "is_duplicate"], clip)
        .on_conflict_do_nothing(index_elements=[_c.clip_id, _c.task])
        .returning(_c.id)
    )
    return added.one_or_none() is not None


def claim(
    connection: Connection,
    *,
    user: str,
    task: str,
    labeler: str,
    count: int,
    lease_s: float,
    duplicates: bool = False,
) -> list[LabelJob]:
    """Lease at most `count` jobs of a task to a user's labeler; no other claim returns them meanwhile.

    The jobs that have been free for longest come first: new ones oldest first, those given back behind them. Those of
    clips that are near duplicates are passed over, or with `duplicates` come last.
    """
    rows = job_leases.claim(
        connection,
        label_jobs,
        among=and_(_c.task == task, true() if duplicates else _c.is_duplicate == false()),
        order_by=(_c.is_duplicate, _DUE),
        holder={"claimed_by": user, "labeler": labeler},
        count=count,
        lease_s=lease_s,
        max_attempts=MAX_ATTEMPTS,
    )
    return [_job(row) for row in rows]


def lock_claim(connection: Connection, job_id: int, *, token: int) -> LabelClaim | None:
    """Lock a job until the transaction ends; returns its claim if `token` is the newest, else None."""
    row = connection.execute(
        select(_c.state, _c.claimed_by)
        .where(_c.id == _bounded(job_id), _c.token == _bounded(token), _c.claimed_by.is_not(None))
        .with_for_update()
    ).one_or_none()
    return None if row is None else LabelClaim(JobState(row.state), row.claimed_by)


def renew(connection: Connection, job_id: int, *, token: int, lease_s: float) -> datetime:
    """Keep a job for `lease_s` more seconds; returns until when. LeaseLost when another claim has it."""
    row = job_leases.renew(connection, label_jobs, _key(job_id), token=_bounded(token), lease_s=lease_s)
    until: datetime = row.lease_until
    return until


def complete(
    connection: Connection,
    job_id: int,
    *,
    token: int,
    types: Sequence[str],
    openlabel: Mapping[str, Any],
    provenance: Mapping[str, Any],
) -> int:
    """Write the labels and finish the job; returns the labels' id.

    LeaseLost, with nothing written, when another claim has the job.
    """
    document = storable(dict(openlabel), what="the labels")
    made_by = storable(dict(provenance), what="the provenance")
    job = job_leases.finish(connection, label_jobs, _key(job_id), token=_bounded(token))
    label_id: int = connection.execute(
        insert(labels)
        .values(
            job_id=job.id,
            clip_id=job.clip_id,
            labeler=f"{job.claimed_by}/{job.labeler}",
            types=list(types),
            openlabel=document,
            provenance=made_by,
        )
        .returning(labels.c.id)
    ).scalar_one()
    texts.write(connection, [job.clip_id])
    return label_id


def clip_of(connection: Connection, job_id: int) -> tuple[str, float | None]:
    """The clip of a job, and how long ago it became ready, in s (None: it is not)."""
    ready_s = func.extract("epoch", func.now() - clips.c.ready_at).label("ready_s")
    of_job = select(clips.c.id, ready_s).join(label_jobs, _c.clip_id == clips.c.id).where(_c.id == _bounded(job_id))
    row = connection.execute(of_job).one()
    return row.id, None if row.ready_s is None else max(0.0, float(row.ready_s))


def find_labels(
    connection: Connection, job_id: int, *, openlabel: Mapping[str, Any], provenance: Mapping[str, Any]
) -> int | None:
    """The id of the job's labels if they have exactly this content, compared as the database stores it."""
    same = select(labels.c.id).where(
        labels.c.job_id == job_id,
        labels.c.openlabel == storable(dict(openlabel), what="the labels"),
        labels.c.provenance == storable(dict(provenance), what="the provenance"),
    )
    return connection.execute(same).scalar_one_or_none()


def fail(connection: Connection, job_id: int, *, token: int, reason: str) -> JobState:
    """Give a job back; returns its state: `ready` for another try, or `failed` when its attempts are used up."""
    storable(reason, what="the reason")
    row = job_leases.fail(
        connection,
        label_jobs,
        _key(job_id),
        token=_bounded(token),
        reason=reason,
        max_attempts=MAX_ATTEMPTS,
        delay_s=_PAUSE_S,
    )
    return JobState(row.state)


def retry(connection: Connection, job_id: int) -> None:
    """Let a failed job be claimed again, with all its attempts; NotFound without it, Conflict if it has not failed.

    Its reason is kept until it succeeds or fails again.
    """
    again = (
        update(label_jobs)
        .where(_c.id == _bounded(job_id), _c.state == JobState.FAILED)
        .values(state=JobState.READY, attempts=0, lease_until=func.now(), finished_at=None)
    )
    if connection.execute(again).rowcount:
        return
    state = connection.execute(select(_c.state).where(_c.id == _bounded(job_id))).scalar_one_or_none()
    if state is None:
        raise NotFound(f"there is no job {job_id}")
    raise Conflict(f"job {job_id} is {state}, not failed", remedy="only a failed job can be tried again")


def listing(
    connection: Connection, *, task: str | None, state: JobState | None, before_id: int | None, limit: int
) -> list[JobRecord]:
    """Jobs, newest first, at most `limit`; `before_id` continues after the last one of the page before."""
    query = select(*_RECORD_COLUMNS).order_by(_c.id.desc()).limit(limit)
    if task is not None:
        query = query.where(_c.task == task)
    if state is not None:
        query = query.where(_c.state == state)
    if before_id is not None:
        query = query.where(_c.id < before_id)
    return [JobRecord(*row) for row in connection.execute(query)]


def stats(connection: Connection) -> dict[str, dict[str, int]]:
    """By task, how many jobs are in which state; `expired` are those leased whose lease is over."""
    expired = job_leases.lease_is_over(label_jobs)
    rows = connection.execute(
        select(
            _c.task,
            _c.state,
            func.count().label("jobs"),
            func.count().filter(expired).label("expired"),
        ).group_by(_c.task, _c.state)
    )
    by_task: dict[str, dict[str, int]] = {}
    for row in rows:
        counts = by_task.setdefault(row.task, {"ready": 0, "leased": 0, "expired": 0, "done": 0, "failed": 0})
        counts[row.state] += row.jobs - row.expired
        counts["expired"] += row.expired
    return dict(sorted(by_task.items()))


def _key(job_id: int) -> dict[str, int]:
    return {"id": _bounded(job_id)}


def _bounded(number: int) -> int:
    """The number, or -1, which no row has, when the column cannot hold it."""
    return number if abs(number) <= MAX_BIGINT else -1


def _job(row: Row[Any]) -> LabelJob:
    return LabelJob(*(row._mapping[column.name] for column in _JOB_COLUMNS))
