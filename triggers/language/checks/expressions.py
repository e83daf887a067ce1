"""Checks of expressions (names, literals, logic, holds, sequences), which lower them to the intermediate form."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from math import isfinite
from typing import Any

from triggers.language.analysis import facts
from triggers.language.analysis.typed import Type, Typed
from triggers.language.checks.arithmetic import arithmetic, constant_in, negative
from triggers.language.checks.calls.since import caught, measured
from triggers.language.checks.calls.table import call
from triggers.language.checks.calls.travel import every_distance, is_a_distance
from triggers.language.checks.comparisons import MAX_VALUES_SHOWN, compare, facts_of, judged, judged_around
from triggers.language.checks.context import CheckContext, shown_period, shown_time
from triggers.language.checks.every import every
from triggers.language.checks.objects import field, of_objects, unknown_name
from triggers.language.checks.signal_catalog import derived_signal
from triggers.language.checks.sun import is_of_the_sun, of_the_sun
from triggers.language.ir import MAX_ARGUMENTS
from triggers.language.text import syntax
from triggers.language.text.expression_parser import MAX_NESTING
from triggers.language.text.expressions import nodes
from triggers.signals.unit_spellings import meant_unit
from triggers.signals.units import parse_unit
from triggers.times import NS_PER_S


def check(context: CheckContext, expression: syntax.Expression) -> Typed:
    """The type, unit and node of an expression; mistakes go to the reporter."""
    around, context.graph.span = context.graph.span, expression.span
    part = context.begin_part(expression)
    typed = context.end_part(part, _CHECKS[type(expression)](context, expression))
    context.graph.span = around
    return typed


def condition(context: CheckContext, expression: syntax.Expression) -> Typed:
    """Like `check`, for an expression that must be a condition."""
    typed = check(context, expression)
    if typed.type in (Type.NUMBER, Type.TEXT):
        proposal = "compare it with a value, for example with `>` or `==`"
        context.report.not_a_condition(expression.span, context.what(typed), proposal)
        return context.error(expression.span)
    context.conditions[id(expression)] = typed
    return typed


def _name(context: CheckContext, name: syntax.Name, beside: Typed | None = None) -> Typed:
    """A let, a signal or the sun. For an unknown name, `beside` (what it is compared with) suggests what was meant."""
    if is_of_the_sun(context, name.name):
        return of_the_sun(context, name)
    if name.name in context.broken_lets and name.name not in context.lets:
        return context.error(name.span)
    if name.name in context.lets:
        return replace(check_let(context, name), span=name.span)
    if (declared := context.catalog.signals.get(name.name)) is not None:
        if declared.derived is not None:
            return derived_signal(context, name.name, name.span, check)
        return context.signal(name.name, name.span)
    if unknown_name(context, name):
        return context.error(name.span)
    values = beside.values if beside else ()
    lets = [let.name.text for let in context.lets.values() if let.use is None]
    nearest = context.nearest(name.name, [*context.catalog.signals, *lets, *context.catalog.objects], "values")
    if beside and values and (name.name in values or not nearest):
        context.report.text_without_quotes(
            name.span, name.name, context.subject(beside.span), values[:MAX_VALUES_SHOWN]
        )
    elif (unit := _unit_before(context, name)) is not None:
        context.report.power_in_unit(name.span, name.name, unit)
    elif not nearest and _is_unit_apart(context, name):
        context.report.unit_apart(name.span, name.name)
    else:
        context.report.unknown_signal(name.span, name.name, nearest)
    return context.error(name.span)


def _is_unit_apart(context: CheckContext, name: syntax.Name) -> bool:
    """Whether this is the second part of a unit with blanks in it: `20 km / h`."""
    before = context.report.source.text[max(0, name.span.start - 8) : name.span.start].rstrip()
    return before.endswith("/") and parse_unit(name.name) is not None


def _unit_before(context: CheckContext, name: syntax.Name) -> str | None:
    """The unit that was meant if this is the end of one with a power that lacks its `^`: `m/s2`."""
    before = re.search(r"[0-9][ \t]*([A-Za-z]+/)$", context.report.source.text[: name.span.start][-40:])
    if before is None or not re.fullmatch(r"[A-Za-z]+-?[0-9]", name.name):
        return None
    return meant_unit(before[1] + name.name)


def _compared(context: CheckContext, left: syntax.Expression, right: syntax.Expression) -> tuple[Typed, Typed]:
    """Both sides of a comparison; the other side helps to report an unknown name."""
    if _is_unknown(context, left) and not _is_unknown(context, right):
        second, first = _compared(context, right, left)
        return first, second
    first = check(context, left)
    return first, _beside(context, right, first)


def _beside(context: CheckContext, expression: syntax.Expression, other: Typed) -> Typed:
    if not isinstance(expression, syntax.Name):
        return check(context, expression)
    return context.end_part(context.begin_part(expression), _name(context, expression, other))


def _is_unknown(context: CheckContext, expression: syntax.Expression) -> bool:
    return isinstance(expression, syntax.Name) and not (
        expression.name in context.lets
        or expression.name in context.catalog.signals
        or is_of_the_sun(context, expression.name)
    )


def check_let(context: CheckContext, name: syntax.Name) -> Typed:
    """The value of a `let`; each is checked once per program."""
    known = context.known_lets.get(name.name)
    if known is not None:
        return known
    if name.name in context.open_lets:
        circle = context.open_lets[context.open_lets.index(name.name) :]
        context.report.circular_let(name.span, (*circle, name.name))
        return context.error(name.span)
    if len(context.open_lets) >= MAX_NESTING // 4:
        context.report.too_deep_lets(name.span, MAX_NESTING // 4)
        return context.error(name.span)
    context.open_lets.append(name.name)
    around, context.open_form = context.open_form, None
    let = context.lets[name.name]
    if let.use is None:
        typed = check(context, let.value)
    else:
        with context.report.used(let.value.span, let.name.text, let.use):
            typed = check(context, let.value)
    context.open_lets.pop()
    context.open_form = around
    context.known_lets[name.name] = typed
    return typed


def _unary(context: CheckContext, unary: syntax.Unary) -> Typed:
    if unary.operator == "-":
        return negative(context, unary.span, check(context, unary.operand))
    operand = condition(context, unary.operand)
    if operand.type is Type.ERROR:
        return context.error(unary.span)
    if isinstance(operand.constant, bool):
        return Typed(unary.span, Type.BOOL, constant=not operand.constant)
    known = facts.negated(facts_of(operand))
    return Typed(unary.span, Type.BOOL, context.graph.add("not", operand.node), facts=known)


def _binary(context: CheckContext, binary: syntax.Binary) -> Typed:
    left, right = _compared(context, binary.left, binary.right)
    if binary.operator in "+-*/":
        return arithmetic(context, binary.span, binary.operator, left, right)
    return judged(context, compare(context, binary.span, binary.operator, left, right))


def _junction(context: CheckContext, junction: syntax.Junction) -> Typed:
    if _too_many(context, junction, len(junction.operands)):
        return context.error(junction.span)
    operands = [condition(context, operand) for operand in junction.operands]
    if any(operand.type is Type.ERROR for operand in operands):
        return context.error(junction.span)
    decisive = junction.operator == "or"
    if any(operand.constant is decisive for operand in operands):
        context.report.constant_condition(junction.span, "false" if decisive else "true")
    if all(operand.constant is not None for operand in operands):
        values = [bool(operand.constant) for operand in operands]
        return Typed(junction.span, Type.BOOL, constant=any(values) if decisive else all(values))
    return _joined(context, junction, junction.operator, operands)


def _between(context: CheckContext, between: syntax.Between) -> Typed:
    subject, low, high = (check(context, part) for part in between.children())
    above = compare(context, between.span, ">=", subject, low)
    below = compare(context, between.span, "<=", subject, high)
    ends_are_swapped = _is_above(low, high)
    proposal = "write the lower end of a `between` first" if ends_are_swapped else ""
    return _joined(context, between, "and", [above, below], proposal)


def _is_above(low: Typed, high: Typed) -> bool:
    """Whether both are constants and the first is the greater one."""
    end = constant_in(low, high.unit)
    return end is not None and isinstance(high.constant, Fraction) and end > high.constant


def _member(context: CheckContext, member: syntax.Member) -> Typed:
    if member.named is not None:  # expansion has put its items here, unless there is no such set
        context.report.no_set(member.named.span, member.named.text, "", [])
        return context.error(member.span)
    if _too_many(context, member, len(member.items)):
        return context.error(member.span)
    subject = check(context, member.subject)
    equal = [compare(context, item.span, "==", subject, _beside(context, item, subject)) for item in member.items]
    for item in equal:
        if item.facts is not None and item.facts.true is None and len(equal) > 1:
            judged(context, item)
    return (
        _joined(context, member, "or", equal)
        if len(equal) > 1
        else judged(context, replace(equal[0], span=member.span))
    )


def _outside(context: CheckContext, outside: syntax.Outside) -> Typed:
    """`x outside red`, as the comparisons with the limits that the catalog declares."""
    subject = check(context, outside.subject)
    if subject.type is Type.ERROR:
        return context.error(outside.span)
    name = subject.signal or context.signal_named(outside.subject) if subject.type is Type.NUMBER else None
    declared = {} if name is None else context.catalog.signals[name].limits
    if outside.colour not in declared:
        context.report.no_limits(outside.span, context.subject(outside.subject.span), name, outside.colour, [*declared])
        return context.error(outside.span)
    parts = [
        compare(context, outside.span, operator, subject, context.constant(outside.span, Fraction(end), subject.unit))
        for operator, end in zip("<>", declared[outside.colour], strict=True)
        if isfinite(end)
    ]
    return _joined(context, outside, "or", parts) if len(parts) > 1 else judged(context, parts[0])


def _change(context: CheckContext, change: syntax.Change) -> Typed:
    """`changed(x) from a to b`: x == a ends, and x == b begins."""
    call = change.changed
    if not isinstance(call, syntax.Call) or call.function.text != "changed" or len(call.arguments) != 1:
        context.report.wrong_arguments(change.span, "from" if change.before else "to", "changed(x) from a to b")
        return context.error(change.span)
    x = check(context, call.arguments[0])
    edges: list[Typed] = []
    for edge, end in (("fall", change.before), ("rise", change.after)):
        if end is None:
            continue
        value = _beside(context, end, x)
        if value.type is not Type.ERROR and value.constant is None:
            context.report.not_a_constant(end.span)
            return context.error(change.span)
        equal = compare(context, end.span, "==", x, value)
        if equal.type is Type.ERROR:
            return context.error(change.span)
        known = facts.edged(edge, facts_of(equal))
        edges.append(Typed(end.span, Type.BOOL, context.graph.add(edge, context.node(equal)), facts=known))
    known = facts.joined("and", [facts_of(edge) for edge in edges])
    node = context.graph.add("and", *(edge.node for edge in edges)) if len(edges) == 2 else edges[0].node
    return judged(context, Typed(change.span, Type.BOOL, node, impulse="changed", facts=known))


def _too_many(context: CheckContext, whole: syntax.Expression, count: int) -> bool:
    if count > MAX_ARGUMENTS:
        context.report.too_many(whole.span, "operands", count, MAX_ARGUMENTS, "an operator")
    return count > MAX_ARGUMENTS


def _joined(
    context: CheckContext, whole: syntax.Expression, operator: str, parts: list[Typed], proposal: str = ""
) -> Typed:
    """A junction of checked conditions; reported if its parts contradict each other."""
    if any(part.type is Type.ERROR for part in parts):
        return context.error(whole.span)
    known = [facts_of(part) for part in parts]
    node = context.graph.add(operator, *(context.node(part) for part in parts))
    typed = Typed(whole.span, Type.BOOL, node, facts=facts.joined(operator, known))
    parts_are_open = not any(part.decided for part in known)  # otherwise the part itself was reported
    return judged(context, typed, proposal) if parts_are_open or isinstance(whole, syntax.Between) else typed


def _hold(context: CheckContext, hold: syntax.Hold) -> Typed:
    held = condition(context, hold.condition)
    hold_ns = context.duration_ns(hold.duration)
    tolerate_ns = 0 if hold.tolerating is None else context.duration_ns(hold.tolerating)
    if held.type is Type.ERROR or hold_ns is None or tolerate_ns is None:
        return context.error(hold.span)
    node = context.node(held)
    if tolerate_ns > context.catalog.max_gap_ns and hold.tolerating is not None:
        shown = shown_time(tolerate_ns), shown_time(context.catalog.max_gap_ns)
        context.report.tolerance_beyond_gap(hold.tolerating.span, *shown)
    if held.impulse:
        context.report.held_impulse(hold.span, held.impulse)
    period_s = context.period_s(node)
    if period_s is not None and hold_ns < period_s * NS_PER_S:
        report = context.report.short_run if hold.at_most else context.report.short_hold
        report(hold.duration.span, shown_time(hold_ns), shown_period(period_s))
    if hold.at_most:
        return _at_most(context, hold, held, hold_ns, tolerate_ns)
    held_node = context.graph.add("for", node, hold_ns=hold_ns, tolerate_ns=tolerate_ns)
    return Typed(hold.span, Type.BOOL, held_node, facts=facts.Facts(facts_of(held).true, facts.NOTHING_KNOWN))


def _at_most(context: CheckContext, hold: syntax.Hold, held: Typed, most_ns: int, tolerate_ns: int) -> Typed:
    """`P for at most D`, which is true where P, after a rise, is false again."""
    node = context.graph.add("for_at_most", context.node(held), most_ns=most_ns, tolerate_ns=tolerate_ns)
    known = facts.edged("fall", facts_of(held))
    typed = Typed(hold.span, Type.BOOL, node, impulse="for at most", facts=known)
    return judged_around(context, typed, held)


def _since(context: CheckContext, since: syntax.Since) -> Typed:
    lasting, start = condition(context, since.condition), condition(context, since.start)
    within_ns = None if since.within is None else context.duration_ns(since.within)
    if Type.ERROR in (lasting.type, start.type) or (within_ns is None and since.within is not None):
        return context.error(since.span)
    operands = context.node(lasting), context.node(start)
    if within_ns is None:
        node = context.graph.add("since", *operands)
    else:
        node = context.graph.add("since_within", *operands, within_ns=within_ns)
    known = facts.lasting_since(facts_of(lasting), facts_of(start))
    return judged_around(context, Typed(since.span, Type.BOOL, node, facts=known), lasting, start)


def _sequence(context: CheckContext, sequence: syntax.Sequence) -> Typed:
    first, second = condition(context, sequence.first), condition(context, sequence.second)
    within_ns = context.duration_ns(sequence.within)
    after_ns = 0 if sequence.after is None else context.duration_ns(sequence.after)
    if Type.ERROR in (first.type, second.type) or within_ns is None or after_ns is None:
        return context.error(sequence.span)
    if sequence.after is not None and after_ns > within_ns:
        context.report.after_beyond_within(sequence.after.span, shown_time(after_ns), shown_time(within_ns))
        return context.error(sequence.span)
    operands = context.node(first), context.node(second)
    if after_ns:
        node = context.graph.add("then_after", *operands, after_ns=after_ns, within_ns=within_ns)
    else:
        node = context.graph.add(sequence.operator, *operands, within_ns=within_ns)
    known = facts.sequenced(sequence.operator, facts_of(first), facts_of(second))
    if sequence.operator == "then" and _are_states(sequence.first, facts_of(first), facts_of(second)):
        shown = context.subject(sequence.first.span), context.subject(sequence.second.span)
        context.report.then_between_states(sequence.span, *shown, shown_time(within_ns))
    return Typed(sequence.span, Type.BOOL, node, impulse=sequence.operator, facts=known)


def _are_states(first: syntax.Expression, a: facts.Facts, b: facts.Facts) -> bool:
    """Whether A is a state that lasts and excludes B, so that the author may think of a change from A to B."""
    is_state = isinstance(first, syntax.Member) or (isinstance(first, syntax.Binary) and first.operator == "==")
    if not is_state or a.decided or b.decided:
        return False
    return facts.joined("and", (a, b)).true is None


def _every(context: CheckContext, expression: syntax.Every) -> Typed:
    """`every 10 min`, `every 5 km`."""
    if is_a_distance(expression.period):
        return every_distance(context, expression, check)
    return every(context, expression)


def _call(context: CheckContext, expression: syntax.Call) -> Typed:
    return call(context, expression, check)


_CHECKS: dict[type[syntax.Expression], Callable[[CheckContext, Any], Typed]] = {
    syntax.Quantity: lambda context, quantity: context.literal(quantity),
    syntax.Text: lambda _, text: Typed(text.span, Type.TEXT, constant=text.value),
    syntax.Truth: lambda _, truth: Typed(truth.span, Type.BOOL, constant=truth.value),
    syntax.Name: _name,
    syntax.Unary: _unary,
    syntax.Binary: _binary,
    syntax.Junction: _junction,
    syntax.Between: _between,
    syntax.Member: _member,
    syntax.Outside: _outside,
    syntax.Hold: _hold,
    syntax.Sequence: _sequence,
    syntax.Since: _since,
    syntax.Every: _every,
    syntax.Call: _call,
    syntax.Change: _change,
    syntax.At: lambda context, at: caught(context, at, check),
    syntax.Measured: lambda context, since: measured(context, since, check),
    nodes.Field: field,
    nodes.OfObjects: lambda context, form: of_objects(context, form, check),
}
