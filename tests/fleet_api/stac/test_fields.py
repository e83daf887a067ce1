"""The Fields extension: which members of an item a request gets."""

from __future__ import annotations

from typing import Any

import pytest

from fleet_api.stac.fields import Wanted
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
    wanted = Wanted.of(fields)
    assert wanted.of_item(ITEM) == expected
    # What is in none of the wanted members need not be made.
    made = {name: value for name, value in ITEM.items() if wanted.has(name)}
    assert wanted.of_item(made) == expected


def test_links_are_only_signed_where_they_are_wanted() -> None:
    assert Wanted().has("assets")
    assert Wanted.of(Fields(include=("assets.clip.mcap",))).has("assets")
    assert not Wanted.of(Fields(include=("geometry",))).has("assets")
    assert not Wanted.of(Fields(exclude=("assets",))).has("assets")
