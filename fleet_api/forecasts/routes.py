"""Routes for forecasts of budgets."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from fleet_api.forecasts import usecases
from fleet_api.http.auth import Caller
from fleet_api.http.routing import ApiRoute
from fleet_api.http.services import Use
from ingest.http.raising import raises
from triggers.contracts.api.rates.forecasts import MAX_PAST, ForecastList, PastForecasts
from triggers.errors import NotFound

router = APIRouter(prefix="/v1/forecasts", tags=["budget"], route_class=ApiRoute)


@router.get("", summary="Forecast budgets")
@raises(NotFound)
def show_forecasts(
    services: Use,
    user: Caller,
    campaign: Annotated[str | None, Query(max_length=64, description="Show only this campaign's.")] = None,
    trigger: Annotated[str, Query(max_length=64, description="Only of the own budget of this trigger in it.")] = "",
) -> ForecastList:
    """What campaigns that run or wait will have spent at their ends, and when their limits end them, as the steward
    forecast it within the last hour; the same of triggers' own budgets, after their campaign's; and how good the
    forecasts of the past were.
    """
    return usecases.show_forecasts(services, user, campaign=campaign, trigger=trigger)


@router.get("/kept", summary="Show past forecasts")
@raises(NotFound)
def past_forecasts(
    services: Use,
    user: Caller,
    *,
    campaign: Annotated[str, Query(max_length=64)],
    trigger: Annotated[str, Query(max_length=64, description="Of the own budget of this trigger in it.")] = "",
    limit: Annotated[int, Query(ge=1, le=MAX_PAST)] = 100,
) -> PastForecasts:
    """The forecasts of a campaign, or of a trigger's own budget in it, the last of each day, with what came of those
    whose time is over."""
    return usecases.past_forecasts(services, user, campaign, trigger, limit=limit)
