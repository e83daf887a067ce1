"""The parts that a condition joins with `and`, as its author wrote them: a `let` by its use, with its parts beneath."""

from __future__ import annotations

from dataclasses import dataclass

from triggers.language.checks.context import CheckContext
from triggers.language.text import syntax
from triggers.language.text.diagnostics import Span
from triggers.language.watched import is_one


@dataclass(frozen=True, slots=True)
class Conjunct:
    """A part of a condition where it is written, `depth` lets deep, and its node.

    A part that is a `let` comes before the parts of what it stands for, which are one deeper.
    """

    span: Span
    depth: int
    node: int
    is_let: bool


def conjuncts(context: CheckContext, condition: syntax.Expression) -> list[Conjunct]:
    """The parts of a condition that was checked, in the order of the text; each let is followed by its own parts once.

    What was given to a `let` for an argument is one of its parts, by its own text.
    """
    found: list[Conjunct] = []
    shown: set[str] = set()
    waiting = [(condition, 0, _node(context, condition))]
    while waiting:
        part, depth, node = waiting.pop()
        if isinstance(part, syntax.Junction) and part.operator == "and" and not is_one(context.graph.nodes, node):
            waiting += [(each, depth, _node(context, each)) for each in reversed(part.operands)]
            continue
        let = context.lets.get(part.name) if isinstance(part, syntax.Name) else None
        if let is None or not is_argument(let):
            found.append(Conjunct(part.span, depth, node, let is not None))
        if let is not None and let.name.text not in shown:
            shown.add(let.name.text)
            waiting.append((let.value, depth + (not is_argument(let)), node))
    return found


def is_argument(let: syntax.Let) -> bool:
    """Whether a let was expanded from what a call is given for an argument, and so has no name of its author's."""
    return let.use == let.value.span


def _node(context: CheckContext, condition: syntax.Expression) -> int:
    return context.node(context.conditions[id(condition)])
