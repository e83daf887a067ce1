"""Numbers of a filter as exact fractions: a literal factor, and a numerator and a denominator in SQL.

Nothing is divided before the end: `a / 3 * 3` is `a`. A denominator that is zero makes the number NULL, which is
unknown. Every number of a clip is the decimal that answers show, so a double is read through its shortest text.

The digits of every numerator and denominator are bounded before the filter runs, as PostgreSQL's `numeric` ends at
131072 digits before and 16383 after the point, and long ones take long.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Context, Decimal, Inexact, Rounded
from fractions import Fraction
from typing import Any, TypeAlias

from sqlalchemy import ColumnElement, Numeric, cast, func, literal, null

from triggers.errors import InvalidInput

MAX_DIGITS = 2000
"""Digits before, and after, the point of a numerator or denominator: six doubles multiplied with each other."""
MAX_TERMS = 500
"""Properties and literals in the SQL of one number: sums of quotients repeat their denominators."""
Column: TypeAlias = ColumnElement[Any]


@dataclass(frozen=True)
class Term:
    """A numerator or denominator in SQL; `whole` and `decimals` bound its digits before and after the point."""

    sql: Column
    whole: int
    decimals: int
    size: int = 1

    def __mul__(self, other: Term) -> Term:
        return _bounded(
            self.sql * other.sql, self.whole + other.whole, self.decimals + other.decimals, self.size + other.size
        )

    def __add__(self, other: Term) -> Term:
        whole, decimals = max(self.whole, other.whole) + 1, max(self.decimals, other.decimals)
        return _bounded(self.sql + other.sql, whole, decimals, self.size + other.size)

    def times(self, factor: int) -> Term:
        """It, multiplied by a literal number."""
        if factor == 1:
            return self
        return _bounded(self.sql * constant(factor), self.whole + len(str(abs(factor))), self.decimals, self.size + 1)


ONE = Term(literal(Decimal(1), Numeric), 1, 0, 0)


@dataclass(frozen=True)
class Ratio:
    """factor * top / bottom; without a `top` it is a literal, without a `bottom` there is nothing to divide by."""

    factor: Fraction
    top: Term | None = None
    bottom: Term | None = None

    def __post_init__(self) -> None:
        require_moderate(self.factor)

    @property
    def is_literal(self) -> bool:
        """Whether it is the same number for every clip."""
        return self.top is None and self.bottom is None

    def __neg__(self) -> Ratio:
        return Ratio(-self.factor, self.top, self.bottom)

    def __add__(self, other: Ratio) -> Ratio:
        if self.is_literal and other.is_literal:
            return Ratio(self.factor + other.factor)
        mine, theirs, common = over_one_denominator(self, other)
        return Ratio(Fraction(1, common), mine + theirs, _product(self.bottom, other.bottom))

    def __sub__(self, other: Ratio) -> Ratio:
        return self + -other

    def __mul__(self, other: Ratio) -> Ratio:
        return Ratio(self.factor * other.factor, _product(self.top, other.top), _product(self.bottom, other.bottom))

    def __truediv__(self, other: Ratio) -> Ratio:
        if other.factor == 0:
            return UNKNOWN
        top = _product(self.top, other.bottom)
        return Ratio(self.factor / other.factor, top, _product(self.bottom, _nonzero(other.top)))

    def whole_quotient(self, other: Ratio) -> Ratio:
        """`self DIV other`: the quotient without its fraction, towards zero."""
        if other.factor == 0:
            return UNKNOWN
        mine, theirs, _ = over_one_denominator(self, other)
        divisor = _nonzero(theirs)
        quotient = func.div(mine.sql, divisor.sql if divisor else theirs.sql, type_=Numeric())
        return Ratio(Fraction(1), _bounded(quotient, mine.whole + theirs.decimals, 0, mine.size + theirs.size))

    def remainder(self, other: Ratio) -> Ratio:
        """`self % other`: what `whole_quotient` leaves, with the sign of `self`."""
        return self - other * self.whole_quotient(other)


def over_one_denominator(a: Ratio, b: Ratio) -> tuple[Term, Term, int]:
    """The numerators of two numbers over their common denominator, of which the last is the literal part."""
    common = math.lcm(a.factor.denominator, b.factor.denominator)
    top_a, top_b = _product(a.top, b.bottom) or ONE, _product(b.top, a.bottom) or ONE
    return (
        top_a.times(a.factor.numerator * (common // a.factor.denominator)),
        top_b.times(b.factor.numerator * (common // b.factor.denominator)),
        common,
    )


def require_moderate(number: Fraction) -> Fraction:
    """The number; InvalidInput if it has too many digits, as a power of a power has."""
    if max(number.numerator.bit_length(), number.denominator.bit_length()) > MAX_DIGITS * 3:
        raise _too_long()
    return number


def constant(number: int | Decimal) -> Column:
    """A literal number in SQL, exactly."""
    return literal(Decimal(number), Numeric)


def unknown_term() -> Term:
    """NULL as a numerator."""
    return Term(cast(null(), Numeric), 1, 0)


UNKNOWN = Ratio(Fraction(1), unknown_term())
"""What no clip has: a quotient by zero."""

OPERATIONS: Mapping[str, Callable[[Ratio, Ratio], Ratio]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: a / b,
    "%": lambda a, b: a.remainder(b),
    "div": lambda a, b: a.whole_quotient(b),
}
"""Every operator but `^`."""


def of_literals(operator: str, a: Fraction, b: Fraction) -> Fraction | None:
    """A calculation with two literals, exactly; None if it has no result, or none that is a fraction.

    InvalidInput for a result with too many digits.

    >>> of_literals("div", Fraction(-7), Fraction(2)), of_literals("%", Fraction(-7), Fraction(2))
    (Fraction(-3, 1), Fraction(-1, 1))
    """
    if operator in ("/", "%", "div"):
        if b == 0:
            return None
        quotient = a / b
        truncated = Fraction(int(quotient))
        return require_moderate({"/": quotient, "div": truncated, "%": a - b * truncated}[operator])
    if operator == "^":
        power = whole_power(a, b)
        return None if power is None else require_moderate(power)
    return require_moderate({"+": a + b, "-": a - b, "*": a * b}[operator])


MAX_EXPONENT = 16
"""Up to this whole literal exponent a power is a product, and exact."""


def whole_power(base: Fraction, exponent: Fraction) -> Fraction | None:
    """An exact power; None for an exponent that is not whole or too large, and for 0 to a negative power."""
    if exponent.denominator != 1 or abs(exponent) > MAX_EXPONENT or (base == 0 and exponent < 0):
        return None
    return base**exponent.numerator


def decimal_of(number: Fraction) -> int | Decimal | None:
    """A fraction as an equal number in decimals; None for one that has none of moderate length.

    >>> decimal_of(Fraction(1, 8)), decimal_of(Fraction(1, 3))
    (Decimal('0.125'), None)
    """
    context = Context(prec=MAX_LITERAL_DIGITS, traps=[])
    quotient = context.divide(Decimal(number.numerator), Decimal(number.denominator))
    if context.flags[Inexact] or context.flags[Rounded]:
        return None
    return number.numerator if number.denominator == 1 else quotient


MAX_LITERAL_DIGITS = 300
"""A literal result with more digits stays a calculation."""


def _product(a: Term | None, b: Term | None) -> Term | None:
    if a is None or b is None:
        return a or b
    return a * b


def _nonzero(term: Term | None) -> Term | None:
    if term is None:
        return None
    return Term(func.nullif(term.sql, constant(0), type_=Numeric()), term.whole, term.decimals, term.size)


def _too_long() -> InvalidInput:
    return InvalidInput(
        f"a calculation in the filter can have more than {MAX_DIGITS} digits",
        remedy="multiply fewer numbers, or compare them one by one",
    )


def _bounded(sql: Column, whole: int, decimals: int, size: int) -> Term:
    if max(whole, decimals) > MAX_DIGITS:
        raise _too_long()
    if size > MAX_TERMS:
        raise InvalidInput(
            "a calculation in the filter adds too many quotients", remedy="write it with fewer divisions by properties"
        )
    return Term(sql, whole, decimals, size)
