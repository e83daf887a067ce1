"""Checks of signals that are sampled at different times: `disagree`, `divergence`, and the heads of `compare`."""

from __future__ import annotations

from fractions import Fraction

from triggers.contracts.campaign import MAX_EVENT_WINDOW_NS
from triggers.contracts.compared import Sides
from triggers.language.analysis.typed import Type, Typed
from triggers.language.checks.arithmetic import align, are_numbers, same_values, temperature_difference
from triggers.language.checks.calls.handlers import Check, Forms, Handler
from triggers.language.checks.context import CheckContext
from triggers.language.ir import MAX_TIME_NS, CompareCode, EventCode
from triggers.language.text import syntax
from triggers.language.text.diagnostics import Span

FORMS: Forms = {
    "disagree": ("disagree(a, b)", "disagree(head.field)", "disagree(a, b within 50 ms)"),
    "divergence": ("divergence(a, b)", "divergence(head.field)", "divergence(a, b within 50 ms)"),
}


def _pair(context: CheckContext, expression: syntax.Call, check: Check) -> Typed:
    """`disagree` and `divergence`, of a head or of two signals."""
    name, span = expression.function.text, expression.span
    signals = _pair_signals(context, expression, check)
    if signals is None:
        return context.error(span)
    a, b = signals
    if a.type is not b.type:
        context.report.not_comparable(span, context.what(a), context.what(b))
        return context.error(span)
    timing = _pair_timing(context, expression, a, b)
    if timing is None:
        return context.error(span)
    if name == "disagree":
        if a.type is Type.NUMBER:
            context.report.wrong_arguments(span, name, "divergence(a, b) > ...")
            return context.error(span)
        other = same_values(context, a, b) if a.type is Type.TEXT else b.node
        return Typed(span, Type.BOOL, context.graph.add(name, a.node, other, skew_ns=timing[0], stale_ns=timing[1]))
    if not are_numbers(context, a, b) or align(context, span, a, b) is None:
        return context.error(span)
    unit = temperature_difference(a.unit) if a.unit.is_affine else a.unit
    node = context.graph.add(name, a.node, context.node(b, a.unit), skew_ns=timing[0], stale_ns=timing[1])
    return Typed(span, Type.NUMBER, node, unit, low=Fraction(0))


def _pair_signals(context: CheckContext, expression: syntax.Call, check: Check) -> tuple[Typed, Typed] | None:
    arguments = expression.arguments
    if len(arguments) == 1:
        head = arguments[0]
        if not isinstance(head, syntax.Name) or head.name not in context.catalog.heads:
            name = head.name if isinstance(head, syntax.Name) else context.subject(head.span).strip("`")
            context.report.unknown_head(head.span, name, context.nearest(name, context.catalog.heads, "heads"))
            return None
        return _head_signals(context, head.name, head.span)
    a, b = (check(context, argument) for argument in arguments)
    for operand, argument in ((a, arguments[0]), (b, arguments[1])):
        if operand.type is not Type.ERROR and operand.signal is None:
            context.refuse_unsampled(operand, argument, expression.function.text)
            return None
    return None if Type.ERROR in (a.type, b.type) else (a, b)


def _pair_timing(context: CheckContext, expression: syntax.Call, a: Typed, b: Typed) -> tuple[int, int] | None:
    """Skew and staleness of a pair in ns: half the longer period (or as given), and the longer `max_age`."""
    if expression.within is not None:
        skew_ns = context.duration_ns(expression.within)
    else:
        skew_ns = _default_skew_ns(context, expression.span, a, b)
    ages = [context.catalog.signals[typed.signal or ""].max_age_ns for typed in (a, b)]
    stale_ns = max(MAX_TIME_NS if age is None else age for age in ages)
    return None if skew_ns is None else (skew_ns, stale_ns)


def _head_signals(context: CheckContext, head: str, span: Span) -> tuple[Typed, Typed]:
    return context.signal(f"active.{head}", span), context.signal(f"shadow.{head}", span)


def _default_skew_ns(context: CheckContext, span: Span, *pair: Typed) -> int | None:
    """Half the longer period of two signals; None after reporting one without a declared rate."""
    names = [typed.signal or "" for typed in pair]
    rates = [context.rate_of(name) for name in names]
    if not context.demand_rates(span, "a pair", names):
        return None
    return max(1, round(500_000_000 / min(Fraction(str(rate)) for rate in rates)))


def compared_head(context: CheckContext, head: syntax.Word) -> CompareCode | None:
    """One head of a campaign's `compare`; None after reporting that it is not a head or not of type bool."""
    signals = _bool_head(context, head)
    if signals is None:
        return None
    skew_ns = _default_skew_ns(context, head.span, *signals)
    return None if skew_ns is None else CompareCode(head.text, signals[0].node, signals[1].node, skew_ns)


def compared_events(context: CheckContext, compared: syntax.ComparedEvents) -> list[EventCode]:
    """The sides of a head whose events a campaign compares; none after reporting a mistake.

    No rate is needed: what waits for a partner is bounded by its number (`triggers.compared_events.matcher`).
    """
    head = compared.head
    within_ns = context.duration_ns(compared.within, high_ns=MAX_EVENT_WINDOW_NS)
    signals = _bool_head(context, head)
    driver = None if compared.driver is None else _driver(context, head, compared.driver)
    if within_ns is None or signals is None or (compared.driver is not None and driver is None):
        return []
    active, shadow = (signal.node for signal in signals)
    codes = [EventCode(head.text, Sides.ACTIVE_SHADOW, active, shadow, within_ns)]
    if driver is not None:
        codes.append(EventCode(head.text, Sides.ACTIVE_DRIVER, active, driver.node, within_ns, driver.signal))
        codes.append(EventCode(head.text, Sides.SHADOW_DRIVER, shadow, driver.node, within_ns, driver.signal))
    return codes


def _bool_head(context: CheckContext, head: syntax.Word) -> tuple[Typed, Typed] | None:
    if head.text not in context.catalog.heads:
        context.report.unknown_head(head.span, head.text, context.nearest(head.text, context.catalog.heads, "heads"))
        return None
    signals = _head_signals(context, head.text, head.span)
    for side in signals:
        if side.type is not Type.BOOL:
            context.report.not_a_condition(head.span, context.what(side), "only heads of type bool are counted")
            return None
    return signals


def _driver(context: CheckContext, head: syntax.Word, name: syntax.Word) -> Typed | None:
    """The driver's signal; None after reporting that it is none, not of type bool, or one of the head's own."""
    if name.text not in context.catalog.signals:
        nearest = context.nearest(name.text, context.catalog.signals, "signals")
        context.report.unknown_signal(name.span, name.text, nearest)
        return None
    if name.text in (f"active.{head.text}", f"shadow.{head.text}"):
        context.report.given_twice(name.span, f"the signal `{name.text}`")
        return None
    if context.catalog.signals[name.text].derived is not None:
        context.report.not_a_signal(name.span, "events", [], is_derived=True)
        return None
    signal = context.signal(name.text, name.span)
    if signal.type is not Type.BOOL:
        context.report.not_a_condition(name.span, context.what(signal), "only signals of type bool rise")
        return None
    return signal


HANDLERS: dict[str, Handler] = dict.fromkeys(FORMS, _pair)
