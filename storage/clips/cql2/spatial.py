"""Place in filters: boxes, points and polygons (longitude, latitude in degrees) against the box around a clip's track.

What is tested is the box, so a clip may be found whose track passes close by; clips without a position are unknown.
Boxes may cross the antimeridian (west > east); polygons are plain, with one ring, and may not.
"""

from __future__ import annotations

import math
from typing import Any

from sqlalchemy import ColumnElement, and_, cast, func, not_, or_
from sqlalchemy.types import UserDefinedType

from storage.tables import clips
from triggers.errors import InvalidInput

OPERATORS = ("s_intersects", "s_disjoint", "s_within")
_c = clips.c


class _Polygon(UserDefinedType[str]):
    """PostgreSQL's `polygon`, written as text."""

    cache_ok = True

    def get_col_spec(self, **_: Any) -> str:
        return "polygon"


def relation(operator: str, shape: object) -> ColumnElement[bool]:
    """`operator(geometry, shape)`."""
    if operator == "s_disjoint":
        return not_(relation("s_intersects", shape))
    within = operator == "s_within"
    return and_(_c.min_latitude.is_not(None), or_(*(_related(each, within) for each in _parts(shape))))


def _parts(shape: object) -> list[list[Any]]:
    """Boxes as [west, south, east, north], polygons as rings of positions."""
    if isinstance(shape, dict) and "bbox" in shape:
        return _boxes(shape["bbox"])
    kind = shape.get("type") if isinstance(shape, dict) else None
    coordinates = shape.get("coordinates") if isinstance(shape, dict) else None
    if kind == "Point":
        longitude, latitude = _position(coordinates)
        return [[longitude, latitude, longitude, latitude]]
    if kind == "Polygon":
        return [_ring(coordinates)]
    if kind == "MultiPolygon" and isinstance(coordinates, list) and coordinates:
        return [_ring(each) for each in coordinates]
    raise InvalidInput("the filter has a shape that is not known", remedy="write BBOX, POINT, POLYGON or MULTIPOLYGON")


def _boxes(bbox: object) -> list[list[Any]]:
    if not isinstance(bbox, list) or len(bbox) not in (4, 6):
        raise InvalidInput("a BBOX in the filter has not four numbers", remedy="write BBOX(west, south, east, north)")
    half = len(bbox) // 2
    west, south = _position(bbox[:2])
    east, north = _position(bbox[half : half + 2])
    if south > north:
        raise InvalidInput(f"a BBOX in the filter has its south {south} above its north {north}")
    if west <= east:
        return [[west, south, east, north]]
    return [[west, south, 180.0, north], [-180.0, south, east, north]]


def _position(value: object) -> tuple[float, float]:
    if isinstance(value, list) and len(value) in (2, 3) and all(_is_number(each) for each in value):
        longitude, latitude = float(value[0]), float(value[1])
        if -180 <= longitude <= 180 and -90 <= latitude <= 90:
            return longitude, latitude
    raise InvalidInput(
        f"the filter has a position that is none: {str(value)[:60]}", remedy="write longitude and latitude in degrees"
    )


def _ring(coordinates: object) -> list[Any]:
    if not isinstance(coordinates, list) or len(coordinates) != 1 or not isinstance(coordinates[0], list):
        raise InvalidInput("a polygon in the filter must be one ring, without holes")
    ring = [_position(each) for each in coordinates[0]]
    if len(ring) < 4 or ring[0] != ring[-1]:
        raise InvalidInput("a polygon's ring must have at least four positions, the last equal to the first")
    return ring[:-1]


def _related(part: list[Any], within: bool) -> ColumnElement[bool]:
    if not isinstance(part[0], tuple):
        return _box_related(*part, within=within)
    ring = cast("(" + ",".join(f"({x!r},{y!r})" for x, y in part) + ")", _Polygon)
    corners = func.point(_c.min_longitude, _c.min_latitude), func.point(_c.max_longitude, _c.max_latitude)
    clip = func.polygon(func.box(*corners), type_=_Polygon)
    return clip.op("<@" if within else "&&", is_comparison=True)(ring)


def _box_related(west: float, south: float, east: float, north: float, *, within: bool) -> ColumnElement[bool]:
    if within:
        across = _c.min_longitude >= west, _c.max_longitude <= east
        along = _c.min_latitude >= south, _c.max_latitude <= north
    else:
        across = _c.min_longitude <= east, _c.max_longitude >= west
        along = _c.min_latitude <= north, _c.max_latitude >= south
    return and_(*across, *along)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
