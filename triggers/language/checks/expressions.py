"""Checking of expressions: names, literals, logic, holds and sequences, lowered to the intermediate form."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from typing import Any

from triggers.language.checks import facts
from triggers.language.checks.arithmetic import arithmetic, constant_in, negative
from triggers.language.checks.comparisons import MAX_VALUES_SHOWN, compare, facts_of, judged
from triggers.language.checks.functions import call
from triggers.language.checks.scope import Scope, Type, Typed, shown_time
from triggers.language.ir import MAX_ARGUMENTS
from triggers.language.text import syntax
from triggers.language.text.expression_parser import MAX_NESTING
from triggers.signals.units import parse_unit


def check(scope: Scope, expression: syntax.Expression) -> Typed:
    """The type, unit and node of an expression; mistakes go to the reporter."""
    around, scope.graph.span = scope.graph.span, expression.span
    typed = _CHECKS[type(expression)](scope, expression)
    scope.graph.span = around
    return typed


def condition(scope: Scope, expression: syntax.Expression) -> Typed:
    """As `check`, for an expression that must be a condition."""
    typed = check(scope, expression)
    if typed.type in (Type.NUMBER, Type.TEXT):
        proposal = "compare it with a value, for example with `>` or `==`"
        scope.report.not_a_condition(expression.span, scope.what(typed), proposal)
        return scope.error(expression.span)
    return typed


def _name(scope: Scope, name: syntax.Name, beside: Typed | None = None) -> Typed:
    """A let or a signal; where neither, `beside` is what it is compared with and tells what was meant."""
    if name.name in scope.broken_lets and name.name not in scope.lets:
        return scope.error(name.span)
    if name.name in scope.lets:
        return replace(check_let(scope, name), span=name.span)
    if name.name in scope.catalog.signals:
        return scope.signal(name.name, name.span)
    values = beside.values if beside else ()
    nearest = scope.nearest(name.name, [*scope.catalog.signals, *scope.lets])
    if beside and values and (name.name in values or not nearest):
        scope.report.text_without_quotes(name.span, name.name, scope.subject(beside.span), values[:MAX_VALUES_SHOWN])
    elif not nearest and _is_unit_apart(scope, name):
        scope.report.unit_apart(name.span, name.name)
    else:
        scope.report.unknown_signal(name.span, name.name, nearest)
    return scope.error(name.span)


def _is_unit_apart(scope: Scope, name: syntax.Name) -> bool:
    """Whether this is the second part of a unit with blanks in it: `20 km / h`."""
    before = scope.report.source.text[max(0, name.span.start - 8) : name.span.start].rstrip()
    return before.endswith("/") and parse_unit(name.name) is not None


def _compared(scope: Scope, left: syntax.Expression, right: syntax.Expression) -> tuple[Typed, Typed]:
    """Both sides of a comparison; a name that means nothing is judged by the other side."""
    if _is_unknown(scope, left) and not _is_unknown(scope, right):
        second, first = _compared(scope, right, left)
        return first, second
    first = check(scope, left)
    return first, _beside(scope, right, first)


def _beside(scope: Scope, expression: syntax.Expression, other: Typed) -> Typed:
    return _name(scope, expression, other) if isinstance(expression, syntax.Name) else check(scope, expression)


def _is_unknown(scope: Scope, expression: syntax.Expression) -> bool:
    return isinstance(expression, syntax.Name) and not (
        expression.name in scope.lets or expression.name in scope.catalog.signals
    )


def check_let(scope: Scope, name: syntax.Name) -> Typed:
    """What a `let` stands for; each is checked once for a program."""
    known = scope.known_lets.get(name.name)
    if known is not None:
        return known
    if name.name in scope.open_lets:
        scope.report.circular_let(name.span, name.name)
        return scope.error(name.span)
    if len(scope.open_lets) >= MAX_NESTING // 4:
        scope.report.too_deep_lets(name.span, MAX_NESTING // 4)
        return scope.error(name.span)
    scope.open_lets.append(name.name)
    typed = check(scope, scope.lets[name.name].value)
    scope.open_lets.pop()
    scope.known_lets[name.name] = typed
    return typed


def _unary(scope: Scope, unary: syntax.Unary) -> Typed:
    if unary.operator == "-":
        return negative(scope, unary.span, check(scope, unary.operand))
    operand = condition(scope, unary.operand)
    if operand.type is Type.ERROR:
        return scope.error(unary.span)
    if isinstance(operand.constant, bool):
        return Typed(unary.span, Type.BOOL, constant=not operand.constant)
    known = facts.negated(facts_of(operand))
    return Typed(unary.span, Type.BOOL, scope.graph.add("not", operand.node), facts=known)


def _binary(scope: Scope, binary: syntax.Binary) -> Typed:
    left, right = _compared(scope, binary.left, binary.right)
    if binary.operator in "+-*/":
        return arithmetic(scope, binary.span, binary.operator, left, right)
    return judged(scope, compare(scope, binary.span, binary.operator, left, right))


def _junction(scope: Scope, junction: syntax.Junction) -> Typed:
    if _too_many(scope, junction, len(junction.operands)):
        return scope.error(junction.span)
    operands = [condition(scope, operand) for operand in junction.operands]
    if any(operand.type is Type.ERROR for operand in operands):
        return scope.error(junction.span)
    decisive = junction.operator == "or"
    if any(operand.constant is decisive for operand in operands):
        scope.report.constant_condition(junction.span, "false" if decisive else "true")
    if all(operand.constant is not None for operand in operands):
        values = [bool(operand.constant) for operand in operands]
        return Typed(junction.span, Type.BOOL, constant=any(values) if decisive else all(values))
    return _joined(scope, junction, junction.operator, operands)


def _between(scope: Scope, between: syntax.Between) -> Typed:
    subject, low, high = (check(scope, part) for part in between.children())
    above = compare(scope, between.span, ">=", subject, low)
    below = compare(scope, between.span, "<=", subject, high)
    ends_are_swapped = _is_above(low, high)
    proposal = "the lower end of a `between` stands first" if ends_are_swapped else ""
    return _joined(scope, between, "and", [above, below], proposal)


def _is_above(low: Typed, high: Typed) -> bool:
    """Whether the first of two constants is the greater one."""
    end = constant_in(low, high.unit)
    return end is not None and isinstance(high.constant, Fraction) and end > high.constant


def _member(scope: Scope, member: syntax.Member) -> Typed:
    if _too_many(scope, member, len(member.items)):
        return scope.error(member.span)
    subject = check(scope, member.subject)
    equal = [compare(scope, item.span, "==", subject, _beside(scope, item, subject)) for item in member.items]
    for item in equal:
        if item.facts is not None and item.facts.true is None and len(equal) > 1:
            judged(scope, item)
    return _joined(scope, member, "or", equal) if len(equal) > 1 else judged(scope, replace(equal[0], span=member.span))


def _too_many(scope: Scope, whole: syntax.Expression, count: int) -> bool:
    if count > MAX_ARGUMENTS:
        scope.report.too_many(whole.span, "operands", count, MAX_ARGUMENTS, "an operator")
    return count > MAX_ARGUMENTS


def _joined(scope: Scope, whole: syntax.Expression, operator: str, parts: list[Typed], proposal: str = "") -> Typed:
    """A junction of checked conditions; one whose parts contradict each other is reported."""
    if any(part.type is Type.ERROR for part in parts):
        return scope.error(whole.span)
    known = [facts_of(part) for part in parts]
    node = scope.graph.add(operator, *(scope.node(part) for part in parts))
    typed = Typed(whole.span, Type.BOOL, node, facts=facts.joined(operator, known))
    parts_are_open = not any(each.decided for each in known)  # else the part was reported
    return judged(scope, typed, proposal) if parts_are_open or isinstance(whole, syntax.Between) else typed


def _hold(scope: Scope, hold: syntax.Hold) -> Typed:
    held = condition(scope, hold.condition)
    hold_ns = scope.duration_ns(hold.duration)
    tolerate_ns = 0 if hold.tolerating is None else scope.duration_ns(hold.tolerating)
    if held.type is Type.ERROR or hold_ns is None or tolerate_ns is None:
        return scope.error(hold.span)
    node = scope.node(held)
    if held.impulse:
        scope.report.held_impulse(hold.span, held.impulse)
    period_s = scope.period_s(node)
    if period_s is not None and hold_ns < period_s * 1_000_000_000:
        period = shown_time(round(period_s * 1000) * 1_000_000)
        scope.report.short_hold(hold.duration.span, shown_time(hold_ns), period)
    held_node = scope.graph.add("for", node, hold_ns=hold_ns, tolerate_ns=tolerate_ns)
    return Typed(hold.span, Type.BOOL, held_node, facts=facts.Facts(facts_of(held).true, facts.NOTHING_KNOWN))


def _sequence(scope: Scope, sequence: syntax.Sequence) -> Typed:
    first, second = condition(scope, sequence.first), condition(scope, sequence.second)
    within_ns = scope.duration_ns(sequence.within)
    if Type.ERROR in (first.type, second.type) or within_ns is None:
        return scope.error(sequence.span)
    node = scope.graph.add(sequence.operator, scope.node(first), scope.node(second), within_ns=within_ns)
    known = facts.sequenced(sequence.operator, facts_of(first), facts_of(second))
    return Typed(sequence.span, Type.BOOL, node, impulse=sequence.operator, facts=known)


def _call(scope: Scope, expression: syntax.Call) -> Typed:
    return call(scope, expression, check)


_CHECKS: dict[type[syntax.Expression], Callable[[Scope, Any], Typed]] = {
    syntax.Quantity: lambda scope, quantity: scope.quantity(quantity),
    syntax.Text: lambda _, text: Typed(text.span, Type.TEXT, constant=text.value),
    syntax.Truth: lambda _, truth: Typed(truth.span, Type.BOOL, constant=truth.value),
    syntax.Name: _name,
    syntax.Unary: _unary,
    syntax.Binary: _binary,
    syntax.Junction: _junction,
    syntax.Between: _between,
    syntax.Member: _member,
    syntax.Hold: _hold,
    syntax.Sequence: _sequence,
    syntax.Call: _call,
}
