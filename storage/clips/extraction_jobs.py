"""Extraction jobs: one per clip and version of the extractor, held under the leases of storage.job_leases.

The worker decides how many attempts a clip gets (`attempts` counts them): when it gives up on a clip, it records that
in the catalog (the clip's state and a dead letter), instead of only failing the job.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, func, select
from sqlalchemy.dialects.postgresql import insert

from storage import job_leases
from storage.tables import clips, extraction_jobs
from triggers.contracts.clip import ClipManifest

_TABLE = extraction_jobs.c


@dataclass(frozen=True)
class ExtractionJob:
    """A claimed job: one clip for one version of the extractor. `attempts` counts this one."""

    clip_id: str
    extractor_version: int
    token: int
    attempts: int
    object_key: str
    manifest: ClipManifest


def add(connection: Connection, clip_id: str, extractor_version: int) -> bool:
    """Queue a clip for a version of the extractor; False when it is queued already."""
    added = connection.execute(
        insert(extraction_jobs)
        .values(clip_id=clip_id, extractor_version=extractor_version)
        .on_conflict_do_nothing(index_elements=[_TABLE.clip_id, _TABLE.extractor_version])
        .returning(_TABLE.clip_id)
    )
    return added.one_or_none() is not None


def add_for_older_clips(connection: Connection, extractor_version: int, *, limit: int = 1000) -> int:
    """Queue clips without a job of this version, the newest first; returns how many."""
    has_job = select(_TABLE.clip_id).where(_TABLE.clip_id == clips.c.id, _TABLE.extractor_version == extractor_version)
    missing = select(clips.c.id).where(~has_job.exists()).order_by(clips.c.stored_at.desc()).limit(limit)
    return sum(add(connection, clip_id, extractor_version) for clip_id in connection.execute(missing).scalars().all())


def claim(connection: Connection, *, worker: str, extractor_version: int, lease_s: float) -> ExtractionJob | None:
    """Take the oldest job that is free, or whose worker's lease ran out, for `lease_s` seconds."""
    taken = job_leases.claim(
        connection,
        extraction_jobs,
        among=_TABLE.extractor_version == extractor_version,
        order_by=_TABLE.created_at,
        holder={"worker": worker},
        count=1,
        lease_s=lease_s,
        max_attempts=None,
    )
    if not taken:
        return None
    (job,) = taken
    clip = connection.execute(select(clips.c.object_key, clips.c.manifest).where(clips.c.id == job.clip_id)).one()
    manifest = ClipManifest.model_validate(clip.manifest, strict=False)
    return ExtractionJob(job.clip_id, extractor_version, job.token, job.attempts, clip.object_key, manifest)


def renew(connection: Connection, job: ExtractionJob, *, lease_s: float) -> None:
    """Keep the job for another `lease_s` seconds from now; LeaseLost when another worker has it."""
    job_leases.renew(connection, extraction_jobs, _key(job), token=job.token, lease_s=lease_s)


def give_back(connection: Connection, job: ExtractionJob, *, reason: str, delay_s: float, counts: bool = True) -> None:
    """Return a job for another attempt after at least `delay_s` seconds; LeaseLost when another worker has it.

    With `counts` false the attempt is not counted: the clip was not to blame (an outage).
    """
    job_leases.fail(
        connection,
        extraction_jobs,
        _key(job),
        token=job.token,
        reason=reason,
        max_attempts=None,
        delay_s=delay_s,
        counts=counts,
    )


def free_those_of(connection: Connection, worker: str) -> int:
    """Free the jobs that an earlier process with this worker's name left leased; returns how many."""
    return job_leases.free_those_of(
        connection, extraction_jobs, worker=worker, reason="the worker ended during the extraction"
    )


def finish(connection: Connection, job: ExtractionJob, *, failure: str | None = None) -> None:
    """Close a job as done, or as failed with the reason.

    LeaseLost when another worker has it; the caller must then roll back.
    """
    if failure is None:
        job_leases.finish(connection, extraction_jobs, _key(job), token=job.token)
    else:
        job_leases.abandon(connection, extraction_jobs, _key(job), token=job.token, reason=failure)


def waiting(connection: Connection) -> int:
    """How many jobs are free or under a lease."""
    return connection.execute(select(func.count()).where(_TABLE.state.in_(("ready", "leased")))).scalar_one()


def _key(job: ExtractionJob) -> dict[str, str | int]:
    return {"clip_id": job.clip_id, "extractor_version": job.extractor_version}
