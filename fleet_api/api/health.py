"""Whether this process lives, and whether it can work."""

from __future__ import annotations

from fastapi import APIRouter
from pydantic import BaseModel

from fleet_api.http.routing import Route
from fleet_api.http.services import Use
from storage.migrate import head_revision, require_current

router = APIRouter(tags=["health"], route_class=Route)


class Health(BaseModel):
    """`status` is `ok`; anything else is a problem document."""

    status: str = "ok"
    schema_revision: str | None = None


@router.get("/healthz", summary="Liveness")
async def healthz() -> Health:
    """The process answers. Async, so that a full thread pool does not make it look dead."""
    return Health()


@router.get("/readyz", summary="Readiness")
def readyz(services: Use) -> Health:
    """The database answers and has this version's schema."""
    require_current(services.database)
    return Health(schema_revision=head_revision())
