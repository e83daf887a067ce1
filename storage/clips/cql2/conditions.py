"""Compiles the tree of a filter to an SQL condition on the table `clips`, with bound parameters.

A clip has many fires. Conditions on fires (campaign, version, trigger, ...) that stand side by side in one
conjunction apply to the same fire: `campaign = 'x' AND trigger = 'y'` finds clips with a fire of y in x. A second
value that contradicts the first for the same property must belong to another fire, and starts a new group. `NOT`
applies to the clip: `NOT trigger = 'y'` finds clips without any fire of y, `trigger <> 'y'` clips with a fire of
another trigger. Conditions on tags and labels are independent: `tag = 'a' AND tag = 'b'` finds clips with both.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import (
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
    not_,
    or_,
    true,
)
from sqlalchemy.dialects.postgresql import array

from storage.clips.cql2 import spatial
from storage.clips.cql2.moments import Moment
from storage.clips.cql2.operands import CaseFolded, IntervalOperand, Kind, Operand, Reference, Value, kind_of
from storage.clips.cql2.temporal import RELATIONS, TIME_COMPARISONS, Range
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
    SpatialRelation,
    TemporalRelation,
    is_about_one_fire,
    one_fire_each,
    scope,
)
from storage.clips.scopes import some

Condition = ColumnElement[bool]

_COMPARISONS: Mapping[str, Callable[[Any, Any], Any]] = {
    "=": operator.eq,
    "<>": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def condition(predicate: Predicate) -> Condition:
    """The condition on a clip that a predicate stands for."""
    match predicate:
        case And(members):
            return _conjunction(members)
        case Constant() | Or() | Not():
            return _combined(predicate, condition)
    about = scope(predicate)
    if about is None:
        return _leaf(predicate)
    if isinstance(predicate, IsNull):
        return not_(some(about))
    return some(about, _leaf(predicate))


def _conjunction(members: tuple[Predicate, ...]) -> Condition:
    of_fires = tuple(member for member in members if is_about_one_fire(member))
    others = (condition(member) for member in members if not is_about_one_fire(member))
    fires = (some("fire", and_(*map(_of_the_fire, group))) for group in one_fire_each(of_fires))
    return and_(*others, *fires)


def _of_the_fire(predicate: Predicate) -> Condition:
    """The condition on the one fire that `some` selects."""
    match predicate:
        case Constant() | And() | Or() | Not():
            return _combined(predicate, _of_the_fire)
    return _leaf(predicate)


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


def _leaf(leaf: Leaf) -> Condition:
    """The condition on one row: the clip's, or that of a fire, a tag or a label."""
    match leaf:
        case Comparison():
            return _compared(leaf)
        case Between(at_least, at_most):
            return and_(_compared(at_least), _compared(at_most))
        case In(value, choices):
            return _column(value).in_([_column(choice) for choice in choices])
        case Like(value, pattern):
            return _column(value).like(_column(pattern))
        case IsNull(operand):
            return _column(operand).is_(None)
        case TemporalRelation(name, left, right):
            return RELATIONS[name](_range(left), _range(right))
        case SpatialRelation(name, _, shape):
            return spatial.relation(name, shape)


def _compared(comparison: Comparison) -> Condition:
    left, right = comparison.left, comparison.right
    if kind_of(left) == "time":
        return TIME_COMPARISONS[comparison.operator](_range(left), _range(right))
    compared: Condition = _COMPARISONS[comparison.operator](_column(left), _column(right))
    return compared


def _range(operand: Operand) -> Range:
    """A time or an interval as a range."""
    match operand:
        case Moment(first_ns, last_ns):
            return Range(literal(first_ns, BigInteger), literal(last_ns, BigInteger))
        case IntervalOperand(first, last):
            return Range(_range(first).first, _range(last).last)
        case Reference(asked) if asked.last is not None:
            return Range(asked.expression, asked.last)
        case _:
            return Range(_column(operand), _column(operand))


def _column(operand: Operand) -> ColumnElement[Any]:
    match operand:
        case Value(value):
            return _literal(value)
        case Reference(asked, kind) if asked.kind == "attribute" and kind != "attribute":
            return _attribute(asked.expression, kind)
        case Reference(asked):
            return asked.expression
        case CaseFolded(text):
            return func.lower(_column(text))
        case Moment() | IntervalOperand():
            return _range(operand).first


def _literal(value: str | float | bool) -> ColumnElement[Any]:
    if isinstance(value, bool):
        return literal(value, Boolean)
    if isinstance(value, str):
        return literal(value, Text)
    # Up to 2^53 a float holds every integer: compared as such, it can use the index of an integer column.
    if float(value).is_integer() and abs(value) <= 2**53:
        return literal(int(value), BigInteger)
    return literal(float(value), Float)


def _attribute(document: ColumnElement[Any], kind: Kind) -> ColumnElement[Any]:
    """A JSON value as a column of one type; null when it has another type (only a value of its type is cast)."""
    json_type, sql_type = _JSON_TYPES[kind]
    unquoted = document.op("#>>")(array([], type_=Text))
    return case((func.jsonb_typeof(document) == json_type, cast(unquoted, sql_type())), else_=None)


_JSON_TYPES: Mapping[Kind, tuple[str, type[Text | Numeric[Any] | Boolean]]] = {
    "text": ("string", Text),
    "number": ("number", Numeric),
    "bool": ("boolean", Boolean),
}
