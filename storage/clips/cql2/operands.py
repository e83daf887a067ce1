"""Operands of comparisons: what a filter compares, typed, and how two operands are made comparable."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from typing import Any, Literal, TypeAlias

from storage.clips.cql2.arithmetic import ratio
from storage.clips.cql2.moments import ALWAYS, Moment, day, instant, instant_or_day, require_order
from storage.clips.cql2.nodes import Node, Number, at, is_number, shown_number
from storage.clips.cql2.track import Geometry, parse_geometry
from storage.clips.properties import Property, in_unit, require_property
from triggers.errors import InvalidInput

Kind = Literal["text", "number", "bool", "time", "interval", "attribute", "geometry", "box"]


@dataclass(frozen=True)
class Value:
    """A literal text, number or bool."""

    value: str | Number | bool


@dataclass(frozen=True)
class Reference:
    """A property. `kind` is the property's own, but an attribute takes the kind of what it is compared with."""

    property: Property
    kind: Kind


@dataclass(frozen=True)
class IntervalOperand:
    """`INTERVAL(first, last)`: from the beginning of one time to the end of another."""

    first: Operand
    last: Operand


@dataclass(frozen=True)
class CaseFolded:
    """`CASEI(text)`."""

    text: Operand


@dataclass(frozen=True)
class AccentFolded:
    """`ACCENTI(text)`."""

    text: Operand


@dataclass(frozen=True)
class Arithmetic:
    """`left operator right` of two numbers; `operator` is one of ARITHMETIC."""

    operator: str
    left: Operand
    right: Operand


@dataclass(frozen=True)
class Distance:
    """`DISTANCE(geometry, ...)`: the distance between the clip's track and a literal geometry in metres."""

    geometry: Reference
    to: Geometry


Folded: TypeAlias = CaseFolded | AccentFolded
Operand: TypeAlias = Value | Reference | Moment | IntervalOperand | Folded | Arithmetic | Distance


def kind_of(operand: Operand) -> Kind:
    """The type of an operand."""
    match operand:
        case Value(bool()):
            return "bool"
        case Value(str()) | CaseFolded() | AccentFolded():
            return "text"
        case Value() | Arithmetic() | Distance():
            return "number"
        case Reference():
            return operand.kind
        case Moment():
            return "time"
        case IntervalOperand():
            return "interval"


def literal_ends(operand: Operand) -> tuple[int, int] | None:
    """The first and the last ns of a literal time or interval; None if it is neither, or not literal."""
    match operand:
        case Moment(first, last):
            return first, last
        case IntervalOperand(Moment() as first, Moment() as last):
            return first.first_ns, last.last_ns
    return None


def properties_of(operand: Operand) -> tuple[Property, ...]:
    """The properties in an operand."""
    match operand:
        case Reference():
            return (operand.property,)
        case IntervalOperand():
            return (*properties_of(operand.first), *properties_of(operand.last))
        case CaseFolded() | AccentFolded():
            return properties_of(operand.text)
        case Arithmetic(_, left, right):
            return (*properties_of(left), *properties_of(right))
        case Distance(geometry):
            return (geometry.property,)
        case _:
            return ()


def shown(operand: Operand) -> str:
    """An operand as error messages show it."""
    match operand:
        case Value(value):
            return _shown_value(value)
        case Reference():
            return f"`{operand.property.name}`"
        case Moment():
            return f"{operand.shown:.60}"
        case IntervalOperand():
            return "the INTERVAL"
        case CaseFolded():
            return f"CASEI({shown(operand.text)})"
        case AccentFolded():
            return f"ACCENTI({shown(operand.text)})"
        case Arithmetic(operator):
            return f"what {operator} gives"
        case Distance():
            return "the DISTANCE"


def _shown_value(value: str | Number | bool) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value!r:.60}" if isinstance(value, str) else shown_number(value)


def parse_operand(node: object) -> Operand:
    """The operand that a node stands for."""
    if isinstance(node, dict):
        with at(node):
            return _composed(node)
    if isinstance(node, bool | str) or is_number(node):
        return Value(node)  # type: ignore[arg-type]
    raise InvalidInput("the filter cannot compare with null or a list", remedy="write `x IS NULL`, or `x IN (...)`")


def _composed(node: dict[str, Any]) -> Operand:
    match node:
        case {"property": name, **others} if not others:
            asked = require_property(name, quoted=isinstance(node, Node) and node.quoted)
            if isinstance(node, Node) and (asked.attribute is not None or asked.signal is not None):
                asked = replace(asked, place=node.place)  # whether a clip has had it is not known here
            return Reference(asked, asked.kind)
        case {"timestamp": text, **others} if not others:
            return instant(text)
        case {"date": text, **others} if not others:
            return day(text)
        case {"interval": [first, last], **others} if not others:
            return _interval(_end(first), _end(last))
        case {"interval": _, **others} if not others:
            raise InvalidInput(
                "an INTERVAL in the filter does not have two ends", remedy="write INTERVAL('2026-01-05', '..')"
            )
        case {"op": str(name), "args": arguments} if name.lower() in _FUNCTIONS:
            return _FUNCTIONS[name.lower()](arguments)
        case {"op": str(name), "args": [left, right]} if name.lower() in ARITHMETIC:
            return computed(name.lower(), number_of(left), number_of(right))
    name = str(node.get("op", node.get("type", ", ".join(sorted(map(str, node))))))
    if name in ARITHMETIC:
        raise InvalidInput(f"{name} takes two numbers", remedy="write it between two numbers, like size_bytes / 2")
    raise InvalidInput(
        f"the filter cannot compare with {name[:60]!r}",
        remedy=f"compare properties, texts, numbers, true, false, TIMESTAMP, DATE, {', '.join(FUNCTIONS).upper()}",
    )


def number_of(node: object) -> Operand:
    """The operand of a calculation that a node stands for."""
    return as_kind(parse_operand(node), "number")


def computed(operator: str, left: Operand, right: Operand) -> Operand:
    """The result of a calculation: a number if both sides are literals and it is one, exactly."""
    operand = Arithmetic(operator, left, right)
    match left, right:
        case Value(int() | Decimal() as a), Value(int() | Decimal() as b):
            exact = ratio.of_literals(operator, Fraction(a), Fraction(b))
            number = None if exact is None else ratio.decimal_of(exact)
            return operand if number is None else Value(number)
    return operand


def _interval(first: Operand, last: Operand) -> IntervalOperand:
    if isinstance(first, Moment) and isinstance(last, Moment):
        require_order(first, last)
    return IntervalOperand(first, last)


def _end(node: object) -> Operand:
    """One end of an interval."""
    if node == "..":
        return ALWAYS
    if isinstance(node, str):
        return instant_or_day(node)
    end = parse_operand(node)
    if kind_of(end) != "time":
        raise InvalidInput(f"{shown(end)} cannot be an end of an INTERVAL", remedy="use times, or '..'")
    return end


def _case_folded(arguments: object) -> Operand:
    return CaseFolded(_only_text("CASEI", arguments))


def _accent_folded(arguments: object) -> Operand:
    return AccentFolded(_only_text("ACCENTI", arguments))


def _only_text(name: str, arguments: object) -> Operand:
    if not isinstance(arguments, list) or len(arguments) != 1:
        raise InvalidInput(f"{name} takes one argument", remedy=f"write {name}(x) = {name}('a')")
    return as_kind(parse_operand(arguments[0]), "text")


def _distance(arguments: object) -> Operand:
    """`DISTANCE(geometry, POINT(11.5 48.1))`, in either order."""
    match arguments:
        case [first, second]:
            for asked, other in ((first, second), (second, first)):
                if (geometry := track_named(asked)) is not None:
                    return Distance(geometry, parse_geometry(other))
    raise InvalidInput(
        "DISTANCE takes `geometry` and a geometry", remedy="write distance(geometry, POINT(11.5 48.1)) < 500"
    )


def track_named(node: object) -> Reference | None:
    """The property of the clip's track, if that is what a node names."""
    operand = parse_operand(node) if isinstance(node, dict) and set(node) == {"property"} else None
    return operand if isinstance(operand, Reference) and operand.kind == "geometry" else None


def _converted(arguments: object) -> Operand:
    """`IN_UNIT(ego.speed.max, 'km/h')`: a statistic in this unit."""
    match arguments:
        case [dict() as node, str(unit)]:
            asked = parse_operand(node)
            if isinstance(asked, Reference):
                return Reference(in_unit(asked.property, unit), "number")
    raise InvalidInput(
        "IN_UNIT takes a statistic and a unit in single quotes", remedy="write in_unit(ego.speed.max, 'km/h') > 80"
    )


_FUNCTIONS: Mapping[str, Callable[[object], Operand]] = {
    "casei": _case_folded,
    "accenti": _accent_folded,
    "in_unit": _converted,
    "distance": _distance,
}
FUNCTIONS = tuple(_FUNCTIONS)
"""Functions that give a value, in lower case."""
ARITHMETIC = ("+", "-", "*", "/", "%", "^", "div")


def as_kind(operand: Operand, kind: Kind) -> Operand:
    """The operand converted to this type; InvalidInput when it has another.

    A vehicle's attribute takes the requested type: attributes of other types are null. A text that is compared with a
    time is read as a time or date.
    """
    match operand:
        case _ if kind_of(operand) == kind:
            return operand
        case Reference(kind="attribute") if kind in ("text", "number", "bool"):
            return replace(operand, kind=kind)
        case Value(str(text)) if kind == "time":
            return instant_or_day(text)
    has, needed = (f"{'an' if word[0] in 'aeiou' else 'a'} {word}" for word in (kind_of(operand), kind))
    raise InvalidInput(f"{shown(operand)} is {has} and cannot be compared with {needed}", remedy=_HINTS[kind])


def alike(a: Operand, b: Operand) -> tuple[Operand, Operand]:
    """Both operands converted to one type; two attributes keep theirs, which each clip has its own way."""
    kind_a, kind_b = kind_of(a), kind_of(b)
    follows_b = kind_a == "attribute" or (kind_a == "text" and kind_b == "time")
    kind = kind_b if follows_b else kind_a
    return as_kind(a, kind), as_kind(b, kind)


_HINTS: dict[Kind, str] = {
    "text": "texts go in single quotes",
    "number": "compare a number with a number, without quotes; statistics of signals are numbers",
    "bool": "write true or false",
    "time": "write TIMESTAMP('2026-01-05T12:00:00Z') or DATE('2026-01-05')",
    "interval": "compare its start or end, or use t_intersects and the other t_... relations",
    "attribute": "compare an attribute with a text or a number",
    "geometry": "use s_intersects(geometry, BBOX(west, south, east, north))",
    "box": "use s_intersects(box, BBOX(west, south, east, north))",
}
