"""The check of `every D`: an impulse that recurs for as long as a segment lasts."""

from __future__ import annotations

from triggers.language.analysis.typed import Type, Typed
from triggers.language.checks.context import CheckContext
from triggers.language.rows import HEARTBEAT_NS
from triggers.language.text import syntax

MIN_PERIOD_NS = 2 * HEARTBEAT_NS
"""The shortest period after which an impulse is over before the next one comes, so that each is a rise."""


def every(context: CheckContext, expression: syntax.Every) -> Typed:
    """`every 10 min`; reports a quantity that is not a time."""
    period_ns = context.duration_ns(expression.period, low_ns=MIN_PERIOD_NS)
    if period_ns is None:
        return context.error(expression.span)
    node = context.graph.add("every", period_ns=period_ns)
    return Typed(expression.span, Type.BOOL, node, impulse="every")
