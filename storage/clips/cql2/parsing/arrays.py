"""Parses relations of sets: `A_CONTAINS(tags, ('rain', 'night'))`."""

from __future__ import annotations

from typing import Any

from storage.clips.cql2.moments import Moment
from storage.clips.cql2.operands import Reference, Value, parse_operand, shown
from storage.clips.cql2.tree import Array, ArrayRelation
from triggers.errors import InvalidInput

ARRAY_OPERATORS = ("a_contains", "a_containedby", "a_equals", "a_overlaps")
ARRAYS = ("tag", "label")
"""The scopes of properties that are sets of texts."""


def parse_array_relation(name: str, arguments: list[Any]) -> ArrayRelation:
    """The relation of two sets, at least one of them the clip's tags or labels."""
    if len(arguments) != 2:
        raise InvalidInput(f"{name} takes 2 arguments, the filter gives it {len(arguments)}", remedy=_remedy(name))
    left, right = map(_array, arguments)
    if left.of is None and right.of is None:
        raise InvalidInput(f"{name} compares two literal lists", remedy=_remedy(name))
    return ArrayRelation(name, left, right)


def _array(node: Any) -> Array:
    if isinstance(node, list):
        elements = [parse_operand(item) for item in node]
        for element in elements:
            if not isinstance(element, Value | Moment):
                raise InvalidInput(f"{shown(element)} cannot be in a list of the filter", remedy="list literals only")
        texts = [element.value for element in elements if isinstance(element, Value) and isinstance(element.value, str)]
        return Array(texts=tuple(dict.fromkeys(texts)), others=len(elements) - len(texts))
    operand = parse_operand(node)
    if isinstance(operand, Reference) and operand.property.scope in ARRAYS:
        return Array(of=operand.property)
    raise InvalidInput(f"{shown(operand)} is not a set", remedy="use tags, labels or a list like ('rain', 'night')")


def _remedy(name: str) -> str:
    return f"write {name}(tags, ('rain', 'night'))"
