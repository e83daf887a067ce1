"""Bounds of expressions that are known without any data, in the expression's own unit.

Rounding never changes the order of two numbers. A bound that is computed like the program computes, rounded to a double
after each operation, therefore holds for every result of the program, to the last bit.
"""

from __future__ import annotations

from fractions import Fraction
from math import floor, nextafter

from triggers.language.analysis.typed import Typed
from triggers.signals.units import Unit, convert

Bounds = tuple[Fraction | None, Fraction | None]
"""Lowest and highest value; None for an end without a bound."""
UNBOUNDED: Bounds = (None, None)
_MEAN_SLACK = Fraction(1, 2**40)
"""How far rounding may take a mean beyond its values, relative to the largest of them; a generous limit."""


def bounds_in(typed: Typed, unit: Unit) -> Bounds:
    """The bounds of an expression that is converted into a unit of its dimension; a bare zero fits any unit."""
    same_scale = (typed.unit.scale, typed.unit.offset) == (unit.scale, unit.offset)
    if typed.unit.dimension != unit.dimension or same_scale:
        return _rounded(typed.low, typed.high)
    if isinstance(typed.constant, Fraction):
        value = convert(typed.constant, typed.unit, unit)
        return _rounded(value, value)
    factor, shift = _rounded(typed.unit.scale / unit.scale, (typed.unit.offset - unit.offset) / unit.scale)
    if factor is None or shift is None:
        return UNBOUNDED
    return of_sum(_scaled((typed.low, typed.high), factor), (shift, shift))


def of_sum(left: Bounds, right: Bounds) -> Bounds:
    """Bounds of a + b."""
    ends = zip(_rounded(*left), _rounded(*right), strict=True)
    low, high = (None if a is None or b is None else a + b for a, b in ends)
    return _rounded(low, high)


def negative(bounds: Bounds) -> Bounds:
    """Bounds of -a."""
    low, high = bounds
    return (None if high is None else -high, None if low is None else -low)


def of_product(left: Typed, right: Typed) -> Bounds:
    """Bounds of a * b."""
    a, b = _rounded(left.low, left.high), _rounded(right.low, right.high)
    if left.node == right.node >= 0:  # a square
        low, high = absolute(a)
        return _rounded(None if low is None else low * low, None if high is None else high * high)
    if isinstance(left.constant, Fraction):
        return UNBOUNDED if a[0] is None else _scaled(b, a[0])
    if isinstance(right.constant, Fraction):
        return UNBOUNDED if b[0] is None else _scaled(a, b[0])
    ends = [end for end in (*a, *b) if end is not None]
    if len(ends) == 4:
        corners = [x * y for x in ends[:2] for y in ends[2:]]
        return _rounded(min(corners), max(corners))
    if a[0] is not None and b[0] is not None and min(a[0], b[0]) >= 0:
        return _rounded(a[0] * b[0], None)
    return UNBOUNDED


def of_quotient(left: Typed, right: Typed) -> Bounds:
    """Bounds of a / b, if b is a constant other than zero."""
    divisor = _rounded(right.low, right.high)[0] if isinstance(right.constant, Fraction) else None
    return _scaled((left.low, left.high), 1 / divisor) if divisor else UNBOUNDED


def absolute(bounds: Bounds) -> Bounds:
    """Bounds of abs(a)."""
    low, high = bounds
    if low is not None and low >= 0:
        return bounds
    if high is not None and high <= 0:
        return negative(bounds)
    return Fraction(0), None if low is None or high is None else max(-low, high)


def of_extreme(function: str, left: Bounds, right: Bounds) -> Bounds:
    """Bounds of min(a, b) or max(a, b)."""
    if function == "max":
        return negative(of_extreme("min", negative(left), negative(right)))
    highs = [high for high in (left[1], right[1]) if high is not None]
    low = None if left[0] is None or right[0] is None else min(left[0], right[0])
    return low, min(highs, default=None)


def of_either(left: Bounds, right: Bounds) -> Bounds:
    """Bounds of a number that is a or b."""
    low = None if left[0] is None or right[0] is None else min(left[0], right[0])
    high = None if left[1] is None or right[1] is None else max(left[1], right[1])
    return low, high


def of_sign(bounds: Bounds) -> Bounds:
    """Bounds of sign(a)."""
    low, high = bounds
    return (
        Fraction(-1 if low is None or low < 0 else 0 if low == 0 else 1),
        Fraction(1 if high is None or high > 0 else 0 if high == 0 else -1),
    )


def of_floor(bounds: Bounds) -> Bounds:
    """Bounds of floor(a)."""
    low, high = _rounded(*bounds)
    return None if low is None else Fraction(floor(low)), None if high is None else Fraction(floor(high))


def of_remainder(number: Bounds, divisor: Bounds) -> Bounds:
    """Bounds of mod(a, m): at most a where that is not negative, and below m."""
    highs = [] if number[0] is None or number[0] < 0 or number[1] is None else [number[1]]
    if divisor[1] is not None and divisor[1] > 0:
        highs.append(Fraction(nextafter(float(divisor[1]), 0.0)))
    return Fraction(0), min(highs, default=None)


def is_whole_in(typed: Typed, unit: Unit) -> bool:
    """Whether an expression, converted into a unit of its dimension, is a whole number wherever it is known."""
    if isinstance(typed.constant, Fraction):
        exact = typed.constant if typed.unit.dimension != unit.dimension else convert(typed.constant, typed.unit, unit)
        return exact.denominator == 1
    return typed.is_whole and (typed.unit.scale, typed.unit.offset) == (unit.scale, unit.offset)


def of_delta(bounds: Bounds) -> Bounds:
    """Bounds of the difference of two values of a."""
    return of_sum(bounds, negative(bounds))


def of_mean(bounds: Bounds) -> Bounds:
    """Bounds of a mean of values of a; how its sum is rounded depends on all of them."""
    low, high = bounds
    if low is None or high is None:
        return UNBOUNDED
    slack = max(abs(low), abs(high)) * _MEAN_SLACK
    return _rounded(low - slack, high + slack)


def of_total(bounds: Bounds, most: int) -> Bounds:
    """Bounds of a sum of one to `most` values of a, in doubles."""
    low, high = bounds
    if low is not None and low >= 0:
        return _rounded(low * (1 - _MEAN_SLACK), None if high is None else high * most * (1 + _MEAN_SLACK))
    if high is not None and high <= 0:
        return negative(of_total(negative(bounds), most))
    if low is None or high is None:
        return UNBOUNDED
    slack = max(-low, high) * most * _MEAN_SLACK
    return _rounded(low * most - slack, high * most + slack)


def sign_of(bounds: Bounds) -> Bounds:
    """Zero as a bound, if no value of a is negative, or none positive."""
    low, high = bounds
    zero = Fraction(0)
    return zero if low is not None and low >= 0 else None, zero if high is not None and high <= 0 else None


def of_deviation(bounds: Bounds) -> Bounds:
    """Bounds of the standard deviation of values of a: at most half their range (Popoviciu 1935)."""
    low, high = bounds
    if low is None or high is None:
        return Fraction(0), None
    return _rounded(Fraction(0), (high - low) / 2 + max(abs(low), abs(high)) * _MEAN_SLACK)


def _scaled(bounds: Bounds, factor: Fraction) -> Bounds:
    low, high = _rounded(*(bounds if factor >= 0 else (bounds[1], bounds[0])))
    return _rounded(None if low is None else low * factor, None if high is None else high * factor)


def _rounded(low: Fraction | None, high: Fraction | None) -> Bounds:
    """Bounds as doubles; None if the double would be infinite, since such a result is unknown."""
    return _double(low), _double(high)


def _double(number: Fraction | None) -> Fraction | None:
    try:
        return None if number is None else Fraction(float(number))
    except OverflowError:
        return None
