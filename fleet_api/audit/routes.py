"""Routes for the audit log: reading it, oldest entries first."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from fleet_api.audit import usecases
from fleet_api.http.auth import Caller
from fleet_api.http.routing import ApiRoute
from fleet_api.http.services import Use
from triggers.contracts.api.audit import AuditPage

router = APIRouter(prefix="/v1/audit", tags=["audit"], route_class=ApiRoute)


@router.get("", summary="Read the audit log")
def read_audit(
    services: Use,
    user: Caller,
    *,
    since_ns: Annotated[
        int | None, Query(ge=0, le=2**63 - 1, description="Only entries from this time on, in ns since the Unix epoch.")
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
    return usecases.read_audit(services, user, since_ns=since_ns, who=who, about=about, after=after, limit=limit)
