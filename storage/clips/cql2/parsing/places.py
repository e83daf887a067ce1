"""Parses spatial relations: of the clip's track with any geometry, of the box around it with a shape.

A relation that only holds of what is near the geometry is a conjunction: first the box around the track, which an index
answers, then the track itself.
"""

from __future__ import annotations

from typing import Any

from storage.clips.cql2.nodes import is_number
from storage.clips.cql2.operands import Distance, Reference, Value, parse_operand
from storage.clips.cql2.shapes import Box, parse_shape
from storage.clips.cql2.spatial import BOX_OPERATORS
from storage.clips.cql2.track import (
    SWAPPED,
    TRACK_OPERATORS,
    bounds_within,
    parse_geometry,
    require_related,
)
from storage.clips.cql2.tree import And, Comparison, Not, Predicate, SpatialRelation, TrackRelation
from storage.clips.properties import require_property
from triggers.errors import InvalidInput

WITHIN_DISTANCE = "s_dwithin"
SPATIAL_OPERATORS = (*TRACK_OPERATORS, WITHIN_DISTANCE)


def parse_spatial(name: str, arguments: list[Any]) -> Predicate:
    """A spatial relation with `geometry` or `box` on either side."""
    if name == WITHIN_DISTANCE:
        return _within_distance(arguments)
    if len(arguments) != 2:
        raise InvalidInput(f"{name} takes 2 arguments, the filter gives it {len(arguments)}", remedy=_remedy(name))
    first, second = map(_place, arguments)
    if first is not None and second is None:
        return _related(name, first, arguments[1])
    if second is not None and first is None:
        return _related(SWAPPED.get(name, name), second, arguments[0])
    raise InvalidInput(f"{name} must relate `geometry` or `box` with a geometry", remedy=_remedy(name))


def near(bounds: tuple[Box, ...], precisely: Predicate) -> And:
    """A predicate on the track that holds of no clip whose box is outside of some bounds."""
    box = require_property("box")
    return And((SpatialRelation("s_intersects", Reference(box, box.kind), bounds), precisely))


def _related(name: str, place: Reference, node: Any) -> Predicate:
    if place.kind == "box":
        if name not in BOX_OPERATORS:
            raise InvalidInput(
                f"{name} cannot relate `box`, the box around the track",
                remedy=f"use {', '.join(BOX_OPERATORS)}, or `geometry`, the track itself",
            )
        return SpatialRelation(name, place, parse_shape(node))
    geometry = parse_geometry(node)
    require_related(name, geometry)
    if name == "s_disjoint":
        return Not(near(geometry.bounds(), TrackRelation("s_intersects", place, geometry)))
    return near(geometry.bounds(), TrackRelation(name, place, geometry))


def _within_distance(arguments: list[Any]) -> Predicate:
    """`S_DWITHIN(geometry, POINT(11.5 48.1), 500)`: at most so many metres apart."""
    if len(arguments) == 3 and is_number(arguments[2]) and arguments[2] >= 0:
        distance = parse_operand({"op": "distance", "args": arguments[:2]})
        if isinstance(distance, Distance):
            comparison = Comparison("<=", distance, Value(arguments[2]))
            return near(bounds_within(distance.to, float(arguments[2])), comparison)
    raise InvalidInput(
        "S_DWITHIN takes `geometry`, a geometry and a distance in metres",
        remedy="write s_dwithin(geometry, POINT(11.5 48.1), 500)",
    )


def _place(node: object) -> Reference | None:
    """The property of a place that a node names, if it does."""
    operand = parse_operand(node) if isinstance(node, dict) and set(node) == {"property"} else None
    return operand if isinstance(operand, Reference) and operand.kind in ("geometry", "box") else None


def _remedy(name: str) -> str:
    return f"write {name}(geometry, BBOX(11.3, 48.0, 11.8, 48.3))"
