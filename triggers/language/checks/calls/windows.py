"""Checks of operators over a window of numbers: extremes, means, sums, differences, and values of the past."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from math import ceil

from triggers.language.analysis import bounds
from triggers.language.analysis.typed import Type, Typed
from triggers.language.checks.arithmetic import are_numbers, temperature_difference
from triggers.language.checks.calls import values
from triggers.language.checks.calls.handlers import Check, Forms, Handler
from triggers.language.checks.context import CheckContext, shown_period, shown_time
from triggers.language.ir import MAX_CAPACITY, MAX_ORDERED
from triggers.language.text import syntax
from triggers.signals.units import BARE, RATIO, SECOND, Unit, combine
from triggers.times import NS_PER_S

MAX_RANKS = 10**9
"""The largest denominator of a quantile's rank: with it, the place in a window's order is exact in doubles."""

FORMS: Forms = {
    "min": ("min(a, b, ...)", "min(x over 2 s)"),
    "max": ("max(a, b, ...)", "max(x over 2 s)"),
    "avg": ("avg(x over 2 s)",),
    "sum": ("sum(x over 2 s)",),
    "std": ("std(x over 2 s)",),
    "integral": ("integral(x over 2 s)",),
    "median": ("median(x over 2 s)",),
    "quantile": ("quantile(x over 2 s, 0.95)",),
    "samples": ("samples(x over 2 s)",),
    "delta": ("delta(x over 2 s)",),
    "rate": ("rate(x over 1 s)",),
    "ema": ("ema(x over 2 s)",),
    "past": ("past(x, 2 s)",),
}


def _extreme(context: CheckContext, expression: syntax.Call, check: Check) -> Typed:
    """`min` and `max`, of values or over a window."""
    over_window = expression.over is not None
    return _window(context, expression, check) if over_window else values.extreme(context, expression, check)


def _window(context: CheckContext, expression: syntax.Call, check: Check) -> Typed:
    """`min max avg sum std integral delta rate ema` over a window."""
    name, operand = expression.function.text, check(context, expression.arguments[0])
    window_ns = context.duration_ns(expression.over) if expression.over else None
    if not are_numbers(context, operand) or window_ns is None:
        return context.error(expression.span)
    node = context.node(operand)
    unit = _unit_over_window(name, operand.unit)
    if unit is None:
        context.report.affine_arithmetic(expression.span, operand.unit.symbol)
        return context.error(expression.span)
    if name == "ema":
        low, high = _window_bounds(name, operand, 0)
        ema = context.graph.add("ema", node, window_ns=window_ns)
        return Typed(expression.span, Type.NUMBER, ema, unit, low=low, high=high)
    capacity = capacity_of(context, expression, window_ns, node)
    if capacity is None:
        return context.error(expression.span)
    op = name if name in ("delta", "rate") else f"window_{name}"
    window = context.graph.add(op, node, window_ns=window_ns, capacity=capacity)
    _warn_of_changes(context, expression, node)
    low, high = _window_bounds(name, operand, capacity)
    return Typed(expression.span, Type.NUMBER, window, unit, low=low, high=high)


def _unit_over_window(name: str, unit: Unit) -> Unit | None:
    """The unit of an operator over a window; None for a sum on a scale with an arbitrary zero."""
    if name in ("sum", "integral") and unit.is_affine:
        return None
    if name in ("delta", "rate", "std") and unit.is_affine:
        unit = temperature_difference(unit)
    powers = {"rate": -1, "integral": 1}
    return combine(unit, SECOND, powers[name]) if name in powers else unit


def _window_bounds(name: str, operand: Typed, entries: int) -> bounds.Bounds:
    """The bounds of a window: the operand's for `min` and `max`, none for `rate`, computed for others."""
    ends = operand.low, operand.high
    computed: dict[str, Callable[[bounds.Bounds], bounds.Bounds]] = {
        "avg": bounds.of_mean,
        "ema": bounds.of_mean,
        "delta": bounds.of_delta,
        "std": bounds.of_deviation,
        "sum": lambda ends: bounds.of_total(ends, entries),
        "integral": bounds.sign_of,
        "rate": lambda _: bounds.UNBOUNDED,
    }
    return computed[name](ends) if name in computed else ends


def _warn_of_changes(context: CheckContext, expression: syntax.Call, node: int) -> None:
    """Warn about a window over signals that only tell their changes."""
    signals = context.signals_of(node)
    if signals and all(map(context.is_on_change, signals)):
        context.report.window_over_changes(expression.span, expression.function.text, signals[0])


def _quantile(context: CheckContext, expression: syntax.Call, check: Check) -> Typed:
    """`median(x over W)` and `quantile(x over W, q)`."""
    operand = check(context, expression.arguments[0])
    ranks = [_rank(context, check(context, argument)) for argument in expression.further]
    window_ns = context.duration_ns(expression.over) if expression.over else None
    if not are_numbers(context, operand) or window_ns is None or None in ranks:
        return context.error(expression.span)
    node = context.node(operand)
    capacity = capacity_of(context, expression, window_ns, node)
    if capacity is None:
        return context.error(expression.span)
    if capacity > MAX_ORDERED:
        whose = f"the window of a `{expression.function.text}`"
        context.report.too_many(expression.span, "entries", capacity, MAX_ORDERED, whose)
        return context.error(expression.span)
    rank = next((each for each in ranks if each is not None), Fraction(1, 2))
    part, whole = float(rank.numerator), float(rank.denominator)
    quantile = context.graph.add(
        "window_quantile", node, window_ns=window_ns, capacity=capacity, part=part, whole=whole
    )
    _warn_of_changes(context, expression, node)
    low, high = operand.low, operand.high
    return Typed(expression.span, Type.NUMBER, quantile, operand.unit, low=low, high=high, is_whole=operand.is_whole)


def _rank(context: CheckContext, rank: Typed) -> Fraction | None:
    """The q of a quantile, a bare number or a ratio; None after a report."""
    if not are_numbers(context, rank):
        return None
    if not isinstance(rank.constant, Fraction):
        context.report.not_a_constant(rank.span)
        return None
    value = rank.constant * rank.unit.scale
    fits = rank.unit.dimension in (BARE.dimension, RATIO.dimension) and 0 < value <= 1
    if not fits or value.denominator > MAX_RANKS:
        allowed = "above 0 and at most 1, such as `0.95` or `95 %`, with at most nine decimals"
        context.report.out_of_range(rank.span, "the rank of a quantile", allowed)
        return None
    return value


def _samples(context: CheckContext, expression: syntax.Call, check: Check) -> Typed:
    """`samples(x over W)`, of a number, a text or a condition."""
    operand = check(context, expression.arguments[0])
    window_ns = context.duration_ns(expression.over) if expression.over else None
    if operand.type is Type.ERROR or window_ns is None:
        return context.error(expression.span)
    node = context.node(operand)
    capacity = capacity_of(context, expression, window_ns, node)
    if capacity is None:
        return context.error(expression.span)
    samples = context.graph.add("samples", node, window_ns=window_ns, capacity=capacity)
    most = Fraction(capacity)
    return Typed(expression.span, Type.NUMBER, samples, BARE, low=Fraction(0), high=most, is_whole=True)


def capacity_of(
    context: CheckContext, expression: syntax.Call | syntax.Measured, window_ns: int, node: int
) -> int | None:
    """The entries of a ring: ceil(W * r) + 1, where r is 1.5 times the declared rates plus 10; None after a report."""
    names = context.signals_of(node)
    if not context.demand_rates(expression.span, "a window", names):
        return None
    rates = sum((Fraction(str(context.rate_of(name))) for name in names), Fraction(0))
    capacity = ceil(Fraction(window_ns, NS_PER_S) * (rates * 3 / 2 + 10)) + 1
    if capacity > MAX_CAPACITY:
        context.report.too_many(expression.span, "entries", capacity, MAX_CAPACITY, "a window")
        return None
    period_s = context.period_s(node)
    if expression.over is not None and period_s is not None and window_ns < 2 * period_s * NS_PER_S:
        operator = (expression.function if isinstance(expression, syntax.Call) else expression.measure).text
        context.report.short_window(expression.over.span, shown_time(window_ns), shown_period(period_s), operator)
    return capacity


def _past(context: CheckContext, expression: syntax.Call, check: Check) -> Typed:
    """`past(x, D)`."""
    operand, delay = check(context, expression.arguments[0]), expression.arguments[1]
    if not isinstance(delay, syntax.Quantity):
        context.report.not_a_constant(delay.span)
        return context.error(expression.span)
    delay_ns = context.duration_ns(delay)
    if operand.type is Type.ERROR or delay_ns is None:
        return context.error(expression.span)
    node = context.node(operand)
    capacity = capacity_of(context, expression, delay_ns, node)
    if capacity is None:
        return context.error(expression.span)
    # one entry more than the window: the latest one not later than t - D is before the window
    past = context.graph.add("past", node, delay_ns=delay_ns, capacity=capacity + 1)
    low, high = operand.low, operand.high
    return Typed(expression.span, operand.type, past, operand.unit, values=operand.values, low=low, high=high)


HANDLERS: dict[str, Handler] = {
    **dict.fromkeys(("min", "max"), _extreme),
    **dict.fromkeys(("avg", "sum", "std", "integral", "delta", "rate", "ema"), _window),
    **dict.fromkeys(("median", "quantile"), _quantile),
    "samples": _samples,
    "past": _past,
}
