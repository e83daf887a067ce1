"""Bounds of expressions that are known without any data, exact, in the expression's own unit."""

from __future__ import annotations

from fractions import Fraction

from triggers.language.scope import MAX_CONSTANT_BITS, Typed
from triggers.language.units import Unit, convert

Bounds = tuple[Fraction | None, Fraction | None]
"""Lowest and highest value; None where there is no bound."""
UNBOUNDED: Bounds = (None, None)


def bounds_in(typed: Typed, unit: Unit) -> Bounds:
    """The bounds of an expression in a unit of its dimension; a bare zero fits any."""
    if typed.unit.dimension != unit.dimension:
        return typed.low, typed.high
    low, high = (None if end is None else convert(end, typed.unit, unit) for end in (typed.low, typed.high))
    return _handy(low, high)


def of_sum(left: Bounds, right: Bounds) -> Bounds:
    """Bounds of a + b."""
    ends = [None if a is None or b is None else a + b for a, b in zip(left, right, strict=True)]
    return _handy(*ends)


def negative(bounds: Bounds) -> Bounds:
    """Bounds of -a."""
    low, high = bounds
    return (None if high is None else -high, None if low is None else -low)


def of_product(left: Typed, right: Typed) -> Bounds:
    """Bounds of a * b."""
    if left.node == right.node >= 0:  # a square
        low, high = absolute((left.low, left.high))
        return _handy(None if low is None else low * low, None if high is None else high * high)
    if isinstance(left.constant, Fraction):
        return _scaled((right.low, right.high), left.constant)
    if isinstance(right.constant, Fraction):
        return _scaled((left.low, left.high), right.constant)
    ends = [end for end in (left.low, left.high, right.low, right.high) if end is not None]
    if len(ends) == 4:
        corners = [a * b for a in ends[:2] for b in ends[2:]]
        return _handy(min(corners), max(corners))
    if left.low is not None and right.low is not None and min(left.low, right.low) >= 0:
        return _handy(left.low * right.low, None)
    return UNBOUNDED


def of_quotient(left: Typed, right: Typed) -> Bounds:
    """Bounds of a / b: those for a constant b, which is not zero."""
    if isinstance(right.constant, Fraction) and right.constant:
        return _scaled((left.low, left.high), 1 / right.constant)
    return UNBOUNDED


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


def of_delta(bounds: Bounds) -> Bounds:
    """Bounds of the difference of two values of a."""
    return of_sum(bounds, negative(bounds))


def _scaled(bounds: Bounds, factor: Fraction) -> Bounds:
    low, high = bounds if factor >= 0 else (bounds[1], bounds[0])
    return _handy(None if low is None else low * factor, None if high is None else high * factor)


def _handy(low: Fraction | None, high: Fraction | None) -> Bounds:
    """Bounds without those whose exactness would cost too much."""
    ends = [None if end is None or _bits(end) > MAX_CONSTANT_BITS else end for end in (low, high)]
    return ends[0], ends[1]


def _bits(number: Fraction) -> int:
    return max(number.numerator.bit_length(), number.denominator.bit_length())
