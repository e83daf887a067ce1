"""Warnings about conditions that authors take to be decided, and that are unknown while a signal is silent."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from triggers.language.checks.context import CheckContext
from triggers.language.text import syntax
from triggers.language.text.expressions import nodes

_OPPOSITES = {"<": ">=", "<=": ">", ">": "<=", ">=": "<", "==": "!=", "!=": "=="}
_KNOWN_IN_SILENCE = ("missing", "age", "count", "flicker", "samples")
"""Operators that tell of silence, or soon are known again in it."""
_STATES = (syntax.Unary, syntax.Junction, syntax.Hold, syntax.Since, syntax.Call)


def check_silence(context: CheckContext, condition: syntax.Expression) -> None:
    """Warn about each `not` and `!=` over a number or text that may be silent, unless the condition asks for silence.

    So is each comparison after `without`, which stands for "it did not happen", and gives up while it is unknown.
    A signal with `update: on_change` keeps its value, and a bool is taken to be a flag that is always sent.
    What `default` has a value for is not looked at.
    """
    parts = list(_parts(context, condition))
    watched = {name for part in parts if _is_call(part, _KNOWN_IN_SILENCE[:2]) for name in _names(context, part)}
    for part in _parts(context, condition, children=_in_the_open):
        if isinstance(part, syntax.Unary) and part.operator == "not":
            silent = _compared_names(context, part.operand) - watched
        elif isinstance(part, syntax.Binary) and part.operator == "!=":
            silent = _silent_names(context, part) - watched
        elif isinstance(part, syntax.Sequence) and part.operator == "without":
            _check_without(context, part.second, watched)
            continue
        else:
            continue
        if silent:
            name = min(silent)
            context.report.unknown_in_silence(part.span, name, _plain(context, part))


def _check_without(context: CheckContext, second: syntax.Expression, watched: set[str]) -> None:
    """Warn if what must not happen is unknown while a signal is silent."""
    silent = _compared_names(context, second) - watched
    if silent:
        name = min(silent)
        value = f"count(o in {name})" if name in context.catalog.objects else name
        context.report.waits_in_silence(second.span, name, _text(context, second), value)


def _plain(context: CheckContext, negation: syntax.Expression) -> str:
    """The same condition, without `not` where it is one comparison."""
    operand = negation.operand if isinstance(negation, syntax.Unary) else negation
    if negation is not operand and isinstance(operand, syntax.Binary) and operand.operator in _OPPOSITES:
        left, right = (_text(context, side).strip() for side in (operand.left, operand.right))
        return f"{left} {_OPPOSITES[operand.operator]} {right}"
    return _text(context, negation)


def _text(context: CheckContext, expression: syntax.Expression) -> str:
    return " ".join(context.report.source.text[expression.span.start : expression.span.end].split())


def _all_children(part: syntax.Expression) -> tuple[syntax.Expression, ...]:
    return part.children()


def _in_the_open(part: syntax.Expression) -> tuple[syntax.Expression, ...]:
    """The parts that are unknown in silence: of `default(x, v)` only v."""
    return part.children()[1:] if _is_call(part, ("default",)) else part.children()


def _needed(part: syntax.Expression) -> tuple[syntax.Expression, ...]:
    """The parts whose silence makes this one unknown: none of what keeps its value, as `x at A` and `prev(x)` do."""
    is_kept = isinstance(part, syntax.At | syntax.Measured) or _is_call(part, ("prev",))
    return () if is_kept or (isinstance(part, syntax.Call) and part.since is not None) else _in_the_open(part)


def _parts(
    context: CheckContext,
    whole: syntax.Expression,
    children: Callable[[syntax.Expression], tuple[syntax.Expression, ...]] = _all_children,
) -> Iterator[syntax.Expression]:
    """All parts of an expression, also of the lets in it, each let once."""
    waiting, seen = [whole], set[str]()
    while waiting:
        part = waiting.pop()
        yield part
        waiting += children(part)
        if isinstance(part, syntax.Name) and part.name in context.lets and part.name not in seen:
            seen.add(part.name)
            waiting.append(context.lets[part.name].value)


def _is_call(part: syntax.Expression, functions: tuple[str, ...]) -> bool:
    return isinstance(part, syntax.Call) and part.function.text in functions


def _names(context: CheckContext, whole: syntax.Expression) -> set[str]:
    parts = list(_parts(context, whole, _needed))
    lists = {part.of.text for part in parts if isinstance(part, nodes.OfObjects)}
    return lists | {part.name for part in parts if isinstance(part, syntax.Name)}


def _compared_names(context: CheckContext, operand: syntax.Expression) -> set[str]:
    """The signals in comparisons of a negated condition that may be silent."""
    if isinstance(operand, syntax.Binary | syntax.Between | syntax.Member | syntax.Outside) or _is_call(
        operand, ("hysteresis", "approx")
    ):
        return _silent_names(context, operand)
    if isinstance(operand, nodes.OfObjects):
        return {operand.of.text}
    if isinstance(operand, syntax.Name) and operand.name in context.lets:
        return _compared_names(context, context.lets[operand.name].value)
    if isinstance(operand, _STATES) and not _is_call(operand, _KNOWN_IN_SILENCE):
        return {name for child in _needed(operand) for name in _compared_names(context, child)}
    return set()


def _silent_names(context: CheckContext, comparison: syntax.Expression) -> set[str]:
    if any(_is_call(part, _KNOWN_IN_SILENCE) for part in _parts(context, comparison)):
        return set()
    signals, lists = context.catalog.signals, context.catalog.objects
    return {
        name
        for name in _names(context, comparison)
        if name in lists or (name in signals and signals[name].type != "bool" and signals[name].update != "on_change")
    }
