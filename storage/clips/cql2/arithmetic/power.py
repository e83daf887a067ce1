"""Powers: a whole literal exponent makes a product, which is exact; any other power is computed as a double.

A power that is not a number is unknown: of a negative base with a broken exponent, of zero with a negative one, and one
whose size is beyond MAX_LOGARITHM.
"""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

from sqlalchemy import Float, Numeric, Text, and_, case, cast, func, literal, null

from storage.clips.cql2.arithmetic.ratio import MAX_EXPONENT, UNKNOWN, Column, Ratio, Term, constant, whole_power

MAX_LOGARITHM = 690.0
"""Natural logarithm of the largest power, about 1e299; PostgreSQL refuses doubles beyond 1.8e308 with an error."""
LARGEST, SMALLEST = Decimal("1e300"), Decimal("1e-300")
"""Numbers of which a power is computed; between 0 and the smallest it is that of 0."""
DOUBLE_DIGITS = (309, 340)
"""Digits of a double's shortest decimal before and after the point."""


def power(base: Ratio, exponent: Ratio) -> Ratio:
    """`base ^ exponent`."""
    if not exponent.is_literal or exponent.factor.denominator != 1 or abs(exponent.factor) > MAX_EXPONENT:
        return _as_double(base, exponent)
    count = exponent.factor.numerator
    if base.is_literal:
        exact = whole_power(base.factor, exponent.factor)
        return UNKNOWN if exact is None else Ratio(exact)
    if count == 0:
        return base * Ratio(Fraction(0)) + Ratio(Fraction(1))
    result = base
    for _ in range(abs(count) - 1):
        result = result * base
    return result if count > 0 else Ratio(Fraction(1)) / result


def number_of_double(double: Column) -> Term:
    """A double as the decimal that answers show."""
    whole, decimals = DOUBLE_DIGITS
    return Term(cast(cast(double, Text), Numeric), whole, decimals)


def _as_double(base: Ratio, exponent: Ratio) -> Ratio:
    b, e = _double(base), _double(exponent)
    magnitude = func.abs(b)
    logarithm = e * func.ln(func.nullif(magnitude, 0.0))
    fits = and_(func.abs(e) < 1e9, func.abs(logarithm) < MAX_LOGARITHM)
    whole = func.trunc(e) == e
    result = case(
        (e == 0.0, 1.0 + 0.0 * b),
        (and_(b == 0.0, e > 0.0), 0.0),
        (b == 0.0, None),
        (func.abs(e) >= 1e9, None),
        (and_(b < 0.0, whole, fits), func.power(b, e)),
        (b < 0.0, None),
        (fits, func.power(b, e)),
        else_=None,
    )
    return Ratio(Fraction(1), number_of_double(cast(result, Float)))


def _double(number: Ratio) -> Column:
    """A number as a double; NULL beyond 1e300, and 0 if it is closer to 0 than 1e-300."""
    if number.is_literal:
        size = abs(number.factor)
        if size >= Fraction(LARGEST):
            return cast(null(), Float)
        return literal(0.0 if size < Fraction(SMALLEST) else float(number.factor), Float)
    whole = (number.top.sql if number.top else constant(1)) * constant(number.factor.numerator)
    divisor = constant(number.factor.denominator)
    exact = whole / (divisor * number.bottom.sql if number.bottom else divisor)
    magnitude = func.abs(exact)
    return case((magnitude >= constant(LARGEST), None), (magnitude < constant(SMALLEST), 0.0), else_=cast(exact, Float))
