"""Checks of `distance over W`, `distance since A` and `every 5 km`, by the one odometer of a program."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

from triggers.language.analysis.typed import Type, Typed
from triggers.language.checks.calls.handlers import Check
from triggers.language.checks.calls.windows import capacity_of
from triggers.language.checks.context import CheckContext
from triggers.language.text import syntax
from triggers.language.text.diagnostics import Span
from triggers.signals.travel import SPEED_SIGNAL, speed_scale
from triggers.signals.units import BARE, convert, parse_unit

DISTANCE = "distance"
MIN_STEP_M = 100
"""The shortest distance that can recur: at every plausible speed, ticks lie between two of its multiples."""
MAX_STEP_M = 8_000_000
"""The longest one: up to there an odometer is exact."""


def odometer(context: CheckContext, span: Span, check: Check) -> int | None:
    """The node of the metres since the segment began, from speed or else position; None after a report."""
    catalog, graph = context.catalog, context.graph
    signal = catalog.signals.get(SPEED_SIGNAL)
    if signal is not None and signal.type == "number" and speed_scale(signal.unit) is not None:
        # It may be derived from others. It is no part of the condition: its author did not write it.
        speed = check(replace(context, parts=None), syntax.Name(span, SPEED_SIGNAL))
        return None if speed.type is Type.ERROR else graph.add("odometer", context.node(speed, parse_unit("m/s")))
    if catalog.position is not None:
        names = catalog.position.latitude, catalog.position.longitude
        return graph.add("odometer_of_places", *(context.signal(name, span).node for name in names))
    context.report.no_odometer(span, SPEED_SIGNAL)
    return None


def travelled(context: CheckContext, expression: syntax.Measured, event: int | None, check: Check) -> Typed:
    """`distance since A`, with the node of A, or `distance over W`: the odometer now minus what it showed then."""
    span, graph = expression.span, context.graph
    if expression.over is not None and is_a_name(context):
        context.report.measure_is_a_name(expression.measure.span, DISTANCE)
        return context.error(span)
    now = odometer(context, span, check)
    if now is None:
        return context.error(span)
    if expression.over is None:
        then: int | None = None if event is None else graph.add("at", now, event)
    else:
        then = _before(context, expression, expression.over, now)
    if then is None:
        return context.error(span)
    metre = parse_unit("m") or BARE
    return Typed(span, Type.NUMBER, graph.add("sub", now, then), metre, low=Fraction(0))


def every_distance(context: CheckContext, expression: syntax.Every, check: Check) -> Typed:
    """`every 5 km`: an impulse at each multiple of a distance."""
    typed, metre = context.quantity(expression.period), parse_unit("m") or BARE
    if not isinstance(typed.constant, Fraction):
        return context.error(expression.span)
    step_m = convert(typed.constant, typed.unit, metre)
    if not MIN_STEP_M <= step_m <= MAX_STEP_M:
        context.report.distance_range(expression.period.span, f"{MIN_STEP_M} m", f"{MAX_STEP_M // 1000} km")
        return context.error(expression.span)
    now = odometer(context, expression.span, check)
    if now is None:
        return context.error(expression.span)
    node = context.graph.add("every_distance", now, multiple_m=float(step_m))
    return Typed(expression.span, Type.BOOL, node, impulse="every")


def is_a_distance(quantity: syntax.Quantity) -> bool:
    """Whether a quantity is written in a unit of length."""
    unit, metre = parse_unit(quantity.unit or ""), parse_unit("m")
    return unit is not None and metre is not None and unit.dimension == metre.dimension


def _before(context: CheckContext, expression: syntax.Measured, window: syntax.Quantity, now: int) -> int | None:
    """What the odometer showed at its latest tick not later than t - W."""
    delay_ns = context.duration_ns(window)
    capacity = None if delay_ns is None else capacity_of(context, expression, delay_ns, now)
    if delay_ns is None or capacity is None:
        return None
    # one entry more than the window, as for `past`
    return context.graph.add("past", now, delay_ns=delay_ns, capacity=capacity + 1)


def is_a_name(context: CheckContext) -> bool:
    """Whether the catalog or the file declares something called `distance`; with `language 2` it means the odometer."""
    return not context.has_new_words and (DISTANCE in context.catalog.signals or DISTANCE in context.lets)


def as_window(context: CheckContext, call: syntax.Call) -> syntax.Call:
    """`f(... distance over W)` as a window of f where `distance` is a signal or a `let`, else unchanged."""
    if call.over is not None or not is_a_name(context):
        return call
    for index, argument in enumerate(call.arguments):
        inner, window = _without_window(argument)
        if window is not None:
            before, after = call.arguments[:index], call.arguments[index + 1 :]
            return replace(call, arguments=(*before, inner), over=window, further=after)
    return call


def _without_window(expression: syntax.Expression) -> tuple[syntax.Expression, syntax.Quantity | None]:
    """An expression that ends in `distance over W`, with the name in its place, and the window."""
    match expression:
        case syntax.Measured(measure=word, over=window) if window is not None:
            return syntax.Name(word.span, word.text), window
        case syntax.Binary(right=right):
            inner, window = _without_window(right)
            return (expression if window is None else replace(expression, right=inner)), window
        case syntax.Between(high=high):
            inner, window = _without_window(high)
            return (expression if window is None else replace(expression, high=inner)), window
        case syntax.Unary(operand=operand):
            inner, window = _without_window(operand)
            return (expression if window is None else replace(expression, operand=inner)), window
        case syntax.Junction(operands=(*others, last)):
            inner, window = _without_window(last)
            return (expression if window is None else replace(expression, operands=(*others, inner))), window
        case _:
            return expression, None
