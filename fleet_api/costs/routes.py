"""Routes for price books: published by operators, read by everybody who reads campaigns."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query, Response

from fleet_api.costs import usecases
from fleet_api.http.auth import Caller
from fleet_api.http.bodies import MIB, json_body
from fleet_api.http.routing import ApiRoute
from fleet_api.http.services import Use
from ingest.http.raising import raises
from triggers.contracts.api.costs.price_books import (
    PriceBookDetails,
    PriceBookList,
    PriceBookView,
    PublishPriceBookRequest,
)
from triggers.errors import Conflict, NotFound

MAX_BODY_BYTES = 2 * MIB
"""Of a book of the largest size, each of whose characters JSON may write with up to six."""
MAX_VERSION = 2**31 - 1

router = APIRouter(prefix="/v1/price-books", tags=["price books"], route_class=ApiRoute)


@router.post(
    "",
    status_code=201,
    summary="Publish a price book",
    responses={200: {"model": PriceBookView, "description": "The newest version has the same text"}},
)
@raises(Conflict)
def publish_price_book(
    services: Use,
    user: Caller,
    response: Response,
    body: Annotated[PublishPriceBookRequest, json_body(PublishPriceBookRequest, limit_bytes=MAX_BODY_BYTES)],
) -> PriceBookView:
    """Publish a price book as the deployment's newest version. Versions are never changed or taken back.

    It has the currency of those before it, and prices for all days that the newest one has them for.
    """
    published, is_new = usecases.publish(services, user, body)
    response.status_code = 201 if is_new else 200
    return published


@router.get("", summary="List the versions of the price book")
def list_price_books(
    services: Use,
    user: Caller,
    *,
    before: Annotated[int | None, Query(ge=1, le=MAX_VERSION, description="`next` of the previous page.")] = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> PriceBookList:
    """The published versions, the newest first."""
    return usecases.list_price_books(services, user, before=before, limit=limit)


@router.get("/newest", summary="Show the newest price book")
@raises(NotFound)
def show_newest_price_book(services: Use, user: Caller) -> PriceBookDetails:
    """The newest version with its text; 404 if none is published."""
    return usecases.show_price_book(services, user, None)


@router.get("/{version}", summary="Show a price book")
@raises(NotFound)
def show_price_book(
    services: Use, user: Caller, version: Annotated[int, Path(ge=1, le=MAX_VERSION)]
) -> PriceBookDetails:
    """A published version with its text."""
    return usecases.show_price_book(services, user, version)
