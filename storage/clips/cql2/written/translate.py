"""Translates a filter with units and relative times to CQL2: `ego.speed.max > 80 km/h AND start > now - 7 d`.

1. read the text, whose numbers may have units
2. `now` and what is added to it or taken from it: an absolute time
3. each number with a unit: the number in the unit of what it is compared with
4. check the result as any filter; its mistakes are told with their place in what was written
5. write it as CQL2 text
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

from sqlalchemy import Connection

from storage.clips.cql2.nodes import Node, PlacedMistake, at, is_number
from storage.clips.cql2.parse import COMPARISONS, parse_predicate
from storage.clips.cql2.source import parse_written
from storage.clips.cql2.tree import properties
from storage.clips.cql2.written.text import as_text
from storage.clips.cql2.written.units import TEMPERATURE, has_quantity, in_unit, unit_named, units_of, weight
from storage.clips.properties import known_names
from triggers.errors import InvalidInput
from triggers.signals.units import SECOND, Unit, convert
from triggers.times import NS_PER_S, format_time

_COMPARED = (*COMPARISONS, "between", "in")


def translate(connection: Connection, source: str, *, now_ns: int) -> str:
    """The CQL2 text that a filter stands for at the time `now_ns`.

    InvalidInput for what is not a filter, for an unknown unit or one of another kind than what it is compared with, and
    for a name that no clip has had.
    """
    try:
        node = _with_times(parse_written(source), now_ns)
        plain = _with_numbers(node, connection)
        known_names.require_known(connection, properties(parse_predicate(plain)))
    except PlacedMistake as mistake:
        raise InvalidInput(mistake.message, remedy=mistake.remedy) from mistake
    return as_text(plain)


def _mapped(node: Any, change: Callable[[Any], Any]) -> Any:
    """The node with a change of each of its members; it keeps its place."""
    if isinstance(node, Node):
        members = {name: change(value) for name, value in node.items()}
        return Node(members, node.place, quoted=node.quoted)
    return [change(item) for item in node] if isinstance(node, list) else node


def _with_times(node: Any, now_ns: int) -> Any:
    with at(node):
        t_ns = _time(node, now_ns)
    if t_ns is None:
        return _mapped(node, lambda inner: _with_times(inner, now_ns))
    try:
        return Node({"timestamp": format_time(t_ns)}, node.place)
    except OverflowError as error:
        with at(node):
            raise InvalidInput("this time is not in the years 1 to 9999", remedy="write a shorter time") from error


def _time(node: Any, now_ns: int) -> int | None:
    """The ns since 1970 of `now`, or of what is some time before or after it; None for anything else."""
    match node:
        case {"now": _}:
            return now_ns
        case {"op": "+" | "-" as sign, "args": [left, right]} if (t_ns := _time(left, now_ns)) is not None:
            return t_ns + (1 if sign == "+" else -1) * _duration_ns(right)
    return None


def _duration_ns(node: Any) -> int:
    match node:
        case {"quantity": number, "unit": str(written)} if (unit := unit_named(written)).dimension == SECOND.dimension:
            return round(convert(Fraction(number), unit, SECOND) * NS_PER_S)
    raise InvalidInput("only a time can be added to `now`", remedy="write now - 7 d, now - 90 min")


def _with_numbers(node: Any, connection: Connection) -> Any:
    """The node with plain numbers for those with units."""
    if not has_quantity(node):
        return node
    match node:
        case {"op": str(name), "args": list(arguments)} if name.lower() in _COMPARED:
            with at(node):
                return Node({"op": name, "args": _compared(arguments, connection)}, node.place)
        case {"op": str(name), "args": [geometry, other, {"quantity": _} as distance]} if name.lower() == "s_dwithin":
            with at(distance):
                metres = in_unit(distance, unit_named("m"), summed=False)
            return Node({"op": name, "args": [geometry, other, metres]}, node.place)
        case {"quantity": number, "unit": unit}:
            with at(node):
                raise InvalidInput(
                    f"{number} {unit} is not compared with anything", remedy="compare it, like ego.speed.max > 80 km/h"
                )
    return _mapped(node, lambda inner: _with_numbers(inner, connection))


def _compared(arguments: list[Any], connection: Connection) -> list[Any]:
    """The operands of one comparison, all of whose numbers with units are in one unit."""
    operands = [arg for argument in arguments for arg in (argument if isinstance(argument, list) else [argument])]
    units: set[str] = set()
    for operand in operands:
        if not is_number(operand):
            with at(operand):
                units |= units_of(connection, operand)
    if len(units) == 1:
        wanted = unit_named(next(iter(units)))
        difference = wanted.dimension == TEMPERATURE and _is_difference(operands)
        return [_converted(argument, wanted, summed=difference) for argument in arguments]
    return _in_the_units_written(arguments, operands, units)


def _is_difference(operands: list[Any]) -> bool:
    """Whether what is compared are differences of temperatures, which have another zero than temperatures.

    InvalidInput for what is neither, such as twice a temperature, beside a number with a unit.
    """
    weights = {weight(operand) for operand in operands if not is_number(operand) and not _is_quantity(operand)}
    if weights in ({0}, {1}) or not any(map(_is_quantity, operands)):
        return weights == {0}
    raise InvalidInput(
        "what is compared is neither a temperature nor a difference of two",
        remedy="write the number without a unit, in the unit of the signal",
    )


def _is_quantity(node: Any) -> bool:
    return isinstance(node, dict) and "quantity" in node


def _in_the_units_written(arguments: list[Any], operands: list[Any], units: set[str]) -> list[Any]:
    """Clips have the property in several units, or no property is there: the property is converted, not the number."""
    first = next(operand for operand in operands if has_quantity(operand))
    asked = next((operand for operand in operands if isinstance(operand, Node) and "property" in operand), None)
    if not units or asked is None or not isinstance(first, Node) or "quantity" not in first:
        raise InvalidInput(
            f"the unit is not clear: {' or '.join(sorted(units)) or 'nothing here has one'}",
            remedy="say which one with in_unit(ego.speed.max, 'km/h')",
        )
    wanted = unit_named(first["unit"])
    in_one_unit = Node({"op": "in_unit", "args": [asked, wanted.symbol]}, asked.place)
    changed = [in_one_unit if argument is asked else argument for argument in arguments]
    return [_converted(argument, wanted, summed=False) for argument in changed]


def _converted(node: Any, wanted: Unit, *, summed: bool) -> Any:
    if _is_quantity(node):
        with at(node):
            return in_unit(node, wanted, summed=summed)
    added = summed or (isinstance(node, dict) and "op" in node)
    return _mapped(node, lambda inner: _converted(inner, wanted, summed=added))
