"""Checks of operators that remember conditions or samples: edges, counts over windows, hysteresis, silence."""

from __future__ import annotations

from fractions import Fraction

from triggers.language.analysis import facts
from triggers.language.analysis.bounds import bounds_in
from triggers.language.analysis.typed import Type, Typed
from triggers.language.checks.arithmetic import align, are_numbers, constant_in
from triggers.language.checks.calls.handlers import Check, Forms, Handler, is_condition
from triggers.language.checks.calls.windows import capacity_of
from triggers.language.checks.comparisons import DEFAULT_COUNT_LIMIT, facts_of, judged, judged_around
from triggers.language.checks.context import CheckContext, shown_time
from triggers.language.text import syntax
from triggers.signals.units import BARE, RATIO, SECOND

FORMS: Forms = {
    "rise": ("rise(P)",),
    "fall": ("fall(P)",),
    "changed": ("changed(x)", "changed(x) from a to b"),
    "missing": ("missing(x)",),
    "age": ("age(x)",),
    "once": ("once(P over 2 s)",),
    "share": ("share(P over 10 s)",),
    "count": ("count(P over 10 s)",),
    "flicker": ("flicker(x over 2 s)",),
    "hysteresis": ("hysteresis(x, on, off)",),
    "latch": ("latch(set, reset)",),
}
IMPULSES = ("rise", "fall", "changed", "then", "without", "for at most", "every")
"""Operators that are true at single ticks, each of which counts."""


def _edge(context: CheckContext, expression: syntax.Call, check: Check) -> Typed:
    """`rise`, `fall` of a condition; `changed` of anything."""
    name, operand = expression.function.text, check(context, expression.arguments[0])
    if operand.type is Type.ERROR:
        return context.error(expression.span)
    if name != "changed" and not is_condition(context, operand):
        return context.error(expression.span)
    node = context.graph.add(name, context.node(operand))
    known = facts.of_bool(node)
    if operand.constant is not None:
        known = facts.NEVER_TRUE
        context.report.constant_condition(expression.span, "true")
    elif name != "changed":
        known = facts.edged(name, facts_of(operand))
    return Typed(expression.span, Type.BOOL, node, impulse=name, facts=known)


def _sampled(context: CheckContext, expression: syntax.Call, check: Check) -> Typed:
    """`missing(x)` of anything, `age(x)` of a signal."""
    operand = check(context, expression.arguments[0])
    if operand.type is Type.ERROR:
        return context.error(expression.span)
    if expression.function.text == "missing":
        return Typed(expression.span, Type.BOOL, context.graph.add("missing", context.node(operand)))
    if operand.signal is None:
        context.refuse_unsampled(operand, expression.arguments[0], "age")
        return context.error(expression.span)
    return Typed(expression.span, Type.NUMBER, context.graph.add("age", operand.node), SECOND, low=Fraction(0))


def _over_condition(context: CheckContext, expression: syntax.Call, check: Check) -> Typed:
    """`once`, `share`, `count` over conditions, `flicker` over anything."""
    name, operand = expression.function.text, check(context, expression.arguments[0])
    window_ns = context.duration_ns(expression.over) if expression.over else None
    fits = operand.type is not Type.ERROR and (name == "flicker" or is_condition(context, operand))
    if not fits or window_ns is None:
        return context.error(expression.span)
    node = context.node(operand)
    if name == "once":
        once = context.graph.add("once", node, window_ns=window_ns)
        never = facts_of(operand).true is None
        return Typed(expression.span, Type.BOOL, once, facts=facts.NEVER_TRUE if never else None)
    if name == "share":
        capacity = capacity_of(context, expression, window_ns, node)
        if capacity is None:
            return context.error(expression.span)
        share = context.graph.add("share", node, window_ns=window_ns, capacity=capacity)
        return Typed(expression.span, Type.NUMBER, share, RATIO, low=Fraction(0), high=Fraction(1))
    op = "count_impulses" if name == "count" and operand.impulse in IMPULSES else name
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
        is_call = isinstance(operand, syntax.Call) and operand.function.text in IMPULSES
        if is_call or _is_impulse(operand):
            context.report.count_of_conjunction(counted.span, context.subject(operand.span).strip("`"), window)
            return


def _is_impulse(operand: syntax.Expression) -> bool:
    is_run = isinstance(operand, syntax.Hold) and operand.at_most
    return is_run or isinstance(operand, syntax.Sequence | syntax.Every | syntax.Change)


def _latch(context: CheckContext, expression: syntax.Call, check: Check) -> Typed:
    """`latch(set, reset)`."""
    turns_on, turns_off = (check(context, argument) for argument in expression.arguments)
    are_conditions = [is_condition(context, operand) for operand in (turns_on, turns_off)]
    if not all(are_conditions):
        return context.error(expression.span)
    node = context.graph.add("latch", context.node(turns_on), context.node(turns_off))
    known = facts.latched(facts_of(turns_on), facts_of(turns_off))
    return judged_around(context, Typed(expression.span, Type.BOOL, node, facts=known), turns_on, turns_off)


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


HANDLERS: dict[str, Handler] = {
    **dict.fromkeys(("rise", "fall", "changed"), _edge),
    **dict.fromkeys(("missing", "age"), _sampled),
    **dict.fromkeys(("once", "share", "count", "flicker"), _over_condition),
    "hysteresis": _hysteresis,
    "latch": _latch,
}
