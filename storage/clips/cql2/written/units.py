"""The unit of what a number with a unit is compared with, and the number in that unit."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Any

from sqlalchemy import Connection

from storage.clips.cql2.arithmetic.ratio import decimal_of
from storage.clips.cql2.nodes import Node, Number, is_number
from storage.clips.properties import Property, require_property
from storage.clips.properties.known_names import known_units
from triggers.errors import InvalidInput
from triggers.signals.unit_spellings import nearest_units
from triggers.signals.units import Unit, convert, dimension, dimension_name, parse_unit, units_like

_MAX_DIGITS = 17
"""A number with more digits is written as the nearest double, as what it is compared with is one."""
_BYTE = {"byte": "B"}
TEMPERATURE = dimension(temperature=1)


def unit_named(written: str) -> Unit:
    """The unit with this spelling; InvalidInput, with the nearest ones, if there is none."""
    unit = parse_unit(written)
    if unit is None or not unit.symbol:
        near = nearest_units(written[:40])
        remedy = f"did you mean {' or '.join(near)}?" if near else "write units like km/h, m/s^2, %, d, MB"
        raise InvalidInput(f"there is no unit {written[:40]!r}", remedy=remedy)
    return unit


def units_of(connection: Connection, node: Any) -> set[str]:
    """The units that the numbers of an operand may be in, one if it is clear; empty for a plain number.

    InvalidInput for what has no unit, such as a text, a count, or a product of two properties.
    """
    match node:
        case {"property": str()}:
            return _of_property(connection, require_property(node["property"]))
        case {"op": str(name), "args": [{"property": _}, str(unit)]} if name.lower() == "in_unit":
            return {unit}
        case {"op": str(name)} if name.lower() == "distance":
            return {"m"}
        case {"op": "+" | "-", "args": [left, right]}:
            return _of_sum(units_of(connection, left), units_of(connection, right))
        case {"op": "*", "args": [left, right]} if is_number(left) or is_number(right):
            return units_of(connection, right if is_number(left) else left)
        case {"op": "/", "args": [left, right]} if is_number(right):
            return units_of(connection, left)
        case {"quantity": _} | int() | Decimal():
            return set()
    raise InvalidInput("this has no unit", remedy="write a number with a unit beside a property that has one")


def _of_property(connection: Connection, asked: Property) -> set[str]:
    if asked.unit is not None:
        return {_BYTE.get(asked.unit, asked.unit)}
    if asked.signal is None or asked.name.endswith(".samples"):
        raise InvalidInput(f"`{asked.name}` has no unit", remedy="write the number without a unit")
    units = known_units(connection, asked)
    if not units:
        raise InvalidInput(
            f"the unit of `{asked.name}` is not known", remedy="write the number in the signal's unit, without it"
        )
    return units


def _of_sum(left: set[str], right: set[str]) -> set[str]:
    if left and right and left != right:
        raise InvalidInput(
            f"what is added is in {_listed(left)} and in {_listed(right)}", remedy="convert both with in_unit(...)"
        )
    return left or right


def weight(node: Any) -> Fraction:
    """How often the zero of its scale counts in a sum of temperatures: once in a temperature, never in a difference.

    >>> max_, min_ = {"property": "t.max"}, {"property": "t.min"}
    >>> middle = {"op": "/", "args": [{"op": "+", "args": [max_, min_]}, 2]}
    >>> weight(middle) == 1, weight({"op": "-", "args": [max_, min_]}) == 0
    (True, True)
    """
    match node:
        case {"op": "+" | "-" as sign, "args": [left, right]}:
            return weight(left) + (1 if sign == "+" else -1) * weight(right)
        case {"op": "*", "args": [left, right]}:
            return Fraction(left) * weight(right) if is_number(left) else Fraction(right) * weight(left)
        case {"op": "/", "args": [left, right]}:
            return weight(left) / Fraction(right) if right else Fraction(0)
    return Fraction(isinstance(node, dict) and "quantity" not in node)


def _listed(units: set[str]) -> str:
    return " or ".join(sorted(units))


def in_unit(quantity: Mapping[str, Any], wanted: Unit, *, summed: bool) -> Number:
    """A number with a unit as a number in another unit: exactly, or as the nearest double.

    `summed`: it is added to something, so that of two temperatures their difference counts.
    """
    unit = unit_named(quantity["unit"])
    if unit.dimension != wanted.dimension:
        raise InvalidInput(
            f"{quantity['quantity']} {unit.symbol} is {dimension_name(unit)}, beside {dimension_name(wanted)} in"
            f" {wanted.symbol or '1'}",
            remedy=f"write it in {' or '.join(units_like(wanted)) or 'no unit'}",
        )
    if summed and unit.is_affine:
        raise InvalidInput(f"{unit.symbol} cannot be added to something", remedy="write a difference in K")
    number = Fraction(quantity["quantity"])
    converted = number * unit.scale / wanted.scale if summed else convert(number, unit, wanted)
    exact = decimal_of(converted)
    if exact is not None and (isinstance(exact, int) or len(exact.as_tuple().digits) <= _MAX_DIGITS):
        return exact
    return _nearest(converted)


def _nearest(number: Fraction) -> Number:
    try:
        return Decimal(repr(float(number)))
    except OverflowError as error:
        raise InvalidInput("the converted number is too large", remedy="write a smaller number") from error


def has_quantity(node: Any) -> bool:
    """Whether there is a number with a unit in a node."""
    if isinstance(node, Node) and "quantity" in node:
        return True
    inner = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
    return any(map(has_quantity, inner))
