"""Filters on cells: whatever is asked of a place becomes a question for the cell, or is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.clips.cql2 import parse_filter
from storage.clips.cql2.operands import Reference, properties_of
from storage.clips.cql2.tree import IsNull, leaves, operands_of
from storage.clips.positions.filters import on_cells
from storage.clips.positions.signals import is_position
from triggers.errors import Forbidden, InvalidInput

OF_PLACES = [
    f"{relation}({place}, {shape})"
    for relation in ("S_INTERSECTS", "S_DISJOINT", "S_WITHIN", "S_CONTAINS", "S_EQUALS", "S_TOUCHES", "S_CROSSES")
    for place in ("box", "geometry")
    for shape in (
        "POINT(11 48)",
        "MULTIPOINT(11 48, 12 48)",
        "LINESTRING(11 48, 12 48)",
        "POLYGON((11 48, 12 48, 12 49, 11 48))",
        "MULTIPOLYGON(((11 48, 12 48, 12 49, 11 48)))",
        "BBOX(11, 48, 12, 49)",
        "GEOMETRYCOLLECTION(POINT(11 48), LINESTRING(11 48, 12 48))",
    )
]
OTHERS = [
    "distance(geometry, POINT(11 48)) < 5",
    "distance(geometry, POINT(11 48)) - 3 > size_bytes",
    "1 / (distance(geometry, POINT(11 48)) div 500) IS NULL",
    "distance(geometry, POINT(11 48)) IS NOT NULL",
    "geometry IS NULL",
    "box IS NOT NULL",
    "ego.latitude.max > 48",
    "size_bytes + gnss.x.mean < 3",
    "in_unit(fix.lat.min, 'rad') BETWEEN 1 AND 2",
    "CASEI(damage) LIKE '%48%'",
    "text('48137*')",
    "text('48\u00b0 north')",
    "text('wet road')",
    "vehicle = 'car-1'",
    "FIRE(trigger = 'a' AND version = 2)",
    "A_CONTAINS(tags, ('wet'))",
    "place_cell = '871f8d7a4ffffff'",
    "place_cell_5 LIKE '851%'",
    "TRUE",
]


def understood(texts: list[str]) -> list[str]:
    """Those that are filters at all: a relation need not take every shape."""
    kept = []
    for text in texts:
        try:
            parse_filter(text, "cql2-text")
        except InvalidInput:
            continue
        kept.append(text)
    return kept


LEAVES = understood(OF_PLACES) + OTHERS
TEXTS = st.recursive(
    st.sampled_from(LEAVES),
    lambda inner: st.one_of(
        inner.map(lambda one: f"NOT ({one})"),
        st.tuples(inner, st.sampled_from(["AND", "OR"]), inner).map(lambda parts: f"({' '.join(parts)})"),
    ),
    max_leaves=4,
)


def none_declared(signal: str) -> bool:
    return is_position(signal, frozenset())


@given(TEXTS)
def test_what_is_left_of_a_filter_asks_nothing_of_a_place_but_its_cell(text: str) -> None:
    try:
        left = on_cells(parse_filter(text, "cql2-text"), none_declared)
    except Forbidden as refused:
        assert "place cells" in refused.message and "LONGTAIL_POSITION_ROLES" in (refused.remedy or "")
        return
    for leaf in leaves(left.tree):
        asked = {each for operand in operands_of(leaf) for each in properties_of(operand)}
        has_one = isinstance(leaf, IsNull) and isinstance(leaf.operand, Reference)
        assert has_one or not any(each.kind in ("geometry", "box") for each in asked)
        assert not any(each.name == "damage" or none_declared(each.signal or "") for each in asked)
    assert left.source == text, "page tokens go with the filter as it was written"


@pytest.mark.parametrize("shape", ["BBOX(11, 48, 12, 49)", "POINT(11 48)", "POLYGON((11 48, 12 48, 12 49, 11 48))"])
@pytest.mark.parametrize("place", ["box", "geometry"])
@pytest.mark.parametrize("relation", ["S_INTERSECTS", "S_DISJOINT"])
def test_areas_and_points_are_asked_for_by_cells(relation: str, place: str, shape: str) -> None:
    left = on_cells(parse_filter(f"{relation}({place}, {shape})", "cql2-text"), none_declared)
    asked = {each for leaf in leaves(left.tree) for operand in operands_of(leaf) for each in properties_of(operand)}
    assert asked and all(each.name.startswith("place_cell") for each in asked)


@pytest.mark.parametrize("text", [leaf for leaf in OTHERS if "geometry," in leaf or "max" in leaf or "mean" in leaf])
def test_distances_and_statistics_of_positions_are_refused(text: str) -> None:
    with pytest.raises(Forbidden):
        on_cells(parse_filter(text, "cql2-text"), none_declared)
