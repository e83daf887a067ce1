"""Routes for saved searches: a filter and an order of clips under a name, with the link that runs them."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from fleet_api.http.auth import Caller
from fleet_api.http.bodies import json_body
from fleet_api.http.routing import CatalogRoute
from fleet_api.http.services import Use
from fleet_api.searches import usecases
from ingest.http.raising import raises
from triggers.contracts.api.datasets.searches import (
    SavedSearchList,
    SavedSearchView,
    SaveSearchRequest,
    SearchDeletedView,
)
from triggers.errors import Conflict, InvalidInput

router = APIRouter(prefix="/v1/searches", tags=["saved searches"], route_class=CatalogRoute)


@router.post("", summary="Save a search")
@raises(Conflict, InvalidInput)
def save_search(
    services: Use, user: Caller, body: Annotated[SaveSearchRequest, json_body(SaveSearchRequest)]
) -> SavedSearchView:
    """Keep a filter and an order under a name. Saving the same again changes nothing.

    A search is replaced only with `replace`, by who saved it or an operator.
    """
    return usecases.save(services, user, body)


@router.get("", summary="List saved searches")
def list_searches(
    services: Use,
    user: Caller,
    *,
    after: Annotated[str, Query(max_length=64, description="`next` of the previous page.")] = "",
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> SavedSearchList:
    """All saved searches, by name."""
    return usecases.list_searches(services, user, after=after, limit=limit)


@router.get("/{name}", summary="Show a saved search")
def show_search(services: Use, user: Caller, name: str) -> SavedSearchView:
    """A saved search, with the link to its first page."""
    return usecases.show(services, user, name)


@router.delete("/{name}", summary="Delete a saved search")
def delete_search(services: Use, user: Caller, name: str) -> SearchDeletedView:
    """Delete a saved search, which its owner and operators may. Clips and datasets stay as they are."""
    return usecases.forget(services, user, name)
