"""Checks of functions of current values: `abs`, `sqrt`, `wrap`, and the least and the greatest of two."""

from __future__ import annotations

from fractions import Fraction

from triggers.language.analysis import bounds
from triggers.language.analysis.bounds import bounds_in
from triggers.language.analysis.typed import Type, Typed
from triggers.language.checks.arithmetic import align, are_numbers, square_root
from triggers.language.checks.calls.handlers import Check, Forms, Handler
from triggers.language.checks.context import CheckContext
from triggers.language.text import syntax
from triggers.signals.units import BARE, convert, parse_unit

FORMS: Forms = {
    "abs": ("abs(x)",),
    "sqrt": ("sqrt(x)",),
    "wrap": ("wrap(angle)",),
}


def _simple(context: CheckContext, expression: syntax.Call, check: Check) -> Typed:
    """`abs`, `sqrt`, `wrap`."""
    name, operand = expression.function.text, check(context, expression.arguments[0])
    if not are_numbers(context, operand):
        return context.error(expression.span)
    if name == "sqrt":
        return square_root(context, expression.span, operand)
    if operand.unit.is_affine:
        context.report.affine_arithmetic(expression.span, operand.unit.symbol)
        return context.error(expression.span)
    if name == "abs":
        if isinstance(operand.constant, Fraction):
            return context.constant(expression.span, abs(operand.constant), operand.unit)
        low, high = bounds.absolute((operand.low, operand.high))
        node = context.graph.add("abs", operand.node)
        return Typed(expression.span, Type.NUMBER, node, operand.unit, low=low, high=high)
    degree = parse_unit("deg") or BARE
    if operand.unit.dimension != degree.dimension:
        context.report.not_an_angle(operand.span, context.what(operand))
        return context.error(expression.span)
    half_turn = convert(Fraction(180), degree, operand.unit)
    node = context.graph.add("wrap", context.node(operand), half_turn=float(half_turn))
    return Typed(expression.span, Type.NUMBER, node, operand.unit, low=-half_turn, high=half_turn)


def extreme(context: CheckContext, expression: syntax.Call, check: Check) -> Typed:
    """`min` and `max` of two values."""
    left, right = (check(context, argument) for argument in expression.arguments)
    if not are_numbers(context, left, right):
        return context.error(expression.span)
    unit = align(context, expression.span, left, right)
    if unit is None:
        return context.error(expression.span)
    node = context.graph.add(expression.function.text, context.node(left, unit), context.node(right, unit))
    low, high = bounds.of_extreme(expression.function.text, bounds_in(left, unit), bounds_in(right, unit))
    return Typed(expression.span, Type.NUMBER, node, unit, low=low, high=high)


HANDLERS: dict[str, Handler] = {
    **dict.fromkeys(FORMS, _simple),
}
