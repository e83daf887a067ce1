"""Filters that are refused: by name, and before they could cost more than a moment."""

from __future__ import annotations

import re
from collections.abc import ValuesView
from typing import Any

import pytest

from storage.clips.cql2 import Language, parse_filter
from storage.clips.cql2.shapes import parse_shape
from storage.clips.cql2.source import MAX_NODES, bounded
from triggers.errors import InvalidInput


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("campain = 'x'", "campaign"),
        ("start = 'yesterday'", "TIMESTAMP"),
        ("start > TIMESTAMP('2026-13-01T00:00:00Z')", "invalid time in the filter: '2026-13"),
        ("start > TIMESTAMP('soon')", "invalid time in the filter: 'soon'"),
        ("size_bytes = 'big'", "number"),
        ("campaign = 5", "text"),
        ("campaign = tag", "mixes"),
        ("vehicle.towing > TRUE", "ordered"),
        ("state = NULL", "IS NULL"),
        ("f(state)", "unknown operator"),
        ("state LIKE vehicle", "LIKE"),
        ("state LIKE 'x\\'", "escape"),
        ("geometry = 'x'", "geometry"),
        (" OR ".join(["S_TOUCHES(geometry, POINT(1 2))"] * 11), "relates the track 11 times"),
        (" OR ".join(["distance(geometry, POINT(1 2)) + 1 > 5"] * 11), "relates the track 11 times"),
        (" OR ".join(["1 / distance(geometry, POINT(1 2)) IS NULL"] * 11), "relates the track 11 times"),
        ("A_CONTAINS(tags, vehicle)", "not a set"),
        ("A_CONTAINS(tags)", "takes 2 arguments"),
        ("A_EQUALS(('a'), ('a'))", "two literal lists"),
        ("A_OVERLAPS(tags, (vehicle))", "list literals only"),
        ("distance(geometry) < 5", "DISTANCE takes"),
        ("distance(box, POINT(1 2)) < 5", "DISTANCE takes"),
        ("s_dwithin(geometry, POINT(1 2), -5)", "distance in metres"),
        ("s_dwithin(geometry, POINT(1 2), 'far')", "distance in metres"),
        ("ACCENTI(size_bytes) = 'x'", "is a number"),
        ("start > TIMESTAMP('10000-01-01T00:00:00Z')", "invalid time in the filter: '10000"),
        ("S_INTERSECTS(geometry, POINT(200 0))", "invalid position"),
        ("S_INTERSECTS(geometry, POINT(11.58, 48.14))", "invalid position in the filter: [11.58], [48.14]"),
        ("S_INTERSECTS(state, BBOX(1,2,3,4))", "geometry"),
        ("T_AFTER(state, DATE('2026-01-01'))", "time"),
        ("state = 'x'", "never 'x'"),
        ("state = 'read'", "did you mean 'ready'"),
        ("state IN ('ready', 'redy')", "did you mean 'ready'"),
        ("state = 'ready' AND", "line 1, column 20"),
        ("", "CQL2"),
        ("'x'", "condition"),
        ("NOT " * 2000 + "state = 'x'", "nested"),
        (" AND ".join(["state='x'"] * 700), "more than"),
        ("size_bytes IN (" + ",".join(["1"] * 1001) + ")", "1001"),
    ],
)
def test_what_is_not_understood_is_refused_by_name(source: str, says: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        parse_filter(source, "cql2-text")
    assert says in str(refused.value)


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("(" * 4000, "nested"),
        ("state = 'ready' AND " + "(" * 51 + "state = 'ready'" + ")" * 51, "nested"),
        (")(", "found )"),
        ("state = " + "-" * 5000 + "1", "nested"),
        ("f(" * 4000, "nested"),
        ("S_INTERSECTS(geometry, POLYGON" + "(" * 4000, "nested"),
        ("1+" * 4000 + "1 > 2", "nested"),
        ("state = '" + "x" * 10_000 + "'", "bytes"),
        ("state = '\x00'", "U+0000"),
    ],
)
def test_no_text_keeps_the_parser_busy(source: str, says: str) -> None:
    with pytest.raises(InvalidInput, match=re.escape(says)):
        parse_filter(source, "cql2-text")


def test_fifty_parentheses_are_understood() -> None:
    parse_filter("(" * 24 + "state = 'ready'" + ")" * 24, "cql2-text")


def test_a_tree_that_is_too_large_is_given_up_after_the_nodes_that_are_allowed() -> None:
    looked_at = 0

    class Node(dict[str, Any]):
        def values(self) -> ValuesView[Any]:
            nonlocal looked_at
            looked_at += 1
            return super().values()

    tree = Node(op="not", args=[Node(property="state") for _ in range(1000)])
    with pytest.raises(InvalidInput, match=f"more than {MAX_NODES}"):
        bounded(tree)
    assert looked_at <= MAX_NODES


@pytest.mark.parametrize(
    "source",
    [
        "[" * 5000,
        "[]",
        "null",
        "3",
        '{"op": "="}',
        '{"op": "=", "args": "x"}',
        '{"op": "=", "args": []}',
        '{"op": {}, "args": [1]}',
        '{"op": "=", "args": [1, NaN]}',
        '{"op": "=", "args": [{"property": 3}, 1]}',
        '{"op": "=", "args": [{"property": "state", "x": 1}, 1]}',
        '{"op": "in", "args": [{"property": "state"}, []]}',
        '{"op": "in", "args": [{"property": "state"}, "x"]}',
        '{"op": "in", "args": [{"property": "state"}, [["x"]]]}',
        '{"op": "=", "args": [{"property": "state"}, "\\ud800"]}',
        '{"op": "=", "args": [{"property": "state"}, "\\u0000"]}',
        '{"op": "s_intersects", "args": [{"property": "geometry"}, {"bbox": [1, 2, 3]}]}',
        '{"op": "s_intersects", "args": [{"property": "geometry"}, {"type": "Polygon", "coordinates": 3}]}',
        '{"op": "t_after", "args": [{"property": "start"}, {"interval": ["..", 3]}]}',
        '{"op": "t_after", "args": [{"property": "start"}, {"interval": "x"}]}',
        '{"op": "isNull", "args": ["x"]}',
        '{"op": "casei", "args": [{"property": "state"}]}',
        '{"op": "=", "args": [{"op": "casei", "args": []}, "x"]}',
        '{"op": "and", "args": [{"property": "state"}]}',
        '{"op": "isNull", "args": [{"property": "campaign"}, {"property": "trigger"}]}',
        '{"op": "s_intersects", "args": [{"property": "geometry"}, {"type": "Point", "coordinates": [1, 2],'
        ' "crs": {"type": "name", "properties": {"name": "EPSG:3857"}}}]}',
        '{"op": "=", "args": [{"property": "size_bytes"}, 1%s]}' % ("0" * 400),
        '{"op": "s_intersects", "args": [{"property": "geometry"}, {"bbox": [1, 2, 3, 1%s]}]}' % ("0" * 400),
    ],
)
def test_hostile_json_is_refused(source: str) -> None:
    with pytest.raises(InvalidInput):
        parse_filter(source, "cql2-json")


@pytest.mark.parametrize(
    ("source", "language", "place"),
    [
        ('{"op": "=", "args": [{"property": "state"}, null]}', "cql2-json", "at its top"),
        ('{"op": "and", "args": []}', "cql2-json", "at its top"),
        ('{"op": "=", "args": [{"property": "size_bytes"}, NaN]}', "cql2-json", "args[1]"),
        ('{"op": "not", "args": [{"op": "<", "args": [1e999, 2]}]}', "cql2-json", "args[0].args[0]"),
        ('{"op": "not", "args": [{"op": "<", "op": ">", "args": [1, 2]}]}', "cql2-json", "args[0]"),
        ('{"op": "=", "args": [{"property": "state"}, "\\ud800"]}', "cql2-json", "args[1]"),
        ('{"op": "=", "args": [{"\\u0000": "state"}, "x"]}', "cql2-json", "args[0]"),
        ("state =\n 'a\0'", "cql2-text", "line 2, column 4"),
        ("state = '\ud800'", "cql2-text", "line 1, column 10"),
    ],
)
def test_every_mistake_is_told_with_its_place_and_a_remedy(source: str, language: Language, place: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        parse_filter(source, language)
    assert refused.value.message.endswith(f"({place})") and refused.value.remedy


def test_positions_in_longitude_and_latitude_may_say_so() -> None:
    crs = {"type": "name", "properties": {"name": "urn:ogc:def:crs:OGC:1.3:CRS84"}}
    point = {"type": "Point", "coordinates": [1, 2]}
    assert parse_shape(point | {"crs": crs}) == parse_shape(point | {"crs": None}) == parse_shape(point)
