"""Checks of calls: the forms and results of every named operator of the language."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from math import ceil

from triggers.language.analysis import bounds, facts
from triggers.language.analysis.bounds import bounds_in
from triggers.language.analysis.typed import Type, Typed
from triggers.language.checks.arithmetic import align, are_numbers, constant_in, square_root, temperature_difference
from triggers.language.checks.comparisons import DEFAULT_COUNT_LIMIT, facts_of, judged
from triggers.language.checks.context import CheckContext, shown_time
from triggers.language.checks.pairs import pair
from triggers.language.checks.places import inside, near
from triggers.language.ir import MAX_CAPACITY
from triggers.language.text import syntax
from triggers.signals.units import BARE, RATIO, SECOND, combine, convert, parse_unit
from triggers.times import NS_PER_S

Check = Callable[[CheckContext, syntax.Expression], Typed]
Handler = Callable[[CheckContext, syntax.Call, Check], Typed]

FORMS: dict[str, tuple[str, ...]] = {
    "abs": ("abs(x)",),
    "sqrt": ("sqrt(x)",),
    "wrap": ("wrap(angle)",),
    "min": ("min(a, b)", "min(x over 2 s)"),
    "max": ("max(a, b)", "max(x over 2 s)"),
    "avg": ("avg(x over 2 s)",),
    "delta": ("delta(x over 2 s)",),
    "rate": ("rate(x over 1 s)",),
    "ema": ("ema(x over 2 s)",),
    "past": ("past(x, 2 s)",),
    "rise": ("rise(P)",),
    "fall": ("fall(P)",),
    "changed": ("changed(x)",),
    "missing": ("missing(x)",),
    "age": ("age(x)",),
    "once": ("once(P over 2 s)",),
    "share": ("share(P over 10 s)",),
    "count": ("count(P over 10 s)",),
    "flicker": ("flicker(x over 2 s)",),
    "hysteresis": ("hysteresis(x, on, off)",),
    "disagree": ("disagree(a, b)", "disagree(head.field)", "disagree(a, b within 50 ms)"),
    "divergence": ("divergence(a, b)", "divergence(head.field)", "divergence(a, b within 50 ms)"),
    "near": ("near(48.1, 11.6, 500 m)",),
    "inside": ("inside(fence)",),
}
_IMPULSES = ("rise", "fall", "changed", "then", "without")


def call(context: CheckContext, expression: syntax.Call, check: Check) -> Typed:
    """The result of a call; `check` checks its arguments."""
    name = expression.function.text
    if name not in FORMS:
        context.report.unknown_function(expression.function.span, name, context.nearest(name, FORMS))
        for argument in expression.arguments:
            check(context, argument)
        return context.error(expression.span)
    if not _has_form(expression):
        context.report.wrong_arguments(expression.span, name, FORMS[name][-1 if expression.over else 0])
        return context.error(expression.span)
    return _HANDLERS[name](context, expression, check)


def _has_form(expression: syntax.Call) -> bool:
    """Whether the number of arguments, `over` and `within` match one of the operator's forms."""
    name, count = expression.function.text, len(expression.arguments)
    over, within = expression.over is not None, expression.within is not None
    if name in ("min", "max"):
        return not within and (count == 1 if over else count == 2)
    if name in ("disagree", "divergence"):
        return not over and count in (1, 2)
    form = FORMS[name][0]
    return not within and over is (" over " in form) and count == form.count(",") + 1


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


def _extreme(context: CheckContext, expression: syntax.Call, check: Check) -> Typed:
    """`min` and `max`, of two values or over a window."""
    if expression.over is not None:
        return _window(context, expression, check)
    left, right = (check(context, argument) for argument in expression.arguments)
    if not are_numbers(context, left, right):
        return context.error(expression.span)
    unit = align(context, expression.span, left, right)
    if unit is None:
        return context.error(expression.span)
    node = context.graph.add(expression.function.text, context.node(left, unit), context.node(right, unit))
    low, high = bounds.of_extreme(expression.function.text, bounds_in(left, unit), bounds_in(right, unit))
    return Typed(expression.span, Type.NUMBER, node, unit, low=low, high=high)


def _window(context: CheckContext, expression: syntax.Call, check: Check) -> Typed:
    """`min max avg delta rate ema` over a window."""
    name, operand = expression.function.text, check(context, expression.arguments[0])
    window_ns = context.duration_ns(expression.over) if expression.over else None
    if not are_numbers(context, operand) or window_ns is None:
        return context.error(expression.span)
    node = context.node(operand)
    unit = operand.unit
    low, high = _window_bounds(name, operand)
    if name in ("delta", "rate"):
        unit = temperature_difference(unit) if unit.is_affine else unit
        unit = unit if name == "delta" else combine(unit, SECOND, -1)
    if name == "ema":
        ema = context.graph.add("ema", node, window_ns=window_ns)
        return Typed(expression.span, Type.NUMBER, ema, unit, low=low, high=high)
    capacity = _capacity(context, expression, window_ns, node)
    if capacity is None:
        return context.error(expression.span)
    op = name if name in ("delta", "rate") else f"window_{name}"
    window = context.graph.add(op, node, window_ns=window_ns, capacity=capacity)
    signals = context.signals_of(node)
    if signals and all(context.catalog.signals[signal].update == "on_change" for signal in signals):
        context.report.window_over_changes(expression.span, name, signals[0])
    return Typed(expression.span, Type.NUMBER, window, unit, low=low, high=high)


def _window_bounds(name: str, operand: Typed) -> bounds.Bounds:
    """The bounds of a window: the operand's for `min` and `max`, computed for means and `delta`, none for `rate`."""
    if name == "rate":
        return bounds.UNBOUNDED
    ends = operand.low, operand.high
    if name in ("avg", "ema"):
        return bounds.of_mean(ends)
    return bounds.of_delta(ends) if name == "delta" else ends


def _capacity(context: CheckContext, expression: syntax.Call, window_ns: int, node: int) -> int | None:
    """The entries of a ring: ceil(W * r) + 1, where r is 1.5 times the declared rates plus 10; None after a report."""
    names = context.signals_of(node)
    if not context.demand_rates(expression.span, "a window", names):
        return None
    rates = sum((Fraction(str(context.catalog.signals[name].rate)) for name in names), Fraction(0))
    capacity = ceil(Fraction(window_ns, NS_PER_S) * (rates * 3 / 2 + 10)) + 1
    if capacity > MAX_CAPACITY:
        context.report.too_many(expression.span, "entries", capacity, MAX_CAPACITY, "a window")
        return None
    period_s = context.period_s(node)
    if expression.over is not None and period_s is not None and window_ns < 2 * period_s * NS_PER_S:
        period = shown_time(round(period_s * 1000) * 1_000_000)
        operator = expression.function.text
        context.report.short_window(expression.over.span, shown_time(window_ns), period, operator)
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
    capacity = _capacity(context, expression, delay_ns, node)
    if capacity is None:
        return context.error(expression.span)
    # one entry more than the window: the latest one not later than t - D is before the window
    past = context.graph.add("past", node, delay_ns=delay_ns, capacity=capacity + 1)
    low, high = operand.low, operand.high
    return Typed(expression.span, operand.type, past, operand.unit, values=operand.values, low=low, high=high)


def _edge(context: CheckContext, expression: syntax.Call, check: Check) -> Typed:
    """`rise`, `fall` of a condition; `changed` of anything."""
    name, operand = expression.function.text, check(context, expression.arguments[0])
    if operand.type is Type.ERROR:
        return context.error(expression.span)
    if name != "changed" and not _is_condition(context, operand):
        return context.error(expression.span)
    node = context.graph.add(name, context.node(operand))
    known = facts.of_bool(node)
    if operand.constant is not None:
        known = facts.NEVER_TRUE
        context.report.constant_condition(expression.span, "true")
    elif name != "changed":
        known = facts.edged(name, facts_of(operand))
    return Typed(expression.span, Type.BOOL, node, impulse=name, facts=known)


def _is_condition(context: CheckContext, typed: Typed) -> bool:
    if typed.type in (Type.NUMBER, Type.TEXT):
        context.report.not_a_condition(typed.span, context.what(typed), "compare it with a value")
    return typed.type is Type.BOOL


def _sampled(context: CheckContext, expression: syntax.Call, check: Check) -> Typed:
    """`missing(x)` of anything, `age(x)` of a signal."""
    operand = check(context, expression.arguments[0])
    if operand.type is Type.ERROR:
        return context.error(expression.span)
    if expression.function.text == "missing":
        return Typed(expression.span, Type.BOOL, context.graph.add("missing", context.node(operand)))
    if operand.signal is None:
        context.report.not_a_signal(operand.span, "age")
        return context.error(expression.span)
    return Typed(expression.span, Type.NUMBER, context.graph.add("age", operand.node), SECOND, low=Fraction(0))


def _over_condition(context: CheckContext, expression: syntax.Call, check: Check) -> Typed:
    """`once`, `share`, `count` over conditions, `flicker` over anything."""
    name, operand = expression.function.text, check(context, expression.arguments[0])
    window_ns = context.duration_ns(expression.over) if expression.over else None
    fits = operand.type is not Type.ERROR and (name == "flicker" or _is_condition(context, operand))
    if not fits or window_ns is None:
        return context.error(expression.span)
    node = context.node(operand)
    if name == "once":
        once = context.graph.add("once", node, window_ns=window_ns)
        never = facts_of(operand).true is None
        return Typed(expression.span, Type.BOOL, once, facts=facts.NEVER_TRUE if never else None)
    if name == "share":
        capacity = _capacity(context, expression, window_ns, node)
        if capacity is None:
            return context.error(expression.span)
        share = context.graph.add("share", node, window_ns=window_ns, capacity=capacity)
        return Typed(expression.span, Type.NUMBER, share, RATIO, low=Fraction(0), high=Fraction(1))
    op = "count_impulses" if name == "count" and operand.impulse in _IMPULSES else name
    if name == "count":
        _check_counted(context, expression.arguments[0], shown_time(window_ns))
    count = context.graph.add(op, node, window_ns=window_ns, limit=DEFAULT_COUNT_LIMIT)
    most = Fraction(DEFAULT_COUNT_LIMIT)
    return Typed(expression.span, Type.NUMBER, count, BARE, low=Fraction(0), high=most, is_whole=True)


def _check_counted(context: CheckContext, counted: syntax.Expression, window: str) -> None:
    """Warn about events that are joined with a state: the whole becomes true once, however many events follow."""
    if not isinstance(counted, syntax.Junction) or counted.operator != "and":
        return
    for operand in counted.operands:
        is_call = isinstance(operand, syntax.Call) and operand.function.text in _IMPULSES
        if is_call or isinstance(operand, syntax.Sequence):
            context.report.count_of_conjunction(counted.span, context.subject(operand.span).strip("`"), window)
            return


def _hysteresis(context: CheckContext, expression: syntax.Call, check: Check) -> Typed:
    """`hysteresis(x, on, off)`."""
    x, on, off = (check(context, argument) for argument in expression.arguments)
    if not are_numbers(context, x, on, off):
        return context.error(expression.span)
    thresholds: list[float] = []
    for threshold in (on, off):
        if threshold.constant is None:
            context.report.not_a_constant(threshold.span)
            return context.error(expression.span)
        unit = align(context, expression.span, x, threshold)
        if unit is None:
            return context.error(expression.span)
        try:
            thresholds.append(float(constant_in(threshold, x.unit) or 0))
        except OverflowError:
            context.report.impossible_constant(threshold.span, "is outside the supported range of numbers")
            return context.error(expression.span)
    if thresholds[0] == thresholds[1]:
        context.report.equal_thresholds(expression.span)
        return context.error(expression.span)
    above, domain = thresholds[0] > thresholds[1], facts.between(*bounds_in(x, x.unit))
    node = context.graph.add("hysteresis", context.node(x), on=thresholds[0], off=thresholds[1])
    turns_on = facts.compared(">" if above else "<", node, domain, thresholds[0], whole=x.is_whole)
    known = facts.NEVER_TRUE if turns_on.true is None else None
    return judged(context, Typed(expression.span, Type.BOOL, node, facts=known))


def _place(context: CheckContext, expression: syntax.Call, check: Check) -> Typed:
    """`near` and `inside`, which need the catalog's position."""
    if context.catalog.position is None:
        context.report.no_position(expression.span, expression.function.text)
        return context.error(expression.span)
    if expression.function.text == "inside":
        return inside(context, expression)
    return near(context, expression, *(check(context, argument) for argument in expression.arguments))


_HANDLERS: dict[str, Handler] = {
    **dict.fromkeys(("abs", "sqrt", "wrap"), _simple),
    **dict.fromkeys(("min", "max"), _extreme),
    **dict.fromkeys(("avg", "delta", "rate", "ema"), _window),
    **dict.fromkeys(("rise", "fall", "changed"), _edge),
    **dict.fromkeys(("missing", "age"), _sampled),
    **dict.fromkeys(("once", "share", "count", "flicker"), _over_condition),
    **dict.fromkeys(("disagree", "divergence"), pair),
    **dict.fromkeys(("near", "inside"), _place),
    "past": _past,
    "hysteresis": _hysteresis,
}
