"""The order of a program's nodes around lists of objects: before them, for each list, and after them."""

from __future__ import annotations

import pytest

from triggers.language.graph import AFTER, BEFORE, Graph, in_stages, prune, stages
from triggers.language.ir import Kind


def two_lists() -> tuple[Graph, int]:
    """`any(o in 2 where o.0 > 1) and input 0 and any(o in 1 where o.0 > 1)`, in this order, and `not` of it."""
    graph = Graph()
    aggregates = []
    for position, of_list in enumerate((2, 1)):
        field = graph.add("object_field", input=of_list, field=0, kind=Kind.NUMBER)
        near = graph.add("gt", field, graph.add("number", value=1.0))
        aggregates.append(graph.add("any_object", near, input=of_list))
        if position == 0:
            aggregates.append(graph.add("input", input=0, kind=Kind.BOOL))
    return graph, graph.add("not", graph.add("and", *aggregates))


def test_what_belongs_to_a_list_stands_together_between_two_halves() -> None:
    graph, root = two_lists()
    left = prune(graph.nodes, [root])
    assert [node.op for node in left.nodes] == [
        "number", "input",
        "object_field", "gt", "any_object",
        "object_field", "gt", "any_object",
        "and", "not",
    ]  # fmt: skip
    assert left.inputs == (0, 1, 2)
    assert [node.integer("input") for node in left.nodes if node.op == "any_object"] == [1, 2]
    assert left.roots == (9,)
    assert all(argument < index for index, node in enumerate(left.nodes) for argument in node.arguments)


def test_the_kept_indexes_are_in_the_new_order() -> None:
    graph, root = two_lists()
    left = prune(graph.nodes, [root])
    assert [graph.nodes[old].op for old in left.kept] == [node.op for node in left.nodes]


def test_a_program_that_was_pruned_keeps_its_order() -> None:
    graph, root = two_lists()
    once = prune(graph.nodes, [root])
    again = prune(once.nodes, once.roots)
    assert again.nodes == once.nodes
    assert again.kept == tuple(range(len(once.nodes)))


def test_an_aggregate_of_what_is_no_field_belongs_to_its_list() -> None:
    graph = Graph()
    true = graph.add("truth", value=True)
    count = graph.add("count_objects", true, input=3)
    total = graph.add("neg", count)
    assert stages(graph.nodes, range(3)) == {true: BEFORE, count: 3, total: AFTER}
    assert in_stages(graph.nodes, range(3)) == [0, 1, 2]


def test_fields_of_two_lists_do_not_meet() -> None:
    graph = Graph()
    fields = [graph.add("object_field", input=each, field=0, kind=Kind.NUMBER) for each in range(2)]
    graph.add("add", *fields)
    with pytest.raises(ValueError, match="different lists"):
        stages(graph.nodes, range(3))


def test_a_condition_on_an_object_does_not_read_what_is_told_of_objects() -> None:
    graph = Graph()
    field = graph.add("object_field", input=0, field=0, kind=Kind.NUMBER)
    least = graph.add("min_of_objects", field, graph.add("truth", value=True), input=0)
    graph.add("eq", field, least)
    with pytest.raises(ValueError, match="different lists"):
        stages(graph.nodes, range(len(graph.nodes)))
