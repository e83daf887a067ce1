"""Filters: what they find, what unknown means, and what is refused."""

from __future__ import annotations

import json
from collections.abc import Iterator, ValuesView
from typing import Any

import pytest
from sqlalchemy import Connection

from storage.clips.cql2 import Language, parse_filter
from storage.clips.cql2.source import MAX_NODES, bounded, require_parsable
from storage.clips.query import ClipQuery
from storage.clips.search import search
from tests.storage.clips.catalog_support import SECOND_NS, T_NS, add_clip, add_labels
from tests.support.database import migrated_database
from triggers.errors import InvalidInput


class Fleet:
    """Some clips by name, and what a filter finds of them."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.names: dict[str, str] = {}

    def add(self, name: str, **clip: object) -> str:
        """Add a clip."""
        clip_id = add_clip(self.connection, **clip)  # type: ignore[arg-type]
        self.names[clip_id] = name
        return clip_id

    def find(self, source: str, language: Language = "cql2-text") -> str:
        """The names of the clips that are found, sorted and joined."""
        page = search(self.connection, ClipQuery.parse(filter_source=source, language=language))
        return "".join(sorted(self.names[clip.id] for clip in page.clips))


@pytest.fixture(scope="module")
def fleet(postgres_url: str, migrated: str) -> Iterator[Fleet]:
    """Clips a to d, the same for all tests of this module."""
    with migrated_database(postgres_url, migrated) as database, database.begin() as connection:
        clips = Fleet(connection)
        clips.add(
            "a",
            vehicle_id="car-1",
            fired=[("braking", "hard"), ("cutin", "left")],
            attributes={"model": "m3", "hardware": 3, "towing": True, "code": "3"},
            statistics={"ego.speed": (0.0, 31.5, 12.0)},
            tags=["rain", "night"],
            box=(11.5, 48.1, 11.6, 48.2),
        )
        clips.add(
            "b",
            vehicle_id="car-2",
            start_ns=T_NS + 86400 * SECOND_NS,
            fired=[("braking", "left")],
            attributes={"model": "my", "hardware": 4.5, "towing": False, "code": 3},
            statistics={"ego.speed": (0.0, 20.0, 12.0)},
            tags=["rain"],
            box=(2.2, 48.8, 2.4, 48.9),
            size_bytes=5000,
        )
        labelled = clips.add(
            "c", vehicle_id="car-2", start_ns=T_NS + 7 * 86400 * SECOND_NS, fired=[("cutin", "hard")], duration_s=60
        )
        clips.add("d", start_ns=T_NS - 1, fired=[("under", "x_y")], state="damaged", damage="no video")
        add_labels(connection, labelled, "car", "truck")
        yield clips


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("vehicle = 'car-2'", "bc"),
        ("state <> 'ready'", "d"),
        ("size_bytes >= 5000", "b"),
        ("5000 <= size_bytes", "b"),
        ("duration_s BETWEEN 30 AND 60", "c"),
        ("duration_s NOT BETWEEN 30 AND 60", "abd"),
        ("vehicle IN ('car-1', 'car-9')", "ad"),
        ("vehicle NOT IN ('car-1')", "bc"),
        ("damage IS NULL", "abc"),
        ("damage IS NOT NULL AND damage LIKE 'no%'", "d"),
        ("damage LIKE 'n_ VIDEO'", ""),
        ("CASEI(damage) LIKE CASEI('NO %')", "d"),
        ("CASEI(campaign) = CASEI('UnDER')", "d"),
        ("TRUE", "abcd"),
        ("FALSE OR vehicle = 'car-1' AND state = 'ready'", "a"),
        ("trigger LIKE 'x\\_%'", "d"),
        ("trigger LIKE '____'", "abc"),
    ],
)
def test_plain_comparisons(fleet: Fleet, source: str, found: str) -> None:
    assert fleet.find(source) == found


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("campaign = 'braking'", "ab"),
        ("campaign = 'braking' AND trigger = 'left'", "b"),
        ("trigger = 'left' AND state = 'ready' AND campaign = 'cutin'", "a"),
        ("campaign = 'braking' AND (trigger = 'left' OR trigger = 'right')", "b"),
        ("campaign = 'braking' AND campaign = 'cutin'", "a"),
        ("campaign = 'braking' AND trigger = 'hard' AND campaign = 'cutin' AND trigger = 'left'", "a"),
        ("campaign = 'braking' AND NOT trigger = 'left'", ""),
        ("campaign = 'braking' AND trigger <> 'left'", "a"),
        ("NOT campaign = 'braking'", "cd"),
        ("NOT (campaign = 'braking' AND trigger = 'left')", "acd"),
        ("campaign IN ('cutin') AND version = 1", "ac"),
        ("campaign = 'braking' AND version > 1", ""),
        ("campaign = 'braking' OR trigger = 'hard'", "abc"),
        ("campaign = 'braking' AND (trigger = 'left' OR TRUE)", "ab"),
        ("(campaign = 'braking' AND (trigger = 'left' AND version = 1))", "b"),
    ],
)
def test_conditions_on_fires_in_a_conjunction_speak_of_one_fire(fleet: Fleet, source: str, found: str) -> None:
    assert fleet.find(source) == found


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("tag = 'rain'", "ab"),
        ("tag = 'rain' AND tag = 'night'", "a"),
        ("tags IN ('night', 'snow')", "a"),
        ("NOT tag = 'night'", "bcd"),
        ("tag IS NULL", "cd"),
        ("label = 'car' AND label = 'truck'", "c"),
        ("label IS NOT NULL", "c"),
    ],
)
def test_conditions_on_tags_and_labels_are_independent(fleet: Fleet, source: str, found: str) -> None:
    assert fleet.find(source) == found


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("vehicle.model = 'm3'", "a"),
        ("vehicle.model IN ('m3', 'my')", "ab"),
        ("vehicle.hardware >= 3", "ab"),
        ("vehicle.hardware > 3 AND vehicle.hardware < 5", "b"),
        ("vehicle.towing = TRUE", "a"),
        ("vehicle.towing", "a"),
        ("NOT vehicle.towing", "b"),
        ("vehicle.code = '3'", "a"),
        ("vehicle.code = 3", "b"),
        ("vehicle.model <> 'm3'", "b"),
        ("NOT vehicle.model = 'm3'", "b"),
        ("vehicle.model IS NULL", "cd"),
        ("vehicle.unheard_of = 'x' OR vehicle.model = 'my'", "b"),
        ("ego.speed.max > 30", "a"),
        ("ego.speed.mean = 12 AND ego.speed.samples = 5", "ab"),
        ("signal.ego.speed.max > 30", "a"),
        ("NOT ego.speed.max > 30", "b"),
        ("ego.unknown.min IS NULL", "abcd"),
    ],
)
def test_what_a_clip_does_not_have_is_unknown(fleet: Fleet, source: str, found: str) -> None:
    assert fleet.find(source) == found


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("start >= TIMESTAMP('2026-01-05T12:00:00Z')", "abc"),
        ("start < TIMESTAMP('2026-01-05T13:00:00+01:00')", "d"),
        ("start = TIMESTAMP('2026-01-05T11:59:59.999999999Z')", "d"),
        ("start = DATE('2026-01-05')", "ad"),
        ("start > DATE('2026-01-05')", "bc"),
        ("start <= DATE('2026-01-05')", "ad"),
        ("start <> DATE('2026-01-05')", "bc"),
        ("start > '2026-01-06'", "c"),
        ("start BETWEEN DATE('2026-01-05') AND DATE('2026-01-06')", "abd"),
        ("T_AFTER(start, DATE('2026-01-06'))", "c"),
        ("T_BEFORE(end, TIMESTAMP('2026-01-05T12:00:10Z'))", "d"),
        ("T_DURING(time, INTERVAL('2026-01-05', '2026-01-06'))", "abd"),
        ("T_INTERSECTS(time, TIMESTAMP('2026-01-05T12:00:05Z'))", "ad"),
        ("T_INTERSECTS(INTERVAL(start, end), INTERVAL('2026-01-06', '..'))", "bc"),
        ("T_DISJOINT(time, INTERVAL('..', '2026-01-06'))", "c"),
        ("stored_at > TIMESTAMP('2020-01-01T00:00:00Z')", "abcd"),
        ("start > TIMESTAMP('9999-01-01T00:00:00Z')", ""),
        ("start > TIMESTAMP('0001-01-01T00:00:00Z')", "abcd"),
        ("campaign = 'braking' AND fire_time > DATE('2026-01-05')", "b"),
        ("campaign = 'braking' AND fire_time_ns = 1767614400000000000", "a"),
        ("fire_time = DATE('2026-01-05') AND fire_time = TIMESTAMP('2026-01-05T12:00:00Z')", "a"),
        ("fire_time = '2026-01-05' AND fire_time = '2026-01-06'", ""),
        ("fire_time IN (DATE('2026-01-06'), DATE('2026-01-04'))", "b"),
        ("ready_at IS NULL", "abcd"),
    ],
)
def test_times(fleet: Fleet, source: str, found: str) -> None:
    assert fleet.find(source) == found


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("S_INTERSECTS(geometry, BBOX(11, 48, 12, 49))", "a"),
        ("S_INTERSECTS(geometry, BBOX(11.55, 48.15, 11.56, 48.16))", "a"),
        ("S_INTERSECTS(BBOX(0, 40, 20, 50), geometry)", "ab"),
        ("S_INTERSECTS(geometry, BBOX(170, 40, 3, 50))", "b"),
        ("S_WITHIN(geometry, BBOX(11.55, 48, 12, 49))", ""),
        ("S_WITHIN(geometry, BBOX(11.5, 48, 12, 49))", "a"),
        ("S_INTERSECTS(geometry, POINT(2.3 48.85))", "b"),
        ("S_INTERSECTS(geometry, POLYGON((2 48, 3 48, 3 50.5, 2 48)))", "b"),
        ("S_INTERSECTS(geometry, POLYGON((2 48, 3 48, 3 49.5, 2 48)))", ""),
        ("S_INTERSECTS(geometry, POLYGON((2 48, 3 48, 3 48.5, 2 48)))", ""),
        ("S_WITHIN(geometry, POLYGON((0 40, 20 40, 20 50, 0 50, 0 40)))", "ab"),
        ("S_DISJOINT(geometry, BBOX(11, 48, 12, 49))", "bcd"),
        ("S_INTERSECTS(box, BBOX(11, 48, 12, 49))", "a"),
        ("geometry IS NULL", "cd"),
    ],
)
def test_places(fleet: Fleet, source: str, found: str) -> None:
    assert fleet.find(source) == found


def test_json_says_the_same_as_text(fleet: Fleet) -> None:
    tree = {
        "op": "and",
        "args": [
            {"op": "=", "args": [{"property": "campaign"}, "braking"]},
            {"op": "in", "args": [{"property": "vehicle.model"}, ["m3"]]},
            {"op": "t_after", "args": [{"property": "start"}, {"date": "2026-01-04"}]},
        ],
    }
    assert fleet.find(json.dumps(tree), "cql2-json") == "a"


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
        ("vehicle.a = vehicle.b", "attributes"),
        ("vehicle.towing > TRUE", "ordered"),
        ("state = NULL", "IS NULL"),
        ("size_bytes + 1 > 2", "compares"),
        ("accenti(state) = 'x'", "compares"),
        ("f(state)", "unknown operator"),
        ("state LIKE vehicle", "LIKE"),
        ("state LIKE 'x\\'", "escape"),
        ("geometry = 'x'", "geometry"),
        ("S_INTERSECTS(geometry, LINESTRING(0 0, 1 1))", "shape"),
        ("S_INTERSECTS(geometry, POINT(200 0))", "invalid position"),
        ("S_INTERSECTS(state, BBOX(1,2,3,4))", "geometry"),
        ("T_AFTER(state, DATE('2026-01-01'))", "time"),
        ("state = 'x' AND", "line 1"),
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
        ("(" * 4000, "brackets"),
        ("state = 'x' AND " + "(" * 13 + "state = 'x'" + ")" * 13, "brackets"),
        (")(", "brackets"),
        ("state = " + "-" * 5000 + "1", "signs"),
        ("state = '" + "x" * 10_000 + "'", "bytes"),
        ("state = '\x00'", "U+0000"),
    ],
)
def test_what_could_keep_the_parser_busy_never_reaches_it(source: str, says: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        require_parsable(source)
    assert says in str(refused.value)
    with pytest.raises(InvalidInput) as again:
        parse_filter(source, "cql2-text")
    assert str(again.value) == str(refused.value)


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
        '{"op": "=", "args": [{"property": "size_bytes"}, 1%s]}' % ("0" * 400),
        '{"op": "s_intersects", "args": [{"property": "geometry"}, {"bbox": [1, 2, 3, 1%s]}]}' % ("0" * 400),
    ],
)
def test_hostile_json_is_refused(source: str) -> None:
    with pytest.raises(InvalidInput):
        parse_filter(source, "cql2-json")


def test_values_never_become_sql() -> None:
    hostile = "x'' OR 1=1; DROP TABLE clips; --"
    source = f"vehicle = '{hostile}' AND vehicle.a = '{hostile}' AND tag LIKE '{hostile}'"
    condition = parse_filter(source, "cql2-text").where()
    assert "DROP" not in str(condition)
    assert "DROP" in str(condition.compile().params)
