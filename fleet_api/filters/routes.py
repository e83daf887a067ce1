"""Routes for filters: translating units and relative times, and listing what they can name and call."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from fleet_api.filters import usecases
from fleet_api.http.auth import Caller
from fleet_api.http.routing import CatalogRoute
from fleet_api.http.services import Use
from triggers.contracts.api.clips import FilterView, FunctionsView, PropertiesView

router = APIRouter(prefix="/v1", tags=["clips"], route_class=CatalogRoute)


@router.get("/filter", summary="Translate a filter")
def translate_filter(
    services: Use,
    user: Caller,
    *,
    filter_source: Annotated[
        str,
        Query(
            alias="filter", description="CQL2 text with units, such as `ego.speed.max > 80 km/h AND start > now - 7 d`."
        ),
    ],
) -> FilterView:
    """The filter for `GET /v1/clips` that a text with units and relative times stands for now."""
    return usecases.translate_filter(services, user, filter_source)


@router.get("/properties", summary="List properties of filters")
def list_properties(services: Use, user: Caller) -> PropertiesView:
    """What filters may name: properties of every clip, and the attributes and signals that clips have had."""
    return usecases.list_properties(services, user)


@router.get("/functions", summary="List functions of filters")
def list_functions(user: Caller) -> FunctionsView:
    """The functions that filters can call beside those of CQL2 itself."""
    return usecases.list_functions(user)
