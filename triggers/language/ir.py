"""Typed intermediate form: a list of nodes in which arguments come before their users.

`Graph.add` returns the index of a node and gives equal nodes the same index, so equal sub-expressions are
shared by construction and no pass needs recursion. Back ends (the interpreter, a code emitter) walk the list
once from the front. `OPERATIONS` is the complete set of operations with their argument and parameter kinds.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import StrEnum


class Kind(StrEnum):
    """What a node yields: a number (text is carried as an index into its values) or a truth value."""

    NUMBER = "number"
    BOOL = "bool"


ANY = None
"""Argument kind: number or bool."""


@dataclass(frozen=True, slots=True)
class Operation:
    """Signature of an operation: kinds of its arguments (`variadic`: two or more of the first), its result, its
    parameters. Parameter names ending in `_ns`, `capacity`, `input` and `limit` are integers, others floats."""

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

LISTS = frozenset({"table", "corners"})
"""Parameters that are lists of floats (`corners`: latitude, longitude, latitude, ...)."""


def is_integer(parameter: str) -> bool:
    """True for parameters that are integers: times in ns, counts and indexes."""
    return parameter.endswith("_ns") or parameter in ("capacity", "input", "limit")


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
    """Nodes under construction; equal nodes share one index."""

    nodes: list[Node] = field(default_factory=list)
    masks: list[int] = field(default_factory=list)
    """For each node the inputs it reads, as a bit mask."""
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
            mask = 1 << int(parameters["input"]) if op == "input" else 0  # type: ignore[arg-type]
            for argument in arguments:
                mask |= self.masks[argument]
            self.masks.append(mask)
        return index


def prune(nodes: list[Node], roots: list[int]) -> tuple[tuple[Node, ...], tuple[int, ...], tuple[int, ...]]:
    """Only the nodes that the roots need, in their order; nodes and inputs are renumbered.

    Returns the nodes, the roots' new indexes, and the old indexes of the inputs that are left.
    """
    needed = set(roots)
    for index in range(len(nodes) - 1, -1, -1):
        if index in needed:
            needed.update(nodes[index].arguments)
    order = sorted(needed)
    renumbered = {old: new for new, old in enumerate(order)}
    inputs = [int(nodes[old].parameters[0]) for old in order if nodes[old].op == "input"]  # type: ignore[arg-type]
    kept = []
    for old in order:
        node = nodes[old]
        parameters = (inputs.index(int(node.parameters[0])),) if node.op == "input" else node.parameters  # type: ignore[arg-type]
        arguments = tuple(renumbered[argument] for argument in node.arguments)
        kept.append(replace(node, arguments=arguments, parameters=parameters))
    return tuple(kept), tuple(renumbered[root] for root in roots), tuple(inputs)
