"""Checking of what looks at two signals sampled apart: `disagree`, `divergence`, and a campaign's `compare`."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

from triggers.language.checks.arithmetic import align, are_numbers, same_values, temperature_difference
from triggers.language.checks.scope import Scope, Type, Typed
from triggers.language.ir import MAX_TIME_NS, CompareCode
from triggers.language.text import syntax
from triggers.language.text.diagnostics import Span

Check = Callable[[Scope, syntax.Expression], Typed]


def pair(scope: Scope, expression: syntax.Call, check: Check) -> Typed:
    """`disagree` and `divergence`, of a head or of two signals."""
    name, span = expression.function.text, expression.span
    signals = _pair_signals(scope, expression, check)
    if signals is None:
        return scope.error(span)
    a, b = signals
    if a.type is not b.type:
        scope.report.not_comparable(span, scope.what(a), scope.what(b))
        return scope.error(span)
    timing = _pair_timing(scope, expression, a, b)
    if timing is None:
        return scope.error(span)
    if name == "disagree":
        if a.type is Type.NUMBER:
            scope.report.wrong_arguments(span, name, "divergence(a, b) > ...")
            return scope.error(span)
        other = same_values(scope, a, b) if a.type is Type.TEXT else b.node
        return Typed(span, Type.BOOL, scope.graph.add(name, a.node, other, skew_ns=timing[0], stale_ns=timing[1]))
    if not are_numbers(scope, a, b) or align(scope, span, a, b) is None:
        return scope.error(span)
    unit = temperature_difference(a.unit) if a.unit.is_affine else a.unit
    node = scope.graph.add(name, a.node, scope.node(b, a.unit), skew_ns=timing[0], stale_ns=timing[1])
    return Typed(span, Type.NUMBER, node, unit, low=Fraction(0))


def _pair_signals(scope: Scope, expression: syntax.Call, check: Check) -> tuple[Typed, Typed] | None:
    arguments = expression.arguments
    if len(arguments) == 1:
        head = arguments[0]
        if not isinstance(head, syntax.Name) or head.name not in scope.catalog.heads:
            name = head.name if isinstance(head, syntax.Name) else scope.subject(head.span).strip("`")
            scope.report.unknown_head(head.span, name, scope.nearest(name, scope.catalog.heads))
            return None
        return _head_signals(scope, head.name, head.span)
    a, b = (check(scope, argument) for argument in arguments)
    for operand in (a, b):
        if operand.type is not Type.ERROR and operand.signal is None:
            scope.report.not_a_signal(operand.span, expression.function.text)
            return None
    return None if Type.ERROR in (a.type, b.type) else (a, b)


def _pair_timing(scope: Scope, expression: syntax.Call, a: Typed, b: Typed) -> tuple[int, int] | None:
    """Skew and staleness of a pair in ns: half the longer period, or as given; the longer `max_age`."""
    if expression.within is not None:
        skew_ns = scope.duration_ns(expression.within)
    else:
        skew_ns = _default_skew_ns(scope, expression.span, a, b)
    ages = [scope.catalog.signals[typed.signal or ""].max_age_ns for typed in (a, b)]
    stale_ns = max(MAX_TIME_NS if age is None else age for age in ages)
    return None if skew_ns is None else (skew_ns, stale_ns)


def _head_signals(scope: Scope, head: str, span: Span) -> tuple[Typed, Typed]:
    return scope.signal(f"active.{head}", span), scope.signal(f"shadow.{head}", span)


def _default_skew_ns(scope: Scope, span: Span, *pair: Typed) -> int | None:
    """Half the longer period of two signals; None after reporting one without a declared rate."""
    names = [typed.signal or "" for typed in pair]
    rates = [scope.catalog.signals[name].rate for name in names]
    missing = [name for name, rate in zip(names, rates, strict=True) if rate is None]
    if missing:
        scope.report.needs_rate(span, "a pair", missing)
        return None
    return max(1, round(500_000_000 / min(Fraction(str(rate)) for rate in rates)))


def compared_head(scope: Scope, head: syntax.Word) -> CompareCode | None:
    """One head of a campaign's `compare`; None after reporting that it is no head, or not one of type bool."""
    if head.text not in scope.catalog.heads:
        scope.report.unknown_head(head.span, head.text, scope.nearest(head.text, scope.catalog.heads))
        return None
    active, shadow = _head_signals(scope, head.text, head.span)
    for side in (active, shadow):
        if side.type is not Type.BOOL:
            scope.report.not_a_condition(head.span, scope.what(side), "only heads of type bool are counted")
            return None
    skew_ns = _default_skew_ns(scope, head.span, active, shadow)
    return None if skew_ns is None else CompareCode(head.text, active.node, shadow.node, skew_ns)
