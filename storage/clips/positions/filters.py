"""Filters and orders of users who see place cells only: each is a function of cells, or refused.

So no position can be found out by asking again and again, whatever is combined with AND, OR and NOT: two clips that
begin in the same cell, and do not differ in anything else, are found by the same filters.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import replace

from storage.clips.cql2 import Filter
from storage.clips.cql2.operands import Reference, Value, properties_of
from storage.clips.cql2.shapes import Box, PolygonRing
from storage.clips.cql2.track import Geometry
from storage.clips.cql2.tree import (
    And,
    Constant,
    In,
    IsNull,
    Not,
    Or,
    Predicate,
    SomeFire,
    SpatialRelation,
    TextMatch,
    TrackRelation,
    operands_of,
    properties,
)
from storage.clips.positions.cells import Area, box_area, touched
from storage.clips.properties import Property, require_property
from storage.clips.properties.place_cells import coarser
from storage.tables import clips
from triggers.clips.place_cells import FINEST
from triggers.errors import Forbidden

_PLACES = frozenset({"geometry", "box"})
"""The kinds of properties whose value is a place."""
_OF_CELLS = ("s_intersects", "s_disjoint")
ASK_FOR = "ask an administrator for a role of LONGTAIL_POSITION_ROLES"
TEXTS_WITH_POSITIONS = frozenset({"damage"})
"""Properties whose texts may quote a position, which could be found out digit by digit."""
_DIGIT = re.compile(r"\d")
"""In a word of a search. What parts the words of a text is for PostgreSQL's parser, to which `48°` may be 48."""
IsPosition = Callable[[str], bool]
"""Whether a signal, by its name, is a position."""


def on_cells(filter_: Filter, is_position: IsPosition) -> Filter:
    """The filter as one who sees place cells only may ask it: areas and points become the cells that they touch.

    Forbidden for what cannot be asked so: other relations, distances, statistics of positions, texts that quote one.
    """
    require_harmless(properties(filter_.tree), is_position)
    return replace(filter_, tree=predicate_on_cells(filter_.tree))


def is_harmless(asked: Property, is_position: IsPosition) -> bool:
    """Whether the values of a property tell nothing of where a car was."""
    return asked.name not in TEXTS_WITH_POSITIONS and not (asked.signal is not None and is_position(asked.signal))


def require_harmless(asked: Iterable[Property], is_position: IsPosition) -> None:
    """Forbidden for a property whose values tell where a car was, in a filter or to sort or count by."""
    for each in sorted(asked, key=lambda each: each.name):
        if is_harmless(each, is_position):
            continue
        if each.name in TEXTS_WITH_POSITIONS:
            raise Forbidden(
                f"`{each.name}` may quote a position, and you see place cells only",
                remedy=f"ask for `state = 'damaged'`, or {ASK_FOR}",
            )
        raise Forbidden(
            f"`{each.name}` is a position, and you see place cells only",
            remedy=f"ask for a place by `place_cell` or S_INTERSECTS(box, BBOX(...)), or {ASK_FOR}",
        )


def predicate_on_cells(predicate: Predicate) -> Predicate:
    """The predicate with the cells that areas and points touch in their place; Forbidden for what is none of these."""
    match predicate:
        case And(members) | Or(members):
            return type(predicate)(tuple(map(predicate_on_cells, members)))
        case Not(member):
            return Not(predicate_on_cells(member))
        case SomeFire(member):
            return SomeFire(predicate_on_cells(member))
        case SpatialRelation(name, _, shape) if name.lower() in _OF_CELLS:
            return _relation(name, [_area(part) for part in shape], [])
        case TrackRelation(name, _, to) if name.lower() in _OF_CELLS and not to.lines:
            return _relation(name, _areas(to), [(float(x), float(y)) for x, y in to.points])
        case TextMatch(words) if any(map(_DIGIT.search, words)):
            raise Forbidden(
                "numbers in text(...) may be those of a position, and you see place cells only",
                remedy=f"search for words, or {ASK_FOR}",
            )
        case Constant() | IsNull(Reference()) | TextMatch():  # that a calculation has no result may tell its numbers
            return predicate
    # Whatever leaf it is: a relation that is new is refused until somebody has thought about it.
    if any(asked.kind in _PLACES for operand in operands_of(predicate) for asked in properties_of(operand)):
        raise Forbidden(
            "you see place cells only, with which areas and points can be compared, and only by S_INTERSECTS or "
            "S_DISJOINT",
            remedy=f"write S_INTERSECTS(box, BBOX(...)), which counts as the cells that it touches, or {ASK_FOR}",
        )
    return predicate


def _relation(name: str, areas: list[Area], points: list[tuple[float, float]]) -> Predicate:
    """That the cell in which a clip begins is one of those that areas and points touch, or that it is none of them."""
    resolution, cells = touched(areas, points)
    meets = In(Reference(_cell(resolution), "text"), tuple(map(Value, cells)))
    return Not(meets) if name.lower() == "s_disjoint" else meets


def _cell(resolution: int) -> Property:
    """The property of the cell of a resolution; there are coarser ones than people have names for."""
    finest = require_property("place_cell")
    if resolution == FINEST:
        return finest
    name = f"place_cell_{resolution}"
    return replace(finest, name=name, expression=coarser(clips.c.place_cell, resolution))


def _area(part: Box | PolygonRing) -> Area:
    if isinstance(part, Box):
        return box_area(part.west, part.south, part.east, part.north)
    return [part.positions]


def _areas(geometry: Geometry) -> list[Area]:
    return [[[(float(x), float(y)) for x, y in ring] for ring in area] for area in geometry.areas]
