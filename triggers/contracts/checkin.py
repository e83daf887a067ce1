"""Check-in and telemetry: what a vehicle reports, and the signed list of campaigns that it receives."""

from __future__ import annotations

import hashlib
import operator
from functools import lru_cache
from typing import Annotated, Self

from pydantic import Field, model_validator

from triggers.contracts.base import (
    AttributeName,
    AttributeValue,
    Contract,
    Name,
    Sha256Hex,
    ShortText,
    SignalName,
    VehicleId,
)
from triggers.contracts.campaign import MAX_COMPARES
from triggers.contracts.clip import MAX_SOFTWARE_TEXT
from triggers.contracts.compared import Compared, EventsBySides
from triggers.contracts.fire import TimeNs
from triggers.contracts.limits import MAX_TRUST_VERSION
from triggers.times import NS_PER_MS, NS_PER_S

MAX_REASONS = 50
MAX_REVISION = 2**63 - 1
MAX_AHEAD_NS = 3600 * NS_PER_S
"""How far a list may lie ahead of its reader's clock, by its issue time and by its revision."""
MAX_LIST_LIFETIME_NS = 30 * 86_400 * NS_PER_S
Revision = Annotated[int, Field(ge=0, le=MAX_REVISION)]
_ShortName = Annotated[str, Field(max_length=MAX_SOFTWARE_TEXT)]
Count = Annotated[int, Field(ge=0, le=2**62)]
Reasons = Annotated[
    dict[Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,63}$")], Count], Field(max_length=MAX_REASONS)
]


class FireCounts(Contract):
    """What became of a vehicle's fires of one campaign version, over all fires with `ordinal <= watermark`.

    `fired == watermark`, and every fire is in exactly one of the outcomes. `handed_over` are fires whose clip
    was uploaded and acknowledged completely: from then on the cloud accounts for them.
    """

    campaign: Name
    version: Annotated[int, Field(ge=1)]
    watermark: Count
    suppressed: Count
    """Rises that did not fire because a cooldown was running; not included in `watermark`."""
    sampled_out: Count = 0
    refused: Reasons = {}
    """Refused by a budget, by reason."""
    dropped: Reasons = {}
    """Dropped on the vehicle, by reason (disk full, expired, ...)."""
    failed: Reasons = {}
    in_flight: Count = 0
    """Being recorded, queued or uploaded on the vehicle."""
    handed_over: Count = 0
    per_trigger: Annotated[dict[Name, Count], Field(max_length=1000)] = {}
    """Fires by trigger; their sum is the watermark."""
    armed_ns: Count = 0
    distance_m: Count = 0
    compared: Annotated[dict[SignalName, Compared], Field(max_length=MAX_COMPARES)] = {}
    """Pairs of each compared head; cumulative, like all counts."""
    events: Annotated[dict[SignalName, EventsBySides], Field(max_length=MAX_COMPARES, exclude_if=operator.not_)] = {}
    """Matched events of each head whose events are compared. Left out where there are none, since a cloud of before
    knows no such member; it gives no vehicle a program that compares events either."""

    @model_validator(mode="after")
    def _adds_up(self) -> Self:
        outcomes = self.sampled_out + self.in_flight + self.handed_over
        outcomes += sum(self.refused.values()) + sum(self.dropped.values()) + sum(self.failed.values())
        if outcomes != self.watermark:
            raise ValueError(f"{self.watermark} fires, but {outcomes} outcomes")
        if sum(self.per_trigger.values()) != self.watermark:
            raise ValueError("the fires per trigger do not sum to the watermark")
        return self


class CheckIn(Contract):
    """Body of a vehicle's check-in. The reply is a signed AssignmentList, or 304 if `have` is still current."""

    attributes: Annotated[dict[AttributeName, AttributeValue], Field(max_length=100)] = {}
    software: Annotated[dict[_ShortName, _ShortName], Field(max_length=100)] = {}
    have: Sha256Hex | None = None
    """`AssignmentList.content_digest` of the list that the vehicle follows."""
    revision: Revision | None = None
    """The highest revision that the vehicle has accepted; a cloud that is behind it was restored from a backup."""
    trust: Annotated[int, Field(ge=0, le=MAX_TRUST_VERSION)] | None = None
    """The version of the trust document that the vehicle has; the answer has those after it before the list."""
    vehicle_time_ns: TimeNs
    problems: Annotated[tuple[ShortText, ...], Field(max_length=100)] = ()
    """What the vehicle refused, and why (an untrusted bundle, an unknown program format)."""


class Telemetry(Contract):
    """Body of a vehicle's report of counts; sending the same or an older report again changes nothing."""

    counts: Annotated[tuple[FireCounts, ...], Field(max_length=1000)]
    reported_at_ns: TimeNs


class Assignment(Contract):
    """One campaign that a vehicle must run; its bundle is fetched by digest."""

    campaign: Name
    version: Annotated[int, Field(ge=1)]
    bundle_digest: Sha256Hex


class AssignmentList(Contract):
    """All campaigns of one vehicle; signed. `revision` never decreases, so an old list cannot withhold a stop.

    A revision is at most the time in ms at which it was given, so that nobody can use up the numbers.
    """

    vehicle_id: VehicleId
    revision: Revision
    issued_at_ns: TimeNs
    expires_at_ns: TimeNs
    assignments: Annotated[tuple[Assignment, ...], Field(max_length=1000)]

    @property
    def content_digest(self) -> str:
        """Digest of the assignments only: equal lists issued at different times have the same digest."""
        return hashlib.sha256(b"[" + b",".join(map(_canonical, self.assignments)) + b"]").hexdigest()


@lru_cache(maxsize=4096)
def _canonical(assignment: Assignment) -> bytes:
    """The part of an assignment in the digests of all lists that have it."""
    return assignment.canonical_json()


def revision_at(now_ns: int) -> int:
    """The highest revision that may be given at `now_ns`: the time in ms since 1970."""
    return now_ns // NS_PER_MS


def out_of_bounds(offered: AssignmentList, now_ns: int) -> str | None:
    """What is wrong with a list's times or revision if it is `now_ns`; None if they are within their bounds.

    Whoever has stolen a list key could otherwise issue a list that outdoes every later one.
    """
    ahead_ns = offered.issued_at_ns - now_ns
    if ahead_ns > MAX_AHEAD_NS:
        return f"is issued {ahead_ns / NS_PER_S:.0f} s ahead of the clock"
    if offered.revision > revision_at(now_ns + MAX_AHEAD_NS):
        return f"has revision {offered.revision}, which cannot have been given yet"
    lifetime_ns = offered.expires_at_ns - offered.issued_at_ns
    if lifetime_ns > MAX_LIST_LIFETIME_NS:
        return f"is valid for {lifetime_ns / NS_PER_S:.0f} s, more than {MAX_LIST_LIFETIME_NS // NS_PER_S} s"
    return None
