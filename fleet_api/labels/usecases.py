"""Use cases for label jobs: claim, renew, complete, give back, retry, list and count them.

Each use case checks the user's role and is one transaction. A job is held by a user, and only that user (or an
administrator) may renew, complete or fail it.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from fleet_api.clips.views import clip_view
from fleet_api.labels import rules
from fleet_api.services import Services
from ingest.log_ids import about
from ingest.metrics.counted import CLIP_STAGE
from storage import audit
from storage.clips.records import get_clips
from storage.database import Connection
from storage.labels import jobs
from storage.labels.jobs import LabelClaim
from triggers.contracts.api.labels import (
    ClaimedView,
    ClaimRequest,
    CompletedView,
    CompleteRequest,
    FailedView,
    FailRequest,
    JobPage,
    JobRecordView,
    JobState,
    JobView,
    RenewedView,
    RenewRequest,
    StatsView,
)
from triggers.contracts.users import Role, User

LOGGER = logging.getLogger(__name__)


def claim(services: Services, user: User, request: ClaimRequest) -> ClaimedView:
    """Lease jobs of a task to the user's labeler, those free for longest first, each with its clip."""
    user.require(Role.LABELER)
    with services.database.begin() as connection:
        claimed = jobs.claim(
            connection,
            user=user.name,
            task=request.task,
            labeler=request.labeler,
            count=request.count,
            lease_s=request.lease_s,
            duplicates=request.duplicates,
        )
        clips = get_clips(connection, [job.clip_id for job in claimed])
        sight = services.sight_of(user, connection)
        if claimed:
            after = {"jobs": [job.id for job in claimed], "labeler": request.labeler, "lease_s": request.lease_s}
            audit.record(connection, user, "label_job.claim", "task", request.task, after=after)
    return ClaimedView(
        jobs=[
            JobView(
                id=job.id,
                token=job.token,
                task=job.task,
                attempts=job.attempts,
                lease_until=job.lease_until,
                clip=clip_view(clips[job.clip_id], sight),
            )
            for job in claimed
        ]
    )


def count(services: Services, user: User) -> StatsView:
    """How many jobs there are, by task and state."""
    user.require(Role.VIEWER, Role.LABELER)
    with services.database.begin() as connection:
        return StatsView(tasks=jobs.stats(connection))


def renew(services: Services, user: User, job_id: int, request: RenewRequest) -> RenewedView:
    """Keep a job for longer; LeaseLost when another claim has it."""
    user.require(Role.LABELER)
    with services.database.begin() as connection:
        _claim_of(connection, user, job_id, request.token)
        until = jobs.renew(connection, job_id, token=request.token, lease_s=request.lease_s)
        _note(connection, user, "renew", job_id, after={"lease_until": until.isoformat()})
    return RenewedView(lease_until=until)


def complete(services: Services, user: User, job_id: int, request: CompleteRequest) -> CompletedView:
    """Write a job's labels; LeaseLost, with nothing written, when another claim has the job.

    The same content with the same token returns the same id again, as the first answer may have been lost.
    """
    user.require(Role.LABELER)
    types = rules.label_types(request.openlabel)
    content = {"openlabel": request.openlabel, "provenance": request.provenance}
    done: tuple[str, float | None] | None = None
    with services.database.begin() as connection:
        newest = _claim_of(connection, user, job_id, request.token)
        is_done = newest is not None and newest.state == JobState.DONE
        label_id = jobs.find_labels(connection, job_id, **content) if is_done else None
        if label_id is None:
            label_id = jobs.complete(connection, job_id, token=request.token, types=types, **content)
            done = jobs.clip_of(connection, job_id)
            _note(connection, user, "complete", job_id, after={"state": JobState.DONE, "label_id": label_id})
    if done is not None:
        _tell(job_id, *done)
    return CompletedView(label_id=label_id)


def fail(services: Services, user: User, job_id: int, request: FailRequest) -> FailedView:
    """Give a job back with the reason why it could not be done; LeaseLost when another claim has it."""
    user.require(Role.LABELER)
    with services.database.begin() as connection:
        _claim_of(connection, user, job_id, request.token)
        state = jobs.fail(connection, job_id, token=request.token, reason=request.reason)
        _note(connection, user, "fail", job_id, after={"state": state}, reason=request.reason)
    return FailedView(state=state)


def list_jobs(
    services: Services, user: User, *, task: str | None, state: JobState | None, before: int | None, limit: int
) -> JobPage:
    """Jobs whose id is lower than `before`, newest first, at most `limit`."""
    user.require(Role.VIEWER, Role.LABELER)
    with services.database.begin() as connection:
        found = jobs.listing(connection, task=task, state=state, before_id=before, limit=limit)
    return JobPage(
        jobs=[JobRecordView.model_validate(job) for job in found], next=found[-1].id if len(found) == limit else None
    )


def retry(services: Services, user: User, job_id: int) -> None:
    """Let a failed job be claimed again; Conflict if it has not failed."""
    user.require(Role.OPERATOR, Role.LABELER)
    with services.database.begin() as connection:
        jobs.retry(connection, job_id)
        _note(connection, user, "retry", job_id, after={"state": JobState.READY})


def _tell(job_id: int, clip_id: str, waited_s: float | None) -> None:
    with about(clip=clip_id):
        LOGGER.info("label job %d of clip %s is done", job_id, clip_id)
    if waited_s is not None:
        CLIP_STAGE.labels("labelled").observe(waited_s)


def _note(
    connection: Connection, user: User, step: str, job_id: int, *, after: Mapping[str, Any], reason: str | None = None
) -> None:
    audit.record(connection, user, f"label_job.{step}", "label job", str(job_id), after=after, reason=reason)


def _claim_of(connection: Connection, user: User, job_id: int, token: int) -> LabelClaim | None:
    """Lock the job and return its claim with this token; None if it is not the newest. Forbidden for another user's."""
    newest = jobs.lock_claim(connection, job_id, token=token)
    if newest is not None:
        rules.check_holder(job_id, claimed_by=newest.claimed_by, user=user)
    return newest
