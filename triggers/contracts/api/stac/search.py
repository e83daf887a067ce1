"""A search for STAC items, as the body of a POST has it (STAC API 1.0.0, Item Search with Filter, Sort and Fields)."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints

from triggers.contracts.base import Contract

MAX_IDS = 1000
MAX_COLLECTIONS = 100
MAX_FIELDS = 100
MAX_TEXT = 10_000
SortDirection = Literal["asc", "desc"]
_Text = Annotated[str, StringConstraints(max_length=MAX_TEXT)]
_Id = Annotated[str, StringConstraints(min_length=1, max_length=200)]
_Field = Annotated[str, StringConstraints(min_length=1, max_length=300)]


class SortKey(Contract):
    """A property that items are sorted by."""

    field: _Field
    direction: SortDirection = "asc"


class Fields(Contract):
    """Which members of items are wanted, and which are not; without either, the usual ones."""

    include: Annotated[tuple[_Field, ...], Field(max_length=MAX_FIELDS)] | None = None
    exclude: Annotated[tuple[_Field, ...], Field(max_length=MAX_FIELDS)] | None = None


class ItemSearch(Contract):
    """A search for items, as the body of a POST has it. Every condition that is given holds of each item."""

    collections: Annotated[tuple[_Id, ...], Field(max_length=MAX_COLLECTIONS)] | None = None
    ids: Annotated[tuple[_Id, ...], Field(max_length=MAX_IDS)] | None = None
    bbox: Annotated[tuple[float, ...], Field(min_length=4, max_length=6)] | None = None
    datetime: _Text | None = None
    intersects: dict[str, Any] | None = None
    filter: dict[str, Any] | bool | _Text | None = None
    filter_lang: Annotated[Literal["cql2-text", "cql2-json"] | None, Field(alias="filter-lang")] = None
    filter_crs: Annotated[Literal["http://www.opengis.net/def/crs/OGC/1.3/CRS84"] | None, Field(alias="filter-crs")] = (
        None
    )
    sortby: Annotated[tuple[SortKey, ...], Field(max_length=10)] | None = None
    fields: Fields = Field(default=None)  # type: ignore[assignment]  # absent: whole items; null is refused
    limit: Annotated[int, Field(ge=1)] | None = None
    token: _Text | None = None
