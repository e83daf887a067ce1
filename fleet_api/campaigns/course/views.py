"""The API's views of a campaign's course: when stages began, its halts, what vehicles do and why, and the others."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime, timedelta

from storage.campaigns.course import GivenVehicle, OtherVehicle
from storage.campaigns.halts import Halt
from storage.campaigns.queries import CampaignVersion, settings_of
from triggers.assignment.rollout import halted_ns, stages_begin_ns
from triggers.assignment.rules import obstacle
from triggers.contracts.api.watching.course import (
    CampaignVehicleView,
    CourseView,
    HaltView,
    NotGiven,
    OtherVehicles,
    StageCourseView,
    VehicleCourse,
)
from triggers.contracts.campaign import ENDED, RUNNING, CampaignSettings, CampaignState, RolloutStage

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def course_view(version: CampaignVersion, halts: Sequence[Halt], *, now: datetime) -> CourseView:
    """How a version's rollout has gone until `now`; `halts` are its own, in their order."""
    stages = [RolloutStage.model_validate(stage, strict=False) for stage in version.settings["rollout"]]
    begins = _begins(version, stages, halts)
    seen_until = version.ended_at or now
    shown = [
        _stage(number, stage, begins[number - 1] if number <= len(begins) else None, version, seen_until)
        for number, stage in enumerate(stages, start=1)
    ]
    return CourseView(
        campaign=version.campaign,
        version=version.version,
        stages=shown,
        halts=[HaltView(**asdict(halt), stage=max(1, sum(begin <= halt.since for begin in begins))) for halt in halts],
    )


def _begins(version: CampaignVersion, stages: Sequence[RolloutStage], halts: Sequence[Halt]) -> list[datetime]:
    """When each stage began or will begin, as far as that is known."""
    if version.rollout_from is None:
        return []
    spans = [(_ns(halt.since), None if halt.until is None else _ns(halt.until)) for halt in halts]
    # Each halt that is over has pushed `rollout_from` forward; what else has, pauses that nobody noted, came before.
    began_ns = _ns(version.rollout_from) - halted_ns(spans)
    return [_EPOCH + timedelta(microseconds=ns // 1000) for ns in stages_begin_ns(stages, began_ns, spans)]


def _stage(
    number: int, stage: RolloutStage, begin: datetime | None, version: CampaignVersion, seen_until: datetime
) -> StageCourseView:
    has_begun = begin is not None and begin <= seen_until
    return StageCourseView(
        number=number,
        share=stage.share,
        duration_ns=stage.duration_ns,
        began_at=begin if has_begun else None,
        expected_at=None if has_begun or version.state not in RUNNING else begin,
    )


def vehicle_view(given: GivenVehicle, version: CampaignVersion) -> CampaignVehicleView:
    """A vehicle that was given a version, with the reason of its state."""
    return CampaignVehicleView(
        vehicle=given.vehicle,
        state=given.state,
        reason=_reason(given, version),
        assigned_from=given.assigned_from,
        assigned_until=given.assigned_until,
        last_check_in_at=given.last_check_in_at,
        fired=given.fired,
        in_flight=given.in_flight,
    )


def _reason(given: GivenVehicle, version: CampaignVersion) -> str:
    match given.state:
        case VehicleCourse.RUNS:
            return ""
        case VehicleCourse.FAILS:
            return "; ".join(given.problems)
        case VehicleCourse.SILENT:
            return "its list has expired, since it has not checked in"
        case VehicleCourse.QUARANTINED:
            return given.quarantine_reason or ""
        case VehicleCourse.REVOKED:
            return "its token was revoked"
        case VehicleCourse.LEFT if version.state in ENDED:
            return f"the version is {version.state}: {version.ended_reason}"
        case VehicleCourse.LEFT if version.state == CampaignState.PAUSED:
            return "the version is paused"
    return "its attributes or the campaign's days no longer match, or its list is full"


def others_view(
    version: CampaignVersion, others: Sequence[OtherVehicle], *, now: datetime, is_complete: bool
) -> OtherVehicles:
    """The vehicles that were never given a version, counted by the reason."""
    settings = settings_of(version.settings)
    by_reason = Counter(_obstacle(each, version, settings, _ns(now)) for each in others)
    return OtherVehicles(by_reason=by_reason, counted=len(others), is_complete=is_complete)


def _obstacle(vehicle: OtherVehicle, version: CampaignVersion, settings: CampaignSettings, now_ns: int) -> NotGiven:
    if vehicle.is_revoked:
        return NotGiven.REVOKED
    if vehicle.is_quarantined:
        return NotGiven.QUARANTINED
    if version.state != CampaignState.ACTIVE or version.rollout_from is None:
        return NotGiven.NOT_RUNNING
    found = obstacle(
        settings,
        vehicle.id,
        vehicle.attributes,
        rollout_from_ns=_ns(version.rollout_from),
        now_ns=now_ns,
        held_ns=None if version.held_at is None else _ns(version.held_at),
        reported=vehicle.reported_attributes,
    )
    return NotGiven.DUE if found is None else NotGiven(found)


def _ns(moment: datetime) -> int:
    return round((moment - _EPOCH) / timedelta(microseconds=1)) * 1000
