"""Answers of the STAC routes: landing page, collections, items, queryables.

STAC API 1.0.0 and STAC 1.1.0 say what each member means (https://stacspec.org). Members that do not apply are left out.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, Field

STAC_VERSION = "1.1.0"


class StacLink(BaseModel):
    """A link; `method` and `body` are those of the request that follows it."""

    rel: str
    href: str
    type: str | None = None
    title: str | None = None
    method: Literal["GET", "POST"] | None = None
    body: dict[str, Any] | None = None


class StacConformance(BaseModel):
    """The conformance classes that this API meets."""

    conformsTo: list[str]  # noqa: N815 - as the standard spells it


class StacCatalog(BaseModel):
    """The landing page: a STAC Catalog, with links to everything."""

    type: Literal["Catalog"]
    stac_version: str
    id: str
    title: str
    description: str
    conformsTo: list[str]  # noqa: N815 - as the standard spells it
    links: list[StacLink]


class StacSpatialExtent(BaseModel):
    """Boxes: west, south, east and north in degrees."""

    bbox: list[tuple[float, float, float, float]]


class StacTemporalExtent(BaseModel):
    """Intervals of time, null where one is open."""

    interval: list[tuple[str | None, str | None]]


class StacExtent(BaseModel):
    """Where and when the items of a collection are."""

    spatial: StacSpatialExtent
    temporal: StacTemporalExtent


class StacCollection(BaseModel):
    """A STAC Collection: the clips of one campaign."""

    type: Literal["Collection"]
    stac_version: str
    id: str
    title: str
    description: str
    keywords: list[str]
    license: str
    summaries: dict[str, list[str]]
    extent: StacExtent
    links: list[StacLink]


class StacCollections(BaseModel):
    """A page of collections."""

    collections: list[StacCollection]
    links: list[StacLink]


class StacItem(BaseModel):
    """A STAC Item: one clip, as a GeoJSON Feature. `geometry` is its track, null without a position."""

    type: Literal["Feature"]
    stac_version: str
    stac_extensions: list[str]
    id: str
    geometry: dict[str, Any] | None
    bbox: tuple[float, float, float, float] | None = None
    properties: dict[str, Any]
    links: list[StacLink]
    assets: dict[str, dict[str, Any]]
    collection: str


class StacItems(BaseModel):
    """A page of items, whole or with the requested fields."""

    type: Literal["FeatureCollection"]
    features: list[dict[str, Any]]
    links: list[StacLink]
    numberReturned: int  # noqa: N815 - as the standard spells it


class StacQueryables(BaseModel):
    """What filters can ask for, as a JSON Schema."""

    schema_: str = Field(alias="$schema")
    id_: str = Field(alias="$id")
    type: Literal["object"]
    title: str
    description: str
    properties: dict[str, dict[str, Any]]
    patternProperties: dict[str, dict[str, Any]]  # noqa: N815
    additionalProperties: bool  # noqa: N815 - as JSON Schema spells it
