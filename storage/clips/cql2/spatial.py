"""Spatial relations in SQL: boxes and polygons against the box around a clip's track.

The box is tested, not the track, so a clip whose track only passes close by may match. For clips without a position
every relation is unknown.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, and_, cast, func, not_, or_
from sqlalchemy.types import UserDefinedType

from storage.clips.cql2.shapes import Box, PolygonRing, Shape
from storage.tables import clips

SPATIAL_OPERATORS = ("s_intersects", "s_disjoint", "s_within")
_c = clips.c


class _Polygon(UserDefinedType[str]):
    """PostgreSQL's `polygon`, written as text."""

    cache_ok = True

    def get_col_spec(self, **_: Any) -> str:
        return "polygon"


def relation(operator: str, shape: Shape) -> ColumnElement[bool]:
    """`operator(geometry, shape)`."""
    if operator == "s_disjoint":
        return not_(relation("s_intersects", shape))
    related = _within if operator == "s_within" else _intersects
    return and_(_c.min_latitude.is_not(None), or_(*(related(part) for part in shape)))


def _within(part: Box | PolygonRing) -> ColumnElement[bool]:
    if isinstance(part, PolygonRing):
        return _clip_polygon().op("<@", is_comparison=True)(_polygon(part))
    return and_(
        _c.min_longitude >= part.west,
        _c.max_longitude <= part.east,
        _c.min_latitude >= part.south,
        _c.max_latitude <= part.north,
    )


def _intersects(part: Box | PolygonRing) -> ColumnElement[bool]:
    if isinstance(part, PolygonRing):
        return _clip_polygon().op("&&", is_comparison=True)(_polygon(part))
    return and_(
        _c.min_longitude <= part.east,
        _c.max_longitude >= part.west,
        _c.min_latitude <= part.north,
        _c.max_latitude >= part.south,
    )


def _clip_polygon() -> ColumnElement[Any]:
    corners = func.point(_c.min_longitude, _c.min_latitude), func.point(_c.max_longitude, _c.max_latitude)
    return func.polygon(func.box(*corners), type_=_Polygon)


def _polygon(ring: PolygonRing) -> ColumnElement[Any]:
    return cast("(" + ",".join(f"({x!r},{y!r})" for x, y in ring.positions) + ")", _Polygon)
