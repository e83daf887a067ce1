"""Routes for who owns a campaign and which cost centre pays; below a campaign's own address are its versions."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter

from fleet_api.campaigns import usecases
from fleet_api.http.auth import Caller
from fleet_api.http.bodies import json_body
from fleet_api.http.routing import ApiRoute
from fleet_api.http.services import Use
from ingest.http.raising import raises
from triggers.contracts.api.campaigns import AssignRequest, OwnerView
from triggers.errors import NotFound

router = APIRouter(prefix="/v1/campaign-owners", tags=["campaigns"], route_class=ApiRoute)


@router.post("/{campaign}", summary="Assign a campaign to an owner or a cost centre")
@raises(NotFound)
def assign(
    services: Use,
    user: Caller,
    campaign: str,
    body: Annotated[AssignRequest, json_body(AssignRequest)],
) -> OwnerView:
    """Change who answers for a campaign, or the cost centre that pays for what it uploads from now on.

    Its owner may, and operators. Who applied it first owns it.
    """
    return usecases.assign(services, user, campaign, body)
