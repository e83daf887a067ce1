"""Extraction jobs: one per clip and version of the extractor, held under the leases of storage.job_leases.

The worker decides how many attempts a clip gets (`attempts` counts them): when it gives up on a clip, it records that
in the catalog (the clip's state and a dead letter), instead of only failing the job.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, or_, select
from sqlalchemy.dialects.postgresql import Insert, insert

from storage import job_leases
from storage.rows import insert_rows
from storage.tables import clips, extraction_jobs
from storage.tiers.rules import ARCHIVES
from triggers.contracts.clip import ClipManifest

_TABLE = extraction_jobs.c


@dataclass(frozen=True)
class ExtractionJob:
    """A claimed job: one clip for one version of the extractor. `attempts` counts this one."""

    clip_id: str
    vehicle_id: str
    extractor_version: int
    token: int
    attempts: int
    object_key: str
    manifest: ClipManifest


def add(connection: Connection, clip_id: str, vehicle_id: str, extractor_version: int) -> bool:
    """Queue a clip for a version of the extractor; False when it is queued already."""
    added = connection.execute(
        _once(
            insert(extraction_jobs).values(clip_id=clip_id, vehicle_id=vehicle_id, extractor_version=extractor_version)
        ).returning(_TABLE.clip_id)
    )
    return added.one_or_none() is not None


def add_many(connection: Connection, of_vehicles: Sequence[tuple[str, str]], extractor_version: int) -> None:
    """Queue (clip, vehicle) pairs for a version of the extractor, those that are not queued already."""
    rows = [
        {"clip_id": clip_id, "vehicle_id": vehicle_id, "extractor_version": extractor_version}
        for clip_id, vehicle_id in of_vehicles
    ]
    insert_rows(connection, extraction_jobs, rows, _once)


def _once(insertion: Insert) -> Insert:
    return insertion.on_conflict_do_nothing(index_elements=[_TABLE.clip_id, _TABLE.extractor_version])


def add_for_older_clips(connection: Connection, extractor_version: int, *, at_most_open: int = 100) -> int | None:
    """Queue clips without a job of this version, the newest first; returns how many. Archived ones stay as they are.

    No more than `at_most_open` jobs are open afterwards, so that clips that arrive do not wait for the whole catalog.
    None while so many are open: it was not looked for clips then, which takes long where all have one.
    """
    of_this = _TABLE.extractor_version == extractor_version
    room = at_most_open - job_leases.count_open(connection, extraction_jobs, among=of_this)
    if room <= 0:
        return None
    has_job = select(_TABLE.clip_id).where(_TABLE.clip_id == clips.c.id, of_this)
    older = or_(clips.c.extractor_version.is_(None), clips.c.extractor_version < extractor_version)
    readable = or_(clips.c.tier.is_(None), clips.c.tier.not_in(ARCHIVES))
    missing = select(clips.c.id, clips.c.vehicle_id).where(~has_job.exists(), older, readable)
    newest = missing.order_by(clips.c.stored_at.desc()).limit(room)
    rows = connection.execute(newest.with_for_update(read=True, key_share=True, skip_locked=True, of=clips)).all()
    return sum(add(connection, row.id, row.vehicle_id, extractor_version) for row in rows)


def claim(
    connection: Connection, *, worker: str, extractor_version: int, lease_s: float, after_vehicle: str = ""
) -> ExtractionJob | None:
    """Take a job that is free, or whose worker's lease ran out, for `lease_s` seconds.

    Vehicles take turns: the job is the oldest one of the next vehicle after `after_vehicle`, in the order of their ids
    and round again, so that a vehicle with many clips delays the others by one clip each.
    """
    version = _TABLE.extractor_version == extractor_version
    for among in (version & (_TABLE.vehicle_id > after_vehicle), version & (_TABLE.vehicle_id <= after_vehicle)):
        taken = job_leases.claim(
            connection,
            extraction_jobs,
            among=among,
            order_by=(_TABLE.vehicle_id, _TABLE.created_at),
            holder={"worker": worker},
            count=1,
            lease_s=lease_s,
            max_attempts=None,
        )
        if taken:
            return _claimed(connection, taken[0])
    return None


def _claimed(connection: Connection, job: Row[Any]) -> ExtractionJob:
    clip = connection.execute(select(clips.c.object_key, clips.c.manifest).where(clips.c.id == job.clip_id)).one()
    manifest = ClipManifest.model_validate(clip.manifest, strict=False)
    return ExtractionJob(
        job.clip_id, job.vehicle_id, job.extractor_version, job.token, job.attempts, clip.object_key, manifest
    )


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


def _key(job: ExtractionJob) -> dict[str, str | int]:
    return {"clip_id": job.clip_id, "extractor_version": job.extractor_version}
