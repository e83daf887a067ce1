"""Programs on lists of objects, built by hand, and rows of objects for them."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from triggers.language.graph import Graph, prune
from triggers.language.ir import Input, InputField, Ir, Kind, TriggerCode
from triggers.language.rows import Row
from triggers.signals.objects import ObjectSample

MS = 1_000_000
FIELDS = (
    InputField("id", "id"),
    InputField("x", "number", "m"),
    InputField("seen", "bool"),
    InputField("kind", "text", values=("car", "truck")),
)
"""The fields of every list here: the key, a number, a bool and a text."""
KEY, X, SEEN, KIND = range(4)


def list_input(name: str = "tracked", *, most: int = 4, max_age_ms: int = 300) -> Input:
    """A list of objects with `FIELDS`."""
    return Input(name, "objects", "", max_age_ms * MS, None, (), most, FIELDS)


def signal(name: str, *, max_age_ms: int = 300, kind: Kind = Kind.NUMBER) -> Input:
    """A signal beside the lists."""
    return Input(name, "number" if kind is Kind.NUMBER else "bool", "", max_age_ms * MS, None)


def program(
    inputs: tuple[Input, ...],
    *roots: int | Callable[[Graph], int],
    graph: Graph | None = None,
    max_gap_ms: int = 2000,
) -> Ir:
    """A program with a trigger for each root, `t0`, `t1` and so on: a node of `graph`, or what makes one."""
    graph = graph or Graph()
    left = prune(graph.nodes, [root if isinstance(root, int) else root(graph) for root in roots])
    triggers = tuple(TriggerCode(f"t{place}", root, 0) for place, root in enumerate(left.roots))
    return Ir(max_gap_ms * MS, tuple(inputs[place] for place in left.inputs), left.nodes, triggers)


def field(graph: Graph, place: int = X, *, of: int = 0) -> int:
    """A field of the objects of a list, which is the input `of`."""
    kind = Kind.BOOL if FIELDS[place].type == "bool" else Kind.NUMBER
    return graph.add("object_field", input=of, field=place, kind=kind)


def above(graph: Graph, node: int, number: float) -> int:
    """Whether a number is above a constant one."""
    return graph.add("gt", node, graph.add("number", value=number))


def objects(**numbers: float) -> ObjectSample:
    """Objects with their `x`, by their keys: `objects(k7=1.0)` has one with the key 7."""
    return sample({int(key[1:]): x for key, x in numbers.items()})


def sample(numbers: Mapping[int, float]) -> ObjectSample:
    """Objects with their `x`, by their keys; `seen` is true and `kind` a car."""
    return ObjectSample(tuple(numbers), tuple((x, 1.0, 0.0) for x in numbers.values()))


def rows(samples: Mapping[int, ObjectSample | None], *, name: str = "tracked") -> list[Row]:
    """Rows of one list, by their times in ms; None is a row without a sample."""
    return [Row(t_ms * MS, {}, {} if each is None else {name: each}) for t_ms, each in samples.items()]
