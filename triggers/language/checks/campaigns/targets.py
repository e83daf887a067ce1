"""Checks of targets, which give a tree of comparisons of vehicle attributes."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Literal

from triggers.contracts.base import MAX_ATTRIBUTE_TEXT, AttributeValue
from triggers.contracts.campaign import MAX_TARGET_OPERANDS, MAX_TARGET_VALUES, Comparison, Junction, Target
from triggers.language.analysis.typed import Type
from triggers.language.checks.context import CheckContext
from triggers.language.reference.versions import version_order
from triggers.language.text import syntax

_Operator = Literal["==", "!=", "<", "<=", ">", ">=", "in"]
_OPERATORS: dict[str, _Operator] = {"==": "==", "!=": "!=", "<": "<", "<=": "<=", ">": ">", ">=": ">="}
_PREFIX = "vehicle."
_OTHER_FORM = re.compile(
    r"\s*(?:v|ver|version)?[. ]?([0-9]+(?:\.[0-9]+)*)(?:\.[x*])?[-_ ]?([0-9A-Za-z.-]*)\s*", re.IGNORECASE
)
"""A version as people write it elsewhere: `v3.2.1`, `3.2.x`, `3.2rc1`."""


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
    return Comparison(
        attribute=name,
        op=operator,
        values=sound,
        reported=name in context.catalog.reported,
        as_versions=declared == "version",
    )


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
        meant = [_PREFIX + subject.name] if subject.name in context.catalog.vehicle else []
        nearest = meant or context.nearest(subject.name, known, "attributes")
        context.report.unknown_attribute(subject.span, subject.name, nearest)
        return None
    return name


def _literal(context: CheckContext, literal: syntax.Expression, name: str, declared: str) -> AttributeValue | None:
    value: AttributeValue | None = None
    if declared == "version" and isinstance(literal, syntax.Text | syntax.Quantity):
        return _version(context, literal, name)
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
        meant = f'`"{literal.name}"`' if isinstance(literal, syntax.Name) and declared == "text" else ""
        context.report.not_a_target(literal.span, meant)
        return None
    if value is None:
        context.report.attribute_type(literal.span, _PREFIX + name, declared)
    return value


def _version(context: CheckContext, literal: syntax.Text | syntax.Quantity, name: str) -> str | None:
    """The text of a version; a number is none, as nobody could tell 3.1 from 3.10."""
    if isinstance(literal, syntax.Quantity):
        meant = f'"{literal.text}"' if literal.unit is None and version_order(literal.text) is not None else ""
        context.report.attribute_type(literal.span, _PREFIX + name, "version", meant)
        return None
    text = literal.value
    if len(text) <= MAX_ATTRIBUTE_TEXT and version_order(text) is not None:
        return text
    other = _OTHER_FORM.fullmatch(text[:MAX_ATTRIBUTE_TEXT])
    meant = "" if other is None else other[1] + (f"-{other[2]}" if other[2] else "")
    context.report.not_a_version(literal.span, _PREFIX + name, text[:MAX_ATTRIBUTE_TEXT], _sound(meant))
    return None


def _sound(version: str) -> str:
    return version if version_order(version) is not None else ""


def _number(value: Fraction, declared: str) -> int | float | None:
    if declared == "number":
        return float(value)
    return int(value) if value.denominator == 1 and -(2**63) <= value < 2**63 else None
