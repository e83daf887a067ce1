"""Use cases for STAC: show the catalog and its collections, search for items, and show one."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any

from pydantic_core import to_json

from fleet_api.services import Services
from fleet_api.stac import collections, rules
from fleet_api.stac.fields import Wanted
from fleet_api.stac.items import Items
from fleet_api.stac.links import Links
from fleet_api.stac.names import own_name
from fleet_api.stac.views import collection_view, landing_view, queryables_view
from storage.campaigns.collected import CollectedCampaign, Extent
from storage.clips.cql2 import Filter, all_of, filter_of, parse_filter
from storage.clips.details import assets_of, get_summary
from storage.clips.marks import openings
from storage.clips.order import Order
from storage.clips.positions import Sight
from storage.clips.query import ClipQuery, Page
from storage.clips.search import search_summaries
from storage.jsonb import storable
from triggers.contracts.api.clips import DEFAULT_SORT
from triggers.contracts.api.stac.search import ItemSearch, SortKey
from triggers.contracts.users import Role, User
from triggers.errors import InvalidInput, NotFound

DEFAULT_ITEMS = 100
MAX_ITEMS = 200
"""Of a page; a larger limit counts as this. Every file of every item has a link that is signed, which takes time."""
MAX_COLLECTIONS = 100
"""Likewise of collections."""


@dataclass(frozen=True)
class FoundCollections:
    """A page of collections, and the token of the next one (None: this was the last)."""

    collections: list[dict[str, Any]]
    next: str | None


@dataclass(frozen=True)
class FoundItems:
    """A page of items, each as JSON, and the token of the next one (None: this was the last)."""

    items: list[str]
    next: str | None

    def collection(self, **more: Any) -> bytes:
        """The page as a GeoJSON FeatureCollection with further members."""
        features = f'{{"type":"FeatureCollection","features":[{",".join(self.items)}]'.encode()
        return b"".join((features, b"," if more else b"", to_json(more)[1:]))


def links_of(services: Services) -> Links:
    """The links of this deployment."""
    return Links(services.settings.effective_api_url().rstrip("/"))


def show_landing(services: Services, user: User) -> dict[str, Any]:
    """The landing page with links to the first MAX_COLLECTIONS collections."""
    user.require(Role.VIEWER)
    with services.database.snapshot() as connection:
        listed = collections.list_collections(connection, after="", limit=MAX_COLLECTIONS)
    return landing_view(links_of(services), [collection.campaign for collection in listed])


def show_queryables(services: Services, user: User, collection: str | None) -> dict[str, Any]:
    """What filters can ask for, of a collection or of all; NotFound without the collection."""
    user.require(Role.VIEWER)
    if collection is not None:
        with services.database.snapshot() as connection:
            collections.find_collection(connection, collection)
    return queryables_view(links_of(services), collection)


def list_collections(services: Services, user: User, *, limit: int, after: str) -> FoundCollections:
    """A page of collections by name; TooMany while another search of this user runs."""
    user.require(Role.VIEWER)
    wanted = min(limit, MAX_COLLECTIONS)
    with services.searches.turn(user.name):
        with services.database.snapshot() as connection:
            listed = collections.list_collections(connection, after=after, limit=wanted + 1)
            sight = services.sight_of(user, connection)
        page = listed[:wanted]
        extents = _extents(services, sight, page)
    links = links_of(services)
    views = [collection_view(links, collection, extents.get(collection.campaign)) for collection in page]
    return FoundCollections(views, page[-1].campaign if len(listed) > wanted else None)


def show_collection(services: Services, user: User, name: str) -> dict[str, Any]:
    """One collection, or NotFound; TooMany while another search of this user runs."""
    user.require(Role.VIEWER)
    with services.searches.turn(user.name):
        with services.database.snapshot() as connection:
            found = collections.find_collection(connection, name)
            sight = services.sight_of(user, connection)
        extents = _extents(services, sight, [found])
    return collection_view(links_of(services), found, extents.get(found.campaign))


def _extents(services: Services, sight: Sight, page: Sequence[CollectedCampaign]) -> dict[str, Extent]:
    """What collections contain; where that is, to those alone who see precise positions: it may be of a single clip."""
    extents = collections.measured_extents(services.database, page)
    return extents if sight.precise else {name: replace(extent, box=None) for name, extent in extents.items()}


def find_items(services: Services, user: User, asked: ItemSearch, *, within: str | None = None) -> FoundItems:
    """A page of the items that a search asks for, of the collection `within` if one is named.

    InvalidInput for what is not understood in it, Forbidden for a filter that would find out more of a place than the
    user may see, NotFound without that collection; Overloaded when it takes too long;
    TooMany while another search of this user runs.
    """
    user.require(Role.VIEWER)
    storable(asked.model_dump(mode="json"), what="the search")
    if within is not None:
        others = asked.collections is not None and within not in asked.collections
        asked = asked.model_copy(update={"collections": () if others else (within,)})
    query = _query(asked)
    with services.searches.turn(user.name), services.database.snapshot() as connection:
        if within is not None:
            collections.find_collection(connection, within)
        items = _items(services, services.sight_of(user, connection), Wanted.of(asked.fields), asked.collections)
        found = search_summaries(connection, items.sight.query(query), with_tracks=items.with_tracks)
        extracted = assets_of(connection, [clip.id for clip in found.clips]) if items.with_assets else {}
    # Links are signed without a connection: 200 us each for S3.
    return FoundItems([items.item(clip, extracted.get(clip.id, ())) for clip in found.clips], found.next)


def show_item(services: Services, user: User, collection: str, item_id: str) -> str:
    """One item of a collection as JSON, whose clip is noted as opened; NotFound or Erased without it."""
    user.require(Role.VIEWER)
    with services.database.snapshot() as connection:
        clip = get_summary(connection, item_id)
        if collection not in clip.fire_names[0]:
            what = f"the collection {collection[:100]!r} has no item {item_id[:100]!r}"
            raise NotFound(what, remedy="GET /stac/search?ids=... finds it in any")
        items = _items(services, services.sight_of(user, connection), Wanted(), [collection])
        extracted = assets_of(connection, [item_id]).get(item_id, ())
        is_noted = openings.is_noted(connection, item_id)
    if not is_noted:
        with services.database.begin() as connection:
            openings.note(connection, item_id)
    return items.item(clip, extracted)


def _items(services: Services, sight: Sight, wanted: Wanted, asked: Collection[str] | None) -> Items:
    return Items(links_of(services), services.store, sight, wanted, asked)


def _query(asked: ItemSearch) -> ClipQuery:
    """The query of a search. A name that no clip has had is null in it: clients ask all catalogs the same."""
    limit = min(asked.limit or DEFAULT_ITEMS, MAX_ITEMS)
    parts = [filter_of(condition) for condition in rules.conditions(asked)]
    if asked.filter is not None:
        parts.append(_filter(asked))
    return ClipQuery(all_of(parts), _order(asked.sortby), Page(limit), absent_is_null=True).at_token(asked.token)


def _filter(asked: ItemSearch) -> Filter:
    if isinstance(asked.filter, str):
        return parse_filter(asked.filter, asked.filter_lang or "cql2-text", names=own_name)
    if asked.filter_lang == "cql2-text":
        raise InvalidInput("filter: it is JSON, not CQL2 text", remedy="send a text, or filter-lang cql2-json")
    return parse_filter(json.dumps(asked.filter), "cql2-json", names=own_name)


def _order(keys: Sequence[SortKey] | None) -> Order:
    """The order of one sort key, and of `id` in the same direction, by which ties are sorted anyway."""
    if not keys:
        return Order.parse(DEFAULT_SORT)
    first, *others = keys
    if others not in ([], [SortKey(field="id", direction=first.direction)]):
        raise InvalidInput("sortby has more than one key", remedy="sort by one; ties are sorted by id")
    name = own_name(first.field) or first.field
    return Order.parse(f"-{name}" if first.direction == "desc" else name)
