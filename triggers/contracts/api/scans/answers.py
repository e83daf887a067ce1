"""A scan as it is asked for, how far it is, and what it has found."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, StringConstraints, computed_field

from triggers.contracts.api.base import View
from triggers.contracts.api.clips import MAX_FILTER_CHARACTERS
from triggers.contracts.base import Contract
from triggers.contracts.limits import MAX_CONDITION_BYTES
from triggers.times import format_time

MAX_WANTED = 100_000
MAX_HITS_PAGE = 1000
DEFAULT_HITS_PAGE = 100


class ScanState(StrEnum):
    """How far a scan is: it waits for its turn, it runs, it has ended, or it could not go on."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


class ScanRequest(Contract):
    """Which clips to scan (all without a filter), for which condition of the trigger language.

    `limit`: end once so many clips were found in which it became true.
    """

    when: Annotated[str, StringConstraints(min_length=1, max_length=MAX_CONDITION_BYTES)]
    filter: Annotated[str, StringConstraints(max_length=MAX_FILTER_CHARACTERS)] | None = None
    filter_lang: Literal["cql2-text", "cql2-json"] = "cql2-text"
    limit: Annotated[int, Field(ge=1, le=MAX_WANTED)] | None = None


class LeftOutView(BaseModel):
    """Clips in which the condition could not be evaluated: why, how many, and one of them."""

    reason: str
    clips: int
    example: str


class ScanView(View):
    """A scan. `clips` is how many there are to scan, null while or where that is not known.

    `scanned` of them are done: in `found` of these the condition became true, at `instants` instants together;
    `left_out` could not be evaluated. `complete` is false while it runs, and of one that ended before all clips were
    scanned; `stopped` then says why. `reason` says why it failed. It and its results are kept until `expires_at`.
    `warnings` are those of the compiler.
    """

    id: str
    state: ScanState
    when: str
    filter: str | None
    filter_lang: str
    limit: int | None
    clips: int | None
    scanned: int
    found: int
    instants: int
    read_bytes: int
    left_out: list[LeftOutView]
    complete: bool
    stopped: str | None
    reason: str | None
    warnings: list[dict[str, Any]]
    created_at: datetime
    finished_at: datetime | None
    expires_at: datetime


class ScanHitView(View):
    """A clip in which the condition became true, and the instants, by the vehicle's clock.

    `t_ns` are the first 1,000 of `instants`, in ns since the Unix epoch; `t_s` the same in
    seconds after the clip's start.
    """

    clip: str
    vehicle: str
    start_ns: int
    instants: int
    t_ns: list[int]

    @computed_field
    def start(self) -> str:
        """`start_ns` as RFC 3339."""
        return format_time(self.start_ns)

    @computed_field
    def t_s(self) -> list[float]:
        """The instants in seconds after the clip's start."""
        return [(each - self.start_ns) / 1_000_000_000 for each in self.t_ns]


class ScanPage(BaseModel):
    """A scan, and a page of what it has found, in the order of the scan: the clips recorded last come first.

    `next` is the position of the following page; null once the scan is over and this was the last page.
    """

    scan: ScanView
    hits: list[ScanHitView]
    next: int | None


class ScanList(BaseModel):
    """A user's own scans, the newest first."""

    scans: list[ScanView]
