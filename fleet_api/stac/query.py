"""The query parameters of a search for STAC items: those of both addresses that list items by GET, in one place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import Query

from fleet_api.stac.rules import search_of_query
from fleet_api.stac.usecases import MAX_ITEMS
from triggers.contracts.api.stac.search import MAX_TEXT, ItemSearch

Collections = Annotated[str | None, Query(max_length=MAX_TEXT, description="Names, separated by commas.")]
Ids = Annotated[str | None, Query(max_length=MAX_TEXT, description="Ids, separated by commas.")]
Bbox = Annotated[str | None, Query(max_length=MAX_TEXT, description="west,south,east,north in degrees.")]
When = Annotated[str | None, Query(alias="datetime", max_length=MAX_TEXT, description="A time, or `from/to`.")]
Limit = Annotated[int | None, Query(ge=1, description=f"Above {MAX_ITEMS} counts as that.")]
Token = Annotated[str | None, Query(max_length=MAX_TEXT, description="Of the link `next` of the page before.")]
FilterText = Annotated[str | None, Query(alias="filter", max_length=MAX_TEXT, description="CQL2 text or JSON.")]
FilterLang = Annotated[str | None, Query(alias="filter-lang", max_length=20)]
FilterCrs = Annotated[str | None, Query(alias="filter-crs", max_length=100)]
SortBy = Annotated[str | None, Query(max_length=MAX_TEXT, description="A property; a leading - reverses the order.")]
FieldList = Annotated[str | None, Query(max_length=MAX_TEXT, description="Wanted members; - before one leaves it out.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemsQuery:
    """What a request asks for; FastAPI makes it, as a dependency of a route."""

    collections: Collections = None
    ids: Ids = None
    bbox: Bbox = None
    when: When = None
    limit: Limit = None
    token: Token = None
    filter_source: FilterText = None
    language: FilterLang = None
    crs: FilterCrs = None
    sortby: SortBy = None
    fields: FieldList = None

    def search(self, intersects: str | None = None) -> ItemSearch:
        """The search that this and a geometry stand for; InvalidInput for a parameter that is not understood."""
        return search_of_query(
            bbox=self.bbox,
            ids=self.ids,
            collections=self.collections,
            intersects=intersects,
            sortby=self.sortby,
            fields=self.fields,
            others={
                "datetime": self.when,
                "limit": self.limit,
                "token": self.token,
                "filter": self.filter_source,
                "filter-lang": self.language,
                "filter-crs": self.crs,
            },
        )
