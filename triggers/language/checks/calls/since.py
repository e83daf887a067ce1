"""Checks of what is looked at from the latest rise of a condition on: `f(x since A)`, `x at A`, `time since A`."""

from __future__ import annotations

from fractions import Fraction

from triggers.language.analysis.bounds import UNBOUNDED, Bounds
from triggers.language.analysis.typed import Type, Typed
from triggers.language.checks.arithmetic import are_numbers
from triggers.language.checks.calls.conditions import IMPULSES
from triggers.language.checks.calls.handlers import Check, Forms, Handler, is_condition
from triggers.language.checks.calls.travel import travelled
from triggers.language.checks.comparisons import facts_of
from triggers.language.checks.context import CheckContext
from triggers.language.text import syntax
from triggers.signals.units import BARE, SECOND

FORMS: Forms = {
    "min": ("min(x since A)",),
    "max": ("max(x since A)",),
    "sum": ("sum(x since A)",),
    "count": ("count(P since A)",),
}


def _event(context: CheckContext, expression: syntax.Expression, check: Check) -> int | None:
    """The node of the condition whose rises count; None after reporting that it is none, or never rises."""
    event = check(context, expression)
    if event.type is Type.ERROR or not is_condition(context, event):
        return None
    known = facts_of(event)
    if event.constant is not None or known.decided:
        context.report.never_rises(event.span, context.subject(event.span))
    return context.node(event)


def _number(context: CheckContext, expression: syntax.Call, check: Check) -> Typed:
    """`min`, `max` and `sum` of a number."""
    name, operand = expression.function.text, check(context, expression.arguments[0])
    event = _event_of(context, expression, check)
    if not are_numbers(context, operand) or event is None:
        return context.error(expression.span)
    if name == "sum" and operand.unit.is_affine:
        context.report.affine_arithmetic(expression.span, operand.unit.symbol)
        return context.error(expression.span)
    low, high = _bounds_of_sum(operand) if name == "sum" else (operand.low, operand.high)
    node = context.graph.add(f"since_{name}", context.node(operand), event)
    return Typed(expression.span, Type.NUMBER, node, operand.unit, low=low, high=high)


def _bounds_of_sum(operand: Typed) -> Bounds:
    """A sum of numbers without a negative one is not negative, and the other way round."""
    if operand.low is not None and operand.low >= 0:
        return Fraction(0), None
    return (None, Fraction(0)) if operand.high is not None and operand.high <= 0 else UNBOUNDED


def _count(context: CheckContext, expression: syntax.Call, check: Check) -> Typed:
    """`count` of a condition's rises; no event is stored, so that it does not saturate."""
    operand = check(context, expression.arguments[0])
    event = _event_of(context, expression, check)
    if operand.type is Type.ERROR or not is_condition(context, operand) or event is None:
        return context.error(expression.span)
    op = "since_count_impulses" if operand.impulse in IMPULSES else "since_count"
    node = context.graph.add(op, context.node(operand), event)
    return Typed(expression.span, Type.NUMBER, node, BARE, low=Fraction(0), is_whole=True)


def _event_of(context: CheckContext, expression: syntax.Call, check: Check) -> int | None:
    if expression.since is None:
        raise AssertionError("checked by the caller")
    return _event(context, expression.since, check)


def caught(context: CheckContext, at: syntax.At, check: Check) -> Typed:
    """`x at A`, of the type of x."""
    subject = check(context, at.subject)
    event = _event(context, at.event, check)
    if subject.type is Type.ERROR or event is None:
        return context.error(at.span)
    if isinstance(subject.constant, str):
        context.report.text_alone(subject.span)
        return context.error(at.span)
    node = context.graph.add("at", context.node(subject), event)
    low, high, is_whole = subject.low, subject.high, subject.is_whole
    return Typed(
        at.span, subject.type, node, subject.unit, values=subject.values, low=low, high=high, is_whole=is_whole
    )


def measured(context: CheckContext, expression: syntax.Measured, check: Check) -> Typed:
    """`time since A`, `distance since A`, `distance over W`."""
    event = None if expression.event is None else _event(context, expression.event, check)
    if expression.event is not None and event is None:
        return context.error(expression.span)
    if expression.measure.text == "distance":
        return travelled(context, expression, event, check)
    if event is None:
        raise AssertionError("the parser gives a time an event")
    return Typed(expression.span, Type.NUMBER, context.graph.add("time_since", event), SECOND, low=Fraction(0))


HANDLERS: dict[str, Handler] = {**dict.fromkeys(("min", "max", "sum"), _number), "count": _count}
