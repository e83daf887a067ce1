"""The API's views of a campaign's course: when stages began, its halts, and what a vehicle does and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime, timedelta

from storage.campaigns.course import GivenVehicle
from storage.campaigns.halts import Halt
from storage.campaigns.queries import CampaignVersion
from triggers.assignment.rollout import halted_ns, stages_begin_ns
from triggers.contracts.api.watching.course import (
    CampaignVehicleView,
    CourseView,
    HaltView,
    StageCourseView,
    VehicleCourse,
)
from triggers.contracts.campaign import ENDED, RUNNING, CampaignState, RolloutStage

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


def _ns(moment: datetime) -> int:
    return round((moment - _EPOCH) / timedelta(microseconds=1)) * 1000
