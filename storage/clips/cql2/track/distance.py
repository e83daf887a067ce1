"""The distance between a clip's track and a literal geometry in metres, along the surface of a sphere, in SQL.

The distance is 0 where they have a point in common (decided exactly), and otherwise the shortest one between a corner
of either and the nearest point of the other's segments: that point is found on the plane that touches the earth at the
corner's latitude, and its distance is the haversine formula's, on a sphere of EARTH_RADIUS_M.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Float, FromClause, Select, case, cast, func, literal, null, select
from sqlalchemy.sql.base import ReadOnlyColumnCollection

from storage.clips.cql2.shapes import Box
from storage.clips.cql2.track.geometry import Edge, Geometry
from storage.clips.cql2.track.relations import relation
from storage.clips.cql2.track.rows import Number, Segment, edges, fenced, has_track, points, positions, segments
from storage.statements.forms import clause
from storage.tables import clips

EARTH_RADIUS_M = 6_371_008.8
"""Mean radius of the Earth (IUGG), as `near` of the trigger language has it."""
METRES_PER_DEGREE = math.radians(EARTH_RADIUS_M)


def distance_m(geometry: Geometry) -> ColumnElement[Any]:
    """The distance of the track from a geometry in metres, as a double; NULL without a track."""
    corners = tuple(dict.fromkeys(geometry.positions()))
    literal_edges = [*geometry.line_edges(), *_outlines(geometry)]
    lone = [(point, point) for point in geometry.points]
    nearest = func.least(
        _shortest(positions(), edges([*literal_edges, *lone], turned="everywhere")),
        _shortest(points(corners, turned="everywhere"), segments(with_places=True)),
    )
    apart = case((clause(relation("s_intersects", geometry)), literal(0.0, Float)), else_=nearest)
    return case((has_track(), apart), else_=null())


def bounds_within(geometry: Geometry, metres: float) -> tuple[Box, ...]:
    """Boxes outside of which nothing is within this distance of the geometry."""
    return tuple(_wider(box, max(metres, 0.0)) for box in geometry.bounds())


def _wider(box: Box, metres: float) -> Box:
    degrees = metres / METRES_PER_DEGREE * 1.000001  # wider than any rounding
    south, north = max(box.south - degrees, -90.0), min(box.north + degrees, 90.0)
    narrowest = math.cos(math.radians(max(abs(south), abs(north))))
    sine = math.sin(min(math.radians(degrees), math.pi / 2))
    if sine >= narrowest:
        return Box(-180.0, south, 180.0, north)
    reach = math.degrees(math.asin(sine / narrowest)) * 1.000001
    if box.east - box.west + 2 * reach >= 360.0:
        return Box(-180.0, south, 180.0, north)
    return Box(box.west - reach, south, box.east + reach, north)


def _outlines(geometry: Geometry) -> Sequence[Edge]:
    rings = [ring for area in geometry.areas for ring in area]
    return [(ring[index - 1], ring[index]) for ring in rings for index in range(len(ring))]


def _shortest(corners: FromClause, segment: Segment) -> Number:
    """The shortest distance from corners to segments; each step of it is a column, computed once."""
    at = fenced(_doubles(corners, {"x": corners.c.x, "y": corners.c.y}))
    a, b = segment.a, segment.b
    way = fenced(_doubles(segment.rows, {"x": a.x, "y": a.y, "way_x": b.x - a.x, "way_y": b.y - a.y}))
    offsets = (at.c.x - way.c.x).label("to_x"), (at.c.y - way.c.y).label("to_y"), at.c.y.label("at")
    pair = fenced(select(way.c.way_x, way.c.way_y, *offsets).select_from(at.join(way, literal(True)))).c
    shrunk = func.cos(func.radians(pair.at))
    flat = fenced(select(*pair, (pair.way_x * shrunk).label("flat_x"), (pair.to_x * shrunk).label("flat_to_x"))).c
    share = fenced(select(*flat, _share(flat).label("share"))).c
    off_x, off_y = share.share * share.way_x - share.to_x, share.share * share.way_y - share.to_y
    nearest = fenced(select(share.at, off_x.label("off_x"), off_y.label("off_y"))).c
    metres = select(func.min(_haversine_m(nearest.at, nearest.off_x, nearest.off_y)))
    return metres.correlate(clips).scalar_subquery()


def _doubles(rows: FromClause, of: Mapping[str, Number]) -> Select[Any]:
    return select(*(cast(value, Float).label(name) for name, value in of.items())).select_from(rows)


def _share(flat: ReadOnlyColumnCollection[str, Any]) -> Number:
    """Where on a segment the nearest point lies, from 0 to 1, on the plane that touches the earth at the corner."""
    length = flat.flat_x * flat.flat_x + flat.way_y * flat.way_y
    along = flat.flat_to_x * flat.flat_x + flat.to_y * flat.way_y
    return case((length > 0, func.least(func.greatest(along / func.nullif(length, 0), 0.0), 1.0)), else_=0.0)


def _haversine_m(latitude: Number, to_x: Number, to_y: Number) -> Number:
    """The distance of a place from another one that is so many degrees to the east and to the north."""
    up, across = func.sin(func.radians(to_y) / 2.0), func.sin(func.radians(to_x) / 2.0)
    shrunk = func.cos(func.radians(latitude)) * func.cos(func.radians(latitude + to_y))
    return 2.0 * EARTH_RADIUS_M * func.asin(func.sqrt(func.least(up * up + shrunk * across * across, 1.0)))
