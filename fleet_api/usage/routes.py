"""Routes for usage."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from fleet_api.http.auth import Caller
from fleet_api.http.routing import ApiRoute
from fleet_api.http.services import Use
from fleet_api.usage import usecases
from ingest.http.raising import raises
from triggers.contracts.api.usage.answers import MAX_LISTED_USAGE, UsageDimension, UsageList
from triggers.errors import NotFound, Overloaded

router = APIRouter(prefix="/v1/usage", tags=["usage"], route_class=ApiRoute)
Only = Annotated[str | None, Query(max_length=1000, description="Count only this one; empty: only what has none.")]


@router.get("", summary="Show usage")
@raises(NotFound, Overloaded)
def show_usage(
    services: Use,
    user: Caller,
    *,
    by: Annotated[
        str, Query(max_length=100, description="What it is grouped by, as in `campaign,network`; empty: one sum.")
    ] = "campaign",
    since: Annotated[
        str | None,
        Query(max_length=40, description="From this time (RFC 3339) on. Default: 7 days before `until`."),
    ] = None,
    until: Annotated[str | None, Query(max_length=40, description="Before this time. Default: now.")] = None,
    campaign: Only = None,
    version: Annotated[int | None, Query(ge=0, le=2**31 - 1, description="Count only this version.")] = None,
    trigger: Only = None,
    region: Only = None,
    model: Only = None,
    network: Only = None,
    after: Annotated[str | None, Query(max_length=8000, description="`next` of the previous page.")] = None,
    limit: Annotated[int, Query(ge=1, le=MAX_LISTED_USAGE)] = 1000,
) -> UsageList:
    """Clips, bytes and reported counts, summed by month, day, hour (UTC), campaign, version, trigger, region, model and
    network, or some of these.

    All numbers are exact at the moment of the answer. Whole hours are counted: those that `since` and `until` touch.
    """
    only: dict[UsageDimension, str | int | None] = {
        "campaign": campaign,
        "version": version,
        "trigger": trigger,
        "region": region,
        "model": model,
        "network": network,
    }
    where = {name: value for name, value in only.items() if value is not None}
    return usecases.show_usage(services, user, by=by, since=since, until=until, where=where, after=after, limit=limit)
