"""Label jobs: the feed for labelers, by leases with fencing tokens."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Path
from pydantic import BaseModel, Field

from fleet_api.api.auth import Labeler, Viewer
from fleet_api.api.bodies import MIB, described, json_body
from fleet_api.api.services import Use
from fleet_api.clips.views import ClipView, clip_view
from storage.clips import search as catalog
from storage.job_leases import MAX_CLAIM, MAX_LEASE_S
from storage.labels import jobs as label_jobs
from storage.tokens import User
from triggers.contracts.base import Contract, ShortText

MAX_LABELS_BYTES = 64 * MIB
JobId = Annotated[int, Path(ge=1, le=2**63 - 1)]
LeaseSeconds = Annotated[float, Field(gt=0, le=MAX_LEASE_S)]
Token = Annotated[int, Field(ge=1, le=2**63 - 1)]

router = APIRouter(prefix="/v1/label-jobs", tags=["labels"])


class ClaimRequest(Contract):
    """How many jobs of which task, for whom, and for how long."""

    task: Annotated[str, Field(min_length=1, max_length=100)]
    labeler: Annotated[str, Field(min_length=1, max_length=100)]
    count: Annotated[int, Field(ge=1, le=MAX_CLAIM)] = 1
    lease_s: LeaseSeconds = 600


class CompleteRequest(Contract):
    """The labels of a job: an ASAM OpenLABEL document, and who or what made them."""

    token: Token
    openlabel: dict[str, Any]
    provenance: dict[str, Any] = {}


class FailRequest(Contract):
    """Why a job could not be done."""

    token: Token
    reason: ShortText


class RenewRequest(Contract):
    """For how much longer, from now, a job is needed."""

    token: Token
    lease_s: LeaseSeconds = 600


class JobView(BaseModel):
    """A claimed job. `token` is needed to renew, complete or fail it before `lease_until`."""

    id: int
    token: int
    task: str
    attempts: int
    lease_until: datetime
    clip: ClipView


class ClaimedView(BaseModel):
    """The jobs that were claimed; none when there are none."""

    jobs: list[JobView]


class CompletedView(BaseModel):
    """The labels that were written."""

    label_id: int


class FailedView(BaseModel):
    """`ready` when the job can be tried again, `failed` when its attempts are used up."""

    state: str


class RenewedView(BaseModel):
    """Until when the job is held."""

    lease_until: datetime


class StatsView(BaseModel):
    """By task, how many jobs are ready, leased, expired (leased, but the lease is over), done and failed."""

    tasks: dict[str, dict[str, int]]


@router.post("/claim", summary="Claim jobs", openapi_extra=described(ClaimRequest))
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


@router.post("/{job_id}/complete", summary="Complete a job", openapi_extra=described(CompleteRequest))
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


@router.post("/{job_id}/fail", summary="Give a job back", openapi_extra=described(FailRequest))
def fail(
    services: Use, user: Labeler, job_id: JobId, body: Annotated[FailRequest, json_body(FailRequest)]
) -> FailedView:
    """Say why a job could not be done; it is tried again until its attempts are used up."""
    with services.database.begin() as connection:
        state = label_jobs.fail(connection, job_id, user=_holder(user), token=body.token, reason=body.reason)
    return FailedView(state=state)


@router.post("/{job_id}/renew", summary="Keep a job", openapi_extra=described(RenewRequest))
def renew(
    services: Use, user: Labeler, job_id: JobId, body: Annotated[RenewRequest, json_body(RenewRequest)]
) -> RenewedView:
    """Hold a job for longer; 409 `lease_lost` when it is somebody else's by now."""
    with services.database.begin() as connection:
        until = label_jobs.renew(connection, job_id, user=_holder(user), token=body.token, lease_s=body.lease_s)
    return RenewedView(lease_until=until)


def _holder(user: User) -> str | None:
    """Whose claim it must be; None for an administrator, who may step in for everybody."""
    return None if "admin" in user.roles else user.name
