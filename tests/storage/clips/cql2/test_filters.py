"""Filters: what they find, and what unknown means."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from sqlalchemy import Connection

from storage.clips.cql2 import Language, parse_filter
from storage.clips.query import ClipQuery
from storage.clips.search import search
from tests.storage.clips.catalog_support import SECOND_NS, T_NS, add_clip, add_labels
from tests.support.servers.database import migrated_database


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
            units={"ego.speed": "m/s"},
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
            units={"ego.speed": "m/s"},
            tags=["rain"],
            box=(2.2, 48.8, 2.4, 48.9),
            size_bytes=5000,
        )
        labelled = clips.add(
            "c", vehicle_id="car-2", start_ns=T_NS + 7 * 86400 * SECOND_NS, fired=[("cutin", "hard")], duration_s=60
        )
        nothing = clips.add("d", start_ns=T_NS - 1, fired=[("under", "x_y")], state="damaged", damage="no video")
        add_labels(connection, labelled, "car", "truck")
        add_labels(connection, nothing)  # labeled, and nothing was found
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
        ("campaign = 'braking' AND trigger = 'left'", "ab"),
        ("fire(campaign = 'braking' AND trigger = 'left')", "b"),
        ("fire(trigger = 'left' AND campaign = 'cutin') AND state = 'ready'", "a"),
        ("fire(campaign = 'braking' AND (trigger = 'left' OR trigger = 'right'))", "b"),
        ("campaign = 'braking' AND campaign = 'cutin'", "a"),
        ("fire(campaign = 'braking' AND campaign = 'cutin')", ""),
        ("fire(campaign = 'braking' AND trigger = 'hard') AND fire(campaign = 'cutin' AND trigger = 'left')", "a"),
        ("fire(campaign = 'braking' AND trigger = 'left') AND fire(campaign = 'cutin' AND trigger = 'hard')", ""),
        ("campaign = 'braking' AND NOT trigger = 'left'", ""),
        ("fire(campaign = 'braking' AND NOT trigger = 'left')", "a"),
        ("fire(campaign = 'braking' AND trigger <> 'left')", "a"),
        ("campaign = 'braking' AND trigger <> 'left'", "a"),
        ("NOT campaign = 'braking'", "cd"),
        ("NOT fire(campaign = 'braking' AND trigger = 'left')", "acd"),
        ("NOT NOT fire(campaign = 'braking' AND trigger = 'left')", "b"),
        ("campaign IN ('cutin') AND version = 1", "ac"),
        ("fire(campaign = 'braking' AND version > 1)", ""),
        ("campaign = 'braking' OR trigger = 'hard'", "abc"),
        ("campaign = 'braking' AND (trigger = 'left' OR TRUE)", "ab"),
        ("campaign = 'braking' AND (trigger = 'left' OR false)", "ab"),
        ("fire(campaign = 'braking' AND (trigger = 'left' OR false))", "b"),
        ("fire(campaign = 'braking' AND tag = 'night')", "a"),
        ("fire(campaign = 'braking' AND size_bytes > 4999)", "b"),
        ("NOT fire(campaign = 'braking' AND damage = 'x')", "cd"),
        ("trigger IS NULL", ""),
        ("fire(trigger IS NULL)", ""),
        ("NOT damage = trigger", "d"),
        ("NOT tag = damage", "cd"),
    ],
)
def test_conditions_on_fires_stand_for_themselves_and_those_in_fire_are_about_one(
    fleet: Fleet, source: str, found: str
) -> None:
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
        ("label_count = 0", "ab"),
        ("label_count > 0 AND label IS NULL", "d"),
        ("labeler = 'x'", "cd"),
        ("labeler LIKE '%' AND NOT labeler = 'x'", ""),
        ("labeler IS NULL", "ab"),
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
        ("ego.speed.max > 30", "a"),
        ("ego.speed.mean = 12 AND ego.speed.samples = 5", "ab"),
        ("signal.ego.speed.max > 30", "a"),
        ("NOT ego.speed.max > 30", "b"),
        ("ego.speed.min IS NULL", "cd"),
        ("in_unit(ego.speed.max, 'km/h') > 72.5", "a"),
        ("in_unit(ego.speed.max, 'm/s') = 31.5", "a"),
        ("in_unit(ego.speed.max, 'K') > 0 OR NOT in_unit(ego.speed.max, 'K') > 0", ""),
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
        ("fire(campaign = 'braking' AND fire_time > DATE('2026-01-05'))", "b"),
        ("fire(campaign = 'braking' AND fire_time_ns = 1767614400000000000)", "a"),
        ("fire_time = DATE('2026-01-05') AND fire_time = TIMESTAMP('2026-01-05T12:00:00Z')", "a"),
        ("fire_time = '2026-01-05' AND fire_time = '2026-01-06'", ""),
        ("DATE('2026-01-05') = start", "ad"),
        ("DATE('2026-01-05') <> start", "bc"),
        ("DATE('2026-01-06') >= start", "abd"),
        ("DATE('2026-01-06') <= start", "bc"),
        ("start_ns = 1767614400000000001", ""),
        ("start_ns > 1767614399999999999", "abc"),
        ("start_ns > 1767614399999999998.5", "abcd"),
        ("start_ns <= 1767614399999999999", "d"),
        ("start_ns < 1e300 AND start_ns > -1e300", "abcd"),
        ("start_ns < 9223372036854775808", "abcd"),
        ("NOT T_DURING(INTERVAL(ready_at, start), INTERVAL('..', '2026-01-01'))", ""),
        ("fire_time IN (DATE('2026-01-06'), DATE('2026-01-04'))", "b"),
        ("ready_at IS NULL", "abcd"),
    ],
)
def test_times(fleet: Fleet, source: str, found: str) -> None:
    assert fleet.find(source) == found


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("S_INTERSECTS(box, BBOX(11, 48, 12, 49))", "a"),
        ("S_INTERSECTS(box, BBOX(11.55, 48.15, 11.56, 48.16))", "a"),
        ("S_INTERSECTS(BBOX(0, 40, 20, 50), box)", "ab"),
        ("S_INTERSECTS(box, BBOX(170, 40, 3, 50))", "b"),
        ("S_WITHIN(box, BBOX(11.55, 48, 12, 49))", ""),
        ("S_WITHIN(box, BBOX(11.5, 48, 12, 49))", "a"),
        ("S_INTERSECTS(box, POINT(2.3 48.85))", "b"),
        ("S_INTERSECTS(box, POLYGON((2 48, 3 48, 3 50.5, 2 48)))", "b"),
        ("S_INTERSECTS(box, POLYGON((2 48, 3 48, 3 49.5, 2 48)))", ""),
        ("S_INTERSECTS(box, POLYGON((2 48, 3 48, 3 48.5, 2 48)))", ""),
        ("S_WITHIN(box, POLYGON((0 40, 20 40, 20 50, 0 50, 0 40)))", "ab"),
        ("S_DISJOINT(box, BBOX(11, 48, 12, 49))", "b"),
        ("NOT S_INTERSECTS(box, BBOX(11, 48, 12, 49))", "b"),
        ("NOT S_WITHIN(box, POLYGON((0 0, 1 0, 1 1, 0 0)))", "ab"),
        ("S_INTERSECTS(geometry, BBOX(11, 48, 12, 49))", "a"),
        ("S_INTERSECTS(geometry, BBOX(11.5, 48.18, 11.52, 48.2))", ""),
        ("geometry IS NULL", "cd"),
        ("box IS NULL", "cd"),
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


def test_values_never_become_sql() -> None:
    hostile = "x'' OR 1=1; DROP TABLE clips; --"
    source = f"vehicle = '{hostile}' AND vehicle.a = '{hostile}' AND tag LIKE '{hostile}'"
    condition = parse_filter(source, "cql2-text").where()
    assert "DROP" not in str(condition)
    assert "DROP" in str(condition.compile().params)
