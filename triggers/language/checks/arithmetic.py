"""Checking of arithmetic: dimensions, units, temperatures, exact constants, bounds."""

from __future__ import annotations

from fractions import Fraction
from math import isqrt

from triggers.language.checks import bounds
from triggers.language.checks.bounds import bounds_in
from triggers.language.checks.scope import Scope, Type, Typed
from triggers.language.text.diagnostics import Span
from triggers.signals.units import DIMENSIONLESS, Unit, combine, convert, units_like

_OPS = {"+": "add", "-": "sub", "*": "mul", "/": "div"}


def arithmetic(scope: Scope, span: Span, operator: str, left: Typed, right: Typed) -> Typed:
    """`left operator right` for `+ - * /`."""
    if not are_numbers(scope, left, right):
        return scope.error(span)
    return (
        _sum(scope, span, operator, left, right) if operator in "+-" else _product(scope, span, operator, left, right)
    )


def are_numbers(scope: Scope, *operands: Typed) -> bool:
    """True if all are numbers; reports those that are not."""
    fine = True
    for operand in operands:
        if operand.type in (Type.BOOL, Type.TEXT):
            scope.report.not_a_number(operand.span, scope.what(operand))
        fine = fine and operand.type is Type.NUMBER
    return fine


def _sum(scope: Scope, span: Span, operator: str, left: Typed, right: Typed) -> Typed:
    unit = align(scope, span, left, right)
    if unit is None:
        return scope.error(span)
    affine = left.unit.is_affine or right.unit.is_affine
    if affine and (operator == "+" or any(x.constant is not None and not x.unit.is_affine for x in (left, right))):
        scope.report.affine_arithmetic(span, (left if left.unit.is_affine else right).unit.symbol)
        return scope.error(span)
    left_constant, right_constant = constant_in(left, unit), constant_in(right, unit)
    result_unit = temperature_difference(unit) if affine else unit
    if left_constant is not None and right_constant is not None:
        value = left_constant + right_constant if operator == "+" else left_constant - right_constant
        return scope.constant(span, value, result_unit)
    node = scope.graph.add(_OPS[operator], scope.node(left, unit), scope.node(right, unit))
    ends = bounds_in(left, unit), bounds_in(right, unit)
    low, high = bounds.of_sum(ends[0], ends[1] if operator == "+" else bounds.negative(ends[1]))
    return Typed(span, Type.NUMBER, node, result_unit, low=low, high=high)


def _product(scope: Scope, span: Span, operator: str, left: Typed, right: Typed) -> Typed:
    for operand in (left, right):
        if operand.unit.is_affine:
            scope.report.affine_arithmetic(operand.span, operand.unit.symbol)
            return scope.error(span)
    unit = combine(left.unit, right.unit, 1 if operator == "*" else -1)
    a, b = left.constant, right.constant
    if operator == "/" and b == 0 and isinstance(b, Fraction):
        scope.report.impossible_constant(right.span, "divides by zero")
        return scope.error(span)
    if isinstance(a, Fraction) and isinstance(b, Fraction):
        return scope.constant(span, a * b if operator == "*" else a / b, unit)
    low, high = bounds.of_product(left, right) if operator == "*" else bounds.of_quotient(left, right)
    node = scope.graph.add(_OPS[operator], scope.node(left), scope.node(right))
    return Typed(span, Type.NUMBER, node, unit, low=low, high=high)


def negative(scope: Scope, span: Span, operand: Typed) -> Typed:
    """`-x`."""
    if not are_numbers(scope, operand):
        return scope.error(span)
    if operand.unit.is_affine:
        scope.report.affine_arithmetic(span, operand.unit.symbol)
        return scope.error(span)
    if isinstance(operand.constant, Fraction):
        return scope.constant(span, -operand.constant, operand.unit)
    low, high = bounds.negative((operand.low, operand.high))
    return Typed(span, Type.NUMBER, scope.graph.add("neg", operand.node), operand.unit, low=low, high=high)


def align(scope: Scope, span: Span, left: Typed, right: Typed) -> Unit | None:
    """The unit in which two numbers meet: that of the first which is no constant; None after a report."""
    bare_left, bare_right = _is_bare_constant(left), _is_bare_constant(right)
    if left.unit.dimension != right.unit.dimension:
        if bare_left and _zero_fits(left, right):
            return right.unit
        if bare_right and _zero_fits(right, left):
            return left.unit
        if bare_left or bare_right:
            _report_bare(scope, *((left, right) if bare_left else (right, left)))
        else:
            scope.report.other_dimension(span, scope.what(left), scope.what(right))
        return None
    if left.unit.is_affine is not right.unit.is_affine and (left.unit.difference or right.unit.difference):
        scope.report.affine_arithmetic(span, left.unit.symbol if left.unit.is_affine else right.unit.symbol)
        return None
    return right.unit if left.constant is not None and right.constant is None else left.unit


def _is_bare_constant(typed: Typed) -> bool:
    return typed.constant is not None and typed.unit.dimension == DIMENSIONLESS


def _zero_fits(zero: Typed, other: Typed) -> bool:
    return zero.constant == 0 and not other.unit.is_affine


def _report_bare(scope: Scope, bare: Typed, other: Typed) -> None:
    shown = scope.report.source.text[bare.span.start : bare.span.end].strip()
    proposals = [f"{shown} {unit}" for unit in units_like(other.unit)]
    scope.report.needs_unit(bare.span, scope.subject(other.span), scope.what(other), proposals)


def constant_in(typed: Typed, unit: Unit) -> Fraction | None:
    """A constant in a unit of its dimension (a bare zero fits any); None for what is no number known beforehand."""
    if not isinstance(typed.constant, Fraction) or isinstance(typed.constant, bool):
        return None
    if typed.unit.dimension != unit.dimension:  # a bare zero
        return Fraction(0)
    return convert(typed.constant, typed.unit, unit)


def temperature_difference(unit: Unit) -> Unit:
    """The unit of a difference of two values on an affine scale."""
    symbol = "K" if unit.scale == 1 else unit.symbol
    return Unit(symbol, unit.dimension, unit.scale, difference=True)


def same_values(scope: Scope, left: Typed, right: Typed) -> int:
    """The right text as an index into the left one's values; what the left never takes gets indexes of its own."""
    if left.values == right.values:
        return right.node
    table = tuple(
        float(left.values.index(value)) if value in left.values else float(len(left.values) + index)
        for index, value in enumerate(right.values)
    )
    return scope.graph.add("lookup", right.node, table=table)


def square_root(scope: Scope, span: Span, operand: Typed) -> Typed:
    """`sqrt(x)`; the operand is taken to base units where its scale is no square."""
    unit = operand.unit
    if unit.is_affine or any(exponent % 2 for exponent in unit.dimension):
        scope.report.no_square_root(span, unit.symbol)
        return scope.error(span)
    root = Fraction(isqrt(unit.scale.numerator), isqrt(unit.scale.denominator))
    base = unit if root * root == unit.scale else Unit(unit.symbol, unit.dimension)
    result = Unit(
        f"sqrt({unit.symbol})" if unit.symbol else "",
        tuple(exponent // 2 for exponent in unit.dimension),
        root if base is unit else Fraction(1),
    )
    node = scope.graph.add("sqrt", scope.node(operand, base))
    return Typed(span, Type.NUMBER, node, result, low=Fraction(0))
