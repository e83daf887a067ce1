"""Checks of functions of current numbers: absolute values and roots, extremes, whole numbers, closeness."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from functools import partial, reduce
from math import floor

from triggers.language.analysis import bounds
from triggers.language.analysis.bounds import bounds_in, is_whole_in
from triggers.language.analysis.typed import Type, Typed
from triggers.language.checks.arithmetic import (
    align,
    are_numbers,
    arithmetic,
    constant_in,
    square_root,
    temperature_difference,
)
from triggers.language.checks.calls.handlers import Check, Forms, Handler
from triggers.language.checks.comparisons import compare, judged
from triggers.language.checks.context import CheckContext
from triggers.language.ir import MAX_ARGUMENTS, MAX_INTEGER
from triggers.language.text import syntax
from triggers.language.text.diagnostics import Span
from triggers.signals.units import BARE, Unit, convert, parse_unit

FORMS: Forms = {
    "abs": ("abs(x)",),
    "sqrt": ("sqrt(x)",),
    "wrap": ("wrap(angle)",),
    "clamp": ("clamp(x, lo, hi)",),
    "sign": ("sign(x)",),
    "floor": ("floor(x)",),
    "mod": ("mod(x, m)",),
    "bits": ("bits(x, mask)",),
    "approx": ("approx(a, b, tolerance)",),
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
        return _absolute(context, expression.span, operand)
    degree = parse_unit("deg") or BARE
    if operand.unit.dimension != degree.dimension:
        context.report.not_an_angle(operand.span, context.what(operand))
        return context.error(expression.span)
    half_turn = convert(Fraction(180), degree, operand.unit)
    node = context.graph.add("wrap", context.node(operand), half_turn=float(half_turn))
    return Typed(expression.span, Type.NUMBER, node, operand.unit, low=-half_turn, high=half_turn)


def _absolute(context: CheckContext, span: Span, operand: Typed) -> Typed:
    if isinstance(operand.constant, Fraction):
        return context.constant(span, abs(operand.constant), operand.unit)
    low, high = bounds.absolute((operand.low, operand.high))
    node = context.graph.add("abs", operand.node)
    return Typed(span, Type.NUMBER, node, operand.unit, low=low, high=high)


def extreme(context: CheckContext, expression: syntax.Call, check: Check) -> Typed:
    """`min` and `max` of two or more values."""
    if len(expression.arguments) > MAX_ARGUMENTS:
        count, name = len(expression.arguments), f"`{expression.function.text}`"
        context.report.too_many(expression.span, "values", count, MAX_ARGUMENTS, name)
        return context.error(expression.span)
    numbers = [check(context, argument) for argument in expression.arguments]
    unit = _common_unit(context, expression.span, *numbers)
    if unit is None:
        return context.error(expression.span)
    return _extreme_of(context, expression.span, expression.function.text, numbers, unit)


def _extreme_of(context: CheckContext, span: Span, function: str, numbers: Sequence[Typed], unit: Unit) -> Typed:
    """`min` or `max` of numbers, in a unit that all of them have; from the left, two at a time."""
    constants = [constant_in(number, unit) for number in numbers]
    exact = [constant for constant in constants if constant is not None]
    if len(exact) == len(numbers):
        return context.constant(span, min(exact) if function == "min" else max(exact), unit)
    node = reduce(partial(context.graph.add, function), (context.node(number, unit) for number in numbers))
    low, high = reduce(partial(bounds.of_extreme, function), (bounds_in(number, unit) for number in numbers))
    whole = all(is_whole_in(number, unit) for number in numbers)
    return Typed(span, Type.NUMBER, node, unit, low=low, high=high, is_whole=whole)


def _common_unit(context: CheckContext, span: Span, *numbers: Typed) -> Unit | None:
    """The unit of the first of these that is not a constant; None after a report."""
    if not are_numbers(context, *numbers):
        return None
    chosen = numbers[0]
    for number in numbers[1:]:
        unit = align(context, span, chosen, number)
        if unit is None:
            return None
        chosen = number if chosen.constant is not None and unit is number.unit else chosen
    return chosen.unit


def _clamp(context: CheckContext, expression: syntax.Call, check: Check) -> Typed:
    """`clamp(x, lo, hi)`, which is `min(max(x, lo), hi)`."""
    x, low, high = (check(context, argument) for argument in expression.arguments)
    unit = _common_unit(context, expression.span, x, low, high)
    if unit is None:
        return context.error(expression.span)
    ends = constant_in(low, unit), constant_in(high, unit)
    if ends[0] is not None and ends[1] is not None and ends[0] > ends[1]:
        context.report.impossible_constant(high.span, "is below the lower end of `clamp`")
        return context.error(expression.span)
    raised = _extreme_of(context, expression.span, "max", (x, low), unit)
    return _extreme_of(context, expression.span, "min", (raised, high), unit)


def _sign(context: CheckContext, expression: syntax.Call, check: Check) -> Typed:
    """`sign(x)`."""
    x = check(context, expression.arguments[0])
    if not are_numbers(context, x):
        return context.error(expression.span)
    if x.unit.is_affine:
        context.report.affine_arithmetic(expression.span, x.unit.symbol)
        return context.error(expression.span)
    low, high = bounds.of_sign((x.low, x.high))
    if isinstance(x.constant, Fraction) and low is not None:
        return context.constant(expression.span, low, BARE)
    node = context.graph.add("sign", context.node(x))
    return Typed(expression.span, Type.NUMBER, node, BARE, low=low, high=high, is_whole=True)


def _plain(context: CheckContext, expression: syntax.Call, x: Typed) -> bool:
    """Whether it is a number without a unit; reported otherwise, with how to make it one."""
    if not are_numbers(context, x):
        return False
    if x.unit.dimension == BARE.dimension:
        return True
    shown, name = context.subject(x.span).strip("`"), expression.function.text
    shown = shown if shown.isidentifier() or shown.replace(".", "").isidentifier() else "x"
    symbol = temperature_difference(x.unit).symbol if x.unit.is_affine else x.unit.symbol
    zero = f"({shown} - 0 {x.unit.symbol})" if x.unit.is_affine else shown
    proposal = f"divide it by its unit: `{name}({zero} / 1 {symbol}{', mask' if name == 'bits' else ''})`"
    context.report.not_a_plain_number(x.span, name, context.what(x), proposal)
    return False


def _floor(context: CheckContext, expression: syntax.Call, check: Check) -> Typed:
    """`floor(x)`."""
    x = check(context, expression.arguments[0])
    if not _plain(context, expression, x):
        return context.error(expression.span)
    constant = constant_in(x, BARE)
    if constant is not None:
        return context.constant(expression.span, Fraction(floor(constant)), BARE)
    low, high = bounds.of_floor(bounds_in(x, BARE))
    node = context.graph.add("floor", context.node(x, BARE))
    return Typed(expression.span, Type.NUMBER, node, BARE, low=low, high=high, is_whole=True)


def _mod(context: CheckContext, expression: syntax.Call, check: Check) -> Typed:
    """`mod(x, m)`."""
    x, m = (check(context, argument) for argument in expression.arguments)
    unit = _common_unit(context, expression.span, x, m)
    if unit is None:
        return context.error(expression.span)
    if unit.is_affine:
        context.report.affine_arithmetic(expression.span, unit.symbol)
        return context.error(expression.span)
    number, divisor = constant_in(x, unit), constant_in(m, unit)
    if divisor is not None and divisor <= 0:
        context.report.impossible_constant(m.span, "is not above 0, so that `mod` would always be unknown")
        return context.error(expression.span)
    if number is not None and divisor is not None:
        return context.constant(expression.span, number % divisor, unit)
    low, high = bounds.of_remainder(bounds_in(x, unit), bounds_in(m, unit))
    node = context.graph.add("mod", context.node(x, unit), context.node(m, unit))
    whole = is_whole_in(x, unit) and is_whole_in(m, unit)
    return Typed(expression.span, Type.NUMBER, node, unit, low=low, high=high, is_whole=whole)


def _bits(context: CheckContext, expression: syntax.Call, check: Check) -> Typed:
    """`bits(x, mask)`."""
    x, mask = (check(context, argument) for argument in expression.arguments)
    if not _plain(context, expression, x) or not _plain(context, expression, mask):
        return context.error(expression.span)
    if not isinstance(mask.constant, Fraction):
        context.report.not_a_constant(mask.span)
        return context.error(expression.span)
    numbers = [each for each in (constant_in(x, BARE), constant_in(mask, BARE)) if each is not None]
    for number, typed in zip(reversed(numbers), (mask, x), strict=False):
        if number.denominator != 1 or not 0 <= number <= MAX_INTEGER:
            context.report.impossible_constant(typed.span, f"is not a whole number from 0 to {MAX_INTEGER}")
            return context.error(expression.span)
    if len(numbers) == 2:
        return context.constant(expression.span, Fraction(int(numbers[0]) & int(numbers[1])), BARE)
    node = context.graph.add("bits", context.node(x, BARE), mask=float(numbers[0]))
    high = bounds_in(x, BARE)[1]
    high = numbers[0] if high is None or high < 0 else min(numbers[0], Fraction(floor(high)))
    return Typed(expression.span, Type.NUMBER, node, BARE, low=Fraction(0), high=high, is_whole=True)


def _approx(context: CheckContext, expression: syntax.Call, check: Check) -> Typed:
    """`approx(a, b, tolerance)`, which is `abs(a - b) <= tolerance`."""
    a, b, tolerance = (check(context, argument) for argument in expression.arguments)
    if not are_numbers(context, a, b, tolerance):
        return context.error(expression.span)
    difference = arithmetic(context, expression.span, "-", a, b)
    if difference.type is Type.ERROR:
        return context.error(expression.span)
    return judged(
        context, compare(context, expression.span, "<=", _absolute(context, expression.span, difference), tolerance)
    )


HANDLERS: dict[str, Handler] = {
    **dict.fromkeys(("abs", "sqrt", "wrap"), _simple),
    "clamp": _clamp,
    "sign": _sign,
    "floor": _floor,
    "mod": _mod,
    "bits": _bits,
    "approx": _approx,
}
