"""Operands of comparisons: what type they have, and how two of them are made comparable."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import BigInteger, Boolean, ColumnElement, Float, Numeric, Text, case, cast, func, literal
from sqlalchemy.dialects.postgresql import array

from storage.clips.cql2.properties import Property, find_property
from storage.clips.cql2.temporal import Range, clip_range, date_range, instant_or_day, open_range, timestamp_range
from triggers.errors import InvalidInput

Kind = Literal["text", "number", "bool", "time", "interval", "attribute", "geometry"]


@dataclass(frozen=True)
class Operand:
    """One side of a comparison. `range` is there for times; `value` for literals, `source` for properties."""

    kind: Kind
    expression: ColumnElement[Any]
    range: Range | None = None
    value: Any = None
    source: Property | None = None

    @property
    def shown(self) -> str:
        """How messages call it."""
        return f"`{self.source.name}`" if self.source is not None else f"{self.value!r:.60}"


def operand(node: object) -> Operand:
    """The operand that a node of the tree stands for."""
    if isinstance(node, dict):
        return _composed(node)
    if isinstance(node, bool):
        return Operand("bool", literal(node, Boolean), value=node)
    if isinstance(node, int | float):
        return Operand("number", _number(node), value=node)
    if isinstance(node, str):
        return Operand("text", literal(node, Text), value=node)
    raise InvalidInput(
        "the filter compares with null or a list" if node is None or isinstance(node, list) else "not an operand",
        remedy="write `x IS NULL`, or `x IN (...)`",
    )


def _composed(node: dict[str, Any]) -> Operand:
    if set(node) == {"property"}:
        return _of_property(find_property(node["property"]))
    if set(node) == {"timestamp"}:
        return _of_range("time", timestamp_range(node["timestamp"]), node["timestamp"])
    if set(node) == {"date"}:
        return _of_range("time", date_range(node["date"]), node["date"])
    if set(node) == {"interval"}:
        return _of_range("interval", _interval(node["interval"]), "interval")
    if str(node.get("op", "")).lower() == "casei":
        return _case_insensitive(node.get("args"))
    name = node.get("op", node.get("type", ", ".join(sorted(map(str, node)))))
    raise InvalidInput(
        f"the filter compares with {str(name)[:60]!r}",
        remedy="compare properties, texts, numbers, true, false, TIMESTAMP, DATE and CASEI(...)",
    )


def _of_property(found: Property) -> Operand:
    if found.kind == "time":
        return Operand("time", found.expression, Range(found.expression, found.expression), source=found)
    if found.kind == "interval":
        return Operand("interval", found.expression, clip_range(), source=found)
    return Operand(found.kind, found.expression, source=found)


def _of_range(kind: Kind, found: Range, value: object) -> Operand:
    return Operand(kind, found.first, found, value=value)


def _interval(ends: object) -> Range:
    if not isinstance(ends, list) or len(ends) != 2:
        raise InvalidInput("an INTERVAL in the filter has not two ends")
    first, last = (_end(each) for each in ends)
    return Range(first.first, last.last)


def _end(node: object) -> Range:
    if node == "..":
        return open_range()
    if isinstance(node, str):
        return instant_or_day(node)
    found = operand(node)
    if found.kind != "time" or found.range is None:
        raise InvalidInput(f"{found.shown} cannot be an end of an INTERVAL", remedy="use times, or '..'")
    return found.range


def _case_insensitive(arguments: object) -> Operand:
    if not isinstance(arguments, list) or len(arguments) != 1:
        raise InvalidInput("CASEI takes one argument")
    inner = as_kind(operand(arguments[0]), "text")
    return Operand("text", func.lower(inner.expression), value=inner.value, source=inner.source)


def _number(value: float) -> ColumnElement[Any]:
    if float(value).is_integer() and abs(value) <= 2**53:
        return literal(int(value), BigInteger)
    return literal(float(value), Float)


def as_kind(found: Operand, kind: Kind) -> Operand:
    """The operand as one of this type; InvalidInput when it is of another.

    A vehicle's attribute takes the type that is asked for: attributes of other types are null. A text that is compared
    with a time is read as a timestamp or date.
    """
    if found.kind == kind:
        return found
    if found.kind == "attribute" and kind in ("text", "number", "bool"):
        return Operand(kind, _attribute(found.expression, kind), source=found.source)
    if kind == "time" and found.kind == "text" and found.source is None:
        return _of_range("time", instant_or_day(found.value), found.value)
    has, wanted = (f"{'an' if each[0] in 'aeiou' else 'a'} {each}" for each in (found.kind, kind))
    raise InvalidInput(f"{found.shown} is {has} and cannot be compared with {wanted}", remedy=_HINTS[kind])


def alike(a: Operand, b: Operand) -> tuple[Operand, Operand]:
    """Both operands as one type."""
    if a.kind == "attribute" and b.kind == "attribute":
        raise InvalidInput("two attributes cannot be compared", remedy="compare an attribute with a text or a number")
    kind = b.kind if a.kind == "attribute" or (a.kind == "text" and b.kind == "time") else a.kind
    return as_kind(a, kind), as_kind(b, kind)


def _attribute(document: ColumnElement[Any], kind: Kind) -> ColumnElement[Any]:
    """A JSON value as a column of its type; null when it is of another (the cast is reached for its own type only)."""
    json_type, sql_type = {"text": ("string", Text), "number": ("number", Numeric), "bool": ("boolean", Boolean)}[kind]
    unquoted = document.op("#>>")(array([], type_=Text))
    return case((func.jsonb_typeof(document) == json_type, cast(unquoted, sql_type())), else_=None)


_HINTS: dict[Kind, str] = {
    "text": "texts go in single quotes",
    "number": "write the number without quotes",
    "bool": "write true or false",
    "time": "write TIMESTAMP('2026-01-05T12:00:00Z') or DATE('2026-01-05')",
    "interval": "compare its start or end, or use t_intersects and the other t_... relations",
    "attribute": "compare an attribute with a text or a number",
    "geometry": "use s_intersects(geometry, BBOX(west, south, east, north))",
}
