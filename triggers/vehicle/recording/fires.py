"""A fire on the vehicle: what it asks of a recording, from the moment a trigger fired until its clip is handed over."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, NamedTuple

from pydantic import Field

from triggers.contracts.base import Contract, Name, Sha256Hex
from triggers.contracts.campaign import CaptureWindow, UploadRoute


class Outcome(StrEnum):
    """Where a fire stands; each is in exactly one."""

    IN_FLIGHT = "in_flight"
    SAMPLED_OUT = "sampled_out"
    REFUSED = "refused"
    DROPPED = "dropped"
    FAILED = "failed"
    HANDED_OVER = "handed_over"


class Reason(StrEnum):
    """Why a fire was refused, dropped or failed; the names travel in telemetry."""

    BUDGET = "budget"
    """The gateway refused the clip's bytes for this fire's campaign."""
    RESTART = "restart"
    """The agent ended before the recording was finished."""
    RING_OVERFLOW = "ring_overflow"
    """The moment of the fire had left the ring buffer before its recording could be written."""
    QUEUE_FULL = "queue_full"
    DISK_FULL = "disk_full"
    EXPIRED = "expired"
    """The clip was not uploaded within the age limit."""
    WRITE_ERROR = "write_error"
    FILE_LOST = "file_lost"
    FILE_DAMAGED = "file_damaged"
    MANIFEST_REJECTED = "manifest_rejected"
    TOO_LARGE = "too_large"
    """The clip, or its manifest, is larger than the gateway takes."""
    CLIP_FAILED = "clip_failed"
    """The cloud had the clip and could not store it; the vehicle learns it when an acknowledgement was lost."""


class FireKey(NamedTuple):
    """Identity of a fire on one vehicle."""

    campaign: str
    version: int
    ordinal: int


class CapturedFire(Contract):
    """A fire that is to be recorded. Times are ns since the Unix epoch."""

    campaign: Name
    version: Annotated[int, Field(ge=1)]
    program_digest: Sha256Hex
    trigger: Name
    ordinal: Annotated[int, Field(ge=1)]
    t_ns: Annotated[int, Field(ge=0)]
    inclusion_probability: Annotated[float, Field(gt=0, le=1)]
    capture: CaptureWindow
    priority: Annotated[int, Field(ge=0, le=100)]
    upload: tuple[UploadRoute, ...]

    @property
    def key(self) -> FireKey:
        """Identity on this vehicle."""
        return FireKey(self.campaign, self.version, self.ordinal)

    def window(self, max_span_ns: int) -> tuple[int, int]:
        """Start and end of the capture window; one longer than `max_span_ns` is shortened, both sides in proportion."""
        before_ns, after_ns = self.capture.before_ns, self.capture.after_ns
        span_ns = before_ns + after_ns
        if span_ns > max_span_ns:
            before_ns = before_ns * max_span_ns // span_ns
            after_ns = max_span_ns - before_ns
        return max(0, self.t_ns - before_ns), self.t_ns + after_ns
