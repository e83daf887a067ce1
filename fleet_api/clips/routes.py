"""Routes for clips: searching the catalog, similar clips and their vectors, one clip, and erasing one."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from fleet_api.clips import usecases
from fleet_api.http.auth import Caller
from fleet_api.http.bodies import json_body
from fleet_api.http.routing import CatalogRoute
from fleet_api.http.services import Use
from ingest.http.raising import raises
from storage.clips.cql2 import Language
from storage.clips.properties import MAX_NAME_CHARACTERS
from storage.clips.query import DEFAULT_PAGE, MAX_PAGE
from triggers.contracts.api.clips import (
    DEFAULT_SORT,
    ClipDetailsView,
    ClipErasureView,
    ClipPage,
    ClipVector,
    ClipVectorView,
    EmbeddingId,
    RestoreView,
    SimilarClips,
    SimilarRequest,
)
from triggers.errors import Conflict, Erased, NotFound

router = APIRouter(prefix="/v1/clips", tags=["clips"], route_class=CatalogRoute)


@router.get("", summary="Search clips")
def search_clips(
    services: Use,
    user: Caller,
    *,
    filter_source: Annotated[
        str | None,
        Query(alias="filter", description="CQL2, such as `trigger = 'hard_brake' AND vehicle.region = 'EU'`."),
    ] = None,
    language: Annotated[Language, Query(alias="filter-lang")] = "cql2-text",
    sortby: Annotated[
        str,
        Query(
            max_length=MAX_NAME_CHARACTERS + 1,
            description="A property, such as `start` or `vehicle.model`; a leading - reverses the order, + does not.",
        ),
    ] = DEFAULT_SORT,
    limit: Annotated[int, Query(ge=1, le=MAX_PAGE, description="Clips per page.")] = DEFAULT_PAGE,
    token: Annotated[str | None, Query(description="`next` of the previous page.")] = None,
) -> ClipPage:
    """The clips for which the filter is true with their fires, the latest first unless `sortby` says otherwise.

    Each condition on campaign, version or trigger finds the clips with a fire for which it holds; those within
    `fire(...)` are about one fire. A property that a clip lacks is unknown: neither a condition on it nor its
    negation finds the clip.
    """
    return usecases.search_clips(
        services, user, filter_source=filter_source, language=language, sortby=sortby, limit=limit, token=token
    )


@router.post("/similar", summary="Find similar clips")
@raises(NotFound, Erased)
def similar_clips(
    services: Use, user: Caller, body: Annotated[SimilarRequest, json_body(SimilarRequest)]
) -> SimilarClips:
    """The clips whose vectors are nearest to those of the examples, and far from the counter-examples."""
    return usecases.similar_clips(services, user, body)


@router.put("/{clip_id}/vectors/{embedding_id}", summary="Write a clip's vector")
@raises(Erased, Conflict)
def put_vector(
    services: Use,
    user: Caller,
    clip_id: str,
    embedding_id: EmbeddingId,
    body: Annotated[ClipVector, json_body(ClipVector)],
) -> ClipVectorView:
    """Write a vector that a model of your own has computed; `POST /v1/clips/similar` finds clips by it.

    The first vector of an embedding decides how many numbers its vectors have.
    """
    return usecases.put_vector(services, user, clip_id, embedding_id, body)


@router.get("/{clip_id}", summary="Show a clip")
@raises(Erased)
def show_clip(services: Use, user: Caller, clip_id: str) -> ClipDetailsView:
    """A clip with its fires, statistics, labels, and links to its files."""
    return usecases.show_clip(services, user, clip_id)


@router.post("/{clip_id}/restore", status_code=202, summary="Restore an archived recording")
@raises(Conflict, Erased)
def restore_clip(services: Use, user: Caller, clip_id: str) -> RestoreView:
    """Have the recording of a clip, which is in an archive tier, readable for some days, hours from now."""
    return usecases.restore_clip(services, user, clip_id)


@router.delete("/{clip_id}", summary="Erase a clip")
@raises(Conflict, Erased)
def erase_clip(
    services: Use,
    user: Caller,
    clip_id: str,
    *,
    reason: Annotated[str, Query(min_length=1, max_length=500, description="Why; shown to who asks for the clip.")],
    datasets: Annotated[
        str, Query(max_length=7000, description="Every dataset that the clip is in, separated by commas.")
    ] = "",
) -> ClipErasureView:
    """Erase a clip for good, with its labels and everything derived from it. Its fires are still counted.

    One that is in datasets is erased only when all of them are named; they list it as erased from then on.
    """
    named = [name for name in datasets.split(",") if name]
    return usecases.erase_clip(services, user, clip_id, reason=reason, named=named)
