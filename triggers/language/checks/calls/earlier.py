"""The check of `prev`, the value at an earlier update."""

from __future__ import annotations

from dataclasses import replace

from triggers.language.analysis.typed import Type, Typed
from triggers.language.checks.calls.handlers import Check, Forms, Handler
from triggers.language.checks.context import CheckContext
from triggers.language.text import syntax

FORMS: Forms = {"prev": ("prev(x)",)}


def _previous(context: CheckContext, expression: syntax.Call, check: Check) -> Typed:
    """`prev(x)` of anything that reads a signal."""
    x = check(context, expression.arguments[0])
    if x.type is Type.ERROR:
        return context.error(expression.span)
    if x.constant is not None or not context.signals_of(x.node):
        context.report.never_sampled(x.span, "prev")
        return context.error(expression.span)
    node = context.graph.add("prev", x.node)
    return replace(x, span=expression.span, node=node, signal=None, impulse=None, facts=None)


HANDLERS: dict[str, Handler] = {"prev": _previous}
