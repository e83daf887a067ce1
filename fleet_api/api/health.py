"""Health checks: whether this process is alive, and whether it is ready."""

from __future__ import annotations

from fastapi import APIRouter

from fleet_api.http.routing import ApiRoute
from fleet_api.http.services import Use
from storage.migrate import head_revision, require_current
from triggers.contracts.api.health import HealthView

router = APIRouter(tags=["health"], route_class=ApiRoute)


@router.get("/healthz", summary="Liveness")
async def healthz() -> HealthView:  # async, so that a full thread pool does not make it look dead
    """Whether the process answers."""
    return HealthView()


@router.get("/readyz", summary="Readiness")
def readyz(services: Use) -> HealthView:
    """Whether the database answers and has the schema of this version."""
    require_current(services.database)
    return HealthView(schema_revision=head_revision())
