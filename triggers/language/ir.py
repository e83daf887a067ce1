"""Typed intermediate form: a list of nodes in which arguments come before their users.

`Graph.add` returns the index of a node and gives equal nodes the same index, so equal sub-expressions are
shared by construction and no pass needs recursion. Back ends (the interpreter, a code emitter) walk the list
once from the front. `OPERATIONS` is the complete set of operations with their argument and parameter kinds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import NamedTuple

from triggers.language.text.diagnostics import Span


class Kind(StrEnum):
    """What a node yields: a number (text is carried as an index into its values) or a truth value."""

    NUMBER = "number"
    BOOL = "bool"


ANY = None
"""Argument kind: number or bool."""


@dataclass(frozen=True, slots=True)
class Operation:
    """Signature of an operation: kinds of its arguments (`variadic`: two or more of the first), its result, its
    parameters.

    Parameters named `_ns`, `capacity`, `input` and `limit` are integers, `table` and `corners` lists of floats
    (`corners`: latitude, longitude, latitude, ...), others floats.
    """

    result: Kind | None
    arguments: tuple[Kind | None, ...] = ()
    parameters: tuple[str, ...] = ()
    variadic: bool = False


_N, _B = Kind.NUMBER, Kind.BOOL

OPERATIONS: dict[str, Operation] = {
    "number": Operation(_N, (), ("value",)),
    "truth": Operation(_B, (), ("value",)),
    "input": Operation(None, (), ("input",)),
    "add": Operation(_N, (_N, _N)),
    "sub": Operation(_N, (_N, _N)),
    "mul": Operation(_N, (_N, _N)),
    "div": Operation(_N, (_N, _N)),
    "neg": Operation(_N, (_N,)),
    "abs": Operation(_N, (_N,)),
    "sqrt": Operation(_N, (_N,)),
    "min": Operation(_N, (_N, _N)),
    "max": Operation(_N, (_N, _N)),
    "wrap": Operation(_N, (_N,), ("half_turn",)),
    "lookup": Operation(_N, (_N,), ("table",)),
    "lt": Operation(_B, (_N, _N)),
    "le": Operation(_B, (_N, _N)),
    "gt": Operation(_B, (_N, _N)),
    "ge": Operation(_B, (_N, _N)),
    "eq": Operation(_B, (ANY, ANY)),
    "ne": Operation(_B, (ANY, ANY)),
    "and": Operation(_B, (_B,), variadic=True),
    "or": Operation(_B, (_B,), variadic=True),
    "not": Operation(_B, (_B,)),
    "missing": Operation(_B, (ANY,)),
    "age": Operation(_N, (ANY,)),
    "for": Operation(_B, (_B,), ("hold_ns", "tolerate_ns")),
    "rise": Operation(_B, (_B,)),
    "fall": Operation(_B, (_B,)),
    "changed": Operation(_B, (ANY,)),
    "hysteresis": Operation(_B, (_N,), ("on", "off")),
    "once": Operation(_B, (_B,), ("window_ns",)),
    "share": Operation(_N, (_B,), ("window_ns", "capacity")),
    "count": Operation(_N, (_B,), ("window_ns", "limit")),
    "count_impulses": Operation(_N, (_B,), ("window_ns", "limit")),
    "flicker": Operation(_N, (ANY,), ("window_ns", "limit")),
    "window_min": Operation(_N, (_N,), ("window_ns", "capacity")),
    "window_max": Operation(_N, (_N,), ("window_ns", "capacity")),
    "window_avg": Operation(_N, (_N,), ("window_ns", "capacity")),
    "delta": Operation(_N, (_N,), ("window_ns", "capacity")),
    "rate": Operation(_N, (_N,), ("window_ns", "capacity")),
    "ema": Operation(_N, (_N,), ("window_ns",)),
    "past": Operation(None, (ANY,), ("delay_ns", "capacity")),
    "then": Operation(_B, (_B, _B), ("within_ns",)),
    "without": Operation(_B, (_B, _B), ("within_ns",)),
    "disagree": Operation(_B, (ANY, ANY), ("skew_ns", "stale_ns")),
    "divergence": Operation(_N, (_N, _N), ("skew_ns", "stale_ns")),
    "near": Operation(_B, (_N, _N), ("latitude", "longitude", "radius_m")),
    "inside": Operation(_B, (_N, _N), ("corners",)),
}

Parameter = int | float | bool | tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Node:
    """One operation on earlier nodes; `parameters` in the order of the operation's signature."""

    op: str
    arguments: tuple[int, ...]
    parameters: tuple[Parameter, ...]
    kind: Kind

    def parameter(self, name: str) -> Parameter:
        """The parameter of that name."""
        return self.parameters[OPERATIONS[self.op].parameters.index(name)]

    @property
    def capacity(self) -> int:
        """Entries of its ring; 0 for operations without one."""
        return int(self.parameter("capacity")) if "capacity" in OPERATIONS[self.op].parameters else 0  # type: ignore[arg-type]


@dataclass(slots=True)
class Graph:
    """Nodes under construction; equal nodes share one index.

    `span` is the place in the source of what is being lowered, which new nodes are said to stand at.
    """

    nodes: list[Node] = field(default_factory=list)
    masks: list[int] = field(default_factory=list)
    """For each node the inputs it reads, as a bit mask."""
    spans: list[Span | None] = field(default_factory=list)
    """For each node where it stands first."""
    span: Span | None = None
    entries: int = 0
    """Window entries of all nodes."""
    _indexes: dict[tuple[str, tuple[int, ...], str], int] = field(default_factory=dict)

    def add(self, op: str, *arguments: int, kind: Kind | None = None, **parameters: Parameter) -> int:
        """The index of this operation on these nodes; `kind` where the operation does not fix its result."""
        operation = OPERATIONS[op]
        values = tuple(parameters[name] for name in operation.parameters)
        result = operation.result or kind
        if result is None:
            result = self.nodes[arguments[0]].kind
        # repr tells 0.0 from -0.0 and 1 from 1.0 and True, which equality does not
        key = (op, arguments, repr((values, result)))
        index = self._indexes.get(key)
        if index is None:
            index = self._indexes[key] = len(self.nodes)
            self.nodes.append(Node(op, arguments, values, result))
            self.entries += self.nodes[-1].capacity
            mask = 1 << int(parameters["input"]) if op == "input" else 0  # type: ignore[arg-type]
            for argument in arguments:
                mask |= self.masks[argument]
            self.masks.append(mask)
            self.spans.append(self.span)
        return index


class Pruned(NamedTuple):
    """What is left of a graph; nodes and inputs are renumbered."""

    nodes: tuple[Node, ...]
    roots: tuple[int, ...]
    """The roots' new indexes."""
    inputs: tuple[int, ...]
    """The old indexes of the inputs that are left."""
    kept: tuple[int, ...]
    """The old indexes of the nodes that are left."""


def prune(nodes: Sequence[Node], roots: Sequence[int]) -> Pruned:
    """Only the nodes that the roots need, in their order."""
    needed: set[int] = set()
    waiting = list(roots)
    while waiting:  # from the roots, so that a small part of many nodes costs little
        index = waiting.pop()
        if index not in needed:
            needed.add(index)
            waiting += nodes[index].arguments
    order = sorted(needed)
    renumbered = {old: new for new, old in enumerate(order)}
    inputs = [int(nodes[old].parameters[0]) for old in order if nodes[old].op == "input"]  # type: ignore[arg-type]
    positions = {old: new for new, old in enumerate(inputs)}
    kept = []
    for old in order:
        node = nodes[old]
        parameters = (positions[int(node.parameters[0])],) if node.op == "input" else node.parameters  # type: ignore[arg-type]
        arguments = tuple(renumbered[argument] for argument in node.arguments)
        kept.append(replace(node, arguments=arguments, parameters=parameters))
    return Pruned(tuple(kept), tuple(renumbered[root] for root in roots), tuple(inputs), tuple(order))
