"""The functions of filters that the standard does not define, as its document of functions lists them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

ValueType = Literal["string", "number", "boolean", "geometry"]


@dataclass(frozen=True)
class Argument:
    """An argument of a function."""

    title: str
    description: str
    type: ValueType


@dataclass(frozen=True)
class Function:
    """A function: what it gives for which arguments."""

    name: str
    description: str
    arguments: tuple[Argument, ...]
    returns: ValueType


_TRACK = Argument("geometry", "the property `geometry`", "geometry")
_PLACE = Argument("place", "a literal geometry", "geometry")
FUNCTIONS = (
    Function(
        "distance",
        "The distance between the clip's track and a geometry in metres, 0 where they intersect.",
        (_TRACK, _PLACE),
        "number",
    ),
    Function(
        "fire",
        "Whether the clip has one fire for which all of a condition holds.",
        (Argument("condition", "a condition that says something about a fire", "boolean"),),
        "boolean",
    ),
    Function(
        "in_unit",
        "A statistic of a signal, converted to a unit.",
        (
            Argument("statistic", "a property SIGNAL.min, SIGNAL.max or SIGNAL.mean", "number"),
            Argument("unit", "a unit such as km/h", "string"),
        ),
        "number",
    ),
    Function(
        "s_dwithin",
        "Whether the clip's track and a geometry are at most some distance apart.",
        (_TRACK, _PLACE, Argument("distance", "metres", "number")),
        "boolean",
    ),
    Function(
        "text",
        "Whether the texts of the clip have each of some words: tags, types of labels, notes, and descriptions.",
        (Argument("words", "words, of which one with a * at its end stands for all that begin like it", "string"),),
        "boolean",
    ),
)
