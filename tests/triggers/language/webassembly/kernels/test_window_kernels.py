"""Kernels of windows over update ticks, and of the past: by the language's rules, and as the interpreter does it."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.triggers.language.webassembly.harness import (
    MAX_NS,
    Block,
    KernelMachine,
    assert_agrees,
    make_node,
    recordings,
)
from tests.triggers.language.webassembly.kernels.updates import updates
from triggers.language.ir import Kind, Node
from triggers.language.reference.values import Value
from triggers.language.webassembly.kernels.windows.extremes import KERNELS

SPAN_NS = 1_000
CAPACITIES = (1, 2, 3, 7, 64, 500)
NUMBER = (Kind.NUMBER,)


def window(op: str, *, window_ns: int = SPAN_NS, capacity: int = 500) -> Node:
    return make_node(op, NUMBER, window_ns=window_ns, capacity=capacity)


def run(node: Node, block: Block) -> list[Value]:
    return KernelMachine(KERNELS[node.op], node, NUMBER).run(block)


@pytest.mark.parametrize("op", ["window_min", "window_max", "delta", "rate"])
@settings(max_examples=100)
@given(blocks=recordings(NUMBER, SPAN_NS), capacity=st.sampled_from(CAPACITIES))
def test_a_window_agrees_with_the_interpreter(op: str, blocks: list[Block], capacity: int) -> None:
    assert_agrees(KERNELS[op], window(op, capacity=capacity), NUMBER, blocks)


@pytest.mark.parametrize("kind", list(Kind))
@settings(max_examples=100)
@given(data=st.data(), capacity=st.sampled_from(CAPACITIES))
def test_past_agrees_with_the_interpreter(kind: Kind, data: st.DataObject, capacity: int) -> None:
    node = make_node("past", (kind,), delay_ns=SPAN_NS, capacity=capacity)
    assert_agrees(KERNELS[f"past_{kind}"], node, (kind,), data.draw(recordings((kind,), SPAN_NS)))


def test_the_window_is_open_on_the_left() -> None:
    node = window("window_min", window_ns=200)
    assert run(node, updates([1.0, 2.0, 3.0, 4.0])) == [1.0, 1.0, 2.0, 3.0]
    assert run(window("window_max", window_ns=201), updates([4.0, 3.0, 2.0, 1.0])) == [4.0, 4.0, 4.0, 3.0]


def test_negative_zero_is_the_smaller_one() -> None:
    for op, sign in (("window_min", -1.0), ("window_max", 1.0)):
        for values in ([0.0, -0.0], [-0.0, 0.0]):
            last = run(window(op), updates(list(values)))[-1]
            assert last is not None
            assert math.copysign(1.0, last) == sign


def test_a_full_ring_covers_the_latest_entries_and_counts_the_lost_ones() -> None:
    machine = KernelMachine(KERNELS["window_min"], window("window_min", capacity=3), NUMBER)
    assert machine.run(updates([1.0, 2.0, 3.0, 4.0, 5.0], step_ns=10)) == [1.0, 1.0, 1.0, 2.0, 3.0]
    assert machine.overflows == 2


def test_what_leaves_the_window_makes_room_before_a_full_ring_overflows() -> None:
    machine = KernelMachine(KERNELS["window_max"], window("window_max", window_ns=300, capacity=3), NUMBER)
    assert machine.run(updates([9.0, 2.0, 3.0, 1.0, 0.0])) == [9.0, 9.0, 9.0, 3.0, 3.0]
    assert machine.overflows == 0


@pytest.mark.parametrize("op", ["window_min", "window_max", "delta", "rate"])
def test_values_without_a_new_sample_do_not_enter_the_window(op: str) -> None:
    fresh = [index % 3 != 1 for index in range(200)]
    values: list[Value] = [float(index % 50) if fresh[index] else (-1.0) ** index * 1e6 for index in range(200)]
    assert_agrees(KERNELS[op], window(op), NUMBER, [Block(range(0, 2_000, 10), [True] * 200, fresh, (values,))])


def test_a_window_without_updates_is_unknown() -> None:
    block = Block([0, 500, 1_000, 1_500], [True] * 4, [True, False, False, True], ([1.0] * 4,), begins=True)
    assert run(window("window_min"), block) == [1.0, 1.0, None, 1.0]


def test_a_segment_forgets_the_window_of_the_one_before() -> None:
    machine = KernelMachine(KERNELS["window_min"], window("window_min"), NUMBER)
    machine.run(updates([1.0, 1.0]))
    machine.reset()
    assert machine.run(updates([7.0, 8.0], start_ns=200)) == [7.0, 7.0]


@pytest.mark.parametrize("op", ["window_min", "window_max", "delta", "rate"])
@pytest.mark.parametrize("count", [1, 2, 70])
def test_the_latest_possible_timestamp_is_one_like_others(op: str, count: int) -> None:
    block = updates([float(index % 7) for index in range(count)], start_ns=MAX_NS - (count - 1) * 100)
    assert block.times_ns[-1] == MAX_NS
    assert_agrees(KERNELS[op], window(op), NUMBER, [block])


def test_delta_and_rate_need_two_updates_and_a_finite_difference() -> None:
    values: list[Value] = [1.0, 3.0, 1.7e308, -1.7e308]
    assert run(window("delta", window_ns=150), updates(values)) == [None, 2.0, 1.7e308, None]
    assert run(window("rate", window_ns=150), updates([1.0, 3.0, None])) == [None, 2.0 / 1e-7, None]


@pytest.mark.parametrize(("step_ns", "lost"), [(60, 0), (50, 0), (49, 5)])
def test_past_counts_only_what_its_ring_really_loses(step_ns: int, lost: int) -> None:
    node = make_node("past", (Kind.NUMBER,), delay_ns=200, capacity=5)
    values: list[Value] = [float(i) for i in range(10)]
    block = Block(range(1, 1 + 10 * step_ns, step_ns), [True] * 10, [True] * 10, (values,), begins=True)
    machine = KernelMachine(KERNELS["past_number"], node, (Kind.NUMBER,))
    machine.run(block)
    assert machine.overflows == lost
    assert_agrees(KERNELS["past_number"], node, (Kind.NUMBER,), [block])
