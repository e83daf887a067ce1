"""Lists of objects in the reference interpreter: slots, states that begin and end, and what is told of all objects."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import pytest

from tests.triggers.language.object_programs import (
    KEY,
    MS,
    SEEN,
    above,
    field,
    list_input,
    objects,
    program,
    rows,
    sample,
    signal,
)
from triggers.language.graph import Graph
from triggers.language.ir import Ir, Kind
from triggers.language.reference.interpreter import Interpreter
from triggers.language.reference.values import Value
from triggers.language.rows import Row
from triggers.signals.objects import ObjectSample


class Told(Interpreter):
    """Keeps the value of the last node at each tick, by its time in ms."""

    def __init__(self, ir: Ir) -> None:
        super().__init__(ir)
        self.told: dict[int, Value] = {}

    def after_tick(self, t_ns: int, values: Sequence[Value]) -> None:
        self.told[t_ns // MS] = values[-1]


def told(ir: Ir, recording: Mapping[int, ObjectSample | None] | Sequence[Row]) -> dict[int, Value]:
    """The value of the last node of a program at each tick of a list's samples, by their times in ms."""
    interpreter = Told(ir)
    interpreter.run(rows(recording) if isinstance(recording, Mapping) else recording)
    return interpreter.told


def any_held(most: int = 4, hold_ms: int = 200) -> Ir:
    """`any(o in tracked where o.x > 1 for 200 ms)`."""

    def root(graph: Graph) -> int:
        held = graph.add("for", above(graph, field(graph), 1.0), hold_ns=hold_ms * MS, tolerate_ns=0)
        return graph.add("any_object", held, input=0)

    return program((list_input(most=most),), root)


def over_all(op: str, *arguments: Callable[[Graph], int]) -> Ir:
    """A program of one operation over all objects."""

    def root(graph: Graph) -> int:
        node = graph.add(op, *(argument(graph) for argument in arguments), input=0)
        return node if op in ("any_object", "all_objects") else above(graph, node, 0.0)

    return program((list_input(),), root)


def positive(graph: Graph) -> int:
    """`o.x > 0`."""
    return above(graph, field(graph), 0.0)


def key_of(graph: Graph) -> int:
    """`o.id`."""
    return field(graph, KEY)


def test_a_condition_is_held_for_each_object_by_itself() -> None:
    in_turn = {0: objects(k1=2, k2=0), 100: objects(k1=0, k2=2), 200: objects(k1=2, k2=0), 300: objects(k1=0, k2=2)}
    assert True not in told(any_held(), in_turn).values()
    one = {0: objects(k1=2, k2=0), 100: objects(k2=2, k1=2), 200: objects(k3=0, k1=2, k2=0)}
    assert told(any_held(), one) == {0: False, 100: False, 200: True}


def test_an_absent_object_keeps_its_state_until_it_is_over() -> None:
    """Its fields are unknown while it is absent, so a hold that tolerates that goes on, but not beyond max_age."""

    def root(graph: Graph) -> int:
        held = graph.add("for", above(graph, field(graph), 1.0), hold_ns=300 * MS, tolerate_ns=1000 * MS)
        return graph.add("any_object", held, input=0)

    ir = program((list_input(max_age_ms=300),), root)
    back = {0: objects(k1=2), 100: objects(), 200: objects(), 300: objects(k1=2)}
    assert told(ir, back) == {0: False, 100: False, 200: False, 300: True}
    too_late = {0: objects(k1=2), 100: objects(), 200: objects(), 301: objects(k1=2), 400: objects(k1=2)}
    assert told(ir, too_late) == {0: False, 100: False, 200: False, 300: False, 301: False, 400: False}


def test_a_new_object_takes_the_slot_that_was_used_least_recently() -> None:
    """With two slots, 3 takes that of 1, which is absent for longer than 2; 2 keeps its state."""
    recording = {
        0: objects(k1=2, k2=2),
        50: objects(k2=2),
        100: objects(k3=2),
        150: objects(k2=2, k3=2),
        250: objects(k2=2),
        251: objects(k1=2),
    }
    assert told(any_held(most=2), recording)[250] is False  # unknown at 100 ms, where 2 is absent, ends its run
    assert told(any_held(most=2, hold_ms=100), recording)[250] is True
    assert told(any_held(most=2, hold_ms=100), recording)[251] is False


def test_what_a_list_cannot_hold_is_left_out_and_counted() -> None:
    twice = ObjectSample((1, 1, 2), ((0.0, 1.0, 0.0), (5.0, 1.0, 0.0), (5.0, 1.0, 0.0)))
    interpreter = Interpreter(any_held(most=2, hold_ms=0))
    assert not interpreter.run(rows({0: twice}))
    assert interpreter.left_out == {"tracked": 2}, "the key that comes twice, and the third place of two"


def test_what_is_told_of_all_objects_is_kleenes() -> None:
    nan = float("nan")
    cases: list[tuple[ObjectSample, Value, Value]] = [
        (objects(), False, True),
        (objects(k1=1, k2=1), True, True),
        (objects(k1=1, k2=-1), True, False),
        (objects(k1=nan, k2=-1), None, False),
        (objects(k1=nan, k2=1), True, None),
        (objects(k1=nan), None, None),
    ]
    for given, of_any, of_all in cases:
        assert told(over_all("any_object", positive), {0: given}) == {0: of_any}
        assert told(over_all("all_objects", positive), {0: given}) == {0: of_all}


@pytest.mark.parametrize(
    ("op", "expected"),
    [("count_objects", 2.0), ("min_of_objects", 1.0), ("max_of_objects", 3.0), ("sum_of_objects", 4.0)],
)
def test_numbers_of_objects_are_of_those_whose_condition_is_true(op: str, expected: float) -> None:
    arguments = (positive,) if op == "count_objects" else (field, positive)
    ir = over_all(op, *arguments)
    interpreter = Interpreter(ir)
    interpreter.run(rows({0: objects(k4=3, k5=-7, k6=1, k7=float("inf"))}))
    value_of = next(index for index, node in enumerate(ir.nodes) if node.op == op)
    assert interpreter.values[value_of] == expected
    interpreter.run(rows({1: objects()}))
    of_none = None if op in ("min_of_objects", "max_of_objects") else 0.0
    assert interpreter.values[value_of] == of_none


def test_a_stale_list_is_unknown() -> None:
    found = told(over_all("any_object", positive), {0: objects(k1=1), 450: None})
    assert found == {0: True, 100: True, 200: True, 300: True, 400: None}


def test_the_nearest_object_is_the_one_with_the_smallest_key_of_equal_ones() -> None:
    ir = over_all(
        "nearest_object", field, lambda graph: graph.add("truth", value=True), lambda graph: field(graph, KEY)
    )
    interpreter = Interpreter(ir)
    place = next(index for index, node in enumerate(ir.nodes) if node.op == "nearest_object")
    for t_ms, given, nearest in (
        (0, sample({9: 1.0, 4: 1.0, 5: 2.0}), 4.0),
        (1, sample({9: 1.0, 2**53 + 2: -1.0}), None),
        (2, sample({9: float("nan")}), None),
    ):
        interpreter.run(rows({t_ms: given}))
        assert interpreter.values[place] == nearest


def test_objects_are_compared_with_signals_and_are_gone_in_a_new_segment() -> None:
    def root(graph: Graph) -> int:
        speed = graph.add("input", input=1, kind=Kind.NUMBER)
        held = graph.add("for", graph.add("gt", field(graph), speed), hold_ns=100 * MS, tolerate_ns=0)
        return graph.add("any_object", graph.add("and", held, field(graph, SEEN)), input=0)

    ir = program((list_input(), signal("v")), root)
    recording = [
        Row(0, {"v": 1.0}, {"tracked": objects(k1=2)}),
        Row(90 * MS, {"v": 1.5}),
        Row(120 * MS, {"v": 1.7}),
        Row(10_000 * MS, {"v": 1.0}, {"tracked": objects(k1=2)}),
    ]
    found = told(ir, recording)
    assert (found[0], found[90], found[120], found[10_000]) == (False, False, True, False)
