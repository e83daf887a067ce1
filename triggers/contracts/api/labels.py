"""Label jobs in the API: claiming, renewing, completing, failing and counting them."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any

from pydantic import BaseModel, Field, StringConstraints

from triggers.contracts.api.base import View
from triggers.contracts.api.clips import ClipView
from triggers.contracts.base import Contract, ShortText


class JobState(StrEnum):
    """The state of a job: free to be claimed, held under a lease, done, or given up."""

    READY = "ready"
    LEASED = "leased"
    DONE = "done"
    FAILED = "failed"


OPEN_JOBS = (JobState.READY, JobState.LEASED)
"""The states of jobs that are not finished."""

MAX_CLAIM = 100
"""How many jobs one request may claim."""
MAX_LISTED_JOBS = 1000
MAX_LEASE_S = 86_400
WORK_NAME = r"^[A-Za-z0-9][A-Za-z0-9_.:@+-]{0,99}$"
WorkName = Annotated[str, StringConstraints(pattern=WORK_NAME)]
"""The name of a task or of a labeler."""
DEFAULT_LEASE_S = 600.0
LeaseSeconds = Annotated[float, Field(gt=0, le=MAX_LEASE_S)]
FencingToken = Annotated[int, Field(ge=1, le=2**63 - 1)]


class ClaimRequest(Contract):
    """How many jobs of which task to claim, for which labeler, and for how long.

    Jobs of clips that are near duplicates of others are left out unless `duplicates`; then they come last.
    """

    task: WorkName
    labeler: WorkName
    count: Annotated[int, Field(ge=1, le=MAX_CLAIM)] = 1
    lease_s: LeaseSeconds = DEFAULT_LEASE_S
    duplicates: bool = False


class CompleteRequest(Contract):
    """The labels of a job: an ASAM OpenLABEL document, and who or what made them."""

    token: FencingToken
    openlabel: dict[str, Any]
    provenance: dict[str, Any] = {}


class FailRequest(Contract):
    """Why a job could not be done."""

    token: FencingToken
    reason: ShortText


class RenewRequest(Contract):
    """How much longer, from now, a job is to be held."""

    token: FencingToken
    lease_s: LeaseSeconds = DEFAULT_LEASE_S


class JobView(BaseModel):
    """A claimed job. `token` is needed to renew, complete or fail it before `lease_until`."""

    id: int
    token: int
    task: str
    attempts: int
    lease_until: datetime
    clip: ClipView


class ClaimedView(BaseModel):
    """The jobs that were claimed; empty if none is ready."""

    jobs: list[JobView]


class CompletedView(BaseModel):
    """The labels that were written."""

    label_id: int


class FailedView(BaseModel):
    """`ready` if the job will be tried again, `failed` if its attempts are used up."""

    state: JobState


class RenewedView(BaseModel):
    """The time until which the job is held."""

    lease_until: datetime


class JobRecordView(View):
    """A job in a list: `reason` says why it was given back last, or why it failed; `claimed_by` who has or had it."""

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


class JobPage(BaseModel):
    """Jobs, newest first; pass `next` as `before` to continue, null at the end."""

    jobs: list[JobRecordView]
    next: int | None


class StatsView(BaseModel):
    """By task, how many jobs are ready, leased, expired (leased, but the lease has ended), done and failed."""

    tasks: dict[str, dict[str, int]]
