"""Routes for the course of a campaign: stages and halts, who did what, differences of versions, and its vehicles."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from fleet_api.campaigns.course import usecases
from fleet_api.http.auth import Caller
from fleet_api.http.routing import ApiRoute
from fleet_api.http.services import Use
from ingest.http.raising import raises
from triggers.contracts.api.watching.course import (
    CampaignVehicleList,
    CourseView,
    DifferenceView,
    OtherVehicles,
    TrailPage,
    VehicleCourse,
)
from triggers.errors import Overloaded

VERSION = "/v1/campaigns/{campaign}/{version}"

router = APIRouter(tags=["campaigns"], route_class=ApiRoute)


@router.get(f"{VERSION}/course", summary="Show the course of a rollout")
def show_course(services: Use, user: Caller, campaign: str, version: int) -> CourseView:
    """When each stage of a version's rollout began, and when it was paused or held, by whom and why."""
    return usecases.show_course(services, user, campaign, version)


@router.get(f"{VERSION}/difference", summary="Compare two versions")
def show_difference(
    services: Use,
    user: Caller,
    campaign: str,
    version: int,
    since: Annotated[int, Query(ge=1, le=2**31 - 1, description="The version to compare with.")],
) -> DifferenceView:
    """How a version differs from another one of its campaign, in settings, cost, trigger text and signal catalog."""
    return usecases.show_difference(services, user, campaign, version, since=since)


@router.get(f"{VERSION}/vehicles", summary="List a version's vehicles")
@raises(Overloaded)
def list_campaign_vehicles(
    services: Use,
    user: Caller,
    campaign: str,
    version: int,
    *,
    state: Annotated[VehicleCourse | None, Query(description="Only vehicles in this state.")] = None,
    after: Annotated[str, Query(max_length=64, description="`next` of the previous page.")] = "",
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> CampaignVehicleList:
    """The vehicles that were given a version: which run it, which do not and why, and what they have counted."""
    return usecases.list_vehicles(services, user, campaign, version, state=state, after=after, limit=limit)


@router.get(f"{VERSION}/other-vehicles", summary="Count a version's other vehicles")
@raises(Overloaded)
def count_other_vehicles(services: Use, user: Caller, campaign: str, version: int) -> OtherVehicles:
    """How many vehicles were never given a version, and why: its target, its days, the stage of its rollout, or that
    they are quarantined or revoked. Of a large fleet the first 20,000 by id are counted.
    """
    return usecases.count_other_vehicles(services, user, campaign, version)


@router.get("/v1/campaign-trails/{campaign}", summary="Read the trail of a campaign")
def read_trail(
    services: Use,
    user: Caller,
    campaign: str,
    *,
    after: Annotated[int, Query(ge=0, le=2**63 - 1, description="`next` of the previous page.")] = 0,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> TrailPage:
    """Who did what with a campaign and its versions, when and why: its part of the audit log, oldest first."""
    return usecases.read_trail(services, user, campaign, after=after, limit=limit)
