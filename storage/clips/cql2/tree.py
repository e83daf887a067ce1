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
from storage.clips.cql2.track import Geometry
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
    """One of Allen's relations between two times or intervals; its name is in lower case, as the parser makes it."""

    name: str
    left: Operand
    right: Operand


@dataclass(frozen=True)
class TextMatch:
    """`TEXT(words)`: the texts of the clip have each of these words, or one that begins like a word with a `*`."""

    words: tuple[str, ...]


@dataclass(frozen=True)
class SpatialRelation:
    """A relation between the box around the clip's track and a shape."""

    name: str
    geometry: Reference
    shape: Shape


@dataclass(frozen=True)
class TrackRelation:
    """A relation of DE-9IM between the clip's track and a literal geometry, by its name in lower case."""

    name: str
    geometry: Reference
    to: Geometry


@dataclass(frozen=True)
class Array:
    """A set of values: all tags or labels of the clip, or literals, of which those that are not texts are counted."""

    of: Property | None = None
    texts: tuple[str, ...] = ()
    others: int = 0


@dataclass(frozen=True)
class ArrayRelation:
    """A relation between two sets, such as `A_CONTAINS`; it is about the clip, not about one of its tags."""

    name: str
    left: Array
    right: Array


Leaf: TypeAlias = (
    Comparison
    | Between
    | In
    | Like
    | IsNull
    | TemporalRelation
    | SpatialRelation
    | TrackRelation
    | ArrayRelation
    | TextMatch
)
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
        case SpatialRelation(_, geometry, _) | TrackRelation(_, geometry, _):
            return (geometry,)
        case TextMatch():
            return ()
        case ArrayRelation(_, left, right):
            return tuple(Reference(array.of, "text") for array in (left, right) if array.of is not None)


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
    return {about for leaf in leaves(predicate) for about in _leaf_scopes(leaf)}


def _leaf_scopes(leaf: Leaf) -> set[Scope | None]:
    if isinstance(leaf, ArrayRelation):
        return {None}
    return {asked.scope for operand in operands_of(leaf) for asked in properties_of(operand)}


def scope(leaf: Leaf) -> Scope | None:
    """Whether a leaf is about a fire, a tag or a label; None when it is about the clip itself."""
    return next((about for about in scopes(leaf) if about is not None), None)
