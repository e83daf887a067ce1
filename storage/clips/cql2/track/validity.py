"""Validity of areas (OGC 06-103r4, 6.1.11): rings that are simple, holes within their shell, polygons side by side.

Everything is compared exactly, as whole numbers of the smallest step of a coordinate.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TypeAlias

from storage.clips.cql2.shapes import DECIMALS
from triggers.errors import InvalidInput

Position: TypeAlias = tuple[Decimal, Decimal]
"""Longitude and latitude in degrees."""
Ring: TypeAlias = tuple[Position, ...]
Area: TypeAlias = tuple[Ring, ...]
_Point: TypeAlias = tuple[int, int]


@dataclass(frozen=True, slots=True)
class _Edge:
    """An edge from `a` to `b`: the edge `number` of ring `ring`, which belongs to polygon `area`."""

    a: _Point
    b: _Point
    number: int
    ring: int
    area: int

    @property
    def west(self) -> int:
        return min(self.a[0], self.b[0])

    @property
    def east(self) -> int:
        return max(self.a[0], self.b[0])


def require_valid(areas: Sequence[Area]) -> None:
    """InvalidInput for a ring that crosses or touches itself, and for rings that cross, overlap or are misplaced."""
    rings = [(tuple(map(_whole, ring)), number) for number, area in enumerate(areas) for ring in area]
    for ring, _ in rings:
        if len(set(ring)) < 3:
            raise InvalidInput(
                "a polygon's ring in the filter has no area", remedy="give at least three different corners"
            )
    edges = [
        _Edge(ring[number - 1], ring[number], number, index, area)
        for index, (ring, area) in enumerate(rings)
        for number in range(len(ring))
    ]
    for one, other in _near(edges):
        if one.ring == other.ring:
            _require_simple(one, other, len(rings[one.ring][0]))
        elif _overlap(one, other) or _cross(one, other):
            raise _misplaced(one, other)
    _require_places(areas, edges)


def _whole(position: Position) -> _Point:
    return int(position[0].scaleb(DECIMALS)), int(position[1].scaleb(DECIMALS))


def _near(edges: list[_Edge]) -> Iterator[tuple[_Edge, _Edge]]:
    """The pairs of edges whose longitudes overlap."""
    waiting = sorted(edges, key=lambda edge: edge.west)
    for index, edge in enumerate(waiting):
        east = edge.east
        for other in waiting[index + 1 :]:
            if other.west > east:
                break
            yield edge, other


def side(a: _Point, b: _Point, p: _Point) -> int:
    """Above 0 for a point to the left of the line from a to b, below 0 to its right, 0 on it."""
    return (b[0] - a[0]) * (p[1] - a[1]) - (b[1] - a[1]) * (p[0] - a[0])


def _within_box(a: _Point, b: _Point, p: _Point) -> bool:
    return min(a[0], b[0]) <= p[0] <= max(a[0], b[0]) and min(a[1], b[1]) <= p[1] <= max(a[1], b[1])


def _on(edge: _Edge, p: _Point) -> bool:
    return _within_box(edge.a, edge.b, p) and side(edge.a, edge.b, p) == 0


def _cross(one: _Edge, other: _Edge) -> bool:
    """Whether each goes through the other's inside."""
    return (
        side(one.a, one.b, other.a) * side(one.a, one.b, other.b) < 0
        and side(other.a, other.b, one.a) * side(other.a, other.b, one.b) < 0
    )


def _overlap(one: _Edge, other: _Edge) -> bool:
    """Whether they have more than a point in common."""
    if side(one.a, one.b, other.a) or side(one.a, one.b, other.b):
        return False
    axis = 0 if one.a[0] != one.b[0] else 1
    low = max(min(one.a[axis], one.b[axis]), min(other.a[axis], other.b[axis]))
    return low < min(max(one.a[axis], one.b[axis]), max(other.a[axis], other.b[axis]))


def _require_simple(one: _Edge, other: _Edge, count: int) -> None:
    """InvalidInput if two edges of one ring have more in common than the corner between neighbours."""
    neighbours = (one.number - other.number) % count in (1, count - 1)
    if neighbours and not _overlap(one, other):
        return
    touches = any((_on(one, other.a), _on(one, other.b), _on(other, one.a), _on(other, one.b)))
    if touches or _cross(one, other):
        what = "touches" if touches else "crosses"
        raise InvalidInput(
            f"a polygon in the filter {what} itself, at its edges from {_shown(one.a)} and from {_shown(other.a)}",
            remedy="write its corners in the order in which they lie around it; split it where it touches itself",
        )


def _require_places(areas: Sequence[Area], edges: list[_Edge]) -> None:
    """InvalidInput for a hole outside of its shell or within another hole, and for polygons within each other."""
    by_ring: dict[int, list[_Edge]] = {}
    for edge in edges:
        by_ring.setdefault(edge.ring, []).append(edge)
    ring = 0
    shells: list[tuple[int, range]] = []
    for area in areas:
        holes = range(ring + 1, ring + len(area))
        for hole in holes:
            if not _lies_in(by_ring[hole], by_ring[ring]):
                raise _bad_hole(by_ring[hole][0])
            if any(_lies_in(by_ring[hole], by_ring[other]) for other in holes if other != hole):
                raise _bad_hole(by_ring[hole][0])
        shells.append((ring, holes))
        ring += len(area)
    for shell, _ in shells:
        for other, holes in shells:
            in_hole = any(_lies_in(by_ring[shell], by_ring[hole]) for hole in holes)
            if shell != other and _lies_in(by_ring[shell], by_ring[other]) and not in_hole:
                raise _misplaced(by_ring[shell][0], by_ring[other][0])


def _lies_in(inner: list[_Edge], outer: list[_Edge]) -> bool:
    """Whether a ring lies within another one, which it does not cross: a point of it that is not on the other does.

    If every corner is on the other ring, the middle of an edge is not, as the rings do not overlap.
    """
    for edge in inner:
        for point in ((2 * edge.a[0], 2 * edge.a[1]), (edge.a[0] + edge.b[0], edge.a[1] + edge.b[1])):
            place = _place(point, outer)
            if place is not None:
                return place
    return True


def _place(doubled: _Point, ring: list[_Edge]) -> bool | None:
    """Whether a point, given by twice its coordinates, is within a ring; None on it."""
    inside = False
    for edge in ring:
        a, b = (2 * edge.a[0], 2 * edge.a[1]), (2 * edge.b[0], 2 * edge.b[1])
        turn = side(a, b, doubled)
        if turn == 0 and _within_box(a, b, doubled):
            return None
        if (a[0] > doubled[0]) != (b[0] > doubled[0]) and (turn > 0) != (b[0] > a[0]):
            inside = not inside
    return inside


def _bad_hole(edge: _Edge) -> InvalidInput:
    return InvalidInput(
        f"a hole of a polygon in the filter, at {_shown(edge.a)}, is not within its outline, or is within another hole",
        remedy="write the outline first, then its holes; an island in a hole is a polygon of its own",
    )


def _misplaced(one: _Edge, other: _Edge) -> InvalidInput:
    if one.area == other.area:
        return InvalidInput(
            f"the rings of a polygon in the filter cross or share an edge, at {_shown(one.a)} and {_shown(other.a)}",
            remedy="let holes only touch the outline and each other",
        )
    return InvalidInput(
        f"polygons in the filter overlap or share an edge, at {_shown(one.a)} and {_shown(other.a)}",
        remedy="join them to one polygon, or write a condition for each, with OR between them",
    )


def _shown(point: _Point) -> str:
    longitude, latitude = (Decimal(number).scaleb(-DECIMALS).normalize() for number in point)
    return f"({longitude:f} {latitude:f})"
