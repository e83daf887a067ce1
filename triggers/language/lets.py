"""The lets of a trigger file: what the expression behind each name is, its unit, and what it costs a vehicle."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from triggers.language.analysis.typed import Type, Typed
from triggers.language.checks.checker import known_lets
from triggers.language.checks.context import CheckContext
from triggers.language.compile import expanded
from triggers.language.explain import reached
from triggers.language.graph import prune
from triggers.language.ir import MAX_NODES, Ir
from triggers.language.text import syntax
from triggers.language.text.diagnostics import Source, Span
from triggers.language.text.parser import parse
from triggers.language.text.reporter import Reporter
from triggers.language.webassembly.cost import cost_of, operations_of
from triggers.signals.catalog import SignalCatalog

MAX_LETS = 2_000
"""In a file of more lets than this none is explained: they are worked out again and again while somebody types."""
MAX_COUNTED = 20_000
"""How many nodes below all lets together are counted, so that a file of lets upon lets is quick to explain."""
_KINDS: dict[Type, Literal["number", "bool", "text"]] = {
    Type.NUMBER: "number",
    Type.BOOL: "bool",
    Type.TEXT: "text",
}


@dataclass(frozen=True, slots=True)
class LetCost:
    """Operations per tick, at least and at most, and bytes of state."""

    least_operations: int
    most_operations: int
    state_bytes: int


@dataclass(frozen=True, slots=True)
class Let:
    """A named expression at `span`, which is its value; `unit` is empty for what has none.

    The cost is that of everything below the name, which a program has once however often the name is used. It is None
    in a file whose lets stand on too many others (MAX_COUNTED), or are too many for a program (MAX_NODES).
    """

    name: str
    span: Span
    type: Literal["number", "bool", "text"]
    unit: str
    cost: LetCost | None


def lets_of(text: str, *, filename: str, catalog: SignalCatalog) -> list[Let]:
    """The lets of a text, in its order, without those that have arguments or mistakes; none of more than MAX_LETS.

    Those of the files that it imports are not among them.

    >>> catalog = SignalCatalog.parse("signals: {ego.speed: {unit: m/s, rate: 10}}", name="signals.yaml")
    >>> text = "let limit = 3 * 36 km/h let fast = ego.speed > limit let change = delta(ego.speed over 1 s)"
    >>> for let in lets_of(text, filename="a.trigger", catalog=catalog):
    ...     print(let.name, let.type, let.unit, let.cost.most_operations > 0)
    limit number km/h False
    fast bool  True
    change number m/s True
    """
    source = Source(text, filename)
    file = parse(source, report := Reporter(source))
    if len(file.lets) > MAX_LETS:
        return []
    context, known = known_lets(expanded(file, catalog, report), catalog, report)
    lets = [(let, known[let.name.text]) for let in file.lets if not let.arguments and let.name.text in known]
    costs = _costs(context, [typed for _, typed in lets])
    return [_let(let, typed, cost) for (let, typed), cost in zip(lets, costs, strict=True)]


def _let(let: syntax.Let, typed: Typed, cost: LetCost | None) -> Let:
    unit = typed.unit.symbol if typed.type is Type.NUMBER else ""
    return Let(let.name.text, let.value.span, _KINDS[typed.type], unit, cost)


def _costs(context: CheckContext, lets: Sequence[Typed]) -> Iterator[LetCost | None]:
    """What each costs: all are planned as one program, and each is the part of it that it needs."""
    roots = [typed.node for typed in lets if typed.constant is None and typed.node >= 0]
    left = prune(context.graph.nodes, roots)
    if len(left.nodes) > MAX_NODES:
        yield from [None] * len(lets)
        return
    table = context.input_table()
    inputs = tuple(table[index] for index in left.inputs)
    program = Ir(max_gap_ns=context.catalog.max_gap_ns, inputs=inputs, nodes=left.nodes, triggers=())
    cost, indexes, counted = cost_of(program), dict(zip(roots, left.roots, strict=True)), 0
    for typed in lets:
        if typed.node not in indexes:
            yield LetCost(0, 0, 0)
        elif counted >= MAX_COUNTED:
            yield None
        else:
            nodes = reached(program, indexes[typed.node])
            counted += len(nodes)
            work, state_bytes = cost.part(nodes)
            yield LetCost(*operations_of(work), state_bytes)
