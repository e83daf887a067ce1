"""Checks of targets, which give a tree of comparisons of vehicle attributes."""

from __future__ import annotations

from fractions import Fraction
from typing import Literal

from triggers.contracts.base import MAX_ATTRIBUTE_TEXT, AttributeValue
from triggers.contracts.campaign import MAX_TARGET_OPERANDS, MAX_TARGET_VALUES, Comparison, Junction, Target
from triggers.language.analysis.typed import Type
from triggers.language.checks.context import CheckContext
from triggers.language.text import syntax

_Operator = Literal["==", "!=", "<", "<=", ">", ">=", "in"]
_OPERATORS: dict[str, _Operator] = {"==": "==", "!=": "!=", "<": "<", "<=": "<=", ">": ">", ">=": ">="}
_PREFIX = "vehicle."


def check_target(context: CheckContext, expression: syntax.Expression) -> Target | None:
    """The target that an expression describes; None if a mistake was reported."""
    if isinstance(expression, syntax.Junction):
        operands = [check_target(context, operand) for operand in expression.operands]
        if len(operands) > MAX_TARGET_OPERANDS:
            context.report.too_many(expression.span, "conditions", len(operands), MAX_TARGET_OPERANDS, "an operator")
            return None
        sound = tuple(operand for operand in operands if operand is not None)
        kind: Literal["and", "or"] = "and" if expression.operator == "and" else "or"
        return Junction(kind=kind, operands=sound) if len(sound) == len(operands) else None
    if isinstance(expression, syntax.Unary) and expression.operator == "not":
        operand = check_target(context, expression.operand)
        return Junction(kind="not", operands=(operand,)) if operand is not None else None
    return _comparison(context, expression)


def _comparison(context: CheckContext, expression: syntax.Expression) -> Target | None:
    if isinstance(expression, syntax.Name):  # a bool attribute by itself
        return _compared(context, expression, "==", (syntax.Truth(expression.span, value=True),))
    if isinstance(expression, syntax.Binary) and expression.operator in _OPERATORS:
        return _compared(context, expression.left, _OPERATORS[expression.operator], (expression.right,))
    if isinstance(expression, syntax.Member):
        return _compared(context, expression.subject, "in", expression.items)
    if isinstance(expression, syntax.Between):
        low = _compared(context, expression.subject, ">=", (expression.low,))
        high = _compared(context, expression.subject, "<=", (expression.high,))
        return None if low is None or high is None else Junction(kind="and", operands=(low, high))
    context.report.not_a_target(expression.span)
    return None


def _compared(
    context: CheckContext, subject: syntax.Expression, operator: _Operator, literals: tuple[syntax.Expression, ...]
) -> Comparison | None:
    name = _attribute(context, subject)
    if name is None:
        return None
    declared = context.catalog.vehicle[name]
    if operator in ("<", "<=", ">", ">=") and declared in ("text", "bool"):
        context.report.text_order(subject.span, operator)
        return None
    if len(literals) > MAX_TARGET_VALUES:
        context.report.too_many(subject.span, "values", len(literals), MAX_TARGET_VALUES, "an `in`")
        return None
    values = [_literal(context, literal, name, declared) for literal in literals]
    sound = tuple(value for value in values if value is not None)
    if len(sound) != len(values):
        return None
    return Comparison(attribute=name, op=operator, values=sound, reported=name in context.catalog.reported)


def _attribute(context: CheckContext, subject: syntax.Expression) -> str | None:
    if not isinstance(subject, syntax.Name):
        context.report.not_a_target(subject.span)
        return None
    if subject.name in context.catalog.signals:
        context.report.not_a_target(subject.span)
        return None
    name = subject.name.removeprefix(_PREFIX)
    if not subject.name.startswith(_PREFIX) or name not in context.catalog.vehicle:
        known = [_PREFIX + attribute for attribute in context.catalog.vehicle]
        context.report.unknown_attribute(subject.span, subject.name, context.nearest(subject.name, known))
        return None
    return name


def _literal(context: CheckContext, literal: syntax.Expression, name: str, declared: str) -> AttributeValue | None:
    value: AttributeValue | None = None
    if (isinstance(literal, syntax.Text) and declared == "text" and len(literal.value) <= MAX_ATTRIBUTE_TEXT) or (
        isinstance(literal, syntax.Truth) and declared == "bool"
    ):
        value = literal.value
    elif isinstance(literal, syntax.Quantity) and literal.unit is None and declared in ("integer", "number"):
        if declared == "number" and context.literal(literal).type is Type.ERROR:
            return None
        value = _number(literal.value, declared)
        if value is None and literal.value.denominator == 1:
            context.report.out_of_range(literal.span, f"`{_PREFIX}{name}`", "from -2^63 to 2^63 - 1")
            return None
    elif not isinstance(literal, syntax.Text | syntax.Truth | syntax.Quantity):
        context.report.not_a_target(literal.span)
        return None
    if value is None:
        context.report.attribute_type(literal.span, _PREFIX + name, declared)
    return value


def _number(value: Fraction, declared: str) -> int | float | None:
    if declared == "number":
        return float(value)
    return int(value) if value.denominator == 1 and -(2**63) <= value < 2**63 else None
