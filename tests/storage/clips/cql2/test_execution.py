"""Whatever the parser accepts, PostgreSQL can execute: operands of every kind in every place, typed or not."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection

from storage.clips.cql2.parse import OPERATORS
from storage.clips.properties import PROPERTIES
from storage.clips.query import ClipQuery
from storage.clips.search import search
from tests.storage.clips.catalog_support import add_clip, add_labels
from tests.support.servers.database import migrated_database
from triggers.errors import InvalidInput

NUMBERS = [0, -1, 0.1, 2**63, -(2**63) - 1, 10**308, 1e308, 5e-324, 10**400, 1e-300]
STATISTICS = ["ego.speed.min", "ego.speed.max", "ego.speed.mean", "ego.speed.samples", "vehicle.number", "vehicle.text"]
NAMES = [described.name for described in PROPERTIES] + STATISTICS
REFERENCE = st.sampled_from(NAMES).map(lambda name: {"property": name})
LITERAL = st.one_of(
    st.sampled_from(NUMBERS),
    st.booleans(),
    st.none(),
    st.sampled_from(["x", "", "%", "2026-01-05", "2026-01-05T12:00:00Z", "km/h", "ready", "'", "\\\\"]),
    st.sampled_from(
        [{"date": "2026-01-05"}, {"timestamp": "0001-01-01T00:00:00Z"}, {"timestamp": "9999-12-31T23:59:59Z"}]
    ),
)
OPERAND = st.recursive(
    REFERENCE | LITERAL,
    lambda inner: st.one_of(
        st.builds(lambda value: {"op": "casei", "args": [value]}, inner),
        st.builds(
            lambda value, unit: {"op": "in_unit", "args": [value, unit]}, inner, st.sampled_from(["km/h", "K", "x"])
        ),
        st.builds(lambda first, last: {"interval": [first, last]}, inner | st.just(".."), inner | st.just("..")),
    ),
    max_leaves=2,
)
COORDINATE = st.sampled_from([-180, -90, 0, 11.5, 90, 179.999999, 180, 181, 1e300])
POSITION = st.lists(COORDINATE, min_size=2, max_size=3)
SHAPE = st.one_of(
    st.lists(COORDINATE, min_size=4, max_size=6).map(lambda box: {"bbox": box}),
    POSITION.map(lambda at: {"type": "Point", "coordinates": at}),
    st.lists(POSITION, min_size=2, max_size=5).map(lambda ring: {"type": "Polygon", "coordinates": [[*ring, ring[0]]]}),
)
ARGUMENT = st.one_of(OPERAND, OPERAND, SHAPE, st.lists(OPERAND, max_size=3))
FILTER = st.recursive(
    st.builds(
        lambda name, args: {"op": name, "args": args},
        st.sampled_from(OPERATORS),
        st.lists(ARGUMENT, min_size=1, max_size=3),
    ),
    lambda inner: st.builds(
        lambda name, args: {"op": name, "args": args},
        st.sampled_from(["and", "or", "not", "fire"]),
        st.lists(inner, min_size=1, max_size=2),
    ),
    max_leaves=4,
)


@pytest.fixture(scope="module")
def catalog(postgres_url: str, migrated: str) -> Iterator[Connection]:
    with migrated_database(postgres_url, migrated) as database, database.begin() as connection:
        known = {"statistics": {"ego.speed": (0.0, 1e308, 5e-324)}, "units": {"ego.speed": "m/s"}}
        attributes = {"attributes": {"number": 1e308, "text": "3"}}
        labelled = add_clip(
            connection, fired=[("a", "b")], tags=["x"], box=(179.0, -1.0, -179.0, 1.0), **known, **attributes
        )
        add_labels(connection, labelled, "x")
        add_clip(connection, damage="x", size_bytes=2**63 - 1, **known)
        yield connection


def searched(connection: Connection, tree: Any) -> bool:
    """Whether the filter was accepted; anything but InvalidInput is an error of the test."""
    try:
        query = ClipQuery.parse(filter_source=json.dumps(tree), language="cql2-json")
        search(connection, query)
    except InvalidInput as refused:
        assert refused.remedy, refused
        return False
    return True


@settings(max_examples=200)
@given(FILTER)
@example({"op": "in", "args": [{"property": "start_ns"}, [{"property": "ego.speed.max"}, 2**63, 0.1, 1]]})
@example({"op": "between", "args": [{"property": "vehicle.number"}, "a", 3]})
@example({"op": "=", "args": [{"property": "vehicle.number"}, {"property": "ego.speed.max"}]})
def test_what_is_accepted_can_be_executed(catalog: Connection, tree: Any) -> None:
    searched(catalog, tree)


@pytest.mark.parametrize("left", NAMES)
def test_every_property_can_be_compared_with_every_other_or_is_refused(catalog: Connection, left: str) -> None:
    accepted = [
        right
        for right in [*({"property": name} for name in NAMES), *NUMBERS, "x", True]
        for operator in ("=", "<=")
        if searched(catalog, {"op": operator, "args": [{"property": left}, right]})
    ]
    assert accepted or left in ("geometry", "box", "time")


@pytest.mark.parametrize("unit", ["km/h", "mph", "kn", "m/s"])
def test_statistics_of_any_size_are_converted_or_unknown(catalog: Connection, unit: str) -> None:
    for statistic in ("max", "mean"):
        assert searched(
            catalog, {"op": ">", "args": [{"op": "in_unit", "args": [{"property": f"ego.speed.{statistic}"}, unit]}, 1]}
        )
