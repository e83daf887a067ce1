"""Clips: searching the catalog, and one clip with everything that belongs to it."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from fleet_api.api.auth import Viewer
from fleet_api.api.routing import Route
from fleet_api.api.services import Use
from fleet_api.clips.views import clip_view, details_view
from storage.clips import search as catalog
from storage.clips.cql2 import Language
from triggers.contracts.api.clips import ClipDetailsView, ClipPage

router = APIRouter(prefix="/v1/clips", tags=["clips"], route_class=Route)


@router.get("", summary="Search clips")
def search_clips(
    services: Use,
    _user: Viewer,
    *,
    filter_source: Annotated[
        str | None,
        Query(alias="filter", description="CQL2, for instance `trigger = 'hard_brake' AND vehicle.region = 'EU'`."),
    ] = None,
    language: Annotated[Language, Query(alias="filter-lang")] = "cql2-text",
    sortby: Annotated[
        str, Query(max_length=60, description="start, end, duration_s, size_bytes or stored_at; - reverses.")
    ] = catalog.DEFAULT_SORT,
    limit: Annotated[int, Query(ge=1, description="Clips a page; above 1000 counts as 1000.")] = 100,
    token: Annotated[str | None, Query(description="`next` of the page before.")] = None,
) -> ClipPage:
    """The clips for which the filter is true, newest first unless `sortby` says otherwise, with their fires.

    Conditions on campaign, version and trigger that stand side by side in a conjunction speak of the same fire.
    What a clip does not have is unknown: neither a condition on it nor its negation finds the clip.
    """
    with services.database.begin() as connection:
        page = catalog.search(
            connection, filter_source=filter_source, language=language, sortby=sortby, limit=limit, token=token
        )
    return ClipPage(clips=[clip_view(clip) for clip in page.clips], next=page.next)


@router.get("/{clip_id}", summary="Show a clip")
def show_clip(services: Use, _user: Viewer, clip_id: str) -> ClipDetailsView:
    """A clip with its fires, statistics, labels, and links to its files."""
    with services.database.begin() as connection:
        details = catalog.get_clip(connection, clip_id)
    return details_view(details, services.store)
