"""Tracks of clips as GeoJSON geometries, cut where they cross the antimeridian (RFC 7946, section 3.1.9)."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any, TypeAlias

Position: TypeAlias = tuple[float, float]
"""Longitude and latitude in degrees."""
_TURN, _HALF = 360.0, 180.0


def geometry_of(track: Sequence[tuple[float, float]]) -> dict[str, Any] | None:
    """The geometry of a track's (latitude, longitude) points: a line, several lines, a point, or None without any.

    >>> geometry_of([(0.0, 179.0), (0.0, -179.0)])["coordinates"]
    [[(179.0, 0.0), (180.0, 0.0)], [(-180.0, 0.0), (-179.0, 0.0)]]
    """
    if not track:
        return None
    lines = [line for line in _cut([(longitude, latitude) for latitude, longitude in track]) if len(set(line)) > 1]
    if not lines:
        latitude, longitude = track[0]
        return {"type": "Point", "coordinates": (longitude, latitude)}
    if len(lines) == 1:
        return {"type": "LineString", "coordinates": lines[0]}
    return {"type": "MultiLineString", "coordinates": lines}


def geometry_of_cell(corners: Sequence[Position]) -> dict[str, Any]:
    """The geometry of a cell by its corners, which lie beyond 180 degrees where it crosses the antimeridian.

    Of a cell that does, it is the boxes around its two parts.
    """
    if max(corners)[0] <= _HALF:
        return {"type": "Polygon", "coordinates": [[*corners, corners[0]]]}
    longitudes, latitudes = zip(*corners, strict=True)
    south, north = min(latitudes), max(latitudes)
    spans = [(min(longitudes), _HALF), (-_HALF, max(longitudes) - _TURN)]
    boxes = [[(west, south), (east, south), (east, north), (west, north), (west, south)] for west, east in spans]
    return {"type": "MultiPolygon", "coordinates": [[box] for box in boxes]}


def _cut(positions: Sequence[Position]) -> list[list[Position]]:
    """The line in pieces, none of which crosses the antimeridian; both sides of a cut have the point on it."""
    longitudes = [longitude for longitude, _ in positions]
    if max(longitudes) - min(longitudes) <= _HALF:  # nearly all lines
        return [list(positions)]
    pieces = [[positions[0]]]
    for (x1, y1), (x2, y2) in pairwise(positions):
        if abs(x2 - x1) > _HALF:  # the short way round is over the antimeridian
            side = _HALF if x1 > 0 else -_HALF
            ahead = x2 + (_TURN if x1 > 0 else -_TURN)
            at = y1 + (y2 - y1) * (side - x1) / (ahead - x1) if ahead != x1 else y1
            pieces[-1].append((side, at))
            pieces.append([(-side, at)])
        pieces[-1].append((x2, y2))
    return pieces
