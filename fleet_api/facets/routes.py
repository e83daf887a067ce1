"""Routes for counts of clips: how many a filter finds, and how they are spread over properties."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from fleet_api.facets import usecases
from fleet_api.http.auth import Caller
from fleet_api.http.routing import CatalogRoute
from fleet_api.http.services import Use
from storage.clips.cql2 import Language
from storage.clips.facets import DEFAULT_BY, EXACT_UP_TO, LOOKED_AT
from triggers.contracts.api.facets.answers import CountView, FacetsView

router = APIRouter(prefix="/v1/clips", tags=["clips"], route_class=CatalogRoute)

FilterSource = Annotated[str | None, Query(alias="filter", description="CQL2, as for a search.")]
FilterLanguage = Annotated[Language, Query(alias="filter-lang")]


@router.get(
    "/count",
    summary="Count clips",
    description=f"Exact up to {EXACT_UP_TO} clips; above, an estimate where counting takes long.",
)
def count_clips(
    services: Use, user: Caller, *, filter_source: FilterSource = None, language: FilterLanguage = "cql2-text"
) -> CountView:
    """How many clips the filter finds."""
    return usecases.count_clips(services, user, filter_source=filter_source, language=language)


@router.get(
    "/facets",
    summary="Count clips by properties",
    description=f"How the clips that the filter finds are spread; of more than {LOOKED_AT}, the newest are looked at.",
)
def facets_of_clips(
    services: Use,
    user: Caller,
    *,
    filter_source: FilterSource = None,
    language: FilterLanguage = "cql2-text",
    by: Annotated[
        str | None,
        Query(
            description="Properties with commas between them, such as `trigger,vehicle.model:20,recorded:week`;"
            f" after a colon how many values or bins, or the step of a time. Without it `{DEFAULT_BY}`."
        ),
    ] = None,
) -> FacetsView:
    """How the clips that the filter finds are spread over values and bins of properties."""
    return usecases.facets_of_clips(services, user, filter_source=filter_source, language=language, by=by)
