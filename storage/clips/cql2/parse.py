"""Parses CQL2 JSON into the tree of a filter, and refuses an invalid filter with an error that names the mistake."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from difflib import get_close_matches
from typing import Any, TypeVar

from storage.clips.cql2.nodes import at
from storage.clips.cql2.operands import (
    ARITHMETIC,
    FUNCTIONS,
    AccentFolded,
    Arithmetic,
    CaseFolded,
    Distance,
    Kind,
    Operand,
    Reference,
    Value,
    alike,
    as_kind,
    kind_of,
    parse_operand,
    properties_of,
    shown,
)
from storage.clips.cql2.parsing import ARRAY_OPERATORS, SPATIAL_OPERATORS, near, parse_array_relation, parse_spatial
from storage.clips.cql2.temporal import RELATIONS
from storage.clips.cql2.track import bounds_within
from storage.clips.cql2.tree import (
    And,
    Between,
    Comparison,
    Constant,
    In,
    IsNull,
    Leaf,
    Like,
    Not,
    Or,
    Predicate,
    SomeFire,
    TemporalRelation,
    TextMatch,
    contains_fire,
    operands_of,
    scopes,
)
from storage.clips.marks import texts
from storage.clips.properties import require_value
from triggers.errors import InvalidInput

LeafT = TypeVar("LeafT", bound=Leaf)

COMPARISONS = ("=", "<>", "<", "<=", ">", ">=")


def parse_predicate(node: Any) -> Predicate:
    """The predicate that a node stands for; InvalidInput, with the place, when it is not one."""
    with at(node):
        return _predicate(node)


def _predicate(node: Any) -> Predicate:
    if isinstance(node, bool):
        return Constant(node)
    if isinstance(node, dict) and set(node) == {"property"}:  # a bool attribute alone means `= true`
        return _comparison("=", [node, True])
    if not isinstance(node, dict) or set(node) != {"op", "args"} or not isinstance(node["op"], str):
        raise InvalidInput("the filter is not a condition", remedy="compare a property, like campaign = 'x'")
    name, arguments = node["op"].lower(), node["args"]
    if not isinstance(arguments, list) or not arguments:
        raise InvalidInput(f"{node['op'][:60]!r} in the filter has no arguments", remedy="write what it applies to")
    if name in ARITHMETIC or name in FUNCTIONS:
        raise InvalidInput(f"{name} gives a value, not a condition", remedy="compare it, like campaign = 'x'")
    if name not in _PARSERS:
        near = get_close_matches(name, (*OPERATORS, *FUNCTIONS), n=2)
        raise InvalidInput(
            f"unknown operator in the filter: {name[:60]!r}",
            remedy=f"did you mean {' or '.join(near)}?" if near else f"the operators are {', '.join(OPERATORS)}",
        )
    return _PARSERS[name](name, arguments)


def _and(_name: str, arguments: list[Any]) -> And:
    return And(tuple(map(parse_predicate, arguments)))


def _or(_name: str, arguments: list[Any]) -> Or:
    return Or(tuple(map(parse_predicate, arguments)))


def _not(name: str, arguments: list[Any]) -> Not:
    (member,) = _exactly(name, arguments, 1)
    return Not(parse_predicate(member))


def _fire(name: str, arguments: list[Any]) -> SomeFire:
    """A condition on one fire; it must ask something of the fire, and one fire is not part of another."""
    member = parse_predicate(*_exactly(name, arguments, 1))
    if contains_fire(member):
        raise InvalidInput("FIRE(...) within FIRE(...)", remedy="write them side by side: fire(...) AND fire(...)")
    if "fire" not in scopes(member):
        raise InvalidInput("FIRE(...) says nothing about a fire", remedy="write fire(campaign = 'x' AND trigger = 'y')")
    return SomeFire(member)


def _comparison(name: str, arguments: list[Any]) -> Predicate:
    left, right = (parse_operand(node) for node in _exactly(name, arguments, 2))
    comparison = _compared(name, left, right)
    match comparison:
        case Comparison("<" | "<=", Distance() as distance, Value(limit)):
            pass
        case Comparison(">" | ">=", Value(limit), Distance() as distance):
            pass
        case _:
            return comparison
    return near(bounds_within(distance.to, float(limit)), comparison)


def _compared(name: str, left: Operand, right: Operand) -> Comparison:
    left, right = alike(left, right)
    kind = kind_of(left)
    if kind in ("geometry", "box", "interval"):
        raise InvalidInput(f"{shown(left)} cannot be compared by {name}", remedy="use the s_... or t_... relations")
    if kind == "bool" and name not in ("=", "<>"):
        raise InvalidInput(f"true and false are not ordered, so {name} cannot compare them", remedy="use = or <>")
    if name in ("=", "<>"):
        _require_values(left, right)
    return _of_one_scope(Comparison(name, left, right))


def _require_values(left: Operand, right: Operand) -> None:
    """InvalidInput for a literal that the property cannot have, as nothing could equal it."""
    for asked, literal in ((left, right), (right, left)):
        if isinstance(asked, Reference) and isinstance(literal, Value) and asked.property.values:
            require_value(asked.property, str(literal.value))


def _between(name: str, arguments: list[Any]) -> Between:
    value, low, high = (parse_operand(node) for node in _exactly(name, arguments, 3))
    return _of_one_scope(Between(_compared(">=", value, low), _compared("<=", value, high)))


def _in(name: str, arguments: list[Any]) -> In | Or:
    value, choices = _exactly(name, arguments, 2)
    if not isinstance(choices, list) or not choices:
        raise InvalidInput("IN needs a list in the filter", remedy="write x IN ('a', 'b')")
    asked = parse_operand(value)
    equal = tuple(_compared("=", asked, parse_operand(choice)) for choice in choices)
    kinds: set[Kind] = {kind_of(comparison.left) for comparison in equal}
    calculated = any(isinstance(operand, Arithmetic) for comparison in equal for operand in operands_of(comparison))
    if kinds in ({"text"}, {"number"}) and not calculated:
        return _of_one_scope(In(equal[0].left, tuple(comparison.right for comparison in equal)))
    return Or(equal)  # days, or an attribute that may be of several types


def _like(name: str, arguments: list[Any]) -> Like:
    value, pattern = (as_kind(parse_operand(node), "text") for node in _exactly(name, arguments, 2))
    literal = pattern
    while isinstance(literal, CaseFolded | AccentFolded):
        literal = literal.text
    if not isinstance(literal, Value):
        raise InvalidInput("the pattern of LIKE must be a text", remedy="write x LIKE 'a%'")
    written = str(literal.value)
    if (len(written) - len(written.rstrip("\\"))) % 2:
        raise InvalidInput("the pattern of LIKE ends with its escape character", remedy="write \\\\ for one backslash")
    return _of_one_scope(Like(value, pattern))


def _is_null(name: str, arguments: list[Any]) -> IsNull:
    (node,) = _exactly(name, arguments, 1)
    asked = parse_operand(node)
    if not isinstance(asked, Reference | CaseFolded | AccentFolded | Arithmetic | Distance) or not properties_of(asked):
        raise InvalidInput("IS NULL in the filter tests a literal", remedy="write property IS NULL")
    return IsNull(asked)


def _temporal(name: str, arguments: list[Any]) -> TemporalRelation:
    left, right = (_time(parse_operand(node)) for node in _exactly(name, arguments, 2))
    return _of_one_scope(TemporalRelation(name, left, right))


def _time(operand: Operand) -> Operand:
    if isinstance(operand, Value) and isinstance(operand.value, str):
        return as_kind(operand, "time")
    if kind_of(operand) not in ("time", "interval"):
        raise InvalidInput(
            f"{shown(operand)} is not a time", remedy="use start, end, time, TIMESTAMP, DATE or INTERVAL"
        )
    return operand


def _text(name: str, arguments: list[Any]) -> TextMatch:
    (written,) = _exactly(name, arguments, 1)
    if not isinstance(written, str):
        raise InvalidInput("TEXT in the filter needs words in single quotes", remedy="write text('wet road')")
    return TextMatch(tuple(texts.words_of(written)))


def _of_one_scope(leaf: LeafT) -> LeafT:
    if len(scopes(leaf) - {None}) > 1:
        raise InvalidInput("one comparison in the filter mixes fires, tags and labels", remedy="compare with a literal")
    return leaf


def _exactly(name: str, arguments: list[Any], count: int) -> list[Any]:
    if len(arguments) != count:
        raise InvalidInput(
            f"{name} takes {count} argument{'s' * (count > 1)}, the filter gives it {len(arguments)}",
            remedy="remove or add arguments",
        )
    return arguments


_PARSERS: Mapping[str, Callable[[str, list[Any]], Predicate]] = {
    "and": _and,
    "or": _or,
    "not": _not,
    "fire": _fire,
    **dict.fromkeys(COMPARISONS, _comparison),
    "between": _between,
    "in": _in,
    "like": _like,
    "isnull": _is_null,
    **dict.fromkeys(RELATIONS, _temporal),
    **dict.fromkeys(SPATIAL_OPERATORS, parse_spatial),
    **dict.fromkeys(ARRAY_OPERATORS, parse_array_relation),
    "text": _text,
}
OPERATORS = tuple(_PARSERS)
"""Every operator, in lower case."""
