"""Tracks and geometries: every relation against shapely, at the antimeridian, and distances against plain Python."""

from __future__ import annotations

import json
import math
import random
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any

import pytest
import shapely
from hypothesis import Phase, assume, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, update

from storage.clips.cql2 import parse_filter
from storage.clips.cql2.track import TRACK_OPERATORS, bounds_within, distance_m, parse_geometry
from storage.clips.cql2.track.distance import EARTH_RADIUS_M
from storage.clips.query import ClipQuery
from storage.clips.search import search
from storage.database import Database
from storage.tables import clips
from tests.storage.clips.catalog_support import add_clip
from tests.support.servers.database import migrated_database
from triggers.errors import InvalidInput

Position = tuple[float, float]
GRID = 1 / 8
"""A step of the grid on which tracks and geometries lie, so that they touch, overlap and cross in every way."""
SIZE = 4


class Tracks:
    """Clips by their tracks, and which of them a condition finds."""

    def __init__(self, database: Database, tracks: Sequence[tuple[Position, ...]]) -> None:
        self.database = database
        with database.begin() as connection:
            self.tracks = {
                add_clip(connection, box=box_around(track), track=[[y, x] for x, y in track]): track
                for track in dict.fromkeys(tracks)
            }

    def find(self, tree: dict[str, Any]) -> set[tuple[Position, ...]]:
        query = ClipQuery.parse(filter_source=json.dumps(tree), language="cql2-json", limit=1000)
        with self.database.begin() as connection:
            return {self.tracks[clip.id] for clip in search(connection, query).clips}

    def related(self, operator: str, geometry: dict[str, Any]) -> set[tuple[Position, ...]]:
        return self.find({"op": operator, "args": [{"property": "geometry"}, geometry]})


def box_around(track: Sequence[Position]) -> tuple[float, float, float, float]:
    """The box that extraction gives a track whose steps are below 180 degrees."""
    ways = [track[0][0]]
    for x, _ in track[1:]:
        turns = round((ways[-1] - x) / 360)
        ways.append(x + 360 * turns)
    latitudes = [y for _, y in track]
    west, east = ((x + 180) % 360 - 180 for x in (min(ways), max(ways)))
    return west, min(latitudes), 180.0 if east == -180 and west > 0 else east, max(latitudes)


def random_tracks(chance: random.Random) -> list[tuple[Position, ...]]:
    """Lines and points on the grid: open, closed, crossing themselves, standing still, with repeated positions."""
    made: list[tuple[Position, ...]] = []
    for _ in range(120):
        line = [random_position(chance) for _ in range(chance.choice([1, 2, 2, 3, 4, 5]))]
        if chance.random() < 0.2:
            line.append(line[0])
        if chance.random() < 0.2:
            line.append(line[-1])
        made.append(tuple(line))
    return made


def random_position(chance: random.Random) -> Position:
    return chance.randint(0, SIZE) * GRID, chance.randint(0, SIZE) * GRID


@pytest.fixture(scope="module")
def tracks(postgres_url: str, migrated: str) -> Iterator[Tracks]:
    with migrated_database(postgres_url, migrated) as database:
        yield Tracks(database, random_tracks(random.Random(12)))


def line_or_point(track: tuple[Position, ...]) -> Any:
    return shapely.Point(track[0]) if len(set(track)) == 1 else shapely.LineString(track)


POSITIONS = st.tuples(st.integers(0, SIZE), st.integers(0, SIZE)).map(lambda at: (at[0] * GRID, at[1] * GRID))
LINES = st.lists(POSITIONS, min_size=2, max_size=5).filter(lambda line: len(set(line)) > 1)


def crosses_itself_exactly(lines: Any) -> bool:
    """Whether floats hold every point where lines meet: GEOS rounds the others, and denies what lies on them."""
    return bool((shapely.get_coordinates(shapely.node(lines)) * 2**20 % 1 == 0).all())


SQUARE = [(0, 0), (SIZE * GRID, 0), (SIZE * GRID, SIZE * GRID), (0, SIZE * GRID)]


def valid(geometry: Any) -> bool:
    return bool(geometry.is_valid and geometry.area > 0)


POLYGONS = st.lists(POSITIONS, min_size=3, max_size=6).map(shapely.Polygon).filter(valid)
WITH_HOLES = st.lists(POSITIONS, min_size=3, max_size=4).map(lambda hole: shapely.Polygon(SQUARE, [hole])).filter(valid)
SIMPLE = st.one_of(
    POSITIONS.map(shapely.Point),
    st.lists(POSITIONS, min_size=1, max_size=3, unique=True).map(shapely.MultiPoint),
    LINES.map(shapely.LineString).filter(crosses_itself_exactly),
    st.lists(LINES, min_size=1, max_size=2).map(shapely.MultiLineString).filter(crosses_itself_exactly),
    POLYGONS,
    WITH_HOLES,
    st.tuples(POLYGONS, POLYGONS).map(shapely.MultiPolygon).filter(valid),
)


PARTS_THAT_TOUCH = shapely.MultiPolygon(
    [
        shapely.Polygon([(0.375, 0.375), (0.0, 0.25), (0.25, 0.0), (0.25, 0.25)]),
        shapely.Polygon([(0.125, 0.375), (0.375, 0.5), (0.5, 0.5), (0.5, 0.375)]),
    ]
)
"""A corner of the first part lies on an edge of the second: a track may go from one into the other there."""


@settings(max_examples=25, phases=[Phase.explicit, Phase.generate])
@given(SIMPLE)
@example(PARTS_THAT_TOUCH)
@example(shapely.LineString([(0.25, 0.25), (0.0, 0.5), (0.0, 0.375), (0.375, 0.375), (0.375, 0.5)]))
def test_every_relation_finds_what_shapely_finds(tracks: Tracks, geometry: Any) -> None:
    node = json.loads(shapely.to_geojson(geometry))
    for operator in TRACK_OPERATORS:
        predicate = getattr(shapely, operator.removeprefix("s_"))
        expected = {track for track in tracks.tracks.values() if predicate(line_or_point(track), geometry)}
        assert tracks.related(operator, node) == expected, operator


@settings(max_examples=15)
@given(st.lists(SIMPLE, min_size=2, max_size=3))
def test_a_collection_is_met_where_one_of_its_members_is(tracks: Tracks, members: list[Any]) -> None:
    node = {"type": "GeometryCollection", "geometries": [json.loads(shapely.to_geojson(one)) for one in members]}
    try:
        parse_geometry(node)
    except InvalidInput as refused:
        assume("overlap" not in refused.message)
        raise
    met = {track for track in tracks.tracks.values() if any(one.intersects(line_or_point(track)) for one in members)}
    assert tracks.related("s_intersects", node) == met
    assert tracks.related("s_disjoint", node) == set(tracks.tracks.values()) - met


def test_a_mixed_collection_is_contained_and_equalled_as_a_set_of_points(tracks: Tracks) -> None:
    track = next(track for track in tracks.tracks.values() if len(set(track)) > 2)
    line = {"type": "LineString", "coordinates": track}
    both = {"type": "GeometryCollection", "geometries": [line, {"type": "Point", "coordinates": track[1]}]}
    assert tracks.related("s_equals", both) == tracks.related("s_equals", line) >= {track}
    assert tracks.related("s_contains", both) == tracks.related("s_contains", line)
    for operator in ("s_within", "s_touches", "s_crosses", "s_overlaps"):
        with pytest.raises(InvalidInput, match="not defined for a collection"):
            tracks.related(operator, both)


def test_a_relation_of_the_box_is_not_one_of_the_track(tracks: Tracks) -> None:
    corner = {"bbox": [0, 3 * GRID, GRID, 4 * GRID]}
    by_box = tracks.find({"op": "s_intersects", "args": [{"property": "box"}, corner]})
    by_track = tracks.related("s_intersects", corner)
    assert by_track < by_box


def test_what_is_near_a_track_by_less_than_any_tolerance_is_not_on_it(postgres_url: str, migrated: str) -> None:
    with migrated_database(postgres_url, migrated) as database:
        one = ((11.0, 48.0), (11.3, 48.3))
        made = Tracks(database, [one])
        assert made.related("s_intersects", {"type": "Point", "coordinates": [11.1, 48.1]}) == {one}
        text = "S_INTERSECTS(geometry, POINT(11.1 48.100000000000001))"
        with database.begin() as connection:
            assert search(connection, ClipQuery.parse(filter_source=text)).clips == []
        tiny = [[11.1, 48.10001], [11.100002, 48.10001], [11.1, 48.100012], [11.1, 48.10001]]
        assert made.related("s_intersects", {"type": "Polygon", "coordinates": [tiny]}) == set()


def test_a_clip_without_a_track_is_neither_inside_nor_outside(postgres_url: str, migrated: str) -> None:
    with migrated_database(postgres_url, migrated) as database, database.begin() as connection:
        nowhere = [add_clip(connection), add_clip(connection, track=None), add_clip(connection)]
        connection.execute(update(clips).where(clips.c.id == nowhere[2]).values(track=[]))
        for text in (
            "S_INTERSECTS(geometry, POINT(1 2))",
            "NOT S_INTERSECTS(geometry, POINT(1 2))",
            "S_DISJOINT(geometry, POINT(1 2))",
            "distance(geometry, POINT(1 2)) >= 0",
            "NOT s_dwithin(geometry, POINT(1 2), 5)",
        ):
            assert search(connection, ClipQuery.parse(filter_source=text)).clips == [], text


EAST_OF_IT = ((179.5, 10.0), (179.75, 10.0))
ACROSS = ((179.75, 10.0), (-179.75, 10.5))
WEST_OF_IT = ((-179.75, 10.0), (-179.5, 10.0))
ON_IT = ((180.0, 10.0),)
BACK = ((-179.5, 11.0), (179.5, 11.0), (-179.5, 11.5))


@pytest.fixture(scope="module")
def pacific(postgres_url: str, migrated: str) -> Iterator[Tracks]:
    with migrated_database(postgres_url, migrated) as database:
        yield Tracks(database, [EAST_OF_IT, ACROSS, WEST_OF_IT, ON_IT, BACK])


def area(west: float, east: float, south: float = 9, north: float = 12) -> list[list[list[float]]]:
    return [[[west, south], [east, south], [east, north], [west, north], [west, south]]]


HALVES = {"type": "MultiPolygon", "coordinates": [area(179, 180), area(-180, -179)]}
UNEVEN = {"type": "MultiPolygon", "coordinates": [area(179, 180, 9, 10.1), area(-180, -179, 10.2, 12)]}
ALL = {EAST_OF_IT, ACROSS, WEST_OF_IT, ON_IT, BACK}


@pytest.mark.parametrize(
    ("operator", "geometry", "found"),
    [
        ("s_within", {"bbox": [179, 9, -179, 12]}, ALL),
        ("s_within", HALVES, ALL),
        ("s_touches", HALVES, set()),
        ("s_within", {"bbox": [-180, 9, 180, 12]}, ALL),
        ("s_touches", {"bbox": [-180, 9, 180, 12]}, set()),
        ("s_within", {"type": "Polygon", "coordinates": area(179, 180)}, {EAST_OF_IT}),
        ("s_crosses", {"type": "Polygon", "coordinates": area(179, 180)}, {ACROSS, BACK}),
        ("s_touches", {"type": "Polygon", "coordinates": area(-180, -179)}, {ON_IT}),
        ("s_crosses", {"bbox": [179.8, 9, -179.8, 10.75]}, {ACROSS}),
        ("s_crosses", UNEVEN, {ACROSS, BACK}),
        ("s_intersects", {"type": "Point", "coordinates": [180, 10.25]}, {ACROSS}),
        ("s_intersects", {"type": "Point", "coordinates": [-180, 10.25]}, {ACROSS}),
        ("s_equals", {"type": "Point", "coordinates": [-180, 10]}, {ON_IT}),
        ("s_crosses", {"type": "LineString", "coordinates": [[-180, 10], [-180, 10.3]]}, {ACROSS}),
        ("s_touches", {"type": "LineString", "coordinates": [[-180, 10], [-180, 9]]}, {ON_IT}),
        ("s_disjoint", {"bbox": [179, 10.8, -179, 12]}, ALL - {BACK}),
    ],
)
def test_relations_at_the_antimeridian(
    pacific: Tracks, operator: str, geometry: dict[str, Any], found: set[tuple[Position, ...]]
) -> None:
    assert pacific.related(operator, geometry) == found


OFF_GRID = st.integers(-1, 2 * SIZE + 1).map(lambda step: step * GRID / 2)


@settings(max_examples=40)
@given(OFF_GRID, OFF_GRID, OFF_GRID, OFF_GRID)
def test_a_box_is_met_by_what_shapely_says_meets_it(tracks: Tracks, x1: float, y1: float, x2: float, y2: float) -> None:
    west, east, south, north = min(x1, x2), max(x1, x2), min(y1, y2), max(y1, y2)
    assume(west < east and south < north)
    box = shapely.box(west, south, east, north)
    node = {"bbox": [west, south, east, north]}
    assert parse_geometry(node).rectangle() is not None
    met = {track for track in tracks.tracks.values() if shapely.intersects(line_or_point(track), box)}
    assert tracks.related("s_intersects", node) == met
    assert tracks.related("s_disjoint", node) == set(tracks.tracks.values()) - met


@pytest.mark.parametrize("south", [8.0, 10.25, 10.75, 11.5])
@pytest.mark.parametrize(("west", "east"), [(179, -179), (179.8, -179.9), (179.5, 180), (-180, -179.75), (-180, 180)])
def test_a_box_at_the_antimeridian_is_met_by_what_meets_an_area_of_its_shape(
    pacific: Tracks, west: float, east: float, south: float
) -> None:
    if west > east:
        shape = {"type": "MultiPolygon", "coordinates": [area(west, 180, south), area(-180, east, south)]}
    else:
        first, *others = area(west, east, south)[0]
        shape = {"type": "Polygon", "coordinates": [[first, [(west + east) / 2, south], *others]]}
    assert parse_geometry(shape).rectangle() is None
    assert pacific.related("s_intersects", {"bbox": [west, south, east, 12]}) == pacific.related("s_intersects", shape)


def haversine_m(a: Position, b: Position) -> float:
    (x1, y1), (x2, y2) = ((math.radians(at[0]), math.radians(at[1])) for at in (a, b))
    squared = math.sin((y2 - y1) / 2) ** 2 + math.cos(y1) * math.cos(y2) * math.sin((x2 - x1) / 2) ** 2
    return 2 * EARTH_RADIUS_M * math.asin(math.sqrt(min(squared, 1.0)))


def nearest(at: Position, a: Position, b: Position) -> Position:
    shrink = math.cos(math.radians(at[1]))
    way, to = ((b[0] - a[0]) * shrink, b[1] - a[1]), ((at[0] - a[0]) * shrink, at[1] - a[1])
    length = way[0] ** 2 + way[1] ** 2
    share = min(max((to[0] * way[0] + to[1] * way[1]) / length, 0.0), 1.0) if length else 0.0
    return a[0] + share * (b[0] - a[0]), a[1] + share * (b[1] - a[1])


def expected_m(track: Sequence[Position], other: Sequence[Position]) -> float:
    """The distance between two lines that do not meet, as docs/catalog.md defines it."""
    pairs = [(one, line) for one, line in ((track, other), (other, track))]
    return min(
        haversine_m(at, nearest(at, a, b))
        for corners, line in pairs
        for at in corners
        for a, b in zip(line, [*line[1:], line[-1]], strict=True)
    )


@settings(max_examples=15, phases=[Phase.explicit, Phase.generate])
@given(st.lists(POSITIONS, min_size=1, max_size=3), st.sampled_from([0.0, 0.3, 7.0]))
def test_distances_are_those_of_the_documented_formula(tracks: Tracks, corners: list[Position], north: float) -> None:
    line = [(x, y + north) for x, y in corners]
    kind = {"type": "Point", "coordinates": list(line[0])} if len(set(line)) == 1 else None
    node = kind or {"type": "LineString", "coordinates": [list(at) for at in line]}
    shape = shapely.Point(line[0]) if kind else shapely.LineString(line)
    with tracks.database.begin() as connection:
        rows = connection.execute(select(clips.c.id, distance_m(parse_geometry(node)))).all()
    for clip_id, metres in rows:
        track = tracks.tracks[clip_id]
        apart = not line_or_point(track).intersects(shape)
        assert metres == pytest.approx(expected_m(track, line) if apart else 0.0, rel=1e-9, abs=1e-6)


@settings(max_examples=10)
@given(POSITIONS, st.sampled_from([0, 1000, 20_000, 50_000.5]))
def test_within_a_distance_is_a_comparison_of_the_distance(tracks: Tracks, at: Position, metres: float) -> None:
    place = {"type": "Point", "coordinates": at}
    near = tracks.find({"op": "s_dwithin", "args": [{"property": "geometry"}, place, metres]})
    distance = {"op": "distance", "args": [place, {"property": "geometry"}]}
    assert near == tracks.find({"op": "<=", "args": [distance, metres]})
    assert near == set(tracks.tracks.values()) - tracks.find({"op": "<", "args": [metres, distance]})
    assert near == tracks.find({"op": "not", "args": [{"op": ">", "args": [distance, metres]}]})


def test_a_place_on_the_other_side_of_the_antimeridian_is_near(pacific: Tracks) -> None:
    place = {"type": "Point", "coordinates": [-179.9, 10]}
    near = pacific.find({"op": "s_dwithin", "args": [{"property": "geometry"}, place, 40_000]})
    assert near == {EAST_OF_IT, ACROSS, WEST_OF_IT, ON_IT}


@pytest.mark.parametrize(("latitude", "metres"), [(48.0, 500.0), (89.999, 5000.0), (-85.0, 1e6), (0.0, 1e12)])
def test_the_bounds_of_a_distance_hold_everything_that_is_within_it(latitude: float, metres: float) -> None:
    at = (11.0, latitude)
    (box,) = bounds_within(parse_geometry({"type": "Point", "coordinates": [11, Decimal(str(latitude))]}), metres)
    chance = random.Random(5)
    for _ in range(2000):
        other = (chance.uniform(-180, 180), chance.uniform(-90, 90))
        if haversine_m(at, other) <= metres:
            turned = [other[0] + turn for turn in (-360, 0, 360)]
            assert box.south <= other[1] <= box.north and any(box.west <= x <= box.east for x in turned)


@pytest.mark.parametrize(
    ("geometry", "says"),
    [
        ("POLYGON((0 0, 1 1, 1 0, 0 1, 0 0))", "crosses itself, at its edges from (0 0) and from (1 0)"),
        ("POLYGON((0 0, 2 0, 1 0, 1 1, 0 0))", "touches itself"),
        ("POLYGON((0 0, 1 0, 1 1))", "the last equal to the first"),
        ("POLYGON((0 0, 1 0, 1 1, 0 1))", "the last equal to the first"),
        ("POLYGON((0 0, 1 1, 0 0, 0 0))", "has no area"),
        ("POLYGON((0 0, 1 0, 1 1, 0 0), (5 5, 6 5, 6 6, 5 5))", "a hole of a polygon"),
        ("POLYGON((0 0, 4 0, 4 4, 0 0), (3 1, 5 1, 3 2, 3 1))", "cross or share an edge"),
        ("POLYGON((0 0, 9 0, 9 9, 0 9, 0 0), (1 1, 8 1, 8 8, 1 8, 1 1), (2 2, 3 2, 3 3, 2 2))", "within another hole"),
        ("MULTIPOLYGON(((0 0, 2 0, 2 2, 0 0)), ((1 0, 3 0, 3 2, 1 0)))", "overlap"),
        ("MULTIPOLYGON(((0 0, 9 0, 9 9, 0 0)), ((2 1, 3 1, 3 2, 2 1)))", "overlap"),
        ("LINESTRING(1 1, 1 1)", "two different positions"),
        ("LINESTRING(1 1)", "two different positions"),
        ("POINT(181 0)", "invalid position"),
        ("BBOX(1, 2, 3)", "four numbers"),
        ("BBOX(1, 5, 3, 2)", "south 5 above its north 2"),
        ("GEOMETRYCOLLECTION(BBOX(1, 2, 3, 4))", "holds geometries only"),
        ("LINESTRING(" + ", ".join(f"{x} 0" for x in range(181)) + ")", ""),
        ("'x'", "unknown geometry"),
        ("box", "must relate"),
        ("MULTIPOINT(" + ", ".join(["1 2"] * 501) + ")", ""),
        ("LINESTRING(" + ", ".join(f"{x % 100} {x // 100}" for x in range(600)) + ")", "600 positions, more than 500"),
    ],
)
def test_bad_geometries_are_refused_with_what_is_wrong(geometry: str, says: str) -> None:
    text = f"S_INTERSECTS(geometry, {geometry})"
    if not says:
        parse_filter(text, "cql2-text").where().compile()
        return
    with pytest.raises(InvalidInput) as refused:
        parse_filter(text, "cql2-text")
    assert says in refused.value.message and "line 1" in refused.value.message
    assert refused.value.remedy


@pytest.mark.parametrize("text", ["S_TOUCHES(box, POINT(1 2))", "S_CONTAINS(BBOX(1,2,3,4), state)"])
def test_relations_that_are_not_there_are_refused(text: str) -> None:
    with pytest.raises(InvalidInput, match="relate"):
        parse_filter(text, "cql2-text")


def test_coordinates_next_to_zero_are_no_error_of_the_database(tracks: Tracks) -> None:
    tiny = {"type": "Polygon", "coordinates": [[[0, 0], [1e-300, 0], [1e-14, 1e-14], [0, 0]]]}
    for operator in ("s_intersects", "s_within"):
        for name in ("geometry", "box"):
            tracks.find({"op": operator, "args": [{"property": name}, {"bbox": [-1e-300, -1e-200, 1e-300, 1e-200]}]})
        tracks.find({"op": operator, "args": [{"property": "box"}, tiny]})
    line = {"type": "LineString", "coordinates": [[0, 0], [1e-14, 1e-14]]}
    tracks.find({"op": "s_dwithin", "args": [{"property": "geometry"}, line, 1e-300]})
