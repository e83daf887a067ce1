"""Fires on the vehicle: what they ask to be recorded, and their outcomes."""

from __future__ import annotations

from collections.abc import Collection
from enum import StrEnum
from typing import Annotated

from pydantic import Field

from triggers.contracts.campaign import CaptureWindow, DayRule, UploadRoute, budget_owner
from triggers.contracts.fire import NumberedFire


class FireOutcome(StrEnum):
    """What became of a fire; each has exactly one."""

    IN_FLIGHT = "in_flight"
    SAMPLED_OUT = "sampled_out"
    REFUSED = "refused"
    DROPPED = "dropped"
    FAILED = "failed"
    HANDED_OVER = "handed_over"


class Reason(StrEnum):
    """Why a fire was refused, dropped or failed; these names are sent in telemetry."""

    BUDGET = "budget"
    """The gateway refused the clip's bytes for this fire's campaign."""
    RESTART = "restart"
    """The agent ended before the recording was finished."""
    RING_OVERFLOW = "ring_overflow"
    """The moment of the fire was no longer in the ring buffer when its recording was to be written."""
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
    ALTERED = "altered"
    """The gateway received other bytes than were sent, again and again, although the file is undamaged."""
    CLIP_FAILED = "clip_failed"
    """The cloud had the clip but could not store it; the vehicle learns this if an acknowledgement was lost."""


class VehicleFire(NumberedFire):
    """A fire with what its campaign asks of the vehicle: what to capture, and how to upload it."""

    capture: CaptureWindow
    priority: Annotated[int, Field(ge=0, le=100)]
    upload: tuple[UploadRoute, ...]
    when_day_is_spent: DayRule = "keep"
    when_day_of_trigger_is_spent: DayRule = "keep"
    """The same for the day of its trigger's own budget."""

    def waits(self, campaigns: Collection[str], triggers: Collection[str]) -> bool:
        """Whether it is kept if the days of these campaigns, and of the own budgets of these triggers, are spent."""
        is_of_trigger = self.name_of_trigger in triggers
        is_of_campaign = self.campaign in campaigns or not is_of_trigger
        rules = [self.when_day_is_spent] * is_of_campaign + [self.when_day_of_trigger_is_spent] * is_of_trigger
        return "drop" not in rules

    @property
    def name_of_trigger(self) -> str:
        """Its trigger as refusals name it."""
        return budget_owner(self.campaign, self.trigger)

    def window(self, max_span_ns: int) -> tuple[int, int]:
        """Start and end of the capture window; if longer than `max_span_ns`, both sides are shortened in proportion."""
        before_ns, after_ns = self.capture.before_ns, self.capture.after_ns
        span_ns = before_ns + after_ns
        if span_ns > max_span_ns:
            before_ns = before_ns * max_span_ns // span_ns
            after_ns = max_span_ns - before_ns
        return max(0, self.t_ns - before_ns), self.t_ns + after_ns
