"""The course of a campaign in the API: stages and halts, who did what, differences of versions, and its vehicles."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from pydantic import BaseModel

from triggers.contracts.api.base import View
from triggers.contracts.campaign import HaltKind


class StageCourseView(BaseModel):
    """A stage of a rollout: its number from 1, its share of the fleet, and how long it lasts (null: it has no end).

    `began_at` is null for a stage that is still to come. `expected_at` is when that one will begin, unless the rollout
    is halted; null while it is, and if the version does not run.
    """

    number: int
    share: float
    duration_ns: int | None
    began_at: datetime | None
    expected_at: datetime | None


class HaltView(View):
    """A time in which the stages of a rollout did not count. `stage` is the one that it happened in.

    `until` is null while it lasts. Who halted it and why are null where they are not known.
    """

    kind: HaltKind
    stage: int
    since: datetime
    until: datetime | None
    halted_by: str | None
    reason: str | None


class CourseView(BaseModel):
    """How the rollout of a version has gone: its stages and its halts, in their order; none began before it ran."""

    campaign: str
    version: int
    stages: list[StageCourseView]
    halts: list[HaltView]


class DifferenceView(BaseModel):
    """How version `version` differs from version `since`: a unified difference for each part that does.

    The parts are `settings`, `cost`, `trigger text` and `signal catalog`, in this order.
    """

    campaign: str
    since: int
    version: int
    parts: dict[str, str]


class TrailEntryView(View):
    """A step in a campaign's life, or a limit of its budget, from the audit log.

    `object` is the campaign, a version as `NAME/NUMBER`, or what is limited as `campaign_bytes/NAME`.

    `address` is where it came from, for those who may read the audit log; null for all others, and for what the
    deployment did by itself.
    """

    sequence: int
    at: datetime
    user_name: str
    address: str | None
    action: str
    object: str
    before: dict[str, Any] | None
    after: dict[str, Any] | None
    reason: str | None


class TrailPage(BaseModel):
    """Steps in a campaign's life, oldest first. Pass `next` as `after` to go on; null at the end."""

    entries: list[TrailEntryView]
    next: int | None


class VehicleCourse(StrEnum):
    """What a vehicle that was given a campaign version does with it."""

    RUNS = "runs"
    FAILS = "fails"
    """It runs the version's list, but has reported a problem of this version at its latest check-in."""
    SILENT = "silent"
    """It has not checked in for so long that its list has expired, so it runs nothing."""
    LEFT = "left"
    """Its latest list does not have the version any more."""
    QUARANTINED = "quarantined"
    REVOKED = "revoked"


class CampaignVehicleView(BaseModel):
    """A vehicle that was given a campaign version: what it does with it since when, why, and what it has counted."""

    vehicle: str
    state: VehicleCourse
    reason: str
    """Empty for one that runs it."""
    assigned_from: datetime
    assigned_until: datetime | None
    last_check_in_at: datetime | None
    fired: int
    in_flight: int


class CampaignVehicleList(BaseModel):
    """A page of the vehicles that were given a version, by id; pass `next` as `after` to go on, null at the end.

    `by_state` counts all of them, whatever the page.
    """

    vehicles: list[CampaignVehicleView]
    by_state: dict[VehicleCourse, int]
    next: str | None


class NotGiven(StrEnum):
    """Why a vehicle was never given a campaign version: the first reason that holds."""

    REVOKED = "revoked"
    QUARANTINED = "quarantined"
    NOT_RUNNING = "not_running"
    """The version is not active: not approved, paused, or over."""
    DAYS = "days"
    """Its first day has not come, or its last one is over."""
    TARGET = "target"
    """The vehicle's attributes do not satisfy its target, or are not known."""
    NOT_A_VERSION = "not_a_version"
    """Its target compares an attribute as a version, and the vehicle's is not one, such as `v3` or the number 3.2."""
    STAGE = "stage"
    """The stage that its rollout has reached does not admit the vehicle."""
    DUE = "due"
    """Nothing stands in its way: it gets the version at its next check-in, unless its list is full."""


class OtherVehicles(BaseModel):
    """How many vehicles were never given a campaign version, by the reason; reasons that none has are missing.

    At most the first `counted` by id are counted; `is_complete` says whether these are all.
    """

    by_reason: dict[NotGiven, int]
    counted: int
    is_complete: bool
