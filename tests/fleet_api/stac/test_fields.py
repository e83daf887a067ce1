"""The Fields extension: which members of an item a request gets."""

from __future__ import annotations

from typing import Any

import pytest

from fleet_api.stac.fields import selected, wants_assets
from triggers.contracts.api.stac.search import Fields

IDENTITY = {"type": "Feature", "stac_version": "1.1.0", "id": "a", "collection": "c"}
ITEM: dict[str, Any] = {
    **IDENTITY,
    "geometry": None,
    "properties": {"datetime": "now", "longtail:vehicle.region": "EU", "keywords": ["a"]},
    "links": [{"rel": "self"}],
    "assets": {"clip.mcap": {"href": "x", "type": "y"}},
}


def without(*names: str) -> dict[str, Any]:
    return {name: value for name, value in ITEM.items() if name not in names}


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        (None, ITEM),
        (Fields(), {**without("properties"), "properties": {"datetime": "now"}}),
        (Fields(exclude=("geometry",)), without("geometry")),
        (
            Fields(exclude=("geometry",), include=()),
            {**without("geometry", "properties"), "properties": {"datetime": "now"}},
        ),
        (Fields(include=("links",)), {**IDENTITY, "links": ITEM["links"]}),
        (
            Fields(include=("properties.longtail:vehicle.region",)),
            {**IDENTITY, "properties": {"longtail:vehicle.region": "EU"}},
        ),
        (
            Fields(include=("properties", "properties.datetime"), exclude=("properties.keywords", "id")),
            {**IDENTITY, "properties": {"datetime": "now", "longtail:vehicle.region": "EU"}},
        ),
        (Fields(include=("assets.clip.mcap.href",)), {**IDENTITY, "assets": {"clip.mcap": {"href": "x"}}}),
        (Fields(include=("geometry",), exclude=("geometry",)), {**IDENTITY, "geometry": None}),
        (Fields(include=("nothing",)), IDENTITY),
    ],
)
def test_an_item_has_the_wanted_members(fields: Fields | None, expected: dict[str, Any]) -> None:
    assert selected(ITEM, fields) == expected


def test_links_are_only_signed_where_they_are_wanted() -> None:
    assert wants_assets(None)
    assert wants_assets(Fields(include=("assets.clip.mcap",)))
    assert not wants_assets(Fields(include=("geometry",)))
    assert not wants_assets(Fields(exclude=("assets",)))
