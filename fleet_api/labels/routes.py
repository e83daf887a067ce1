"""Label jobs: the feed for labelers, by leases with fencing tokens."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path

from fleet_api.api.auth import Labeler, Viewer
from fleet_api.api.bodies import MIB, json_body
from fleet_api.api.routing import Route
from fleet_api.api.services import Use
from fleet_api.clips.views import clip_view
from ingest.http.raising import raises
from storage.clips import search as catalog
from storage.labels import jobs as label_jobs
from triggers.contracts.api.labels import (
    ClaimedView,
    ClaimRequest,
    CompletedView,
    CompleteRequest,
    FailedView,
    FailRequest,
    JobView,
    RenewedView,
    RenewRequest,
    StatsView,
)
from triggers.contracts.users import User
from triggers.errors import Conflict, LeaseLost

MAX_LABELS_BYTES = 64 * MIB
JobId = Annotated[int, Path(ge=1, le=2**63 - 1)]

router = APIRouter(prefix="/v1/label-jobs", tags=["labels"], route_class=Route)


@router.post("/claim", summary="Claim jobs")
def claim(services: Use, user: Labeler, body: Annotated[ClaimRequest, json_body(ClaimRequest)]) -> ClaimedView:
    """Lease jobs, oldest first. Nobody else gets them until the lease is over."""
    with services.database.begin() as connection:
        jobs = label_jobs.claim(
            connection,
            user=user.name,
            task=body.task,
            labeler=body.labeler,
            count=body.count,
            lease_s=body.lease_s,
        )
        found = catalog.get_clips(connection, [job.clip_id for job in jobs])
    return ClaimedView(
        jobs=[
            JobView(
                id=job.id,
                token=job.token,
                task=job.task,
                attempts=job.attempts,
                lease_until=job.lease_until,
                clip=clip_view(found[job.clip_id]),
            )
            for job in jobs
        ]
    )


@router.get("/stats", summary="Count jobs")
def stats(services: Use, _user: Viewer) -> StatsView:
    """How many jobs there are, by task and state."""
    with services.database.begin() as connection:
        return StatsView(tasks=label_jobs.stats(connection))


@router.post("/{job_id}/complete", summary="Complete a job")
@raises(Conflict, LeaseLost)
def complete(
    services: Use,
    user: Labeler,
    job_id: JobId,
    body: Annotated[CompleteRequest, json_body(CompleteRequest, limit_bytes=MAX_LABELS_BYTES)],
) -> CompletedView:
    """Hand in a job's labels; 409 `lease_lost` when the job is somebody else's by now.

    Sent again with the same content, when the answer was lost, it answers the same.
    """
    with services.database.begin() as connection:
        label_id = label_jobs.complete(
            connection,
            job_id,
            user=_holder(user),
            token=body.token,
            openlabel=body.openlabel,
            provenance=body.provenance,
        )
    return CompletedView(label_id=label_id)


@router.post("/{job_id}/fail", summary="Give a job back")
@raises(Conflict, LeaseLost)
def fail(
    services: Use, user: Labeler, job_id: JobId, body: Annotated[FailRequest, json_body(FailRequest)]
) -> FailedView:
    """Say why a job could not be done; it is tried again until its attempts are used up."""
    with services.database.begin() as connection:
        state = label_jobs.fail(connection, job_id, user=_holder(user), token=body.token, reason=body.reason)
    return FailedView(state=state)


@router.post("/{job_id}/renew", summary="Keep a job")
@raises(Conflict, LeaseLost)
def renew(
    services: Use, user: Labeler, job_id: JobId, body: Annotated[RenewRequest, json_body(RenewRequest)]
) -> RenewedView:
    """Hold a job for longer; 409 `lease_lost` when it is somebody else's by now."""
    with services.database.begin() as connection:
        until = label_jobs.renew(connection, job_id, user=_holder(user), token=body.token, lease_s=body.lease_s)
    return RenewedView(lease_until=until)


def _holder(user: User) -> str | None:
    """Whose claim it must be; None for an administrator, who may step in for everybody."""
    return None if user.is_admin else user.name
