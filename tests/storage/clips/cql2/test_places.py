"""Places: polygons of every size against shapely, the antimeridian, and what a shape's members mean."""

from __future__ import annotations

import json
import math
import random
from collections.abc import Iterator
from typing import Any

import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from storage.clips.query import ClipQuery
from storage.clips.search import search
from storage.database import Database
from tests.storage.clips.catalog_support import add_clip
from tests.support.servers.database import migrated_database

MIDDLE = (11.58, 48.14)
METRES_PER_DEGREE = 111_320
SIZES_M = (1, 20, 1000, 50_000, 1_000_000)
GRID = 1 / 64
Box = tuple[float, float, float, float]


class Boxes:
    """Clips with boxes, and which of them a shape finds."""

    def __init__(self, database: Database, boxes: list[Box]) -> None:
        self.database = database
        with database.begin() as connection:
            self.boxes = {add_clip(connection, box=box): box for box in boxes}

    def find(self, operator: str, shape: dict[str, Any]) -> set[Box]:
        tree = {"op": operator, "args": [{"property": "box"}, shape]}
        query = ClipQuery.parse(filter_source=json.dumps(tree), language="cql2-json", limit=1000)
        with self.database.begin() as connection:
            return {self.boxes[clip.id] for clip in search(connection, query).clips}


def random_boxes(chance: random.Random) -> list[Box]:
    """Boxes of every size around one place, some without width or height, and some on a grid, so that edges touch."""
    boxes = []
    for size_m in SIZES_M:
        size = size_m / METRES_PER_DEGREE
        for _ in range(6):
            west, south = (middle + chance.uniform(-size, size) for middle in MIDDLE)
            boxes.append((west, south, west + size * chance.choice([0, 1]), south + size * chance.choice([0, 1, 1])))
    for _ in range(20):
        (west, east), (south, north) = (sorted(chance.choices(range(8), k=2)) for _ in range(2))
        boxes.append((west * GRID, south * GRID, east * GRID, north * GRID))
    return boxes


@pytest.fixture(scope="module")
def boxes(postgres_url: str, migrated: str) -> Iterator[Boxes]:
    with migrated_database(postgres_url, migrated) as database:
        yield Boxes(database, random_boxes(random.Random(7)))


def geometry(box: Box) -> Any:
    """The box for shapely, which knows boxes without width or height as lines and points."""
    west, south, east, north = box
    if (west, south) == (east, north):
        return shapely.Point(west, south)
    return shapely.LineString([(west, south), (east, north)]) if west == east or south == north else shapely.box(*box)


def polygon(ring: list[tuple[float, float]]) -> dict[str, Any]:
    return {"type": "Polygon", "coordinates": [[*ring, ring[0]]]}


@st.composite
def stars(draw: st.DrawFn) -> list[tuple[float, float]]:
    """A simple polygon, convex or not, of 0.5 m to 3000 km, near the clips' middle."""
    size = draw(st.sampled_from(SIZES_M)) / METRES_PER_DEGREE
    x, y = (middle + size * draw(st.floats(-1, 1)) for middle in MIDDLE)
    radii = draw(st.lists(st.floats(0.5, 3), min_size=3, max_size=9))
    turns = [2 * math.pi * (index + draw(st.floats(0, 0.7))) / len(radii) for index in range(len(radii))]
    return [(x + size * r * math.cos(a), y + size * r * math.sin(a)) for r, a in zip(radii, turns, strict=True)]


def grid_rings() -> st.SearchStrategy[list[tuple[float, float]]]:
    """Polygons whose corners are on the clips' grid."""
    corner = st.tuples(st.integers(-1, 9), st.integers(-1, 9)).map(lambda at: (at[0] * GRID, at[1] * GRID))
    rings = st.lists(corner, min_size=3, max_size=5, unique=True)
    return rings.filter(lambda ring: shapely.Polygon(ring).is_valid and shapely.Polygon(ring).area > 0)


def check(boxes: Boxes, ring: list[tuple[float, float]]) -> None:
    whole = shapely.Polygon(ring)
    known = set(boxes.boxes.values())
    meets = {box for box in known if whole.intersects(geometry(box))}
    assert boxes.find("s_intersects", polygon(ring)) == meets
    assert boxes.find("s_disjoint", polygon(ring)) == known - meets
    assert boxes.find("s_within", polygon(ring)) == {box for box in known if whole.covers(geometry(box))}


@settings(max_examples=40)
@given(stars())
def test_polygons_of_every_size_find_what_shapely_finds(boxes: Boxes, ring: list[tuple[float, float]]) -> None:
    check(boxes, ring)


@settings(max_examples=40)
@given(grid_rings())
def test_polygons_that_touch_boxes_find_what_shapely_finds(boxes: Boxes, ring: list[tuple[float, float]]) -> None:
    check(boxes, ring)


CROSSING = (179.9, -44.0, -179.9, -43.0)
ON_IT = (180.0, -44.0, 180.0, -43.0)
BEYOND = (-180.0, -44.0, -179.5, -43.0)
EVERYWHERE = (-180.0, -44.0, 180.0, -43.0)


@pytest.fixture(scope="module")
def pacific(postgres_url: str, migrated: str) -> Iterator[Boxes]:
    with migrated_database(postgres_url, migrated) as database:
        yield Boxes(database, [CROSSING, ON_IT, BEYOND, EVERYWHERE])


def bbox(*corners: float) -> dict[str, Any]:
    return {"bbox": list(corners)}


def rectangle(west: float, east: float) -> list[tuple[float, float]]:
    return [(west, -45), (east, -45), (east, -42), (west, -42)]


HALVES = {
    "type": "MultiPolygon",
    "coordinates": [polygon(rectangle(*sides))["coordinates"] for sides in ((179, 180), (-180, -179))],
}


@pytest.mark.parametrize(
    ("operator", "shape", "found"),
    [
        ("s_intersects", bbox(0, -44, 1, -43), {EVERYWHERE}),
        ("s_within", bbox(179, -45, -179, -42), {CROSSING, ON_IT, BEYOND}),
        ("s_within", bbox(179, -45, 180, -42), {ON_IT}),
        ("s_within", bbox(-180, -45, -179, -42), {ON_IT, BEYOND}),
        ("s_within", bbox(-180, -45, 180, -42), {CROSSING, ON_IT, BEYOND, EVERYWHERE}),
        ("s_intersects", bbox(-180, -45, -179.95, -42), {CROSSING, ON_IT, BEYOND, EVERYWHERE}),
        ("s_intersects", bbox(179.95, -45, 179.99, -42), {CROSSING, EVERYWHERE}),
        ("s_intersects", bbox(-179.7, -45, -179.6, -42), {BEYOND, EVERYWHERE}),
        ("s_disjoint", bbox(179.95, -45, 179.99, -42), {ON_IT, BEYOND}),
        ("s_intersects", polygon(rectangle(-179.95, -179)), {CROSSING, BEYOND, EVERYWHERE}),
        ("s_intersects", polygon(rectangle(-180, -179.97)), {CROSSING, ON_IT, BEYOND, EVERYWHERE}),
        ("s_within", polygon(rectangle(-180, -179)), {ON_IT, BEYOND}),
        ("s_within", HALVES, {CROSSING, ON_IT, BEYOND}),
    ],
)
def test_boxes_and_polygons_at_the_antimeridian(
    pacific: Boxes, operator: str, shape: dict[str, Any], found: set[Box]
) -> None:
    assert pacific.find(operator, shape) == found


def test_the_coordinates_of_a_geojson_shape_count_and_not_its_bbox(boxes: Boxes) -> None:
    around = polygon([(11, 48), (12, 48), (12, 49), (11, 49)])
    assert boxes.find("s_within", {**around, "bbox": [0, 0, 1, 1]}) == boxes.find("s_within", around) != set()
