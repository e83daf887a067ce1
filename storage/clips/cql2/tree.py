"""The tree of a filter: predicates as typed nodes, with checked operands of matching types.

A leaf is about one thing: the clip itself, or one of its fires, tags or labels (its `scope`). The scopes of a
combination follow from its members.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from storage.clips.cql2.moments import Moment
from storage.clips.cql2.operands import Operand, Reference, Value, properties_of
from storage.clips.cql2.shapes import Shape
from storage.clips.properties import Property
from storage.clips.scopes import Scope

Demand: TypeAlias = tuple[Property, Value | Moment]
"""A property and the one value that a predicate demands of it."""


@dataclass(frozen=True)
class Constant:
    """TRUE or FALSE."""

    value: bool


@dataclass(frozen=True)
class And:
    """Every member holds. No member is a conjunction itself."""

    members: tuple[Predicate, ...]


@dataclass(frozen=True)
class Or:
    """At least one member holds."""

    members: tuple[Predicate, ...]


@dataclass(frozen=True)
class Not:
    """The member does not hold."""

    member: Predicate


@dataclass(frozen=True)
class Comparison:
    """`left operator right`, with operands of one type."""

    operator: str
    left: Operand
    right: Operand


@dataclass(frozen=True)
class Between:
    """`value BETWEEN low AND high`, as the two comparisons that it stands for, both of the same value."""

    at_least: Comparison
    at_most: Comparison


@dataclass(frozen=True)
class In:
    """`value IN (choices)`, all of them texts or all of them numbers."""

    value: Operand
    choices: tuple[Operand, ...]


@dataclass(frozen=True)
class Like:
    """`value LIKE pattern`, both texts; the pattern is a literal."""

    value: Operand
    pattern: Operand


@dataclass(frozen=True)
class IsNull:
    """`operand IS NULL`; the operand is a property."""

    operand: Operand


@dataclass(frozen=True)
class TemporalRelation:
    """One of Allen's relations between two times or intervals."""

    name: str
    left: Operand
    right: Operand


@dataclass(frozen=True)
class SpatialRelation:
    """A relation between the box around the clip's track and a shape."""

    name: str
    geometry: Reference
    shape: Shape


Leaf: TypeAlias = Comparison | Between | In | Like | IsNull | TemporalRelation | SpatialRelation
Predicate: TypeAlias = Constant | And | Or | Not | Leaf


def operands_of(leaf: Leaf) -> tuple[Operand, ...]:
    """What a leaf compares."""
    match leaf:
        case Comparison(_, left, right) | TemporalRelation(_, left, right):
            return left, right
        case Between(at_least, at_most):
            return *operands_of(at_least), *operands_of(at_most)
        case In(value, choices):
            return value, *choices
        case Like(value, pattern):
            return value, pattern
        case IsNull(operand):
            return (operand,)
        case SpatialRelation(_, geometry, _):
            return (geometry,)


def scopes(predicate: Predicate) -> frozenset[Scope | None]:
    """What a predicate is about: fires, tags, labels, and None for the clip itself; nothing for literals alone."""
    match predicate:
        case Constant():  # TRUE holds for clips without any fire, too
            return frozenset((None,))
        case And(members) | Or(members):
            return frozenset().union(*(scopes(member) for member in members))
        case Not(member):
            return scopes(member)
        case _:
            return frozenset(asked.scope for operand in operands_of(predicate) for asked in properties_of(operand))


def scope(leaf: Leaf) -> Scope | None:
    """Whether a leaf is about a fire, a tag or a label; None when it is about the clip itself."""
    return next((about for about in scopes(leaf) if about is not None), None)


def is_about_one_fire(predicate: Predicate) -> bool:
    """Whether a predicate is about fires and nothing else, and not about their absence."""
    return scopes(predicate) == {"fire"} and not _denies(predicate)


def _denies(predicate: Predicate) -> bool:
    match predicate:
        case Not() | IsNull():
            return True
        case And(members) | Or(members):
            return any(_denies(member) for member in members)
        case _:
            return False


def demand(predicate: Predicate) -> Demand | None:
    """The property and the value of `property = value`, in either order; None for any other predicate."""
    match predicate:
        case Comparison("=", Reference(asked), Value() | Moment() as literal):
            return asked, literal
        case Comparison("=", Value() | Moment() as literal, Reference(asked)):
            return asked, literal
        case _:
            return None


def one_fire_each(members: tuple[Predicate, ...]) -> list[list[Predicate]]:
    """Predicates about fires in groups: those of one group apply to the same fire.

    `campaign = 'x' AND trigger = 'y'` is one group. A value that contradicts an earlier one of the same property must
    belong to another fire, and starts the next group.
    """
    groups: list[list[Predicate]] = []
    demanded: dict[Property, Value | Moment] = {}
    for member in members:
        asked = demand(member)
        if not groups or (asked and _contradict(demanded.get(asked[0], asked[1]), asked[1])):
            groups.append([])
            demanded = {}
        if asked:
            demanded.setdefault(*asked)
        groups[-1].append(member)
    return groups


def _contradict(a: Value | Moment, b: Value | Moment) -> bool:
    """Whether no fire's property can equal both: a time lies in a day and equals an instant of it."""
    if isinstance(a, Moment) and isinstance(b, Moment):
        return a.last_ns < b.first_ns or b.last_ns < a.first_ns
    return a != b
