"""Label jobs: claim them, complete them, or give them back."""

from __future__ import annotations

import builtins
from collections.abc import Iterator, Mapping
from typing import Any

from fleet_api.client.transport import Transport, path_of, request_of
from triggers.contracts.api.labels import (
    DEFAULT_LEASE_S,
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

PAGE = 100


class Labels:
    """What `client.labels` can do. A job is identified by its id and the `token` from its claim.

    Methods raise LeaseLost if the job has gone to another labeler in the meantime; nothing is written then.
    """

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def claim(
        self,
        task: str,
        labeler: str,
        *,
        count: int = 1,
        lease_s: float = DEFAULT_LEASE_S,
        duplicates: bool = False,
    ) -> builtins.list[JobView]:
        """Lease at most `count` jobs for `lease_s` seconds, those free for longest first; an empty list without any.

        Jobs of near duplicates are left out unless `duplicates`; then they come last.
        """
        body = request_of(ClaimRequest, task=task, labeler=labeler, count=count, lease_s=lease_s, duplicates=duplicates)
        return self._transport.post(ClaimedView, path_of("label-jobs", "claim"), body).jobs

    def renew(self, job_id: int, token: int, *, lease_s: float = DEFAULT_LEASE_S) -> RenewedView:
        """Extend the lease to `lease_s` seconds from now."""
        body = request_of(RenewRequest, token=token, lease_s=lease_s)
        return self._transport.post(RenewedView, path_of("label-jobs", job_id, "renew"), body)

    def complete(
        self, job_id: int, token: int, openlabel: Mapping[str, Any], provenance: Mapping[str, Any] | None = None
    ) -> CompletedView:
        """Hand in labels, an ASAM OpenLABEL document. Repeating it with the same content changes nothing."""
        body = request_of(CompleteRequest, token=token, openlabel=dict(openlabel), provenance=dict(provenance or {}))
        return self._transport.post(CompletedView, path_of("label-jobs", job_id, "complete"), body)

    def fail(self, job_id: int, token: int, reason: str) -> FailedView:
        """Give a job back, with the reason that it could not be done."""
        body = request_of(FailRequest, token=token, reason=reason)
        return self._transport.post(FailedView, path_of("label-jobs", job_id, "fail"), body)

    def list(
        self, *, task: str | None = None, state: JobState | None = None, limit: int | None = None
    ) -> Iterator[JobRecordView]:
        """Jobs, newest first, page after page, at most `limit`."""
        return self._transport.pages(
            JobPage,
            path_of("label-jobs"),
            lambda page: page.jobs,
            by="before",
            size=PAGE,
            parameters={"task": task, "state": state},
            limit=limit,
        )

    def retry(self, job_id: int) -> None:
        """Let a failed job be claimed again. Raises Conflict if it has not failed."""
        self._transport.act(path_of("label-jobs", job_id, "retry"))

    def stats(self) -> StatsView:
        """How many jobs there are, by task and state."""
        return self._transport.get(StatsView, path_of("label-jobs", "stats"))
