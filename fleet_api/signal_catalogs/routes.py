"""Routes for signal catalogs: published by operators, read by everybody who reads campaigns."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Response

from fleet_api.http.auth import Caller
from fleet_api.http.bodies import MIB, json_body
from fleet_api.http.routing import ApiRoute
from fleet_api.http.services import Use
from fleet_api.signal_catalogs import usecases
from ingest.http.raising import raises
from triggers.contracts.api.signal_catalogs import (
    PublishCatalogRequest,
    SignalCatalogDetails,
    SignalCatalogList,
    SignalCatalogView,
)
from triggers.errors import TooMany

MAX_BODY_BYTES = 16 * MIB

router = APIRouter(prefix="/v1/signal-catalogs", tags=["signal catalogs"], route_class=ApiRoute)


@router.post(
    "",
    status_code=201,
    summary="Publish a signal catalog",
    responses={200: {"model": SignalCatalogView, "description": "The newest version of this name has the same text"}},
)
@raises(TooMany)
def publish_catalog(
    services: Use,
    user: Caller,
    response: Response,
    body: Annotated[PublishCatalogRequest, json_body(PublishCatalogRequest, limit_bytes=MAX_BODY_BYTES)],
) -> SignalCatalogView:
    """Publish a signal catalog as the next version of its name. Versions are never changed or taken back.

    From the first one on, campaigns are applied against published catalogs only, unless the deployment allows authors
    to bring their own. Its `limits` may not exceed what the deployment allows programs.
    """
    published, is_new = usecases.publish(services, user, body)
    response.status_code = 201 if is_new else 200
    return published


@router.get("", summary="List the signal catalogs")
def list_catalogs(
    services: Use,
    user: Caller,
    *,
    after: Annotated[str, Query(max_length=64, description="`next` of the previous page.")] = "",
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> SignalCatalogList:
    """The newest version of each published signal catalog, by name."""
    return usecases.list_catalogs(services, user, after=after, limit=limit)


@router.get("/{reference}", summary="Show a signal catalog")
def show_catalog(services: Use, user: Caller, reference: str) -> SignalCatalogDetails:
    """A published version with its text: `NAME` for the newest of a name, `NAME@VERSION`, or the digest of its text."""
    return usecases.show_catalog(services, user, reference)
