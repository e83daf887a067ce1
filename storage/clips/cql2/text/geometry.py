"""Shapes in well-known text as GeoJSON: `POINT(11 48)`, `POLYGON((...))`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

_NAMES = {
    "linestring": "LineString",
    "polygon": "Polygon",
    "multilinestring": "MultiLineString",
    "multipolygon": "MultiPolygon",
}


def _shape(name: str) -> Callable[[list[Any]], dict[str, Any]]:
    return lambda coordinates: {"type": name, "coordinates": coordinates}


def _multipoint(coordinates: list[Any]) -> dict[str, Any]:
    """`MULTIPOINT((1 2), (3 4))`, or the older form without inner parentheses."""
    positions = [at[0] if len(at) == 1 and isinstance(at[0], list) else at for at in coordinates]
    return {"type": "MultiPoint", "coordinates": positions}


def _point(coordinates: list[Any]) -> dict[str, Any]:
    return {"type": "Point", "coordinates": coordinates[0] if len(coordinates) == 1 else coordinates}


GEOMETRIES: Mapping[str, Callable[[list[Any]], dict[str, Any]]] = {
    "point": _point,
    "multipoint": _multipoint,
    **{word: _shape(name) for word, name in _NAMES.items()},
}
"""GeoJSON of the coordinates that follow a shape's word, by the word in lower case."""
