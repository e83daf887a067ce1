"""Kernels of `once`, `count` and `flicker`: by the language's rules, and as the interpreter does it."""

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
from triggers.language.webassembly.kernels.windows.counts import KERNELS

SPAN_NS = 1_000
LIMITS = (1, 2, 5, 1000)
BOOL = (Kind.BOOL,)


def once(window_ns: int = SPAN_NS) -> Node:
    return make_node("once", BOOL, window_ns=window_ns)


def counter(op: str, *, window_ns: int = SPAN_NS, limit: int = 1000) -> Node:
    return make_node(op, BOOL, window_ns=window_ns, limit=limit)


def ticks(values: list[Value], step_ns: int = 100) -> Block:
    """A segment's block of equal steps in which every tick is due."""
    count = len(values)
    return Block(range(0, step_ns * count, step_ns), [True] * count, [True] * count, (values,), begins=True)


@settings(max_examples=200)
@given(blocks=recordings(BOOL, SPAN_NS))
def test_once_agrees_with_the_interpreter(blocks: list[Block]) -> None:
    assert_agrees(KERNELS["once"], once(), BOOL, blocks)


@pytest.mark.parametrize("op", ["count", "count_impulses"])
@settings(max_examples=150)
@given(blocks=recordings(BOOL, SPAN_NS), limit=st.sampled_from(LIMITS))
def test_counts_agree_with_the_interpreter(op: str, blocks: list[Block], limit: int) -> None:
    assert_agrees(KERNELS[op], counter(op, limit=limit), BOOL, blocks)


@pytest.mark.parametrize("kind", list(Kind))
@settings(max_examples=150)
@given(data=st.data(), limit=st.sampled_from(LIMITS))
def test_flicker_agrees_with_the_interpreter(kind: Kind, data: st.DataObject, limit: int) -> None:
    node = make_node("flicker", (kind,), window_ns=SPAN_NS, limit=limit)
    assert_agrees(KERNELS[f"flicker_{kind}"], node, (kind,), data.draw(recordings((kind,), SPAN_NS)))


@pytest.mark.parametrize("true_at", [0, 1, 62, 63, 64, 100])
@pytest.mark.parametrize("window_ns", [1, 100, 3_000, 6_400])
def test_once_holds_for_the_window_across_words(true_at: int, window_ns: int) -> None:
    values: list[Value] = [index == true_at for index in range(200)]
    held = (window_ns + 99) // 100
    expected = [true_at <= index < true_at + held for index in range(200)]
    assert KernelMachine(KERNELS["once"], once(window_ns), BOOL).run(ticks(values)) == expected


def test_once_is_false_where_its_condition_was_known_and_unknown_where_it_was_not() -> None:
    block = ticks([None, True, None, None, False, None, None])
    got = KernelMachine(KERNELS["once"], once(200), BOOL).run(block)
    assert got == [None, True, True, None, False, False, None]


@pytest.mark.parametrize("rise_at", [1, 63, 64, 65, 127])
def test_count_sees_rises_at_the_edges_of_words_and_forgets_them_after_the_window(rise_at: int) -> None:
    values: list[Value] = [index >= rise_at for index in range(256)]
    expected = [float(rise_at <= index < rise_at + 70) for index in range(256)]
    assert KernelMachine(KERNELS["count"], counter("count", window_ns=7_000), BOOL).run(ticks(values)) == expected


@pytest.mark.parametrize("op", ["once", "count", "count_impulses", "flicker"])
@pytest.mark.parametrize("window_ns", [100, 6_300, 6_400, 6_500, 50_000])
def test_changes_between_words_agree_with_the_interpreter(op: str, window_ns: int) -> None:
    node = once(window_ns) if op == "once" else counter(op, window_ns=window_ns, limit=3)
    kernel = KERNELS["flicker_bool" if op == "flicker" else op]
    for values in word_changes():
        assert_agrees(kernel, node, BOOL, [ticks(values)])


def test_a_first_known_value_is_neither_a_rise_nor_a_change() -> None:
    for op in ("count", "flicker"):
        kernel = KERNELS["count" if op == "count" else "flicker_bool"]
        assert KernelMachine(kernel, counter(op), BOOL).run(ticks([None, True, True])) == [None, 0.0, 0.0]


def test_changes_are_counted_across_unknown_ticks() -> None:
    block = ticks([False, None, True, None, False])
    assert KernelMachine(KERNELS["count"], counter("count"), BOOL).run(block) == [0, 0, 1, 1, 1]
    assert KernelMachine(KERNELS["flicker_bool"], counter("flicker"), BOOL).run(block) == [0, 0, 1, 1, 2]
    assert KernelMachine(KERNELS["count_impulses"], counter("count_impulses"), BOOL).run(block) == [0, 0, 1, 1, 1]


def test_a_count_saturates_at_its_limit() -> None:
    values: list[Value] = [index % 2 == 1 for index in range(150)]
    got = KernelMachine(KERNELS["count"], counter("count", window_ns=10**9, limit=3), BOOL).run(ticks(values))
    assert got[:8] == [0, 1, 1, 2, 2, 3, 3, 3]
    assert got[-1] == 3


@pytest.mark.parametrize("due_every", [1, 3])
def test_flicker_of_a_number_saturates_at_its_limit(due_every: int) -> None:
    due = [index % due_every == 0 for index in range(300)]
    block = Block(range(300), due, due, ([float(index) for index in range(300)],))
    for limit in (1, 2, 5):
        node = make_node("flicker", (Kind.NUMBER,), window_ns=10**6, limit=limit)
        assert KernelMachine(KERNELS["flicker_number"], node, (Kind.NUMBER,)).run(block)[-1] == limit
        assert_agrees(KERNELS["flicker_number"], node, (Kind.NUMBER,), [block])


def test_flicker_of_a_number_that_changes_between_words_agrees_with_the_interpreter() -> None:
    for window_ns in (100, 6_300, 6_400, 50_000):
        node = make_node("flicker", (Kind.NUMBER,), window_ns=window_ns, limit=3)
        for values in word_changes():
            numbers: list[Value] = [None if value is None else float(value) for value in values]
            assert_agrees(KERNELS["flicker_number"], node, (Kind.NUMBER,), [ticks(numbers)])


def test_flicker_takes_both_zeros_for_one_value() -> None:
    node = make_node("flicker", (Kind.NUMBER,), window_ns=SPAN_NS, limit=10)
    block = ticks([0.0, -0.0, 1.0, None, 1.0, 0.0], step_ns=10)
    assert KernelMachine(KERNELS["flicker_number"], node, (Kind.NUMBER,)).run(block) == [0, 0, 1, 1, 1, 2]
