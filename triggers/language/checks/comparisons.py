"""Checks of comparisons: types, units, text values, counts, and what is known about the result without data."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from fractions import Fraction
from math import floor

from triggers.language.analysis import facts
from triggers.language.analysis.bounds import Bounds, bounds_in, negative, of_sum
from triggers.language.analysis.facts import Facts
from triggers.language.analysis.typed import Type, Typed
from triggers.language.checks.arithmetic import align, constant_in, same_values
from triggers.language.checks.context import CheckContext
from triggers.language.ir import OPERATIONS
from triggers.language.text.diagnostics import Span
from triggers.language.text.mistakes.collector import quoted
from triggers.signals.units import Unit

MAX_COUNT_LIMIT = 100_000
"""The largest constant that a count may be compared with, since each event within the window is stored."""
DEFAULT_COUNT_LIMIT = 1000
"""A count saturates at this number unless it is compared with a constant."""
MAX_VALUES_SHOWN = 12
_MAX_NODES_SEARCHED = 100
_MAX_BITS_LISTED = 5
"""Of a mask with more bits only the least and the greatest value are known."""
OPERATIONS_OF = {"<": "lt", "<=": "le", ">": "gt", ">=": "ge", "==": "eq", "!=": "ne"}
_EXACT: dict[str, Callable[[Fraction, Fraction], bool]] = {
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
    "==": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
}


def compare(context: CheckContext, span: Span, operator: str, left: Typed, right: Typed) -> Typed:
    """`left operator right` for the six comparisons; the caller decides what to report about the facts."""
    if Type.ERROR in (left.type, right.type):
        return context.error(span)
    if left.type is not right.type:
        _report_types(context, span, left, right)
        return context.error(span)
    if left.type is Type.NUMBER:
        return _compare_numbers(context, span, operator, left, right)
    if operator not in ("==", "!="):
        context.report.text_order(span, operator)
        return context.error(span)
    if left.type is Type.BOOL:
        return _compare_bools(context, span, operator, left, right)
    return _compare_texts(context, span, operator, left, right)


def judged(context: CheckContext, typed: Typed, proposal: str = "") -> Typed:
    """Report a condition that can never be true (with `proposal`) or never be false."""
    if typed.facts is not None and typed.facts.true is None:
        if not proposal and _reads_a_count(context, typed.node):
            proposal = f"in arithmetic a count stops at {DEFAULT_COUNT_LIMIT}; compare the count itself with a constant"
        context.report.constant_condition(typed.span, "true", proposal)
    elif typed.facts is not None and typed.facts.false is None:
        context.report.constant_condition(typed.span, "false")
    return typed


def judged_around(context: CheckContext, typed: Typed, *operands: Typed) -> Typed:
    """As `judged`, unless an operand is the reason, which was reported itself; literal constants were not."""
    is_reported = any(facts_of(operand).decided and operand.constant is None for operand in operands)
    return typed if is_reported else judged(context, typed)


def _reads_a_count(context: CheckContext, node: int) -> bool:
    """Whether a comparison computes with a count that stops where a count in arithmetic does."""
    nodes, waiting = context.graph.nodes, [node] if node >= 0 else []
    for _ in range(_MAX_NODES_SEARCHED):
        if not waiting:
            break
        found = nodes[waiting.pop()]
        if "limit" in OPERATIONS[found.op].parameters:
            return found.integer("limit") == DEFAULT_COUNT_LIMIT
        waiting += found.arguments
    return False


def facts_of(typed: Typed) -> Facts:
    """What is known about a condition."""
    if isinstance(typed.constant, bool):
        return facts.of_constant(typed.constant)
    return typed.facts if typed.facts is not None else facts.of_bool(typed.node)


def _report_types(context: CheckContext, span: Span, left: Typed, right: Typed) -> None:
    """Report LT313, proposing what the signal among the two (or else the left side) can be compared with."""
    chosen = right if right.signal and not left.signal else left
    name = f"`{chosen.signal}`" if chosen.signal else context.subject(chosen.span)
    proposal = f"compare {name} with a number"
    if chosen.type is Type.BOOL:
        inner = name.strip("`")
        proposal = f"write {name} or `not {inner}`" if chosen.signal else f"{name} is a condition by itself"
    elif chosen.type is Type.TEXT:
        values = [f'"{value}"' for value in chosen.values[:MAX_VALUES_SHOWN]]
        proposal = f"the values of {name} are {quoted(values, 'and')}" if values else ""
    context.report.not_comparable(span, _named(context, left), _named(context, right), proposal)


def _named(context: CheckContext, typed: Typed) -> str:
    """What an operand is, with the name of the signal if it is one."""
    what = "true or false" if typed.signal and typed.type is Type.BOOL else context.what(typed)
    return f"`{typed.signal}` ({what})" if typed.signal else what


# numbers


def _compare_numbers(context: CheckContext, span: Span, operator: str, left: Typed, right: Typed) -> Typed:
    unit = align(context, span, left, right)
    if unit is None:
        return context.error(span)
    if operator in ("==", "!=") and left.constant is right.constant is None and _is_converted(left, right):
        context.report.equality_of_converted(span, left.unit.symbol or "a bare number", right.unit.symbol)
    left, right = _in_unit(left, unit), _in_unit(right, unit)
    if isinstance(left.constant, Fraction) and isinstance(right.constant, Fraction):
        value = _EXACT[operator](left.constant, right.constant)
        return Typed(span, Type.BOOL, constant=value, facts=facts.of_constant(value))
    known = _facts_of_numbers(context, operator, left, right, unit)
    left, right = _saturated(context, left, right), _saturated(context, right, left)
    node = context.graph.add(OPERATIONS_OF[operator], context.node(left, unit), context.node(right, unit))
    return Typed(span, Type.BOOL, node, facts=known)


def _is_converted(left: Typed, right: Typed) -> bool:
    return (left.unit.scale, left.unit.offset) != (right.unit.scale, right.unit.offset)


def _in_unit(typed: Typed, unit: Unit) -> Typed:
    value = constant_in(typed, unit)
    return typed if value is None else replace(typed, constant=value, unit=unit, low=value, high=value)


def _facts_of_numbers(context: CheckContext, operator: str, left: Typed, right: Typed, unit: Unit) -> Facts | None:
    """Facts in the unit in which the program compares, with constants rounded as the program rounds them."""
    if left.constant is not None:
        left, right, operator = right, left, facts.MIRRORED[operator]
    low, high = bounds_in(left, unit)
    if _is_count(context, left) and right.constant is not None:  # it is made to saturate beyond the constant
        high = None
    if isinstance(right.constant, Fraction):
        try:
            number = float(right.constant)
        except OverflowError:  # reported when its node is created
            return None
        domain = _of_mask(context, left) or facts.between(low, high)
        return facts.compared(operator, left.node, domain, number, whole=left.is_whole)
    nodes = context.node(left, unit), context.node(right, unit)
    signs = (0,) if nodes[0] == nodes[1] else _possible_signs((low, high), bounds_in(right, unit))
    return facts.ordered(operator, nodes, signs)


def _of_mask(context: CheckContext, typed: Typed) -> facts.Values | None:
    """The values that `bits` can have, if those are few; None for other numbers."""
    node = context.graph.nodes[typed.node]
    if node.op != "bits" or typed.unit.scale != 1:
        return None
    mask = int(node.number("mask"))
    if mask.bit_count() > _MAX_BITS_LISTED:
        return None
    return facts.points(sorted(_subsets(mask)))


def _subsets(mask: int) -> Iterator[int]:
    """Every number whose bits are in the mask."""
    number = mask
    while number:
        yield number
        number = (number - 1) & mask
    yield 0


def _possible_signs(left: Bounds, right: Bounds) -> tuple[int, ...]:
    """The signs that a difference of two numbers with these bounds can have."""
    low, high = of_sum(left, negative(right))
    is_possible = {
        -1: low is None or low < 0,
        0: (low is None or low <= 0) and (high is None or high >= 0),
        1: high is None or high > 0,
    }
    return tuple(sign for sign, possible in is_possible.items() if possible)


def _saturated(context: CheckContext, count: Typed, other: Typed) -> Typed:
    """Limit a count that is compared with a constant to one more than the constant."""
    if count.constant is not None or not isinstance(other.constant, Fraction):
        return count
    if not _is_count(context, count):
        return count
    node = context.graph.nodes[count.node]
    most = floor(other.constant)
    if most > MAX_COUNT_LIMIT:
        context.report.too_many(other.span, "counted events", most, MAX_COUNT_LIMIT, "a count")
        return count
    limited = context.graph.add(node.op, *node.arguments, window_ns=node.integer("window_ns"), limit=max(1, most + 1))
    return replace(count, node=limited)


def _is_count(context: CheckContext, typed: Typed) -> bool:
    return typed.node >= 0 and "limit" in OPERATIONS[context.graph.nodes[typed.node].op].parameters


# truth values and texts


def _compare_bools(context: CheckContext, span: Span, operator: str, left: Typed, right: Typed) -> Typed:
    node = context.graph.add(OPERATIONS_OF[operator], context.node(left), context.node(right))
    if left.constant is not None:
        left, right = right, left
    if isinstance(right.constant, bool):
        if isinstance(left.constant, bool):
            return Typed(
                span, Type.BOOL, node, facts=facts.of_constant((left.constant == right.constant) is (operator == "=="))
            )
        same = right.constant is (operator == "==")
        return Typed(span, Type.BOOL, node, facts=facts_of(left) if same else facts.negated(facts_of(left)))
    signs = (0,) if left.node == right.node else (-1, 0, 1)
    return Typed(span, Type.BOOL, node, facts=facts.ordered(operator, (left.node, right.node), signs))


def _compare_texts(context: CheckContext, span: Span, operator: str, left: Typed, right: Typed) -> Typed:
    if isinstance(left.constant, str):
        left, right = right, left
    if isinstance(left.constant, str):
        context.report.text_alone(span)
        return context.error(span)
    if not isinstance(right.constant, str):
        other = same_values(context, left, right)
        signs: tuple[int, ...] = (0,) if left.node == right.node else (-1, 0, 1)
        if not set(left.values) & set(right.values):
            signs = (-1, 1)
        known = facts.ordered(operator, (left.node, other), signs)
        return Typed(span, Type.BOOL, context.graph.add(OPERATIONS_OF[operator], left.node, other), facts=known)
    if right.constant not in left.values:
        shown = left.values[:MAX_VALUES_SHOWN]
        context.report.unknown_value(right.span, context.subject(left.span), right.constant, shown)
        return context.error(span)
    index = left.values.index(right.constant)
    domain = facts.between(Fraction(0), Fraction(len(left.values) - 1))
    known = facts.compared(operator, left.node, domain, float(index), whole=True)
    node = context.graph.add(OPERATIONS_OF[operator], left.node, context.graph.add("number", value=float(index)))
    return Typed(span, Type.BOOL, node, facts=known)
