"""Routes for trust documents: the newest one for people, the next one from an administrator."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter

from fleet_api.http.auth import Caller
from fleet_api.http.bodies import json_body
from fleet_api.http.routing import ApiRoute
from fleet_api.http.services import Use
from fleet_api.trust import usecases
from ingest.http.raising import raises
from triggers.contracts.api.trust import PublishedView, PublishRequest, TrustView
from triggers.errors import Conflict, Untrusted

router = APIRouter(prefix="/v1/trust", tags=["trust"], route_class=ApiRoute)


@router.get("", summary="Show the trust document")
def show_trust(services: Use, user: Caller) -> TrustView:
    """The newest trust document: the keys that vehicles trust. Vehicles get it with their check-in."""
    return usecases.show(services, user)


@router.post("", summary="Publish a trust document")
@raises(Conflict, Untrusted)
def publish_trust(
    services: Use, user: Caller, body: Annotated[PublishRequest, json_body(PublishRequest)]
) -> PublishedView:
    """Publish the next trust document. Enough root keys of the one before, and of itself, must have signed it.

    Running bundles are sealed again with the signatures that it asks for, as far as there are any.
    """
    return usecases.publish(services, user, body)
