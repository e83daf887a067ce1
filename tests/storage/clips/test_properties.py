"""The table of properties: every name means one thing, and each entry describes itself."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from storage.clips.order import Order
from storage.clips.properties import (
    PATTERNS,
    PROPERTIES,
    Property,
    attribute_name,
    property_named,
    require_property,
    statistic_names,
)
from storage.clips.queryables import queryable
from triggers.errors import InvalidInput

ALL = [*PROPERTIES, *map(require_property, PATTERNS)]
IDENTIFIER = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,9}", fullmatch=True)
PART = st.one_of(IDENTIFIER, st.sampled_from(["vehicle", "signal", "max", "start"]))
SIGNAL = st.lists(PART, min_size=1, max_size=4).map(".".join)


def bound_values(described: Property) -> list[object]:
    """The values that a property's expression is bound to: the name of its signal, for a statistic."""
    return list(select(described.expression).compile().params.values())


def test_no_two_properties_share_a_name() -> None:
    called = [name for described in PROPERTIES for name in (described.name, *described.aliases)]
    assert len(called) == len(set(called))
    assert all(property_named(name) is not None for name in called)


@given(SIGNAL)
def test_the_names_of_a_signals_statistics_mean_this_signal(signal: str) -> None:
    for name in statistic_names(signal).values():
        described = require_property(name)
        assert (described.kind, bound_values(described)) == ("number", [signal])


@given(st.one_of(IDENTIFIER, st.sampled_from(["my-model", "sw.version", "4wd", "Größe in m", 'a "b"', "x" * 200])))
def test_the_name_of_an_attribute_means_this_attribute(attribute: str) -> None:
    described = require_property(attribute_name(attribute))
    assert (described.kind, described.attribute) == ("attribute", attribute)


@pytest.mark.parametrize("name", ["", "x" * 251 + ".max", "vehicle.", "ego.a-b", "max", ".max", "a..max", "start "])
def test_other_names_are_no_property(name: str) -> None:
    assert property_named(name) is None


@pytest.mark.parametrize(
    ("name", "suggestion"),
    [
        ("campain", "did you mean campaign?"),
        ("VEHICLE", "did you mean vehicle"),
        ("vehicle_ids", "did you mean vehicle_id"),
        ("ego.speed", "did you mean ego.speed.max or ego.speed.min or ego.speed.mean?"),
        ("region", "written vehicle.region, texts in single quotes: 'region'"),
        ("ego..speed", "statistics of signals SIGNAL.max"),
    ],
)
def test_an_unknown_name_is_answered_with_those_it_could_have_been(name: str, suggestion: str) -> None:
    with pytest.raises(InvalidInput, match=re.escape(suggestion)) as refused:
        require_property(name)
    assert len(str(refused.value)) < 250


def test_a_text_in_double_quotes_is_told_apart_from_a_name() -> None:
    with pytest.raises(InvalidInput, match="a text goes in single quotes: 'wet'"):
        require_property("wet", quoted=True)


@pytest.mark.parametrize("described", ALL, ids=lambda described: described.name)
def test_every_property_has_a_schema(described: Property) -> None:
    schema = json.loads(json.dumps(queryable(described)))
    assert schema["title"] and schema["description"]
    assert "type" in schema or "format" in schema


def test_a_schema_has_unit_and_values() -> None:
    assert queryable(require_property("size_bytes"))["x-ogc-unit"] == "By"
    assert queryable(require_property("duration_s"))["x-ogc-unit"] == "s"
    assert queryable(require_property("state"))["enum"] == ["stored", "ready", "damaged"]
    assert queryable(require_property("start")) | {"title": "", "description": ""} == {
        "type": "string",
        "format": "date-time",
        "title": "",
        "description": "",
    }


@pytest.mark.parametrize("described", ALL, ids=lambda described: described.name)
def test_pages_are_sorted_by_whatever_has_an_order(described: Property) -> None:
    if described.kind in ("interval", "geometry", "box") or described.name == "damage":  # a text for people
        assert described.sort is None
    else:
        assert str(Order.parse(f"-{described.name}")) == f"-{described.name}"
