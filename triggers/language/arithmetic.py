"""Checking of arithmetic and comparisons: dimensions, units, temperatures, exact constants."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from math import floor, isqrt

from triggers.language.diagnostics import Span
from triggers.language.ir import OPERATIONS
from triggers.language.reporter import quoted
from triggers.language.scope import Scope, Type, Typed
from triggers.language.units import DIMENSIONLESS, Unit, combine, convert, units_like

MAX_COUNT = 100_000
"""The largest constant a count may be compared with: each event within the window is kept."""
MAX_VALUES_SHOWN = 12
_OPS = {"+": "add", "-": "sub", "*": "mul", "/": "div"}
COMPARISONS = {"<": "lt", "<=": "le", ">": "gt", ">=": "ge", "==": "eq", "!=": "ne"}
_EXACT: dict[str, Callable[[Fraction, Fraction], bool]] = {
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
    "==": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
}


def arithmetic(scope: Scope, span: Span, operator: str, left: Typed, right: Typed) -> Typed:
    """`left operator right` for `+ - * /`."""
    if not are_numbers(scope, left, right):
        return scope.error(span)
    return (
        _sum(scope, span, operator, left, right) if operator in "+-" else _product(scope, span, operator, left, right)
    )


def are_numbers(scope: Scope, *operands: Typed) -> bool:
    """True if all are numbers; reports those that are not."""
    fine = True
    for operand in operands:
        if operand.type in (Type.BOOL, Type.TEXT):
            scope.report.not_a_number(operand.span, scope.what(operand))
        fine = fine and operand.type is Type.NUMBER
    return fine


def _sum(scope: Scope, span: Span, operator: str, left: Typed, right: Typed) -> Typed:
    unit = align(scope, span, left, right)
    if unit is None:
        return scope.error(span)
    affine = left.unit.is_affine or right.unit.is_affine
    if affine and (operator == "+" or any(x.constant is not None and not x.unit.is_affine for x in (left, right))):
        scope.report.affine_arithmetic(span, (left if left.unit.is_affine else right).unit.symbol)
        return scope.error(span)
    left_constant, right_constant = _constant_in(left, unit), _constant_in(right, unit)
    result_unit = temperature_difference(unit) if affine else unit
    if left_constant is not None and right_constant is not None:
        value = left_constant + right_constant if operator == "+" else left_constant - right_constant
        return scope.constant(span, value, result_unit)
    node = scope.graph.add(_OPS[operator], scope.node(left, unit), scope.node(right, unit))
    return Typed(span, Type.NUMBER, node, result_unit)


def _product(scope: Scope, span: Span, operator: str, left: Typed, right: Typed) -> Typed:
    for operand in (left, right):
        if operand.unit.is_affine:
            scope.report.affine_arithmetic(operand.span, operand.unit.symbol)
            return scope.error(span)
    unit = combine(left.unit, right.unit, 1 if operator == "*" else -1)
    a, b = left.constant, right.constant
    if operator == "/" and b == 0 and isinstance(b, Fraction):
        scope.report.impossible_constant(right.span, "divides by zero")
        return scope.error(span)
    if isinstance(a, Fraction) and isinstance(b, Fraction):
        return scope.constant(span, a * b if operator == "*" else a / b, unit)
    return Typed(span, Type.NUMBER, scope.graph.add(_OPS[operator], scope.node(left), scope.node(right)), unit)


def negative(scope: Scope, span: Span, operand: Typed) -> Typed:
    """`-x`."""
    if not are_numbers(scope, operand):
        return scope.error(span)
    if operand.unit.is_affine:
        scope.report.affine_arithmetic(span, operand.unit.symbol)
        return scope.error(span)
    if isinstance(operand.constant, Fraction):
        return scope.constant(span, -operand.constant, operand.unit)
    return Typed(span, Type.NUMBER, scope.graph.add("neg", operand.node), operand.unit)


def align(scope: Scope, span: Span, left: Typed, right: Typed) -> Unit | None:
    """The unit in which two numbers meet: that of the first which is no constant; None after a report."""
    bare_left, bare_right = _is_bare_constant(left), _is_bare_constant(right)
    if left.unit.dimension != right.unit.dimension:
        if bare_left and _zero_fits(left, right):
            return right.unit
        if bare_right and _zero_fits(right, left):
            return left.unit
        if bare_left or bare_right:
            _report_bare(scope, *((left, right) if bare_left else (right, left)))
        else:
            scope.report.other_dimension(span, scope.what(left), scope.what(right))
        return None
    if left.unit.is_affine is not right.unit.is_affine and (left.unit.difference or right.unit.difference):
        scope.report.affine_arithmetic(span, left.unit.symbol if left.unit.is_affine else right.unit.symbol)
        return None
    return right.unit if left.constant is not None and right.constant is None else left.unit


def _is_bare_constant(typed: Typed) -> bool:
    return typed.constant is not None and typed.unit.dimension == DIMENSIONLESS


def _zero_fits(zero: Typed, other: Typed) -> bool:
    return zero.constant == 0 and not other.unit.is_affine


def _report_bare(scope: Scope, bare: Typed, other: Typed) -> None:
    shown = scope.report.source.text[bare.span.start : bare.span.end].strip()
    proposals = [f"{shown} {unit}" for unit in units_like(other.unit)]
    scope.report.needs_unit(bare.span, scope.subject(other.span), scope.what(other), proposals)


def _constant_in(typed: Typed, unit: Unit) -> Fraction | None:
    if not isinstance(typed.constant, Fraction) or isinstance(typed.constant, bool):
        return None
    if typed.unit.dimension != unit.dimension:  # a bare zero
        return Fraction(0)
    return convert(typed.constant, typed.unit, unit)


def temperature_difference(unit: Unit) -> Unit:
    """The unit of a difference of two values on an affine scale."""
    symbol = "K" if unit.scale == 1 else unit.symbol
    return Unit(symbol, unit.dimension, unit.scale, difference=True)


def compare(scope: Scope, span: Span, operator: str, left: Typed, right: Typed) -> Typed:
    """`left operator right` for the six comparisons."""
    if Type.ERROR in (left.type, right.type):
        return scope.error(span)
    if left.type is not right.type:
        _report_types(scope, span, left, right)
        return scope.error(span)
    if left.type is Type.NUMBER:
        return _compare_numbers(scope, span, operator, left, right)
    if operator not in ("==", "!="):
        scope.report.text_order(span, operator)
        return scope.error(span)
    if left.type is Type.BOOL:
        node = scope.graph.add(COMPARISONS[operator], scope.node(left), scope.node(right))
        return Typed(span, Type.BOOL, node)
    return _compare_texts(scope, span, operator, left, right)


def _report_types(scope: Scope, span: Span, left: Typed, right: Typed) -> None:
    """LT313, with what the side that is a signal (else the left one) can be compared with."""
    chosen = right if right.signal and not left.signal else left
    name = f"`{chosen.signal}`" if chosen.signal else scope.subject(chosen.span)
    proposal = f"compare {name} with a number"
    if chosen.type is Type.BOOL:
        inner = name.strip("`")
        proposal = f"write {name} or `not {inner}`" if chosen.signal else f"{name} is a condition by itself"
    elif chosen.type is Type.TEXT:
        values = [f'"{value}"' for value in chosen.values[:MAX_VALUES_SHOWN]]
        proposal = f"the values of {name} are {quoted(values, 'and')}" if values else ""
    scope.report.not_comparable(span, _named(scope, left), _named(scope, right), proposal)


def _named(scope: Scope, typed: Typed) -> str:
    """What an operand is, with the signal's name where it is one."""
    what = "true or false" if typed.signal and typed.type is Type.BOOL else scope.what(typed)
    return f"`{typed.signal}` ({what})" if typed.signal else what


def _compare_numbers(scope: Scope, span: Span, operator: str, left: Typed, right: Typed) -> Typed:
    unit = align(scope, span, left, right)
    if unit is None:
        return scope.error(span)
    left, right = _in_unit(left, unit), _in_unit(right, unit)
    decided = _decided(operator, left, right)
    if decided is not None:
        scope.report.constant_condition(span, "false" if decided else "true")
    if left.constant is not None and right.constant is not None:
        return Typed(span, Type.BOOL, constant=decided)
    left, right = _saturated(scope, left, right), _saturated(scope, right, left)
    node = scope.graph.add(COMPARISONS[operator], scope.node(left, unit), scope.node(right, unit))
    return Typed(span, Type.BOOL, node)


def _in_unit(typed: Typed, unit: Unit) -> Typed:
    value = _constant_in(typed, unit)
    return typed if value is None else replace(typed, constant=value, unit=unit, low=value, high=value)


def _saturated(scope: Scope, count: Typed, other: Typed) -> Typed:
    """A count compared with a constant needs to reach one more than it, and no further."""
    if count.constant is not None or not isinstance(other.constant, Fraction):
        return count
    node = scope.graph.nodes[count.node]
    if "limit" not in OPERATIONS[node.op].parameters:
        return count
    limit = floor(other.constant) + 1
    if limit > MAX_COUNT:
        scope.report.too_many(other.span, "counted events", limit, MAX_COUNT)
        return count
    limited = scope.graph.add(node.op, *node.arguments, window_ns=node.parameters[0], limit=max(1, limit))
    return replace(count, node=limited)


def _decided(operator: str, left: Typed, right: Typed) -> bool | None:
    """The comparison's value where the operands' bounds leave only one; bounds count in a common unit only."""
    if left.unit.scale != right.unit.scale:
        return None
    corners = [(a, b) for a in (left.low, left.high) for b in (right.low, right.high)]
    if operator in ("==", "!="):
        apart = _below(left.high, right.low) or _below(right.high, left.low)
        same = None not in corners[0] and len({left.low, left.high, right.low, right.high}) == 1
        return (operator == "!=") if apart else (operator == "==") if same else None
    low_side, high_side = (left, right) if operator in ("<", "<=") else (right, left)
    strict = operator in ("<", ">")
    if _below(low_side.high, high_side.low, or_equal=not strict):
        return True
    return False if _below(high_side.high, low_side.low, or_equal=strict) else None


def _below(a: Fraction | None, b: Fraction | None, *, or_equal: bool = False) -> bool:
    return a is not None and b is not None and (a <= b if or_equal else a < b)


def _compare_texts(scope: Scope, span: Span, operator: str, left: Typed, right: Typed) -> Typed:
    if isinstance(left.constant, str):
        left, right = right, left
    if isinstance(left.constant, str):
        scope.report.text_alone(span)
        return scope.error(span)
    if isinstance(right.constant, str):
        if right.constant not in left.values:
            scope.report.unknown_value(
                right.span, scope.subject(left.span), right.constant, left.values[:MAX_VALUES_SHOWN]
            )
            return scope.error(span)
        other = scope.graph.add("number", value=float(left.values.index(right.constant)))
    else:
        other = same_values(scope, left, right)
    return Typed(span, Type.BOOL, scope.graph.add(COMPARISONS[operator], left.node, other))


def same_values(scope: Scope, left: Typed, right: Typed) -> int:
    """The right text as an index into the left one's values; what the left never takes gets indexes of its own."""
    if left.values == right.values:
        return right.node
    table = tuple(
        float(left.values.index(value)) if value in left.values else float(len(left.values) + index)
        for index, value in enumerate(right.values)
    )
    return scope.graph.add("lookup", right.node, table=table)


def square_root(scope: Scope, span: Span, operand: Typed) -> Typed:
    """`sqrt(x)`; the operand is taken to base units where its scale is no square."""
    unit = operand.unit
    if unit.is_affine or any(exponent % 2 for exponent in unit.dimension):
        scope.report.no_square_root(span, unit.symbol)
        return scope.error(span)
    root = Fraction(isqrt(unit.scale.numerator), isqrt(unit.scale.denominator))
    base = unit if root * root == unit.scale else Unit(unit.symbol, unit.dimension)
    result = Unit(
        f"sqrt({unit.symbol})" if unit.symbol else "",
        tuple(exponent // 2 for exponent in unit.dimension),
        root if base is unit else Fraction(1),
    )
    node = scope.graph.add("sqrt", scope.node(operand, base))
    return Typed(span, Type.NUMBER, node, result, low=Fraction(0))
