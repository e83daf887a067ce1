"""Links between the STAC resources, absolute under the API's public address."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode

from pydantic_core import to_json

from triggers.contracts.api.stac.search import ItemSearch

JSON = "application/json"
GEOJSON = "application/geo+json"
SCHEMA = "application/schema+json"
HTML = "text/html"
QUERYABLES = "http://www.opengis.net/def/rel/ogc/1.0/queryables"
ROOT = "/stac"
Link = dict[str, Any]
_CLIP = "{clip}"
"""Braces stand in no address, as they are quoted there."""


@dataclass(frozen=True)
class Links:
    """The links of one deployment; `api` is its public address, without a slash at its end."""

    api: str

    def root(self) -> Link:
        """To the landing page."""
        return self._to("root", "", JSON)

    def of_landing(self, collections: Iterable[str]) -> list[Link]:
        """Of the landing page, with a child for each collection."""
        searches = [{**self._to("search", "/search", GEOJSON), "method": method} for method in ("GET", "POST")]
        return [
            self.root(),
            self._to("self", "", JSON),
            self._to("conformance", "/conformance", JSON),
            self._to("data", "/collections", JSON),
            *searches,
            self._to(QUERYABLES, "/queryables", SCHEMA),
            {"rel": "service-desc", "type": JSON, "href": f"{self.api}/openapi.json"},
            {"rel": "service-doc", "type": HTML, "href": f"{self.api}/docs"},
            *({**self._to("child", _collection(name), JSON), "title": name} for name in collections),
        ]

    def of_collection(self, name: str) -> list[Link]:
        """Of one collection."""
        place = _collection(name)
        return [
            self._to("self", place, JSON),
            self.root(),
            self._to("parent", "", JSON),
            self._to("items", f"{place}/items", GEOJSON),
            self._to(QUERYABLES, f"{place}/queryables", SCHEMA),
        ]

    def of_item(self, collection: str, clip_id: str) -> str:
        """Of one item, and to everything else that we know of the clip, as JSON."""
        return _of_items(self, collection).replace(_CLIP, quote(clip_id, safe=""))

    def of_page(self, path: str, query: str, token: str | None, media_type: str) -> list[Link]:
        """Of a page that GET has asked for: to itself, and to the one that begins at a token."""
        address = f"{self.api}{path}"
        own = [{"rel": "self", "type": media_type, "href": f"{address}?{query}" if query else address}, self.root()]
        if token is None:
            return own
        asked = [pair for pair in parse_qsl(query, keep_blank_values=True) if pair[0] != "token"]
        following = f"{address}?{urlencode([*asked, ('token', token)])}"
        return [*own, {"rel": "next", "type": media_type, "method": "GET", "href": following}]

    def of_posted_page(self, search: ItemSearch, token: str | None) -> list[Link]:
        """Of a page that POST has asked for; the next one is asked for by the same body with a token."""
        own = [self._to("self", "/search", GEOJSON), self.root()]
        if token is None:
            return own
        body = {**search.model_dump(mode="json", by_alias=True, exclude_unset=True), "token": token}
        return [*own, {**self._to("next", "/search", GEOJSON), "method": "POST", "body": body}]

    def queryables(self, collection: str | None) -> str:
        """The address of the queryables of a collection, or of all."""
        return f"{self.api}{ROOT}{'' if collection is None else _collection(collection)}/queryables"

    def of_items(self, collection: str) -> list[Link]:
        """Those of each item of a collection, with _CLIP where its id stands."""
        place, everything = _collection(collection), f"{self.api}/v1/clips/{_CLIP}"
        return [
            self._to("self", f"{place}/items/{_CLIP}", GEOJSON),
            self._to("collection", place, JSON),
            self._to("parent", place, JSON),
            self.root(),
            {"rel": "alternate", "type": JSON, "href": everything, "title": "Statistics, labels and remarks"},
        ]

    def _to(self, rel: str, place: str, media_type: str) -> Link:
        return {"rel": rel, "type": media_type, "href": f"{self.api}{ROOT}{place}"}


@lru_cache(1000)
def _of_items(links: Links, collection: str) -> str:
    return to_json(links.of_items(collection)).decode()


@lru_cache(1000)
def _collection(name: str) -> str:
    return f"/collections/{quote(name, safe='')}"
