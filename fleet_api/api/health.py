"""Whether this process lives, and whether it can work."""

from __future__ import annotations

from fastapi import APIRouter

from fleet_api.http.routing import Route
from fleet_api.http.services import Use
from storage.migrate import head_revision, require_current
from triggers.contracts.api.health import HealthView

router = APIRouter(tags=["health"], route_class=Route)


@router.get("/healthz", summary="Liveness")
async def healthz() -> HealthView:
    """The process answers. Async, so that a full thread pool does not make it look dead."""
    return HealthView()


@router.get("/readyz", summary="Readiness")
def readyz(services: Use) -> HealthView:
    """The database answers and has this version's schema."""
    require_current(services.database)
    return HealthView(schema_revision=head_revision())
