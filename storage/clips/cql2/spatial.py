"""Spatial relations in SQL: boxes and polygons against the box around a clip's track.

The box is tested, not the track (track/), so a clip whose track only passes close by may match. A box whose west is
greater than its east crosses the antimeridian (RFC 7946, section 5.2). For clips without a position every relation is
unknown.
"""

from __future__ import annotations

from typing import TypeAlias

from sqlalchemy import ColumnElement, Float, and_, case, literal, not_, null, or_

from storage.clips.cql2 import polygons
from storage.clips.cql2.polygons import Rectangle
from storage.clips.cql2.shapes import TURN, Box, PolygonRing, Shape
from storage.statements.forms import Condition
from storage.statements.prepared import Template
from storage.tables import clips

BOX_OPERATORS = ("s_intersects", "s_disjoint", "s_within")
_c = clips.c
_west, _east = _c.min_longitude, _c.max_longitude
_crosses = _west > _east
_HALF = TURN / 2
Number: TypeAlias = float | ColumnElement[float]


def relation(operator: str, shape: Shape) -> Condition:
    """`operator(box, shape)`: true, false, or NULL without a position."""
    match operator, shape:
        case "s_intersects", (Box(west, south, east, north),):
            return _MEETS_ONE_BOX.bound(west=west, south=south, east=east, north=north)
        case "s_within", _:
            return _where_known(_within(shape))
        case "s_disjoint", _:
            return _where_known(not_(_intersects(shape)))
        case _:
            return _where_known(_intersects(shape))


def _where_known(related: ColumnElement[bool]) -> ColumnElement[bool]:
    return case((_c.min_latitude.is_(None), null()), else_=related)


def _intersects(shape: Shape) -> ColumnElement[bool]:
    return or_(*(_meets_ring(part) if isinstance(part, PolygonRing) else _meets_box(part) for part in shape))


def _meets_box(box: Box) -> ColumnElement[bool]:
    return _meets(box.west, box.south, box.east, box.north)


def _meets(west: Number, south: Number, east: Number, north: Number) -> ColumnElement[bool]:
    own_east = _unwrapped_east()
    turns = (and_(_west <= east + turn, own_east >= west + turn) for turn in (0.0, TURN, -TURN))
    return and_(_c.min_latitude <= north, _c.max_latitude >= south, or_(*turns))


_FLOAT: Float[float] = Float()
_MEETS_ONE_BOX = Template(
    lambda **sides: _where_known(_meets(**sides)), west=_FLOAT, south=_FLOAT, east=_FLOAT, north=_FLOAT
)
"""The relation of most searches by place."""


def _meets_ring(ring: PolygonRing) -> ColumnElement[bool]:
    first, second = _pieces()
    there_are_two = or_(_crosses, _east == _HALF, _west == -_HALF)
    met = or_(polygons.intersects(first, ring), and_(there_are_two, polygons.intersects(second, ring)))
    return and_(_meets_box(ring.bounds()), met)  # most clips are far away


def _within(shape: Shape) -> ColumnElement[bool]:
    boxes = [_in_box(part) for part in shape if isinstance(part, Box)]
    rings = [part for part in shape if isinstance(part, PolygonRing)]
    return or_(*boxes, *([_in_rings(rings)] if rings else []))


def _in_box(box: Box) -> ColumnElement[bool]:
    latitudes = and_(_c.min_latitude >= box.south, _c.max_latitude <= box.north)
    if box.east - box.west >= TURN:
        return latitudes
    east = _unwrapped_east()
    turns = (and_(_west >= box.west + turn, east <= box.east + turn) for turn in (0.0, TURN, -TURN))
    return and_(latitudes, or_(*turns))


def _in_rings(rings: list[PolygonRing]) -> ColumnElement[bool]:
    """Whether one of the polygons covers the box; of one that crosses the antimeridian, each half on its own."""
    first, second = (
        or_(*(and_(_meets_box(ring.bounds()), polygons.within(piece, ring)) for ring in rings)) for piece in _pieces()
    )
    on_the_antimeridian = and_(_west == _east, or_(_west == _HALF, _west == -_HALF))
    return case((_crosses, and_(first, second)), (on_the_antimeridian, or_(first, second)), else_=first)


def _unwrapped_east() -> ColumnElement[float]:
    """The clip's east, beyond 180 if its box crosses the antimeridian."""
    return case((_crosses, _east + TURN), else_=_east)


def _pieces() -> tuple[Rectangle, Rectangle]:
    """The clip's box west of the antimeridian, and the part on the other side: at -180 if the box reaches to 180."""
    half, minus_half = literal(_HALF, Float), literal(-_HALF, Float)
    first_east = case((_crosses, half), else_=_east)
    second_west = case((or_(_crosses, _east == _HALF), minus_half), else_=half)
    second_east = case((_crosses, _east), else_=second_west)
    south, north = _c.min_latitude, _c.max_latitude
    return Rectangle(_west, south, first_east, north), Rectangle(second_west, south, second_east, north)
