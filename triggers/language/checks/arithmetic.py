"""Checks of arithmetic: dimensions, units, temperatures, exact constants, bounds."""

from __future__ import annotations

import re
from fractions import Fraction
from math import isqrt

from triggers.language.analysis import bounds
from triggers.language.analysis.bounds import bounds_in
from triggers.language.analysis.typed import Type, Typed
from triggers.language.checks.context import CheckContext
from triggers.language.text.diagnostics import Span
from triggers.signals.units import DIMENSIONLESS, RATIO, Unit, combine, convert, units_like
from triggers.written_numbers import in_full

_OPS = {"+": "add", "-": "sub", "*": "mul", "/": "div"}


def arithmetic(context: CheckContext, span: Span, operator: str, left: Typed, right: Typed) -> Typed:
    """`left operator right` for `+ - * /`."""
    if not are_numbers(context, left, right):
        return context.error(span)
    return (
        _sum(context, span, operator, left, right)
        if operator in "+-"
        else _product(context, span, operator, left, right)
    )


def are_numbers(context: CheckContext, *operands: Typed) -> bool:
    """True if all operands are numbers; reports those that are not."""
    fine = True
    for operand in operands:
        if operand.type in (Type.BOOL, Type.TEXT):
            context.report.not_a_number(operand.span, context.what(operand))
        fine = fine and operand.type is Type.NUMBER
    return fine


def _sum(context: CheckContext, span: Span, operator: str, left: Typed, right: Typed) -> Typed:
    unit = align(context, span, left, right)
    if unit is None:
        return context.error(span)
    affine = left.unit.is_affine or right.unit.is_affine
    if affine and (operator == "+" or any(x.constant is not None and not x.unit.is_affine for x in (left, right))):
        context.report.affine_arithmetic(span, (left if left.unit.is_affine else right).unit.symbol)
        return context.error(span)
    left_constant, right_constant = constant_in(left, unit), constant_in(right, unit)
    result_unit = temperature_difference(unit) if affine else unit
    if left_constant is not None and right_constant is not None:
        value = left_constant + right_constant if operator == "+" else left_constant - right_constant
        return context.constant(span, value, result_unit)
    node = context.graph.add(_OPS[operator], context.node(left, unit), context.node(right, unit))
    ends = bounds_in(left, unit), bounds_in(right, unit)
    low, high = bounds.of_sum(ends[0], ends[1] if operator == "+" else bounds.negative(ends[1]))
    return Typed(span, Type.NUMBER, node, result_unit, low=low, high=high)


def _product(context: CheckContext, span: Span, operator: str, left: Typed, right: Typed) -> Typed:
    for operand in (left, right):
        if operand.unit.is_affine:
            context.report.affine_arithmetic(operand.span, operand.unit.symbol)
            return context.error(span)
    unit = combine(left.unit, right.unit, 1 if operator == "*" else -1)
    a, b = left.constant, right.constant
    if operator == "/" and b == 0 and isinstance(b, Fraction):
        context.report.impossible_constant(right.span, "divides by zero")
        return context.error(span)
    if isinstance(a, Fraction) and isinstance(b, Fraction):
        return context.constant(span, a * b if operator == "*" else a / b, unit)
    low, high = bounds.of_product(left, right) if operator == "*" else bounds.of_quotient(left, right)
    node = context.graph.add(_OPS[operator], context.node(left), context.node(right))
    return Typed(span, Type.NUMBER, node, unit, low=low, high=high)


def negative(context: CheckContext, span: Span, operand: Typed) -> Typed:
    """`-x`."""
    if not are_numbers(context, operand):
        return context.error(span)
    if operand.unit.is_affine:
        context.report.affine_arithmetic(span, operand.unit.symbol)
        return context.error(span)
    if isinstance(operand.constant, Fraction):
        return context.constant(span, -operand.constant, operand.unit)
    low, high = bounds.negative((operand.low, operand.high))
    return Typed(span, Type.NUMBER, context.graph.add("neg", operand.node), operand.unit, low=low, high=high)


def align(context: CheckContext, span: Span, left: Typed, right: Typed) -> Unit | None:
    """The common unit of two numbers: that of the first one that is not a constant; None after a report."""
    bare_left, bare_right = _is_bare_constant(left), _is_bare_constant(right)
    if left.unit.dimension != right.unit.dimension:
        if bare_left and _zero_fits(left, right):
            return right.unit
        if bare_right and _zero_fits(right, left):
            return left.unit
        if bare_left or bare_right:
            _report_bare(context, *((left, right) if bare_left else (right, left)))
        else:
            proposal = _without_ratio(left, right)
            context.report.other_dimension(span, context.what(left), context.what(right), proposal)
        return None
    if left.unit.is_affine is not right.unit.is_affine and (left.unit.difference or right.unit.difference):
        context.report.affine_arithmetic(span, left.unit.symbol if left.unit.is_affine else right.unit.symbol)
        return None
    return right.unit if left.constant is not None and right.constant is None else left.unit


def _without_ratio(left: Typed, right: Typed) -> str:
    """What to write where a number without a unit meets a ratio, such as `5 %`; empty for other dimensions."""
    bare, ratio = (left, right) if left.unit.dimension == DIMENSIONLESS else (right, left)
    if bare.unit.dimension != DIMENSIONLESS or ratio.unit.dimension != RATIO.dimension:
        return ""
    if isinstance(ratio.constant, Fraction):
        return f"write `{in_full(float(ratio.constant * ratio.unit.scale))}`: a quotient of equal units has no unit"
    return "multiply the number without a unit by `100 %`"


def _is_bare_constant(typed: Typed) -> bool:
    return typed.constant is not None and typed.unit.dimension == DIMENSIONLESS


def _zero_fits(zero: Typed, other: Typed) -> bool:
    return zero.constant == 0 and not other.unit.is_affine


def _report_bare(context: CheckContext, bare: Typed, other: Typed) -> None:
    shown = context.report.source.text[bare.span.start : bare.span.end].strip()
    units, subject, what = units_like(other.unit), context.subject(other.span), context.what(other)
    if re.fullmatch(r"[A-Za-z_][\w.]*", shown):
        context.report.constant_needs_unit(bare.span, subject, what, shown, units)
    else:
        meant = [f"{shown} {unit}" for unit in units]
        is_share = (other.unit.dimension, other.unit.scale) == (RATIO.dimension, RATIO.scale)
        if is_share and isinstance(bare.constant, Fraction) and abs(bare.constant) <= 1:
            meant = [f"{shown} ratio", f"{in_full(float(100 * bare.constant))} %"]  # the same, where `0.5 %` is not
        context.report.needs_unit(bare.span, subject, what, meant)


def constant_in(typed: Typed, unit: Unit) -> Fraction | None:
    """A constant in a unit of its dimension (a bare zero fits any unit); None if it is not a constant number."""
    if not isinstance(typed.constant, Fraction) or isinstance(typed.constant, bool):
        return None
    if typed.unit.dimension != unit.dimension:  # a bare zero
        return Fraction(0)
    return convert(typed.constant, typed.unit, unit)


def temperature_difference(unit: Unit) -> Unit:
    """The unit of a difference of two values on an affine scale."""
    symbol = "K" if unit.scale == 1 else unit.symbol
    return Unit(symbol, unit.dimension, unit.scale, difference=True)


def same_values(context: CheckContext, left: Typed, right: Typed) -> int:
    """The right text value as an index into the left one's values; values that only the right has get new ones."""
    if left.values == right.values:
        return right.node
    table = tuple(
        float(left.values.index(value)) if value in left.values else float(len(left.values) + index)
        for index, value in enumerate(right.values)
    )
    return context.graph.add("lookup", right.node, table=table)


def square_root(context: CheckContext, span: Span, operand: Typed) -> Typed:
    """`sqrt(x)`; the operand is converted to base units if the scale of its unit is not a square."""
    unit = operand.unit
    if unit.is_affine or any(exponent % 2 for exponent in unit.dimension):
        context.report.no_square_root(span, unit.symbol)
        return context.error(span)
    root = Fraction(isqrt(unit.scale.numerator), isqrt(unit.scale.denominator))
    base = unit if root * root == unit.scale else Unit(unit.symbol, unit.dimension)
    result = Unit(
        f"sqrt({unit.symbol})" if unit.symbol else "",
        tuple(exponent // 2 for exponent in unit.dimension),
        root if base is unit else Fraction(1),
    )
    node = context.graph.add("sqrt", context.node(operand, base))
    return Typed(span, Type.NUMBER, node, result, low=Fraction(0))
