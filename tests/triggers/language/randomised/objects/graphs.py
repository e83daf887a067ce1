"""Random programs on lists of objects, built as graphs: every operation on the fields of objects, on signals beside
them, and on what is told of all objects.
"""

from __future__ import annotations

from random import Random

from tests.triggers.language.object_programs import FIELDS, list_input, program, signal
from triggers.language.checks.calls.places import rising_edges
from triggers.language.graph import Graph
from triggers.language.ir import AGGREGATES, ANY, OPERATIONS, Input, Ir, Kind, Parameter

_N, _B = Kind.NUMBER, Kind.BOOL
_LEAVES = {"number", "truth", "input", "object_field"}
_OF_SIGNALS = {"age", "disagree", "divergence"}
"""Operations on signals themselves, which fields are not."""
_TOLD = {_B: ("any_object", "all_objects"), _N: ("count_objects", "min_of_objects", "max_of_objects", "sum_of_objects")}
_OPERATIONS = [op for op in OPERATIONS if op not in _LEAVES | _OF_SIGNALS | AGGREGATES]
_PREFERRED = ("gt", "lt", "for", "and", "or", "not", "rise", "add", "then", "share", "window_max", "prev", "default")
_TIMES_NS = (1, 40_000_000, 100_000_000, 300_000_000, 1_000_000_000)
_EDGES = rising_edges((0.0, 0.0, 0.5, 2.0, 2.0, 2.0, 1.5, 0.0))


class GraphAuthor:
    """Adds random nodes to a graph; `of` is the list whose fields they read, None for what reads no field."""

    def __init__(self, random: Random, inputs: tuple[Input, ...]) -> None:
        self.random = random
        self.graph = Graph()
        self._lists = [place for place, item in enumerate(inputs) if item.type == "objects"]
        self._signals = {
            kind: [place for place, item in enumerate(inputs) if item.type == ("number" if kind is _N else "bool")]
            for kind in Kind
        }
        self._told: dict[Kind, list[int]] = {_N: [], _B: []}
        """What was told of objects so far."""

    def told(self, kind: Kind) -> int:
        """An operation over the objects of a list, with random conditions on them."""
        of = self.random.choice(self._lists)
        condition = self.node(_B, self.random.randrange(4), of)
        if self.random.random() < 0.3:
            value = self.node(kind, self.random.randrange(2), of)
            distance = self.node(_N, self.random.randrange(2), of)
            node = self.graph.add("nearest_object", distance, condition, value, kind=kind, input=of)
        else:
            op = self.random.choice(_TOLD[kind])
            numbers = [] if op == "count_objects" or kind is _B else [self.node(_N, self.random.randrange(3), of)]
            node = self.graph.add(op, *numbers, condition, input=of)
        self._told[kind].append(node)
        return node

    def node(self, kind: Kind, depth: int, of: int | None, *, after: bool = False) -> int:
        """A node of that kind; `after`: it may read what was told of objects."""
        if depth <= 0 or self.random.random() < 0.15:
            return self._leaf(kind, of, after=after)
        for _ in range(100):
            op = self.random.choice(_PREFERRED if self.random.random() < 0.3 else _OPERATIONS)
            result = OPERATIONS[op].result
            if result in (None, kind) and not (op == "every" and of is not None):
                return self._operation(op, kind, depth, of, after=after)
        return self._leaf(kind, of, after=after)

    def _leaf(self, kind: Kind, of: int | None, *, after: bool) -> int:
        if after and self._told[kind] and self.random.random() < 0.8:
            return self.random.choice(self._told[kind])
        if of is not None and self.random.random() < 0.85:
            places = [place for place, field in enumerate(FIELDS) if (field.type == "bool") is (kind is _B)]
            return self.graph.add("object_field", input=of, field=self.random.choice(places), kind=kind)
        if kind is _B and self.random.random() < 0.1:
            return self.graph.add("truth", value=self.random.random() < 0.5)
        return self.graph.add("input", input=self.random.choice(self._signals[kind]), kind=kind)

    def _operation(self, op: str, kind: Kind, depth: int, of: int | None, *, after: bool) -> int:
        operation = OPERATIONS[op]
        of_any = kind if operation.result is None else self.random.choice((_N, _B))
        kinds = [of_any if wanted is ANY else wanted for wanted in operation.arguments]
        if operation.variadic:
            kinds *= self.random.randrange(2, 4)
        arguments = [self.node(wanted, depth - 1, of, after=after) for wanted in kinds]
        if len(kinds) == 2 and kinds[1] is _N and self.random.random() < 0.4:
            arguments[1] = self.graph.add("number", value=self.random.choice((-1.0, 0.0, 0.5, 1.0, 2.0)))
        if op == "every_distance":  # whose argument is never unknown
            arguments = [self.graph.add("odometer", *arguments)]
        return self.graph.add(op, *arguments, kind=kind, **self._parameters(op))

    def _parameters(self, op: str) -> dict[str, Parameter]:
        given: dict[str, Parameter] = {}
        for name in OPERATIONS[op].parameters:
            if name.endswith("_ns"):
                given[name] = self.random.choice(_TIMES_NS)
            elif name in ("capacity", "limit"):
                given[name] = self.random.choice((1, 2, 3, 8, 30))
            else:
                given[name] = _FIXED[name]
        if op == "then_after":
            given["after_ns"], given["within_ns"] = 40_000_000, 1_000_000_000
        if op in ("for", "for_at_most"):
            given["tolerate_ns"] = self.random.choice((0, 0, 100_000_000, 1_000_000_000))
        return given


_FIXED: dict[str, Parameter] = {
    "mask": 3.0, "half_turn": 2.0, "table": (2.0, 0.0, 1.0), "low": -1.0, "high": 2.0, "on": 1.0, "off": 0.0,
    "part": 3.0, "whole": 4.0, "latitude": 1.0, "longitude": 1.0, "radius_m": 90_000.0, "edges": _EDGES,
    "multiple_m": 0.5,
}  # fmt: skip


def random_object_program(random: Random, *, most: int | None = None) -> Ir:
    """A program of a few triggers on one or two lists, of which each keeps so many objects apart, and two signals."""
    inputs = (
        signal("v", max_age_ms=random.choice((30, 200, 1000))),
        signal("p", max_age_ms=random.choice((30, 200)), kind=_B),
        *(
            list_input(
                name, most=most or random.choice((1, 2, 3, 5, 9)), max_age_ms=random.choice((30, 150, 400, 1000))
            )
            for name in ("tracked", "seen")[: random.choice((1, 1, 2))]
        ),
    )
    author = GraphAuthor(random, inputs)
    roots = []
    for _ in range(random.randrange(1, 4)):
        told = author.told(random.choice((_N, _B, _B)))
        is_bool = author.graph.nodes[told].kind is _B
        over = told if is_bool else author.graph.add("gt", told, author.graph.add("number", value=0.5))
        other = author.node(_B, random.randrange(4), None, after=True)
        roots.append(author.graph.add(random.choice(("and", "or")), over, other) if random.random() < 0.7 else over)
    return program(inputs, *roots, graph=author.graph, max_gap_ms=random.choice((100, 500, 2000)))
