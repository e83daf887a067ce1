"""Health checks: whether this process is alive, and whether it is ready."""

from __future__ import annotations

from fastapi import APIRouter, Request

from fleet_api.http.routing import ApiRoute
from fleet_api.http.services import Use
from ingest.single_check import SingleCheck
from storage.diagnosis.schema import head_revision
from triggers.contracts.api.health import HealthView

router = APIRouter(tags=["health"], route_class=ApiRoute)


@router.get("/healthz", summary="Liveness")
async def healthz() -> HealthView:  # async, so that a full thread pool does not make it look dead
    """Whether the process answers."""
    return HealthView()


@router.get("/readyz", summary="Readiness")
async def readyz(request: Request, _services: Use) -> HealthView:  # async: a full thread pool does not hide an outage
    """Whether the database answers within 5 s and has the schema of this version."""
    check: SingleCheck[str] = request.app.state.check
    return HealthView(deployment=await check.run(), schema_revision=head_revision())
