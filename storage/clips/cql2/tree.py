"""The tree of a filter: predicates as typed nodes, with checked operands of matching types.

A leaf is about one thing: the clip itself, or one of its fires, tags or labels (its `scope`). A predicate is true,
false or unknown of a clip. Combinations follow Kleene's logic, so neither the order of members nor a double negation
changes what is found.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

from storage.clips.cql2.operands import Operand, Reference, properties_of
from storage.clips.cql2.shapes import Shape
from storage.clips.properties import Property
from storage.clips.scopes import Scope


@dataclass(frozen=True)
class Constant:
    """TRUE or FALSE."""

    value: bool


@dataclass(frozen=True)
class And:
    """Every member holds."""

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
class SomeFire:
    """`FIRE(member)`: the clip has a fire for which the member holds; conditions on fires in it are about this fire."""

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
Predicate: TypeAlias = Constant | And | Or | Not | SomeFire | Leaf


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


def leaves(predicate: Predicate) -> Iterator[Leaf]:
    """Every leaf of a predicate."""
    match predicate:
        case Constant():
            return
        case And(members) | Or(members):
            for member in members:
                yield from leaves(member)
        case Not(member) | SomeFire(member):
            yield from leaves(member)
        case _:
            yield predicate


def contains_fire(predicate: Predicate) -> bool:
    """Whether there is a `FIRE(...)` in a predicate."""
    match predicate:
        case And(members) | Or(members):
            return any(map(contains_fire, members))
        case Not(member):
            return contains_fire(member)
        case _:
            return isinstance(predicate, SomeFire)


def properties(predicate: Predicate) -> set[Property]:
    """Every property that a predicate asks for."""
    return {asked for leaf in leaves(predicate) for operand in operands_of(leaf) for asked in properties_of(operand)}


def scopes(predicate: Predicate) -> set[Scope | None]:
    """What a predicate is about: fires, tags, labels, and None for the clip itself; nothing for literals alone."""
    return {asked.scope for asked in properties(predicate)}


def scope(leaf: Leaf) -> Scope | None:
    """Whether a leaf is about a fire, a tag or a label; None when it is about the clip itself."""
    return next((about for about in scopes(leaf) if about is not None), None)
