"""Kernels from the latest rise of a condition on: by the language's rules, and as the interpreter does it."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.triggers.language.webassembly.harness import (
    Block,
    KernelMachine,
    assert_agrees,
    make_node,
    recordings,
    word_changes,
)
from triggers.language.ir import Kind, Node
from triggers.language.reference.values import Value
from triggers.language.webassembly.kernels.windows.since import KERNELS

SPAN_NS = 1_000
N, B = Kind.NUMBER, Kind.BOOL
NODES: dict[str, tuple[Node, tuple[Kind, ...]]] = {
    "at_number": (make_node("at", (N, B)), (N, B)),
    "at_bool": (make_node("at", (B, B)), (B, B)),
    "time_since": (make_node("time_since", (B,)), (B,)),
    **{op: (make_node(op, (N, B)), (N, B)) for op in ("since_min", "since_max", "since_sum")},
    **{op: (make_node(op, (B, B)), (B, B)) for op in ("since_count", "since_count_impulses")},
}


def ticks(*arguments: list[Value], fresh: list[bool] | None = None) -> Block:
    """A segment's block of steps of 100 ns in which every tick is due, and has a sample unless `fresh` tells."""
    count = len(arguments[0])
    return Block(range(0, 100 * count, 100), [True] * count, fresh or [True] * count, arguments, begins=True)


def got(name: str, block: Block) -> list[Value]:
    return KernelMachine(KERNELS[name], *NODES[name]).run(block)


@pytest.mark.parametrize("name", NODES)
def test_each_agrees_with_the_interpreter(name: str) -> None:
    node, kinds = NODES[name]

    @settings(max_examples=60, database=None)
    @given(recordings(kinds, SPAN_NS))
    def agrees(blocks: list[Block]) -> None:
        assert_agrees(KERNELS[name], node, kinds, blocks)

    agrees()


@pytest.mark.parametrize("name", NODES)
def test_events_between_words_agree_with_the_interpreter(name: str) -> None:
    node, kinds = NODES[name]
    for event in word_changes():
        numbers: list[Value] = [index * 0.1 for index in range(len(event))]
        subject: list[Value] = [index % 3 == 0 for index in range(len(event))]
        arguments = ([numbers if kinds[0] is N else subject] if len(kinds) == 2 else []) + [event]
        assert_agrees(KERNELS[name], node, kinds, [ticks(*arguments)])


def test_a_value_is_caught_at_the_rise_and_not_where_a_condition_is_true_from_the_beginning() -> None:
    event: list[Value] = [True, False, True, True, None, False, None, True]
    assert got("at_number", ticks([1.0, 2, 3, 4, 5, 6, 7, 8], event)) == [None, None, 3, 3, 3, 3, 3, 8]
    subject: list[Value] = [True, True, False, True, True, True, True, None]
    assert got("at_bool", ticks(subject, event)) == [None, None, False, False, False, False, False, None]


def test_the_time_since_a_rise_is_in_seconds() -> None:
    event: list[Value] = [False, True, True, False, True]
    assert got("time_since", ticks(event)) == [None, 0, 100e-9, 200e-9, 0]


def test_what_is_looked_at_begins_with_the_tick_of_the_rise() -> None:
    x: list[Value] = [9.0, 1.0, 5.0, None, 2.0, 7.0, 4.0]
    event: list[Value] = [False, False, True, True, True, False, True]
    assert got("since_min", ticks(x, event)) == [None, None, 5, 5, 2, 2, 4]
    assert got("since_max", ticks(x, event)) == [None, None, 5, 5, 5, 7, 4]
    assert got("since_sum", ticks(x, event)) == [None, None, 5, 5, 7, 14, 4]


def test_only_ticks_with_a_sample_count() -> None:
    fresh = [True, False, False, True]
    block = ticks([1.0, 2.0, 2.0, 3.0], [False, True, True, True], fresh=fresh)
    assert got("since_sum", block) == [None, None, None, 3]
    assert got("since_max", block) == [None, None, None, 3]


def test_a_sum_keeps_what_each_addition_rounds_off_and_is_unknown_while_it_is_not_finite() -> None:
    event: list[Value] = [False, True, True, True, True, False, True]
    assert got("since_sum", ticks([0.0, 1e16, 1.0, 1.0, -1e16, 0.0, 3.0], event))[4:] == [2, 2, 3]
    assert got("since_sum", ticks([0.0, 1e308, 1e308, -1e308, 1.0, 1.0, 3.0], event))[1:] == [1e308, *[None] * 4, 3]


def test_a_rise_of_the_counted_condition_counts_at_the_tick_of_the_event_too() -> None:
    subject: list[Value] = [False, True, False, True, None, True, False, True]
    event: list[Value] = [False, True, True, True, True, True, True, False]
    assert got("since_count", ticks(subject, event)) == [None, 1, 1, 2, 2, 2, 2, 3]
    assert got("since_count_impulses", ticks(subject, event)) == [None, 1, 1, 2, 2, 3, 3, 4]


def test_a_count_is_unknown_until_its_condition_is_known() -> None:
    event: list[Value] = [False, True, True, True]
    assert got("since_count", ticks([True, None, None, True], event)) == [None, None, None, 0]


@given(st.integers(1, 3000))
@settings(max_examples=5)
def test_a_count_does_not_saturate(count: int) -> None:
    subject: list[Value] = [index % 2 == 1 for index in range(count)]
    event: list[Value] = [index > 0 for index in range(count)]
    assert got("since_count", ticks(subject, event))[-1] == (count // 2 if count > 1 else None)
