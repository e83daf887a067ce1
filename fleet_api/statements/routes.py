"""Routes for what campaigns have cost: to date, by months that close, and as an export."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query
from fastapi.responses import StreamingResponse

from fleet_api.http.auth import Caller
from fleet_api.http.routing import ApiRoute
from fleet_api.http.services import Use
from fleet_api.statements import usecases
from ingest.http.raising import raises
from triggers.contracts.api.costs.months import (
    MAX_LISTED_ENTRIES,
    ClosedMonthList,
    ClosedMonthView,
    StatementView,
)
from triggers.contracts.api.costs.to_date import MAX_LISTED_COSTS, CostList
from triggers.errors import Conflict, InvalidInput, NotFound

MAX_NUMBER = 2**31 - 1

router = APIRouter(prefix="/v1/costs", tags=["costs"], route_class=ApiRoute)


@router.get("", summary="Show what campaigns have cost")
@raises(Conflict, InvalidInput, NotFound)
def show_costs(
    services: Use,
    user: Caller,
    *,
    campaign: Annotated[str | None, Query(max_length=64, description="Show only this campaign.")] = None,
    after: Annotated[str, Query(max_length=64, description="`next` of the previous page; not with `campaign`.")] = "",
    limit: Annotated[int, Query(ge=1, le=MAX_LISTED_COSTS)] = 100,
) -> CostList:
    """What campaigns have cost from their beginning through today, by the newest price book, and what it was for.

    Bytes are paid for when their upload ends, clips in storage for each day that they are there.
    """
    return usecases.show_costs(services, user, campaign=campaign, after=after, limit=limit)


@router.get("/months", summary="List closed months")
def list_months(services: Use, user: Caller) -> ClosedMonthList:
    """All months of costs that are closed, in order."""
    return usecases.list_months(services, user)


@router.get("/months/{month}", summary="Show a month's statement")
@raises(Conflict, NotFound)
def show_statement(
    services: Use,
    user: Caller,
    month: Annotated[str, Path(description="Such as 2026-01.")],
    *,
    after: Annotated[int, Query(ge=0, le=MAX_NUMBER, description="`next` of the previous page.")] = 0,
    limit: Annotated[int, Query(ge=1, le=MAX_LISTED_ENTRIES)] = MAX_LISTED_ENTRIES,
) -> StatementView:
    """A month's entries, campaign by campaign: those it was closed with, or would be with what is known now."""
    return usecases.show_statement(services, user, month, after=after, limit=limit)


@router.post("/months/{month}/close", status_code=201, summary="Close a month")
@raises(Conflict)
def close_month(
    services: Use, user: Caller, month: Annotated[str, Path(description="Such as 2026-01.")]
) -> ClosedMonthView:
    """Close a month for good. What becomes known of it later is corrected in the month that is open then."""
    return usecases.close_month(services, user, month)


@router.get(
    "/focus",
    summary="Export closed months as FOCUS",
    response_class=StreamingResponse,
    responses={200: {"description": "A row per entry", "content": {"text/csv": {"schema": {"type": "string"}}}}},
)
@raises(Conflict, NotFound)
def export_focus(
    services: Use,
    user: Caller,
    *,
    first: Annotated[str | None, Query(alias="from", description="The first month; else the first closed.")] = None,
    through: Annotated[str | None, Query(description="The last month; else the last closed.")] = None,
) -> StreamingResponse:
    """The statements of closed months as a Cost and Usage dataset of FOCUS 1.2, the FinOps specification."""
    return StreamingResponse(
        usecases.export_focus(services, user, first=first, through=through), media_type="text/csv; charset=utf-8"
    )
