"""Routes for label jobs: the feed for labelers, by leases with fencing tokens."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query

from fleet_api.http.auth import Caller
from fleet_api.http.bodies import MIB, json_body
from fleet_api.http.routing import ApiRoute
from fleet_api.http.services import Use
from fleet_api.labels import usecases
from ingest.http.raising import raises
from triggers.contracts.api.labels import (
    MAX_LISTED_JOBS,
    ClaimedView,
    ClaimRequest,
    CompletedView,
    CompleteRequest,
    FailedView,
    FailRequest,
    JobPage,
    JobState,
    RenewedView,
    RenewRequest,
    StatsView,
    WorkName,
)
from triggers.errors import Conflict, LeaseLost

MAX_LABELS_BYTES = 4 * MIB
JobId = Annotated[int, Path(ge=1, le=2**63 - 1)]

router = APIRouter(prefix="/v1/label-jobs", tags=["labels"], route_class=ApiRoute)


@router.post("/claim", summary="Claim jobs")
def claim(services: Use, user: Caller, body: Annotated[ClaimRequest, json_body(ClaimRequest)]) -> ClaimedView:
    """Lease jobs, those free for longest first. No other claim gets them until the lease expires."""
    return usecases.claim(services, user, body)


@router.get("/stats", summary="Count jobs")
def stats(services: Use, user: Caller) -> StatsView:
    """How many jobs there are, by task and state."""
    return usecases.count(services, user)


@router.get("", summary="List jobs")
def list_jobs(
    services: Use,
    user: Caller,
    *,
    task: WorkName | None = None,
    state: JobState | None = None,
    before: Annotated[int | None, Query(ge=1, le=2**63 - 1, description="`next` of the previous page.")] = None,
    limit: Annotated[int, Query(ge=1, le=MAX_LISTED_JOBS)] = 100,
) -> JobPage:
    """Jobs with their states and reasons, newest first."""
    return usecases.list_jobs(services, user, task=task, state=state, before=before, limit=limit)


@router.post("/{job_id}/retry", status_code=204, summary="Retry a failed job")
@raises(Conflict)
def retry(services: Use, user: Caller, job_id: JobId) -> None:
    """Let a job that used up its attempts be claimed again."""
    usecases.retry(services, user, job_id)


@router.post("/{job_id}/complete", summary="Complete a job")
@raises(Conflict, LeaseLost)
def complete(
    services: Use,
    user: Caller,
    job_id: JobId,
    body: Annotated[CompleteRequest, json_body(CompleteRequest, limit_bytes=MAX_LABELS_BYTES)],
) -> CompletedView:
    """Submit a job's labels; 409 `lease_lost` when another claim has the job by now.

    The request may be repeated with the same content when its answer was lost; the answer is then the same.
    """
    return usecases.complete(services, user, job_id, body)


@router.post("/{job_id}/fail", summary="Give a job back")
@raises(Conflict, LeaseLost)
def fail(
    services: Use, user: Caller, job_id: JobId, body: Annotated[FailRequest, json_body(FailRequest)]
) -> FailedView:
    """Report why a job could not be done; after a pause it is tried again, until its attempts are used up."""
    return usecases.fail(services, user, job_id, body)


@router.post("/{job_id}/renew", summary="Renew a job's lease")
@raises(Conflict, LeaseLost)
def renew(
    services: Use, user: Caller, job_id: JobId, body: Annotated[RenewRequest, json_body(RenewRequest)]
) -> RenewedView:
    """Keep a job for longer; 409 `lease_lost` when another claim has the job by now."""
    return usecases.renew(services, user, job_id, body)
