"""Literal shapes of a filter: boxes, points and polygons, in degrees of longitude and latitude.

Boxes may cross the antimeridian (west > east); polygons are plain, with one ring, and may not.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TypeAlias

from storage.clips.cql2.nodes import at, is_number
from triggers.errors import InvalidInput

TURN = 360.0
DECIMALS = 15
"""Decimals of a coordinate in degrees: a tenth of a nanometre. Below that no product of two differences underflows."""
Position: TypeAlias = tuple[float, float]
"""Longitude and latitude in degrees."""


@dataclass(frozen=True)
class Box:
    """A box with west <= east and south <= north; a point is one without an extent.

    One that crosses the antimeridian has its east above 180.
    """

    west: float
    south: float
    east: float
    north: float


@dataclass(frozen=True)
class PolygonRing:
    """The outline of a polygon, without the last position, which equals the first."""

    positions: tuple[Position, ...]

    def bounds(self) -> Box:
        """The box around it."""
        longitudes, latitudes = zip(*self.positions, strict=True)
        return Box(min(longitudes), min(latitudes), max(longitudes), max(latitudes))


Shape: TypeAlias = tuple[Box | PolygonRing, ...]
"""The parts of a shape: several for a MULTIPOLYGON."""


def parse_shape(node: object) -> Shape:
    """The shape that a node stands for. Of GeoJSON only the coordinates count, as a `bbox` follows from them."""
    with at(node):
        return _shape(node)


def _shape(node: object) -> Shape:
    match node:
        case {"type": _, "crs": crs} if crs is not None:
            require_crs84(crs)
    match node:
        case {"type": "Point", "coordinates": coordinates}:
            longitude, latitude = _position(coordinates)
            return (Box(longitude, latitude, longitude, latitude),)
        case {"type": "Polygon", "coordinates": coordinates}:
            return (_ring(coordinates),)
        case {"type": "MultiPolygon", "coordinates": [_, *_] as polygons}:
            return tuple(_ring(coordinates) for coordinates in polygons)
        case {"bbox": bbox, **others} if not others:
            return (_box(bbox),)
    raise InvalidInput("unknown shape in the filter", remedy="write BBOX, POINT, POLYGON or MULTIPOLYGON")


def _box(bbox: object) -> Box:
    if not isinstance(bbox, list) or len(bbox) not in (4, 6):
        raise InvalidInput(
            "a BBOX in the filter does not have four numbers", remedy="write BBOX(west, south, east, north)"
        )
    half = len(bbox) // 2  # six numbers have a height third in each half
    west, south = _position(bbox[:half])
    east, north = _position(bbox[half:])
    if south > north:
        raise InvalidInput(
            f"a BBOX in the filter has its south {south} above its north {north}",
            remedy="write BBOX(west, south, east, north)",
        )
    return Box(west, south, east if west <= east else east + TURN, north)


def _position(node: object) -> Position:
    if isinstance(node, list) and len(node) in (2, 3) and all(map(is_number, node)):
        longitude, latitude = float(node[0]), float(node[1])
        if -180 <= longitude <= 180 and -90 <= latitude <= 90:
            return round(longitude, DECIMALS), round(latitude, DECIMALS)
    raise refused_position(node)


def require_crs84(crs: object) -> None:
    """InvalidInput for the `crs` of another reference system than longitude and latitude."""
    if "CRS84" not in json.dumps(crs, default=str):
        raise InvalidInput(
            "a shape in the filter is in another reference system than longitude and latitude",
            remedy="give longitude and latitude in degrees (CRS84), without `crs`",
        )


def refused_position(node: object) -> InvalidInput:
    """The error of what is not a position."""
    shown = ", ".join(map(_shown, node)) if isinstance(node, list) else _shown(node)
    return InvalidInput(
        f"invalid position in the filter: {shown[:60]}", remedy="write longitude and latitude in degrees"
    )


def _shown(node: object) -> str:
    """A position's part as it was written: `[11.58]` and not `[Decimal('11.58')]`."""
    return json.dumps(node, default=float).replace('"', "'")


def _ring(coordinates: object) -> PolygonRing:
    if not isinstance(coordinates, list) or len(coordinates) != 1 or not isinstance(coordinates[0], list):
        raise InvalidInput(
            "a polygon in the filter must be one ring, without holes", remedy="write POLYGON((0 0, 1 0, 1 1, 0 0))"
        )
    ring = [_position(node) for node in coordinates[0]]
    if len(ring) < 4 or ring[0] != ring[-1]:
        raise InvalidInput(
            "a polygon's ring must have at least four positions, the last equal to the first",
            remedy="repeat the first position at the end",
        )
    return PolygonRing(tuple(ring[:-1]))
