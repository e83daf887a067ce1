"""Compiles the tree of a filter to an SQL condition on the table `clips`, with bound parameters.

A condition on a fire (campaign, version, trigger, ...), a tag or a label holds of a clip that has one for which it
holds; each stands for itself, so their order does not matter. `fire(...)` holds of a clip that has one fire for which
all of it holds. What a clip does not have makes a condition NULL, which is SQL's unknown.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import lru_cache, partial
from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    ColumnElement,
    Float,
    Numeric,
    Text,
    and_,
    case,
    cast,
    false,
    func,
    literal,
    literal_column,
    not_,
    null,
    or_,
    true,
)
from sqlalchemy.dialects.postgresql import array

from storage.clips.cql2 import spatial, track
from storage.clips.cql2.arithmetic import compiled
from storage.clips.cql2.arithmetic.compiled import COMPARISONS
from storage.clips.cql2.moments import HIGHEST_NS, LOWEST_NS, Moment
from storage.clips.cql2.nodes import Number
from storage.clips.cql2.operands import (
    AccentFolded,
    Arithmetic,
    CaseFolded,
    Distance,
    IntervalOperand,
    Kind,
    Operand,
    Reference,
    Value,
    kind_of,
    literal_ends,
    properties_of,
)
from storage.clips.cql2.temporal import RELATIONS, TIME_COMPARISONS, End, Range
from storage.clips.cql2.tree import (
    And,
    Array,
    ArrayRelation,
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
    SpatialRelation,
    TemporalRelation,
    TextMatch,
    TrackRelation,
    scope,
    scopes,
)
from storage.clips.marks import texts
from storage.clips.properties import Property
from storage.clips.scopes import Scope, all_labels, some
from storage.statements import forms
from storage.statements.prepared import Template
from storage.tables import clips

Condition = ColumnElement[bool]


def condition(predicate: Predicate, *, fenced: bool = False) -> Condition:
    """The condition on a clip that a predicate stands for.

    `fenced`: fires, tags and labels are asked for clip by clip (see `some`), as a search does whose plan is decided.
    """
    match predicate:
        case Constant() | And() | Or() | Not():
            return _combined(predicate, partial(condition, fenced=fenced))
        case SomeFire(member):
            of_one = of_the_fire(member, fenced=fenced)
            return _some("fire", of_one, about_clip=None in scopes(member), fenced=fenced)
    return _of_the_clip(predicate, fenced)


def formed(predicate: Predicate, *, fenced: bool = False) -> forms.Condition:
    """The same condition, and by its form alone where that is known: nothing is written for it then."""
    match predicate:
        case SpatialRelation() | TrackRelation():
            return _related(predicate)
        case TemporalRelation("t_intersects", Reference(asked), literal_):
            first, last = literal_ends(literal_) or (HIGHEST_NS, LOWEST_NS)
            first, last = max(first, LOWEST_NS), min(last, HIGHEST_NS)
            if first <= last and asked.scope is None:
                return _meets_time(asked).bound(first=first, last=last)
    return condition(predicate, fenced=fenced)


@lru_cache(100)
def _meets_time(asked: Property) -> Template:
    """The relation of most searches by time: that of a clip's time or interval with a literal one."""
    of_clip = Reference(asked, asked.kind)
    return Template(
        lambda first, last: _known(RELATIONS["t_intersects"](_range(of_clip), Range(End(first), End(last))), of_clip),
        first=BigInteger(),
        last=BigInteger(),
    )


def _of_the_clip(leaf: Leaf, fenced: bool) -> Condition:
    about = scope(leaf)
    if about is None:
        return of_one(leaf)
    if isinstance(leaf, IsNull):
        return not_(some(about, fenced=fenced))
    return _some(about, of_one(leaf), about_clip=None in scopes(leaf), fenced=fenced)


def _some(about: Scope, of_one: Condition, *, about_clip: bool, fenced: bool) -> Condition:
    """Whether the clip has one for which a condition holds: true, or unknown if it is for one, or false.

    Only what a clip lacks is unknown, so without a property of the clip the condition has two values.
    """
    if not about_clip:
        return some(about, of_one, fenced=fenced)
    is_one, is_unknown = (some(about, of, fenced=fenced) for of in (of_one, of_one.is_(None)))
    return case((is_one, true()), (is_unknown, null()), else_=false())


def of_the_fire(predicate: Predicate, *, fenced: bool = False) -> Condition:
    """The condition on the one fire that `some` selects; `fenced` as in `condition`."""
    match predicate:
        case Constant() | And() | Or() | Not():
            return _combined(predicate, partial(of_the_fire, fenced=fenced))
        case SomeFire():
            raise ValueError("a fire within a fire")  # the parser refuses it
    return of_one(predicate) if scope(predicate) == "fire" else _of_the_clip(predicate, fenced)


def _combined(predicate: Constant | And | Or | Not, inner: Callable[[Predicate], Condition]) -> Condition:
    match predicate:
        case Constant(value):
            return true() if value else false()
        case And(members):
            return and_(*map(inner, members))
        case Or(members):
            return or_(*map(inner, members))
        case Not(member):
            return not_(inner(member))


def of_one(leaf: Leaf) -> Condition:
    """The condition on one row: the clip's, or that of a fire, a tag or a label."""
    match leaf:
        case SpatialRelation() | TrackRelation() | ArrayRelation():
            return forms.clause(_related(leaf))
        case Comparison():
            return _compared(leaf)
        case Between(at_least, at_most):
            return and_(_compared(at_least), _compared(at_most))
        case In(value, choices):
            return _column(value).in_([_column(choice, value) for choice in choices])
        case Like(value, pattern):
            return _column(value).like(_column(pattern))
        case IsNull(Arithmetic() as number):
            return compiled.is_unknown(number, _column)
        case IsNull(operand):
            return _column(operand).is_(None)
        case TemporalRelation(name, left, right):
            return _known(RELATIONS[name](_range(left), _range(right)), left, right)
        case TextMatch(words):
            return texts.has_words(words)


def _related(leaf: SpatialRelation | TrackRelation | ArrayRelation) -> forms.Condition:
    match leaf:
        case SpatialRelation(name, _, shape):
            return spatial.relation(name, shape)
        case TrackRelation(name, _, geometry):
            return track.relation(name, geometry)
        case ArrayRelation(name, left, right):
            return _ARRAY_RELATIONS[name](left, right)


def _compared(comparison: Comparison) -> Condition:
    left, right = comparison.left, comparison.right
    if compiled.is_calculated(left, right):
        return compiled.compared(comparison.operator, left, right, _column)
    if kind_of(left) == "attribute":
        return _attributes_compared(comparison.operator, _column(left), _column(right))
    if kind_of(left) == "time":
        return TIME_COMPARISONS[comparison.operator](_range(left), _range(right))
    compared: Condition = COMPARISONS[comparison.operator](_column(left, right), _column(right, left))
    return compared


def _attributes_compared(name: str, left: ColumnElement[Any], right: ColumnElement[Any]) -> Condition:
    """Two attributes of one type, which is the clip's own; unknown if their types differ. Bools have no order."""
    kinds = [kind for kind in _JSON_TYPES if kind != "bool" or name in ("=", "<>")]
    of_kind = [(_attribute(left, kind), _attribute(right, kind)) for kind in kinds]
    return case(*((and_(a.is_not(None), b.is_not(None)), COMPARISONS[name](a, b)) for a, b in of_kind), else_=null())


def _known(related: Condition, *times: Operand) -> Condition:
    """A relation of times, unknown when the clip lacks an end of an interval, even if the other end decides."""
    ends = [asked.expression for time in times for asked in properties_of(time) if asked.nullable]
    return case((or_(*(end.is_(None) for end in ends)), null()), else_=related) if ends else related


def _range(operand: Operand) -> Range:
    """A time or an interval as a range."""
    match operand:
        case Moment(first_ns, last_ns):
            return Range(_end(first_ns), _end(last_ns))
        case IntervalOperand(first, last):
            return Range(_range(first).first, _range(last).last)
        case Reference(asked) if asked.last is not None:
            return Range(End(asked.expression), End(asked.last))
        case _:
            return Range(End(_column(operand)), End(_column(operand)))


def _end(t_ns: int) -> End:
    return End(_integer(t_ns), (t_ns > HIGHEST_NS) - (t_ns < LOWEST_NS))


def _column(operand: Operand, other: Operand | None = None) -> ColumnElement[Any]:
    """An operand in SQL; `other` is what a literal number is compared with."""
    match operand:
        case Value(value):
            return _literal(value, other)
        case Reference(asked, kind) if asked.kind == "attribute" and kind != "attribute":
            return _attribute(asked.expression, kind)
        case Reference(asked):
            return asked.expression
        case CaseFolded(text):
            return func.lower(_column(text))
        case AccentFolded(text):
            apart = func.normalize(_column(text), literal_column("NFD"))
            return func.regexp_replace(apart, _ACCENTS, "", "g", type_=Text())
        case Distance(_, geometry):
            return track.distance_m(geometry)
        case Arithmetic():
            raise ValueError("a calculation is compared as a fraction")  # see compiled.compared
        case Moment() | IntervalOperand():
            return _range(operand).first.column


def _literal(value: str | Number | bool, other: Operand | None) -> ColumnElement[Any]:
    if isinstance(value, bool):
        return literal(value, Boolean)
    return literal(value, Text) if isinstance(value, str) else _number(value, other)


def _number(value: Number, other: Operand | None) -> ColumnElement[Any]:
    """A literal number: as the nearest double beside a double, which answers show as the shortest decimal; else exact.

    Beside an integer that fits it is one, so that the index of a column can be used.
    """
    if isinstance(other, Reference) and isinstance(other.property.expression.type, Float):
        return literal(float(value), Float)
    return _integer(value) if isinstance(value, int) else literal(Decimal(value), Numeric)


def _integer(value: int) -> ColumnElement[Any]:
    """A literal integer, with the type of columns of integers where it fits."""
    if LOWEST_NS <= value <= HIGHEST_NS:
        return literal(value, BigInteger)
    return literal(Decimal(value), Numeric)


def _attribute(document: ColumnElement[Any], kind: Kind) -> ColumnElement[Any]:
    """A JSON value as a column of one type; null when it has another type (only a value of its type is cast)."""
    json_type, sql_type = _JSON_TYPES[kind]
    unquoted = document.op("#>>")(array([], type_=Text))
    return case((func.jsonb_typeof(document) == json_type, cast(unquoted, sql_type())), else_=None)


_ACCENTS = "[\u0300-\u036f]"
"""The combining diacritical marks of Unicode, into which and a letter NFD takes an accented letter apart."""


def _set(array: Array) -> ColumnElement[Any]:
    """A set of texts as an array in SQL."""
    match array.of:
        case None:
            return literal(list(array.texts), ARRAY(Text))
        case asked if asked.scope == "tag":
            return clips.c.tags
        case _:
            return all_labels()


def _contains(left: Array, right: Array) -> Condition:
    """Whether the first set has every element of the second one, of which others than texts are in no clip."""
    if right.others and left.of is not None:
        return false()
    result: Condition = _set(left).op("@>", is_comparison=True)(_set(right))
    return result


_ARRAY_RELATIONS: Mapping[str, Callable[[Array, Array], Condition]] = {
    "a_contains": _contains,
    "a_containedby": lambda left, right: _contains(right, left),
    "a_equals": lambda left, right: and_(_contains(left, right), _contains(right, left)),
    "a_overlaps": lambda left, right: _set(left).op("&&", is_comparison=True)(_set(right)),
}

_JSON_TYPES: Mapping[Kind, tuple[str, type[Text | Numeric[Any] | Boolean]]] = {
    "text": ("string", Text),
    "number": ("number", Numeric),
    "bool": ("boolean", Boolean),
}
