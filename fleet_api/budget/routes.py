"""Routes for budgets."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Query

from fleet_api.budget import usecases
from fleet_api.http.auth import Caller
from fleet_api.http.routing import ApiRoute
from fleet_api.http.services import Use
from ingest.http.raising import raises
from triggers.contracts.api.budget import MAX_LISTED_ACCOUNTS, BudgetList
from triggers.errors import NotFound

router = APIRouter(prefix="/v1/budget", tags=["budget"], route_class=ApiRoute)


@router.get("", summary="Show budgets")
@raises(NotFound)
def show_budget(
    services: Use,
    user: Caller,
    *,
    campaign: Annotated[str | None, Query(max_length=64, description="Show only this campaign's accounts.")] = None,
    day: Annotated[date | None, Query(description="Show the vehicle-days of this UTC day instead of today's.")] = None,
    after: Annotated[str | None, Query(max_length=300, description="`next` of the previous page.")] = None,
    limit: Annotated[int, Query(ge=1, le=MAX_LISTED_ACCOUNTS)] = 1000,
) -> BudgetList:
    """How much is used of the budgets of one campaign, or of all campaigns and the fleet.

    Totals come first, also those of which nothing is used yet, then the vehicle-days of one day, those that hold the
    most first. One whose amount changes from one page to the next may be on both, or on neither.
    """
    return usecases.show_budget(services, user, campaign=campaign, limit=limit, day=day, after=after)
