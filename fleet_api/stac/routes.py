"""Routes for STAC: the landing page, collections, items and search, for tools that know the standard."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import JSONResponse

from fleet_api.http.auth import Caller
from fleet_api.http.bodies import KIB, json_body
from fleet_api.http.routing import CatalogRoute
from fleet_api.http.services import Use
from fleet_api.stac import usecases
from fleet_api.stac.conformance import CONFORMANCE_CLASSES
from fleet_api.stac.links import GEOJSON, JSON, ROOT, SCHEMA
from fleet_api.stac.query import ItemsQuery, Token
from ingest.http.raising import raises
from triggers.contracts.api.stac.answers import (
    StacCatalog,
    StacCollection,
    StacCollections,
    StacConformance,
    StacItem,
    StacItems,
    StacQueryables,
)
from triggers.contracts.api.stac.search import MAX_TEXT, ItemSearch
from triggers.contracts.users import Role
from triggers.errors import Erased

MAX_SEARCH_BYTES = 256 * KIB


class GeoJson(JSONResponse):
    """A response with GeoJSON that is written already. A route makes it itself: FastAPI would read all items first."""

    media_type = GEOJSON

    def render(self, content: str | bytes) -> bytes:
        """In UTF-8."""
        return content.encode() if isinstance(content, str) else content


class JsonSchema(JSONResponse):
    """A response with a JSON Schema."""

    media_type = SCHEMA


router = APIRouter(prefix=ROOT, tags=["stac"], route_class=CatalogRoute)


@router.get("", summary="STAC landing page", response_model=StacCatalog, response_model_exclude_unset=True)
def stac_landing(services: Use, user: Caller) -> Any:
    """The STAC catalog: what it conforms to, and links to its collections and to search."""
    return usecases.show_landing(services, user)


@router.get("/conformance", summary="STAC conformance")
def stac_conformance(user: Caller) -> StacConformance:
    """The conformance classes that these routes meet."""
    user.require(Role.VIEWER)
    return StacConformance(conformsTo=list(CONFORMANCE_CLASSES))


@router.get("/queryables", summary="STAC queryables", response_model=StacQueryables, response_class=JsonSchema)
def stac_queryables(services: Use, user: Caller) -> Any:
    """What filters can ask for."""
    return usecases.show_queryables(services, user, None)


@router.get(
    "/collections",
    summary="List STAC collections",
    response_model=StacCollections,
    response_model_exclude_unset=True,
)
def stac_collections(
    request: Request,
    services: Use,
    user: Caller,
    *,
    limit: Annotated[int, Query(ge=1)] = usecases.MAX_COLLECTIONS,
    token: Token = None,
) -> Any:
    """The collections by name: a campaign that vehicles have had is one."""
    found = usecases.list_collections(services, user, limit=limit, after=token or "")
    links = usecases.links_of(services).of_page(f"{ROOT}/collections", request.url.query, found.next, JSON)
    return {"collections": found.collections, "links": links}


@router.get(
    "/collections/{collection_id}",
    summary="Show a STAC collection",
    response_model=StacCollection,
    response_model_exclude_unset=True,
)
def stac_collection(services: Use, user: Caller, collection_id: str) -> Any:
    """One collection, with the extent of its items."""
    return usecases.show_collection(services, user, collection_id)


@router.get(
    "/collections/{collection_id}/queryables",
    summary="STAC queryables of a collection",
    response_model=StacQueryables,
    response_class=JsonSchema,
)
def stac_collection_queryables(services: Use, user: Caller, collection_id: str) -> Any:
    """What filters can ask for; the same in every collection."""
    return usecases.show_queryables(services, user, collection_id)


@router.get(
    "/collections/{collection_id}/items",
    summary="List the items of a STAC collection",
    response_model=StacItems,
    response_model_exclude_unset=True,
    response_class=GeoJson,
)
def stac_items(
    request: Request,
    services: Use,
    user: Caller,
    collection_id: str,
    query: Annotated[ItemsQuery, Depends()],
) -> Any:
    """The clips of one campaign, the latest first unless `sortby` says otherwise."""
    found = usecases.find_items(services, user, query.search(), within=collection_id)
    path = f"{ROOT}/collections/{collection_id}/items"
    return _page(found, usecases.links_of(services).of_page(path, request.url.query, found.next, GEOJSON))


@router.get(
    "/collections/{collection_id}/items/{item_id}",
    summary="Show a STAC item",
    response_model=StacItem,
    response_model_exclude_unset=True,
    response_class=GeoJson,
)
@raises(Erased)
def stac_item(services: Use, user: Caller, collection_id: str, item_id: str) -> Any:
    """One clip, with links to its files."""
    return GeoJson(usecases.show_item(services, user, collection_id, item_id))


@router.get(
    "/search",
    summary="Search STAC items",
    response_model=StacItems,
    response_model_exclude_unset=True,
    response_class=GeoJson,
)
def stac_search(
    request: Request,
    services: Use,
    user: Caller,
    query: Annotated[ItemsQuery, Depends()],
    *,
    intersects: Annotated[str | None, Query(max_length=MAX_TEXT, description="A GeoJSON geometry.")] = None,
) -> Any:
    """The clips of all campaigns for which every condition holds, the latest first unless `sortby` says otherwise."""
    found = usecases.find_items(services, user, query.search(intersects))
    return _page(found, usecases.links_of(services).of_page(f"{ROOT}/search", request.url.query, found.next, GEOJSON))


@router.post(
    "/search",
    summary="Search STAC items by a body",
    response_model=StacItems,
    response_model_exclude_unset=True,
    response_class=GeoJson,
)
def stac_search_by_body(
    services: Use, user: Caller, asked: Annotated[ItemSearch, json_body(ItemSearch, limit_bytes=MAX_SEARCH_BYTES)]
) -> Any:
    """The same search as with GET."""
    found = usecases.find_items(services, user, asked)
    return _page(found, usecases.links_of(services).of_posted_page(asked, found.next))


def _page(found: usecases.FoundItems, links: list[dict[str, Any]]) -> GeoJson:
    return GeoJson(found.collection(links=links, numberReturned=len(found.items)))
