"""Label jobs: claimed, renewed, completed, failed and counted."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any

from pydantic import BaseModel, Field, StringConstraints

from triggers.contracts.api.clips import ClipView
from triggers.contracts.base import Contract, ShortText


class JobState(StrEnum):
    """Where a job stands: free to be claimed, held under a lease, done, or given up."""

    READY = "ready"
    LEASED = "leased"
    DONE = "done"
    FAILED = "failed"


OPEN_JOBS = (JobState.READY, JobState.LEASED)
"""States of jobs that are still to be done."""

MAX_CLAIM = 100
"""Jobs that one request may claim."""
MAX_LEASE_S = 86_400
WORK_NAME = r"^[A-Za-z0-9][A-Za-z0-9_.:@+-]{0,99}$"
WorkName = Annotated[str, StringConstraints(pattern=WORK_NAME)]
"""Name of a task, or of what works on it."""
DEFAULT_LEASE_S = 600.0
LeaseSeconds = Annotated[float, Field(gt=0, le=MAX_LEASE_S)]
FencingToken = Annotated[int, Field(ge=1, le=2**63 - 1)]


class ClaimRequest(Contract):
    """How many jobs of which task, for whom, and for how long."""

    task: WorkName
    labeler: WorkName
    count: Annotated[int, Field(ge=1, le=MAX_CLAIM)] = 1
    lease_s: LeaseSeconds = DEFAULT_LEASE_S


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
    """For how much longer, from now, a job is needed."""

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
    """The jobs that were claimed; none when there are none."""

    jobs: list[JobView]


class CompletedView(BaseModel):
    """The labels that were written."""

    label_id: int


class FailedView(BaseModel):
    """`ready` when the job can be tried again, `failed` when its attempts are used up."""

    state: JobState


class RenewedView(BaseModel):
    """Until when the job is held."""

    lease_until: datetime


class StatsView(BaseModel):
    """By task, how many jobs are ready, leased, expired (leased, but the lease is over), done and failed."""

    tasks: dict[str, dict[str, int]]
