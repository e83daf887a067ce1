"""Routes for the audit log: reading it, oldest entries first."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from fleet_api.audit import usecases
from fleet_api.http.auth import Caller
from fleet_api.http.routing import ApiRoute
from fleet_api.http.services import Use
from triggers.contracts.api.audit import AuditPage

MOMENT = r"^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?(Z|[+-]\d{2}:\d{2})?)?$"
"""A day, or a time in RFC 3339; without a zone it is in UTC."""

router = APIRouter(prefix="/v1/audit", tags=["audit"], route_class=ApiRoute)


@router.get("", summary="Read the audit log")
def read_audit(
    services: Use,
    user: Caller,
    *,
    since: Annotated[
        str | None,
        Query(
            pattern=MOMENT, description="Only entries from this day or time on: `2026-11-28`, `2026-11-28T09:00:00Z`."
        ),
    ] = None,
    who: Annotated[str | None, Query(max_length=200, description="Only entries of this user, a name or an id.")] = None,
    about: Annotated[
        str | None,
        Query(
            alias="object", max_length=200, description="Only entries about this campaign, vehicle, clip or other id."
        ),
    ] = None,
    after: Annotated[int, Query(ge=0, le=2**63 - 1, description="`next` of the previous page.")] = 0,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> AuditPage:
    """Who changed what, oldest first. Without a filter the entries are a chain: each has the hash of the one before."""
    return usecases.read_audit(services, user, since=since, who=who, about=about, after=after, limit=limit)
