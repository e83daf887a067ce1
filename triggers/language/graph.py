"""The graph in which the intermediate representation is built: equal nodes are shared, unused ones are dropped.

`Graph.add` returns the index of a node and gives equal nodes the same index, so equal sub-expressions are shared by
construction and no pass needs recursion. A graph that is pruned has its nodes in stages: what is evaluated before the
objects of lists, for the objects of each list, and after them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from triggers.language.ir import AGGREGATES, MAX_INPUTS, OPERATIONS, Kind, Node, Parameter, mask_of
from triggers.language.text.diagnostics import Span

BEFORE = -1
"""The stage of what neither reads fields nor what is told of objects."""
AFTER = MAX_INPUTS
"""The stage of what reads what is told of objects: greater than that of any list."""
_OF_OBJECTS = AGGREGATES | {"object_field"}


@dataclass(slots=True)
class Graph:
    """Nodes under construction; equal nodes share one index.

    `span` is the place in the source that is being lowered; new nodes are recorded at this place.
    """

    nodes: list[Node] = field(default_factory=list)
    masks: list[int] = field(default_factory=list)
    """For each node, the inputs that it reads, as a bit mask."""
    fields: list[int] = field(default_factory=list)
    """For each node, the lists of objects by whose fields it differs from object to object, as a bit mask."""
    told: list[int] = field(default_factory=list)
    """For each node, the lists of which it reads what is told of all objects, as a bit mask."""
    spans: list[Span | None] = field(default_factory=list)
    """For each node, the place where it first appears."""
    span: Span | None = None
    entries: int = 0
    """Window entries of all nodes."""
    _indexes: dict[tuple[str, tuple[int, ...], str], int] = field(default_factory=dict)

    def add(self, op: str, *arguments: int, kind: Kind | None = None, **parameters: Parameter) -> int:
        """The index of this operation on these nodes; `kind` is needed if the operation does not determine it.

        >>> graph = Graph()
        >>> x = graph.add("input", input=0, kind=Kind.NUMBER)
        >>> graph.add("add", x, x), graph.add("add", x, x), graph.add("sub", x, x)
        (1, 1, 2)
        """
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
            self.masks.append(mask_of(self.nodes[-1], self.masks))
            self._note_objects(self.nodes[-1])
            self.spans.append(self.span)
        return index

    def _note_objects(self, node: Node) -> None:
        fields = told = 0
        for argument in node.arguments:
            fields |= self.fields[argument]
            told |= self.told[argument]
        if node.op in AGGREGATES:
            fields, told = 0, told | 1 << node.integer("input")
        elif node.op == "object_field":
            fields = 1 << node.integer("input")
        self.fields.append(fields)
        self.told.append(told)


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
    """Keep only the nodes that the roots need, in their order, but what belongs to objects together (`in_stages`).

    >>> graph = Graph()
    >>> x, y = (graph.add("input", input=index, kind=Kind.NUMBER) for index in range(2))
    >>> unused, root = graph.add("abs", x), graph.add("neg", y)
    >>> left = prune(graph.nodes, [root])
    >>> [(node.op, node.arguments) for node in left.nodes], left.roots, left.inputs
    ([('input', ()), ('neg', (0,))], (1,), (1,))
    """
    needed: set[int] = set()
    waiting = list(roots)
    while waiting:  # from the roots, so that a small part of many nodes costs little
        index = waiting.pop()
        if index not in needed:
            needed.add(index)
            waiting += nodes[index].arguments
    order = in_stages(nodes, sorted(needed))
    renumbered = {old: new for new, old in enumerate(order)}
    reads = {old: nodes[old].integer("input") for old in order if "input" in OPERATIONS[nodes[old].op].parameters}
    inputs = list(dict.fromkeys(reads.values()))
    positions = {old: new for new, old in enumerate(inputs)}
    kept = []
    for old in order:
        node = nodes[old]
        parameters = (positions[reads[old]], *node.parameters[1:]) if old in reads else node.parameters
        arguments = tuple(renumbered[argument] for argument in node.arguments)
        kept.append(Node(node.op, arguments, parameters, node.kind))
    return Pruned(tuple(kept), tuple(renumbered[root] for root in roots), tuple(inputs), tuple(order))


def stages(nodes: Sequence[Node], order: Iterable[int]) -> dict[int, int]:
    """The stage of each of these nodes, in whose order arguments come before their users: BEFORE, a list, or AFTER.

    Conditions on objects do not read what is told of objects, so a program has one stage for each list, which is the
    number of its input, between two halves (decision 0057).

    Raises ValueError for a node that reads the fields of two lists, or fields and what is told of objects.
    """
    order = tuple(order)
    if not any(nodes[index].op in _OF_OBJECTS for index in order):
        return dict.fromkeys(order, BEFORE)  # nearly all programs
    found: dict[int, int] = {}
    for index in order:
        node = nodes[index]
        read = {AFTER if nodes[each].op in AGGREGATES else found[each] for each in node.arguments} - {BEFORE}
        if node.op in _OF_OBJECTS:
            read.add(node.integer("input"))
        if len(read) > 1:
            raise ValueError(f"node {index} (`{node.op}`) reads what belongs to different lists of objects")
        found[index] = read.pop() if read else BEFORE
    return found


def in_stages(nodes: Sequence[Node], order: Sequence[int]) -> list[int]:
    """The same nodes in the order of their stages, and within each in the order in which they are given.

    >>> graph = Graph()
    >>> x = graph.add("object_field", input=1, field=1, kind=Kind.NUMBER)
    >>> speed = graph.add("input", input=0, kind=Kind.NUMBER)
    >>> near = graph.add("any_object", graph.add("lt", x, speed), input=1)
    >>> both = graph.add("and", near, graph.add("gt", speed, graph.add("number", value=10.0)))
    >>> [graph.nodes[index].op for index in in_stages(graph.nodes, range(len(graph.nodes)))]
    ['input', 'number', 'gt', 'object_field', 'lt', 'any_object', 'and']
    """
    stage_of = stages(nodes, order)
    return sorted(order, key=stage_of.__getitem__)
