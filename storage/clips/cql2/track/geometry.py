"""Literal geometries of a filter: points, lines and areas in degrees of longitude and latitude, read exactly.

Coordinates are decimals with at most DECIMALS places (a tenth of a nanometre), so that sums and products of them stay
exact and short. A line and a ring go as their numbers say, in the plane of longitude and latitude; only a BBOX crosses
the antimeridian, and then its east lies beyond 180.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise
from typing import TypeAlias

from storage.clips.cql2.nodes import at, is_number
from storage.clips.cql2.shapes import DECIMALS, Box, refused_position, require_crs84
from storage.clips.cql2.track.validity import Area, Position, Ring, require_valid
from triggers.errors import InvalidInput

MAX_POSITIONS = 500
ROOM = 1e-9
MAX_BOUNDS = 8
"""Boxes around the parts of a geometry; around more parts there is one for all of them."""
TURN = Decimal(360)
HALF = Decimal(180)
_STEP = Decimal(1).scaleb(-DECIMALS)
Line: TypeAlias = tuple[Position, ...]
Edge: TypeAlias = tuple[Position, Position]
_Span: TypeAlias = tuple[Decimal, Decimal]


@dataclass(frozen=True)
class Geometry:
    """Points, lines and areas; an area is its rings, the outline first, each without its last position."""

    points: tuple[Position, ...] = ()
    lines: tuple[Line, ...] = ()
    areas: tuple[Area, ...] = ()

    @property
    def is_mixed(self) -> bool:
        """Whether it has parts of more than one dimension."""
        return sum(map(bool, (self.points, self.lines, self.areas))) > 1

    def rectangle(self) -> tuple[Decimal, Decimal, Decimal, Decimal] | None:
        """West, south, east and north of a geometry that is a BBOX, or a polygon of the same corners; None of others.

        >>> parse_geometry({"bbox": [11, 48, 12, 49]}).rectangle() == (11, 48, 12, 49)
        True
        """
        if self.points or self.lines or len(self.areas) != 1 or len(self.areas[0]) != 1 or len(self.areas[0][0]) != 4:
            return None
        ring = self.areas[0][0]
        longitudes, latitudes = ({position[axis] for position in ring} for axis in (0, 1))
        if len(longitudes) != 2 or len(latitudes) != 2:
            return None  # four corners that do not cross themselves, of two longitudes and two latitudes, are a box
        return min(longitudes), min(latitudes), max(longitudes), max(latitudes)

    def bounds(self) -> tuple[Box, ...]:
        """Boxes around all of it, with room for the rounding of doubles."""
        parts = [*((point,) for point in self.points), *self.lines, *(area[0] for area in self.areas)]
        if len(parts) > MAX_BOUNDS:
            parts = [tuple(position for part in parts for position in part)]
        return tuple(map(_bounds, parts))

    def line_ends(self) -> tuple[Position, ...]:
        """The boundary of its lines: where an odd number of them end (the mod-2 rule of OGC 06-103r4, 6.1.8)."""
        ends = Counter(canonical(end) for line in self.lines for end in (line[0], line[-1]))
        return tuple(end for end, count in ends.items() if count % 2)

    def line_edges(self) -> list[Edge]:
        """The edges of its lines."""
        return [edge for line in self.lines for edge in pairwise(line)]

    def area_edges(self) -> list[Edge]:
        """The edges of its areas, without those along which two of them meet at the antimeridian.

        Only vertical edges are left out, which rays to the north never cross.
        """
        rings = [ring for area in self.areas for ring in area]
        edges = [edge for ring in rings for edge in pairwise((*ring, ring[0]))]
        sides = {x: _meridian(edges, x) for x in (-HALF, HALF)}
        inner = [edge for edge in edges if not edge[0][0] == edge[1][0] in sides]
        return inner + [
            ((x, low), (x, high))
            for x, spans in sides.items()
            for span in spans
            for low, high in _rest(span, sides[-x])
        ]

    def positions(self) -> Iterator[Position]:
        """Every position of it."""
        yield from self.points
        for line in (*self.lines, *(ring for area in self.areas for ring in area)):
            yield from line


def canonical(position: Position) -> Position:
    """The position with a longitude from -180 up to, and without, 180: both sides of the antimeridian are one place."""
    longitude, latitude = position
    return (longitude + 180) % TURN - 180 if longitude >= 180 else longitude, latitude


def parse_geometry(node: object) -> Geometry:
    """The geometry that a node stands for; InvalidInput for one that is open, crosses itself or is too large."""
    with at(node):
        geometry = _merged(_parts(node))
        count = sum(1 for _ in geometry.positions())
        if count > MAX_POSITIONS:
            raise InvalidInput(
                f"a geometry in the filter has {count} positions, more than {MAX_POSITIONS}",
                remedy="simplify it, for instance with ST_Simplify or shapely.simplify",
            )
        require_valid(geometry.areas)
        return geometry


def _merged(parts: list[Geometry]) -> Geometry:
    points = dict.fromkeys(canonical(point) for part in parts for point in part.points)
    return Geometry(
        tuple(points),
        tuple(line for part in parts for line in part.lines),
        tuple(area for part in parts for area in part.areas),
    )


def _parts(node: object) -> list[Geometry]:
    match node:
        case {"type": _, "crs": crs} if crs is not None:
            require_crs84(crs)
    match node:
        case {"type": "Point", "coordinates": coordinates}:
            return [Geometry(points=(_position(coordinates),))]
        case {"type": "MultiPoint", "coordinates": [_, *_] as coordinates}:
            return [Geometry(points=tuple(map(_position, coordinates)))]
        case {"type": "LineString", "coordinates": coordinates}:
            return [Geometry(lines=(_line(coordinates),))]
        case {"type": "MultiLineString", "coordinates": [_, *_] as lines}:
            return [Geometry(lines=tuple(map(_line, lines)))]
        case {"type": "Polygon", "coordinates": rings}:
            return [Geometry(areas=(_area(rings),))]
        case {"type": "MultiPolygon", "coordinates": [_, *_] as polygons}:
            return [Geometry(areas=tuple(map(_area, polygons)))]
        case {"type": "GeometryCollection", "geometries": [_, *_] as members}:
            return [part for member in members for part in _parts(_not_a_box(member))]
        case {"bbox": bbox, **others} if not others:
            return [_box(bbox)]
    raise InvalidInput(
        "unknown geometry in the filter",
        remedy="write BBOX, POINT, LINESTRING or POLYGON, MULTI before one of them, or GEOMETRYCOLLECTION",
    )


def _not_a_box(node: object) -> object:
    if isinstance(node, dict) and "type" in node:
        return node
    raise InvalidInput("a GEOMETRYCOLLECTION holds geometries only", remedy="write a POLYGON instead of a BBOX")


def _position(node: object) -> Position:
    if isinstance(node, list) and len(node) in (2, 3) and all(map(is_number, node)):
        longitude, latitude = (Decimal(number) for number in node[:2])
        if -180 <= longitude <= 180 and -90 <= latitude <= 90:
            return _rounded(longitude), _rounded(latitude)
    raise refused_position(node)


def _rounded(number: Decimal) -> Decimal:
    return number.quantize(_STEP) + 0  # which makes -0 a 0


def _line(node: object) -> Line:
    positions = [_position(item) for item in node] if isinstance(node, list) else []
    line = tuple(_without_repeats(positions))
    if len(line) < 2:
        raise InvalidInput(
            "a line in the filter needs two different positions", remedy="write LINESTRING(11 48, 12 49), or a POINT"
        )
    return line


def _without_repeats(positions: list[Position]) -> Iterator[Position]:
    for index, position in enumerate(positions):
        if index == 0 or position != positions[index - 1]:
            yield position


def _area(node: object) -> Area:
    if not isinstance(node, list) or not node:
        raise InvalidInput("a polygon in the filter has no ring", remedy="write POLYGON((0 0, 1 0, 1 1, 0 0))")
    return tuple(map(_ring, node))


def _ring(node: object) -> Ring:
    positions = [_position(item) for item in node] if isinstance(node, list) else []
    if len(positions) < 4 or positions[0] != positions[-1]:
        raise InvalidInput(
            "a polygon's ring must have at least four positions, the last equal to the first",
            remedy="repeat the first position at the end",
        )
    return tuple(_without_repeats(positions))[:-1]


def _box(bbox: object) -> Geometry:
    if not isinstance(bbox, list) or len(bbox) not in (4, 6):
        raise InvalidInput(
            "a BBOX in the filter does not have four numbers", remedy="write BBOX(west, south, east, north)"
        )
    half = len(bbox) // 2  # six numbers have a height third in each half
    (west, south), (east, north) = _position(bbox[:half]), _position(bbox[half:])
    if south > north:
        raise InvalidInput(
            f"a BBOX in the filter has its south {south.normalize():f} above its north {north.normalize():f}",
            remedy="write BBOX(west, south, east, north)",
        )
    if west > east:
        east += TURN
    corners = tuple(dict.fromkeys([(west, south), (east, south), (east, north), (west, north)]))
    if len(corners) == 1:
        return Geometry(points=corners)
    return Geometry(lines=(corners,)) if len(corners) == 2 else Geometry(areas=((corners,),))


def _bounds(part: tuple[Position, ...]) -> Box:
    longitudes, latitudes = zip(*part, strict=True)
    west, south, east, north = map(float, (min(longitudes), min(latitudes), max(longitudes), max(latitudes)))
    return Box(west - ROOM, south - ROOM, east + ROOM, north + ROOM)


def _meridian(edges: list[Edge], longitude: Decimal) -> list[_Span]:
    """The spans of latitude of the edges on a meridian, in order."""
    return sorted((min(a[1], b[1]), max(a[1], b[1])) for a, b in edges if a[0] == b[0] == longitude)


def _rest(span: _Span, taken: list[_Span]) -> Iterator[_Span]:
    """What remains of a span without others, which are in order and do not overlap."""
    low, high = span
    for first, last in taken:
        if first < high and last > low:
            if low < first:
                yield low, first
            low = max(low, min(last, high))
    if low < high:
        yield low, high
