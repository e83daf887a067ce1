"""Routes for the history of clips and fires, and for latencies."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Path, Query

from fleet_api.history import usecases
from fleet_api.http.auth import Caller
from fleet_api.http.routing import ApiRoute
from fleet_api.http.services import Use
from ingest.http.raising import raises
from triggers.contracts.api.watching.history import HistoryView, LatencyList
from triggers.errors import NotFound, Overloaded

MAX_HOURS = 24 * 366

router = APIRouter(prefix="/v1", tags=["history"], route_class=ApiRoute)


@router.get("/clips/{clip_id}/history", summary="Show a clip's history")
@raises(NotFound)
def show_clip_history(services: Use, user: Caller, clip_id: Annotated[str, Path(max_length=100)]) -> HistoryView:
    """What happened to a clip, and when, from the announcement of its upload to its labels; and what it waits for."""
    return usecases.clip_history(services, user, clip_id)


@router.get("/fires/{vehicle_id}/{campaign}/{version}/{ordinal}/history", summary="Show a fire's history")
@raises(NotFound)
def show_fire_history(
    services: Use,
    user: Caller,
    *,
    vehicle_id: Annotated[str, Path(max_length=100)],
    campaign: Annotated[str, Path(max_length=64)],
    version: Annotated[int, Path(ge=1, le=2**31 - 1)],
    ordinal: Annotated[int, Path(ge=1, le=2**63 - 1)],
) -> HistoryView:
    """What happened to a fire, also where there is no clip of it: sampled out, dropped, failed, or still on its way."""
    return usecases.fire_history(
        services, user, vehicle_id=vehicle_id, campaign=campaign, version=version, ordinal=ordinal
    )


@router.get("/latency", summary="Show latencies")
@raises(NotFound, Overloaded)
def show_latency(
    services: Use,
    user: Caller,
    *,
    campaign: Annotated[str | None, Query(max_length=64, description="Only this campaign.")] = None,
    hours: Annotated[int, Query(ge=1, le=MAX_HOURS, description="Of the clips stored in so many hours.")] = 24,
) -> LatencyList:
    """How long after their first fire clips were stored, ready and labelled: percentiles by campaign and network."""
    return usecases.show_latencies(services, user, since=datetime.now(UTC) - timedelta(hours=hours), campaign=campaign)
