"""Routes for rates of triggers and compared events, comparisons of versions, and disagreement of heads."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from fleet_api.http.auth import Caller
from fleet_api.http.routing import ApiRoute
from fleet_api.http.services import Use
from fleet_api.rates import usecases
from ingest.http.raising import raises
from triggers.contracts.api.rates.answers import ComparisonView, EventsList, HeadsList, RatePer, RatesList
from triggers.contracts.clip import MAX_SOFTWARE_TEXT
from triggers.errors import Conflict, InvalidInput, NotFound

MAX_PAGE = 200
"""Campaigns whose recorded rates are one page: with five triggers each, less than a second of work."""

router = APIRouter(prefix="/v1/rates", tags=["rates"], route_class=ApiRoute)

CampaignName = Annotated[str, Query(max_length=64)]
CampaignVersion = Annotated[
    int | None, Query(ge=1, le=2**31 - 1, description="A version of the campaign; else the running or newest one.")
]
Component = Annotated[
    str | None,
    Query(max_length=MAX_SOFTWARE_TEXT, description="A component of vehicles' software, such as `stack`."),
]
Label = Annotated[str, Query(min_length=1, max_length=MAX_SOFTWARE_TEXT)]


@router.get("", summary="Show rates of triggers")
@raises(NotFound, InvalidInput, Conflict)
def show_rates(
    services: Use,
    user: Caller,
    *,
    campaign: Annotated[str | None, Query(max_length=64)] = None,
    version: CampaignVersion = None,
    component: Component = None,
    after: Annotated[
        str | None, Query(max_length=64, description="`next` of the previous page of all campaigns.")
    ] = None,
    limit: Annotated[
        int | None, Query(ge=1, le=MAX_PAGE, description="Campaigns on a page of all of them; else as many as may be.")
    ] = None,
) -> RatesList:
    """Fires per hour and per 1,000 km, with intervals and trend: one campaign's as counted now, or all campaigns' as
    recorded last, in pages of campaigns by name.
    """
    if campaign is not None:
        _refuse(after=after, limit=limit, why="is for all campaigns", remedy="leave it out, or leave out the campaign")
        return usecases.rates(services, user, campaign=campaign, version=version, component=component)
    _refuse(version=version, component=component, why="needs a campaign", remedy="name the campaign, or leave it out")
    return usecases.recorded_rates(services, user, after=after or "", limit=limit or MAX_PAGE)


def _refuse(*, why: str, remedy: str, **given: object) -> None:
    """InvalidInput for a parameter that this question does not have: of all campaigns only records are read."""
    for name, value in given.items():
        if value is not None:
            raise InvalidInput(f"`{name}` {why}", remedy=remedy)


@router.get("/heads", summary="Show disagreement of heads")
@raises(NotFound, Conflict)
def show_heads(
    services: Use, user: Caller, *, campaign: CampaignName, version: CampaignVersion = None, component: Component = None
) -> HeadsList:
    """The share of pairs in which the active and the shadow value of a compared head differ, with intervals."""
    return usecases.heads(services, user, campaign=campaign, version=version, component=component)


@router.get("/events", summary="Show compared events")
@raises(NotFound, Conflict)
def show_events(
    services: Use, user: Caller, *, campaign: CampaignName, version: CampaignVersion = None, component: Component = None
) -> EventsList:
    """Events per 1,000 km of the heads whose events a campaign compares: told by two sides, or by one of them alone."""
    return usecases.events(services, user, campaign=campaign, version=version, component=component)


@router.get("/comparison", summary="Compare two versions")
@raises(NotFound, InvalidInput, Conflict)
def compare_versions(
    services: Use,
    user: Caller,
    *,
    campaign: CampaignName,
    old: Label,
    new: Label,
    component: Component = None,
    version: CampaignVersion = None,
    per: RatePer = "hour",
) -> ComparisonView:
    """Whether rates fell, rose or appeared from the old to the new version, of the campaign or of a component of
    vehicles' software. The intervals of ratios hold however often one looks.
    """
    return usecases.compare(
        services, user, campaign=campaign, old=old, new=new, component=component, version=version, per=per
    )
