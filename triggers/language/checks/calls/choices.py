"""Checks of `default` and `if`, which give the value of one of their arguments: numbers, texts or conditions."""

from __future__ import annotations

from dataclasses import dataclass, replace

from triggers.language.analysis import bounds, facts
from triggers.language.analysis.bounds import bounds_in, is_whole_in
from triggers.language.analysis.facts import Facts
from triggers.language.analysis.typed import Type, Typed
from triggers.language.checks.arithmetic import align
from triggers.language.checks.calls.handlers import Check, Forms, Handler, is_condition
from triggers.language.checks.comparisons import facts_of
from triggers.language.checks.context import CheckContext
from triggers.language.text import syntax
from triggers.language.text.diagnostics import Span
from triggers.signals.units import BARE, Unit

FORMS: Forms = {
    "default": ("default(x, v)",),
    "if": ("if(c, a, b)",),
}


def _default(context: CheckContext, expression: syntax.Call, check: Check) -> Typed:
    """`default(x, v)`."""
    x, value = (check(context, argument) for argument in expression.arguments)
    pair = _alike(context, expression, x, value)
    if pair is None:
        return context.error(expression.span)
    if x.constant is not None:  # it is never unknown
        return replace(x, span=expression.span)
    node = context.graph.add("default", *pair.nodes(context))
    return pair.result(expression.span, node, facts.either(facts_of(x), facts_of(value)))


def _if(context: CheckContext, expression: syntax.Call, check: Check) -> Typed:
    """`if(c, a, b)`."""
    asked, first, second = (check(context, argument) for argument in expression.arguments)
    pair = _alike(context, expression, first, second)
    if asked.type is Type.ERROR or not is_condition(context, asked) or pair is None:
        return context.error(expression.span)
    if isinstance(asked.constant, bool):
        context.report.constant_condition(asked.span, "false" if asked.constant else "true")
    first_node, second_node = pair.nodes(context)
    kind = context.graph.nodes[first_node].kind
    node = context.graph.add("if", context.node(asked), first_node, second_node, kind=kind)
    return pair.result(expression.span, node, facts.chosen(facts_of(asked), facts_of(first), facts_of(second)))


@dataclass(frozen=True, slots=True)
class _Pair:
    """Two values of one type, one of which an operator gives; in the result's unit, or as one of the result's texts."""

    first: Typed
    second: Typed
    unit: Unit = BARE
    values: tuple[str, ...] = ()

    def nodes(self, context: CheckContext) -> tuple[int, int]:
        """The nodes of both, in the form of the result."""
        return self._node(context, self.first), self._node(context, self.second)

    def _node(self, context: CheckContext, typed: Typed) -> int:
        if typed.type is not Type.TEXT:
            return context.node(typed, self.unit)
        indexes = tuple(float(self.values.index(value)) for value in _texts(typed))
        if typed.constant is not None:
            return context.graph.add("number", value=indexes[0])
        unchanged = indexes == tuple(range(len(indexes)))
        return typed.node if unchanged else context.graph.add("lookup", typed.node, table=indexes)

    def result(self, span: Span, node: int, known: Facts) -> Typed:
        """What is known of the result: all that is known of both."""
        kind = self.first.type
        if kind is Type.BOOL:
            return Typed(span, kind, node, facts=known)
        if kind is Type.TEXT:
            return Typed(span, kind, node, values=self.values)
        low, high = bounds.of_either(*(bounds_in(each, self.unit) for each in (self.first, self.second)))
        whole = all(is_whole_in(each, self.unit) for each in (self.first, self.second))
        return Typed(span, kind, node, self.unit, low=low, high=high, is_whole=whole)


def _texts(typed: Typed) -> tuple[str, ...]:
    return (typed.constant,) if isinstance(typed.constant, str) else typed.values


def _alike(context: CheckContext, expression: syntax.Call, first: Typed, second: Typed) -> _Pair | None:
    """Both, if they have one type and dimension; None after reporting that they do not."""
    if Type.ERROR in (first.type, second.type):
        return None
    if first.type is not second.type:
        shown = context.what(first), context.what(second)
        context.report.unlike_values(expression.span, expression.function.text, *shown)
        return None
    if first.type is Type.TEXT:
        return _Pair(first, second, values=tuple(dict.fromkeys((*_texts(first), *_texts(second)))))
    if first.type is Type.BOOL:
        return _Pair(first, second)
    unit = align(context, expression.span, first, second)
    return None if unit is None else _Pair(first, second, unit)


HANDLERS: dict[str, Handler] = {"default": _default, "if": _if}
