"""The form of what checks a call: a handler per operator, which is given the check of expressions for its arguments."""

from __future__ import annotations

from collections.abc import Callable

from triggers.language.analysis.typed import Type, Typed
from triggers.language.checks.context import CheckContext
from triggers.language.text import syntax

Check = Callable[[CheckContext, syntax.Expression], Typed]
Handler = Callable[[CheckContext, syntax.Call, Check], Typed]

Forms = dict[str, tuple[str, ...]]
"""The forms of operators by name, as an author writes them; `...` stands for further arguments."""


def is_condition(context: CheckContext, typed: Typed) -> bool:
    """Whether it is a condition; reported if it is a number or a text."""
    if typed.type in (Type.NUMBER, Type.TEXT):
        context.report.not_a_condition(typed.span, context.what(typed), "compare it with a value")
    return typed.type is Type.BOOL
