"""Place cells as shapes: the outline of a cell and the box around it, and the cells that a shape touches.

All of it follows from the cell (storage/clips/properties/place_cells.py) and tells nothing of the position in it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import TypeAlias

import h3

from storage.clips.cql2.shapes import TURN
from storage.clips.records import Box
from triggers.clips.place_cells import FINEST
from triggers.errors import InvalidInput

Ring: TypeAlias = Sequence[tuple[float, float]]
"""Longitudes and latitudes in degrees, without the first one again at the end."""
Area: TypeAlias = Sequence[Ring]
"""The outline of an area, and its holes."""

RESOLUTIONS = (FINEST, 5, 3, 1)
"""The finest at which a shape has at most MAX_CELLS cells is used; at the last, the Earth has 842."""
MAX_CELLS = 1000
_HALF, _POLE = 180.0, 90.0
_WIDEST = 90.0
"""An area is cut into pieces of this width: H3 takes one that is wider than 180 degrees for its complement."""
_MARGIN = 1e-9
"""What has no width gets some: less than a millimetre."""
_KM_OF_A_DEGREE = 111.2


def outline(cell: str) -> list[tuple[float, float]]:
    """The corners of a cell, longitude and latitude, counter-clockwise; beyond 180 degrees if it crosses that.

    Of a cell around a pole, the corners of the smallest band of latitudes that holds it.
    """
    if (polar := _band(cell)) is not None:
        south, north = polar
        return [(-_HALF, south), (_HALF, south), (_HALF, north), (-_HALF, north)]
    corners = [(longitude, latitude) for latitude, longitude in h3.cell_to_boundary(cell)]
    if max(corners)[0] - min(corners)[0] > _HALF:
        corners = [(x + TURN if x < 0 else x, y) for x, y in corners]
    return corners


def bounds(cell: str) -> Box:
    """The box around a cell: west, south, east, north; west > east if it crosses the antimeridian.

    >>> [round(side, 3) for side in bounds("871f8d7a5ffffff")]
    [11.598, 48.12, 11.632, 48.145]
    """
    longitudes, latitudes = zip(*outline(cell), strict=True)
    west, east = min(longitudes), max(longitudes)
    return west, min(latitudes), east - TURN if east > _HALF else east, max(latitudes)


def _band(cell: str) -> tuple[float, float] | None:
    """South and north of a cell around a pole, and None for any other: meridians meet in it, so it has no width."""
    latitudes = [latitude for latitude, _ in h3.cell_to_boundary(cell)]
    pole = math.copysign(_POLE, latitudes[0])
    if cell != _polar(pole, h3.get_resolution(cell)):
        return None
    return (min(latitudes), pole) if pole > 0 else (pole, max(latitudes))


def _polar(pole: float, resolution: int) -> str:
    """The cell around a pole, whose latitude is 90 or -90."""
    return str(h3.latlng_to_cell(pole, 0.0, resolution))


def centre(cell: str) -> tuple[float, float]:
    """The latitude and longitude of a cell's centre."""
    latitude, longitude = h3.cell_to_latlng(cell)
    return latitude, longitude


def touched(areas: Sequence[Area], points: Sequence[tuple[float, float]]) -> tuple[int, list[str]]:
    """A resolution and the cells of it that areas and points touch, in order; of a coarse one also their neighbours.

    A cell may lie a little outside the coarser one that its name says it is in: without neighbours some were missing.
    """
    pieces = [piece for area in areas for piece in _pieces(area)]
    for resolution in RESOLUTIONS:
        if len(points) + sum(_cells_of(piece[0], resolution) for piece in pieces) <= MAX_CELLS:
            break
    found = {h3.latlng_to_cell(latitude, longitude, resolution) for longitude, latitude in points}
    for piece in pieces:
        rings = [[(latitude, longitude) for longitude, latitude in ring] for ring in piece]
        found |= set(h3.h3shape_to_cells_experimental(h3.LatLngPoly(*rings), resolution, contain="overlap"))
        found.update(_polar_cells(piece[0], resolution))
    if resolution != FINEST:
        found = {near for cell in found for near in h3.grid_disk(cell, 1)}
    return resolution, sorted(found)


def _polar_cells(ring: Ring, resolution: int) -> Iterator[str]:
    """The cell around each pole whose latitudes a ring reaches, and its neighbours.

    H3 takes longitudes for distances, and misses some there.
    """
    latitudes = [latitude for _, latitude in ring]
    for pole in (-_POLE, _POLE):
        cell = _polar(pole, resolution)
        band = _band(cell)
        if band is not None and min(latitudes) <= band[1] and band[0] <= max(latitudes):
            yield from h3.grid_disk(cell, 1)


def box_area(west: float, south: float, east: float, north: float) -> Area:
    """A box as an area; east is above 180 if it crosses the antimeridian."""
    west, south, east, north = west - _MARGIN, south - _MARGIN, east + _MARGIN, north + _MARGIN
    return [[(west, south), (east, south), (east, north), (west, north)]]


def _pieces(area: Area) -> Iterator[Area]:
    """The area in pieces that H3 understands: boxes of any width, and other areas that are narrow enough."""
    ring = area[0]
    west, east = min(x for x, _ in ring), max(x for x, _ in ring)
    if east - west <= _WIDEST and west >= -_HALF and east <= _HALF:
        yield [[(x, _at_most(y, _POLE)) for x, y in part] for part in area]
        return
    if len(area) > 1 or not _is_box(ring):
        raise InvalidInput(
            f"an area in the filter is {east - west:g} degrees wide, and you see place cells only",
            remedy=f"divide it into areas of at most {_WIDEST:g} degrees, or write a BBOX",
        )
    south, north = min(y for _, y in ring), max(y for _, y in ring)
    count = math.ceil((east - west) / _WIDEST)
    step = (east - west) / count
    for number in range(count):
        for first, last in _wrapped(west + number * step, west + (number + 1) * step):
            yield [[(x, _at_most(y, _POLE)) for x, y in [(first, south), (last, south), (last, north), (first, north)]]]


def _wrapped(west: float, east: float) -> Iterator[tuple[float, float]]:
    """The span within -180 to 180: two if it crosses the antimeridian."""
    for turn in (-TURN, 0.0, TURN):
        first, last = max(west + turn, -_HALF), min(east + turn, _HALF)
        if first < last:
            yield first, last


def _is_box(ring: Ring) -> bool:
    return len(ring) == 4 and len({x for x, _ in ring}) == len({y for _, y in ring}) == 2


def _at_most(degrees: float, limit: float) -> float:
    return max(-limit, min(limit, degrees))


def _cells_of(ring: Ring, resolution: int) -> float:
    """About how many cells the box around a ring touches: also one that is long and thin."""
    longitudes, latitudes = zip(*ring, strict=True)
    south, north = min(latitudes), max(latitudes)
    nearest_equator = 0.0 if south <= 0 <= north else min(abs(south), abs(north))
    width_km: float = (max(longitudes) - min(longitudes)) * _KM_OF_A_DEGREE * math.cos(math.radians(nearest_equator))
    height_km: float = (north - south) * _KM_OF_A_DEGREE
    cell_km = math.sqrt(h3.average_hexagon_area(resolution, unit="km^2"))
    return (width_km / cell_km + 1) * (height_km / cell_km + 1)
