"""Routes for alerts."""

from __future__ import annotations

from fastapi import APIRouter

from fleet_api.alerts import usecases
from fleet_api.http.auth import Caller
from fleet_api.http.routing import ApiRoute
from fleet_api.http.services import Use
from triggers.contracts.api.watching.alerts import AlertList

router = APIRouter(prefix="/v1/alerts", tags=["alerts"], route_class=ApiRoute)


@router.get("", summary="List alerts")
def list_alerts(services: Use, user: Caller) -> AlertList:
    """What is wrong, since when, and what to do about it: budgets, forecasts, silent campaigns, lost fires, vehicles,
    backlogs, dead letters, and disks of the API, by rules that are evaluated once a minute.
    """
    return usecases.list_alerts(services, user)
