"""Literal shapes of a filter: boxes, points and polygons, in degrees of longitude and latitude.

Boxes may cross the antimeridian (west > east); polygons are plain, with one ring, and may not.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TypeAlias

from triggers.errors import InvalidInput

Position: TypeAlias = tuple[float, float]
"""Longitude and latitude in degrees."""


@dataclass(frozen=True)
class Box:
    """A box with west <= east and south <= north; a point is one without an extent."""

    west: float
    south: float
    east: float
    north: float


@dataclass(frozen=True)
class PolygonRing:
    """The outline of a polygon, without the last position, which equals the first."""

    positions: tuple[Position, ...]


Shape: TypeAlias = tuple[Box | PolygonRing, ...]
"""The parts of a shape: several for a MULTIPOLYGON, and for a box across the antimeridian."""


def parse_shape(node: object) -> Shape:
    """The shape that a node of CQL2 JSON stands for."""
    match node:
        case {"bbox": bbox}:
            return _boxes(bbox)
        case {"type": "Point", "coordinates": coordinates}:
            longitude, latitude = _position(coordinates)
            return (Box(longitude, latitude, longitude, latitude),)
        case {"type": "Polygon", "coordinates": coordinates}:
            return (_ring(coordinates),)
        case {"type": "MultiPolygon", "coordinates": [_, *_] as polygons}:
            return tuple(_ring(coordinates) for coordinates in polygons)
    raise InvalidInput("unknown shape in the filter", remedy="write BBOX, POINT, POLYGON or MULTIPOLYGON")


def _boxes(bbox: object) -> Shape:
    if not isinstance(bbox, list) or len(bbox) not in (4, 6):
        raise InvalidInput(
            "a BBOX in the filter does not have four numbers", remedy="write BBOX(west, south, east, north)"
        )
    half = len(bbox) // 2  # six numbers have a height third in each half
    west, south = _position(bbox[:half])
    east, north = _position(bbox[half:])
    if south > north:
        raise InvalidInput(f"a BBOX in the filter has its south {south} above its north {north}")
    if west <= east:
        return (Box(west, south, east, north),)
    return Box(west, south, 180.0, north), Box(-180.0, south, east, north)


def _position(node: object) -> Position:
    if isinstance(node, list) and len(node) in (2, 3) and all(_is_number(number) for number in node):
        longitude, latitude = float(node[0]), float(node[1])
        if -180 <= longitude <= 180 and -90 <= latitude <= 90:
            return longitude, latitude
    raise InvalidInput(
        f"invalid position in the filter: {str(node)[:60]}", remedy="write longitude and latitude in degrees"
    )


def _ring(coordinates: object) -> PolygonRing:
    if not isinstance(coordinates, list) or len(coordinates) != 1 or not isinstance(coordinates[0], list):
        raise InvalidInput("a polygon in the filter must be one ring, without holes")
    ring = [_position(node) for node in coordinates[0]]
    if len(ring) < 4 or ring[0] != ring[-1]:
        raise InvalidInput("a polygon's ring must have at least four positions, the last equal to the first")
    return PolygonRing(tuple(ring[:-1]))


def _is_number(node: object) -> bool:
    return isinstance(node, int | float) and not isinstance(node, bool) and math.isfinite(node)
