"""Routes for budgets."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Query

from fleet_api.budget import audit, limits, usecases
from fleet_api.http.auth import Caller
from fleet_api.http.bodies import json_body
from fleet_api.http.routing import ApiRoute
from fleet_api.http.services import Use
from ingest.http.raising import raises
from triggers.contracts.api.budget import (
    MAX_AUDITED_UPLOADS,
    MAX_LISTED_ACCOUNTS,
    BudgetAudit,
    BudgetList,
    LimitRequest,
    LimitView,
)
from triggers.errors import Conflict, NotFound

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


@router.post("/limits", summary="Set a limit")
@raises(Conflict, NotFound)
def set_limit(services: Use, user: Caller, body: Annotated[LimitRequest, json_body(LimitRequest)]) -> LimitView:
    """Set the limit of a campaign, a trigger's own budget, a cost centre's month or the fleet, for a reason that is in
    the audit log.

    It applies beside what the approved version and the settings say: the lower one counts, so it can be lowered at once
    and raised again, and more than was approved takes a new version; so does a limit for a trigger that was approved
    without one. Below what is held, uploads stop at once.
    """
    return limits.set_limit(services, user, body)


@router.get("/audit", summary="Audit the ledger")
def audit_budget(
    services: Use,
    user: Caller,
    after: Annotated[str, Query(max_length=64, description="`next` of the previous page.")] = "",
    limit: Annotated[int, Query(ge=1, le=MAX_AUDITED_UPLOADS)] = 100,
) -> BudgetAudit:
    """Recompute every balance from the entries, and the entries from uploads, clips and objects; to the byte."""
    return audit.audit_page(services, user, after=after, limit=limit)
