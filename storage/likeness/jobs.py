"""Vector jobs: one per clip and embedding of ours, held under the leases of storage.job_leases.

They follow extraction: an event of a clip that became ready queues one, and a clip that is extracted again gets its
vector again. Clips from before this embedding are queued a few at a time, the oldest first.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, func, literal, select
from sqlalchemy.dialects.postgresql import insert

from storage import job_leases
from storage.tables import clip_assets, clip_fires, clips, signal_statistics, vector_jobs
from triggers.contracts.api.clips import SIGNALS_ASSET
from triggers.contracts.api.labels import JobState

MAX_ATTEMPTS = 5
_c = vector_jobs.c


@dataclass(frozen=True, slots=True)
class VectorJob:
    """A claimed job. `signals_key` is the object with the clip's `signals`, None when extraction gave none; `fire_ns`
    the time of its first fire."""

    clip_id: str
    embedding_id: str
    token: int
    attempts: int
    signals_key: str | None
    signals: tuple[str, ...]
    fire_ns: int | None


def queue(connection: Connection, clip_id: str, embedding_id: str) -> None:
    """Queue a clip, whose vector is to be written, or written again; nothing when the clip was erased.

    A worker that has the job loses it: what it read may be an older extraction's.
    """
    clip = (
        select(clips.c.id, literal(embedding_id), clips.c.vehicle_id)
        .where(clips.c.id == clip_id)
        .with_for_update(read=True, key_share=True)
    )
    again = {
        "state": JobState.READY,
        "attempts": 0,
        "token": _c.token + 1,
        "lease_until": None,
        "reason": None,
        "finished_at": None,
    }
    queued = insert(vector_jobs).from_select(["clip_id", "embedding_id", "vehicle_id"], clip)
    connection.execute(queued.on_conflict_do_update(index_elements=[_c.clip_id, _c.embedding_id], set_=again))


def queue_older_clips(connection: Connection, embedding_id: str, *, at_most_open: int = 100) -> int | None:
    """Queue ready clips that have no job of this embedding, the oldest first; returns how many.

    None while so many jobs are open: it was not looked for clips then, which takes long where all have one.
    """
    of_this = _c.embedding_id == embedding_id
    room = at_most_open - job_leases.count_open(connection, vector_jobs, among=of_this)
    if room <= 0:
        return None
    has_job = select(_c.clip_id).where(_c.clip_id == clips.c.id, of_this)
    older = (
        select(clips.c.id, literal(embedding_id), clips.c.vehicle_id)
        .where(~has_job.exists(), clips.c.state == "ready")
        .order_by(clips.c.stored_at)
        .limit(room)
        .with_for_update(read=True, key_share=True, skip_locked=True)
    )
    queued = insert(vector_jobs).from_select(["clip_id", "embedding_id", "vehicle_id"], older)
    return len(connection.execute(queued.on_conflict_do_nothing().returning(_c.clip_id)).all())


def claim(connection: Connection, *, worker: str, embedding_id: str, lease_s: float) -> VectorJob | None:
    """Take the oldest job of this embedding that is free, or whose worker's lease ran out, for `lease_s` seconds."""
    taken = job_leases.claim(
        connection,
        vector_jobs,
        among=_c.embedding_id == embedding_id,
        order_by=(_c.created_at,),
        holder={"worker": worker},
        count=1,
        lease_s=lease_s,
        max_attempts=MAX_ATTEMPTS,
    )
    if not taken:
        return None
    job = taken[0]
    asset = select(clip_assets.c.object_key).where(
        clip_assets.c.clip_id == job.clip_id, clip_assets.c.name == SIGNALS_ASSET
    )
    named = select(signal_statistics.c.signal).where(signal_statistics.c.clip_id == job.clip_id)
    first = select(func.min(clip_fires.c.t_ns)).where(clip_fires.c.clip_id == job.clip_id)
    return VectorJob(
        job.clip_id,
        job.embedding_id,
        job.token,
        job.attempts,
        connection.execute(asset).scalar_one_or_none(),
        tuple(connection.execute(named.order_by(signal_statistics.c.signal)).scalars()),
        connection.execute(first).scalar_one(),
    )


def renew(connection: Connection, job: VectorJob, *, lease_s: float) -> None:
    """Keep the job for another `lease_s` seconds from now; LeaseLost when another worker has it."""
    job_leases.renew(connection, vector_jobs, _key(job), token=job.token, lease_s=lease_s)


def give_back(connection: Connection, job: VectorJob, *, reason: str, delay_s: float, counts: bool = True) -> None:
    """Return a job for another attempt, if it has any left; LeaseLost when another worker has it."""
    job_leases.fail(
        connection,
        vector_jobs,
        _key(job),
        token=job.token,
        reason=reason,
        max_attempts=MAX_ATTEMPTS,
        delay_s=delay_s,
        counts=counts,
    )


def finish(connection: Connection, job: VectorJob, *, failure: str | None = None) -> None:
    """Close a job as done, or as failed with the reason. LeaseLost when another worker has it: roll back then."""
    if failure is None:
        job_leases.finish(connection, vector_jobs, _key(job), token=job.token)
    else:
        job_leases.abandon(connection, vector_jobs, _key(job), token=job.token, reason=failure)


def free_those_of(connection: Connection, worker: str) -> int:
    """Free the jobs that an earlier process with this worker's name left leased; returns how many."""
    return job_leases.free_those_of(connection, vector_jobs, worker=worker, reason="the worker ended meanwhile")


def _key(job: VectorJob) -> Mapping[str, str]:
    return {"clip_id": job.clip_id, "embedding_id": job.embedding_id}
