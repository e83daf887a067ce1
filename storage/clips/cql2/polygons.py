"""Boxes and polygons in SQL: whether a box meets a polygon, and whether it lies within it, by comparing with each edge.

PostgreSQL's own operators on polygons compare with an absolute tolerance of 1e-6, which is 0.1 m in degrees and far
more in their cross products. Here the only error is that of a double: below a nanometre for any size of the shapes.
Polygons are closed, so their edges belong to them. A point is inside if a ray from it crosses an odd number of edges.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

from sqlalchemy import ARRAY, ColumnElement, Float, and_, bindparam, func, not_, or_, select

from storage.clips.cql2.shapes import PolygonRing
from storage.tables import clips

Number: TypeAlias = ColumnElement[float]
Condition: TypeAlias = ColumnElement[bool]


@dataclass(frozen=True)
class Rectangle:
    """A box in SQL with west <= east, in degrees; it may have no width or no height."""

    west: Number
    south: Number
    east: Number
    north: Number


class _Edges:
    """The edges of a polygon as rows (x1, y1, x2, y2) of one bound array each."""

    def __init__(self, ring: PolygonRing) -> None:
        starts = ring.positions
        ends = (*starts[1:], starts[0])
        columns = ([x for x, _ in starts], [y for _, y in starts], [x for x, _ in ends], [y for _, y in ends])
        arrays = (bindparam(None, column, type_=ARRAY(Float)) for column in columns)
        self.rows = func.unnest(*arrays).table_valued("x1", "y1", "x2", "y2").render_derived(name="edge")
        self.x1, self.y1, self.x2, self.y2 = (self.rows.c[name] for name in ("x1", "y1", "x2", "y2"))

    def side(self, x: Number, y: Number) -> Number:
        """Above 0 for a point to the left of an edge, below 0 to its right, 0 on its line."""
        return (self.x2 - self.x1) * (y - self.y1) - (self.y2 - self.y1) * (x - self.x1)

    def corner_sides(self, box: Rectangle) -> list[Number]:
        """The sides of the box's corners."""
        return [self.side(x, y) for x in (box.west, box.east) for y in (box.south, box.north)]

    def holds(self, x: Number, y: Number) -> Condition:
        """An aggregate: whether the polygon holds a point."""
        side, upwards = self.side(x, y), self.y2 > self.y1
        crossed = and_((self.y1 > y) != (self.y2 > y), (side > 0) == upwards)
        on_edge = and_(side == 0, *self._spans(x, y, x, y))
        return or_(func.mod(func.count().filter(crossed), 2) == 1, func.bool_or(on_edge))

    def touches(self, box: Rectangle) -> Condition:
        """Whether an edge and the closed box have a point in common (by the separating axes)."""
        sides = self.corner_sides(box)
        spans = self._spans(box.west, box.south, box.east, box.north)
        return and_(*spans, func.least(*sides) <= 0, func.greatest(*sides) >= 0)

    def enters(self, box: Rectangle) -> Condition:
        """Whether an edge goes through the inside of the box, or crosses a box without width or height."""
        sides = self.corner_sides(box)
        return and_(
            func.least(self.x1, self.x2) < box.east,
            func.greatest(self.x1, self.x2) > box.west,
            func.least(self.y1, self.y2) < box.north,
            func.greatest(self.y1, self.y2) > box.south,
            func.least(*sides) < 0,
            func.greatest(*sides) > 0,
        )

    def _spans(self, west: Number, south: Number, east: Number, north: Number) -> tuple[Condition, ...]:
        return (
            func.least(self.x1, self.x2) <= east,
            func.greatest(self.x1, self.x2) >= west,
            func.least(self.y1, self.y2) <= north,
            func.greatest(self.y1, self.y2) >= south,
        )


def intersects(box: Rectangle, ring: PolygonRing) -> Condition:
    """The box and the polygon have a point in common: an edge touches the box, or the box lies inside."""
    edges = _Edges(ring)
    return _of_edges(edges, or_(func.bool_or(edges.touches(box)), edges.holds(box.west, box.south)))


def within(box: Rectangle, ring: PolygonRing) -> Condition:
    """The polygon covers the box: no edge goes through the box, and its middle is inside.

    Of a box without width or height two opposite corners must be inside, too.
    """
    edges = _Edges(ring)
    middle = edges.holds((box.west + box.east) / 2, (box.south + box.north) / 2)
    ends = (edges.holds(box.west, box.south), edges.holds(box.east, box.north))
    has_area = and_(box.west < box.east, box.south < box.north)
    covered = _of_edges(edges, and_(not_(func.bool_or(edges.enters(box))), middle))
    return and_(covered, or_(has_area, _of_edges(edges, and_(*ends))))


def _of_edges(edges: _Edges, aggregate: Condition) -> ColumnElement[Any]:
    return select(aggregate).select_from(edges.rows).correlate(clips).scalar_subquery()
