"""Calculations in SQL: operands as exact fractions, and comparisons of fractions by multiplying crosswise."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Any

from sqlalchemy import ColumnElement, Float, Numeric, cast, func, literal, or_

from storage.clips.cql2.arithmetic.power import DOUBLE_DIGITS, number_of_double, power
from storage.clips.cql2.arithmetic.ratio import (
    OPERATIONS,
    Column,
    Ratio,
    Term,
    constant,
    over_one_denominator,
)
from storage.clips.cql2.operands import Arithmetic, Operand, Value

COMPARISONS: Mapping[str, Callable[[Any, Any], Any]] = {
    "=": operator.eq,
    "<>": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def is_calculated(*operands: Operand) -> bool:
    """Whether one of them is a calculation."""
    return any(isinstance(operand, Arithmetic) for operand in operands)


def compared(name: str, left: Operand, right: Operand, column: Callable[[Operand], Column]) -> ColumnElement[bool]:
    """`left name right`; `column` gives a property or function in SQL."""
    a, b = _ratio(left, column), _ratio(right, column)
    if a.is_literal and b.is_literal:
        return literal(bool(COMPARISONS[name](a.factor, b.factor)))
    mine, theirs, _ = over_one_denominator(a, b)
    signs = [func.sign(bottom.sql) for bottom in (a.bottom, b.bottom) if bottom is not None]
    turned = signs[0] if len(signs) == 1 else signs[0] * signs[1] if signs else constant(1)
    result: ColumnElement[bool] = COMPARISONS[name]((mine.sql - theirs.sql) * turned, constant(0))
    return result


def is_unknown(operand: Operand, column: Callable[[Operand], Column]) -> ColumnElement[bool]:
    """Whether a calculation has no result."""
    number = _ratio(operand, column)
    return or_(*(term.sql.is_(None) for term in (number.top, number.bottom) if term is not None))


def _ratio(operand: Operand, column: Callable[[Operand], Column]) -> Ratio:
    match operand:
        case Arithmetic("^", left, right):
            return power(_ratio(left, column), _ratio(right, column))
        case Arithmetic(name, left, right):
            return OPERATIONS[name](_ratio(left, column), _ratio(right, column))
        case Value(int() | Decimal() as number):
            return Ratio(Fraction(number))
    sql = column(operand)
    if isinstance(sql.type, Float):
        return Ratio(Fraction(1), number_of_double(sql))
    return Ratio(Fraction(1), Term(cast(sql, Numeric), *_digits(sql)))


def _digits(sql: Column) -> tuple[int, int]:
    """Bounds of the digits of an integer or, as an attribute is one, of any number in JSON, which has a double's."""
    return DOUBLE_DIGITS if isinstance(sql.type, Numeric) else (19, 0)
