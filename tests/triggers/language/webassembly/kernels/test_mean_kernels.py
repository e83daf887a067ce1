"""Kernels of `avg`, `ema` and `share`: by the language's rules, and as the interpreter does it, bit for bit."""

from __future__ import annotations

from math import fsum, ulp

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
from tests.triggers.language.webassembly.kernels.updates import Glitched, glitched, updates
from triggers.language.ir import Kind, Node
from triggers.language.reference.values import Value
from triggers.language.webassembly.kernels.table import KERNELS

SPAN_NS = 1_000
CAPACITIES = (1, 2, 3, 7, 64, 500)
NUMBER, BOOL = (Kind.NUMBER,), (Kind.BOOL,)
EMA = make_node("ema", NUMBER, window_ns=SPAN_NS)


def average(capacity: int = 500, window_ns: int = SPAN_NS) -> Node:
    return make_node("window_avg", NUMBER, window_ns=window_ns, capacity=capacity)


@settings(max_examples=150)
@given(blocks=recordings(NUMBER, SPAN_NS), capacity=st.sampled_from(CAPACITIES))
def test_avg_agrees_with_the_interpreter(blocks: list[Block], capacity: int) -> None:
    assert_agrees(KERNELS["window_avg"], average(capacity), NUMBER, blocks)


@settings(max_examples=150)
@given(blocks=recordings(NUMBER, SPAN_NS))
def test_ema_agrees_with_the_interpreter(blocks: list[Block]) -> None:
    assert_agrees(KERNELS["ema"], EMA, NUMBER, blocks)


@settings(max_examples=150)
@given(blocks=recordings(BOOL, SPAN_NS), capacity=st.sampled_from(CAPACITIES))
def test_share_agrees_with_the_interpreter(blocks: list[Block], capacity: int) -> None:
    node = make_node("share", BOOL, window_ns=SPAN_NS, capacity=capacity)
    assert_agrees(KERNELS["share"], node, BOOL, blocks)


def test_avg_compensates_what_additions_round_off() -> None:
    values: list[Value] = [1e16, 1.0, 1.0, 1.0, 1.0]
    block = updates(values)
    assert KernelMachine(KERNELS["window_avg"], average(), NUMBER).run(block)[-1] == (1e16 + 4.0) / 5
    assert_agrees(KERNELS["window_avg"], average(), NUMBER, [block])


def test_avg_is_unknown_while_its_sum_overflows_and_known_again_after_it() -> None:
    block = updates([1.7e308, 1.7e308, 1.0, 3.0])
    assert KernelMachine(KERNELS["window_avg"], average(window_ns=200), NUMBER).run(block) == [
        1.7e308,
        None,
        0.85e308,
        2,
    ]
    assert_agrees(KERNELS["window_avg"], average(window_ns=200), NUMBER, [block])


def test_ema_starts_again_after_a_result_that_is_not_finite() -> None:
    values: list[Value] = [-1.7e308, 1.7e308, 5.0, None, 5.0]
    block = updates(values)
    assert KernelMachine(KERNELS["ema"], EMA, NUMBER).run(block) == [-1.7e308, None, 5.0, None, 5.0]
    assert_agrees(KERNELS["ema"], EMA, NUMBER, [block])


def test_ema_moves_by_the_time_since_the_update_before() -> None:
    block = updates([0.0, 8.0, 8.0], times_ns=[0, 1_000, 4_000])
    assert KernelMachine(KERNELS["ema"], EMA, NUMBER).run(block) == [0.0, 4.0, 7.0]


def test_share_divides_times_rounded_to_floats() -> None:
    true_ns, known_ns = (1 << 62) + 1, 3 * (1 << 60) + (1 << 62) - 7
    block = updates([True, False, False], times_ns=[0, true_ns, known_ns])
    node = make_node("share", BOOL, window_ns=(1 << 63) - 1, capacity=3)
    assert KernelMachine(KERNELS["share"], node, BOOL).run(block) == [None, 1.0, float(true_ns) / float(known_ns)]
    assert_agrees(KERNELS["share"], node, BOOL, [block])


def test_share_is_over_the_time_at_which_the_condition_was_known() -> None:
    block = updates([True, None, False, False, True])
    node = make_node("share", BOOL, window_ns=300, capacity=10)
    assert KernelMachine(KERNELS["share"], node, BOOL).run(block) == [None, 1.0, 1.0, 0.5, 0.0]


@pytest.mark.parametrize("window_ns", [100, 6_300, 6_400, 50_000])
def test_share_of_a_condition_that_changes_between_words_agrees_with_the_interpreter(window_ns: int) -> None:
    node = make_node("share", BOOL, window_ns=window_ns, capacity=10)
    for values in word_changes():
        assert_agrees(KERNELS["share"], node, BOOL, [updates(values)])


def test_share_counts_the_changes_that_its_ring_loses() -> None:
    machine = KernelMachine(KERNELS["share"], make_node("share", BOOL, window_ns=SPAN_NS, capacity=2), BOOL)
    assert machine.run(updates([True, False, True, False, False])) == [None, 1.0, 0.5, 0.5, 0.5]
    assert machine.overflows == 2


@pytest.mark.parametrize("next_ns", [1_099, 1_100])
def test_share_counts_a_run_as_lost_only_if_the_next_ticks_window_reaches_it(next_ns: int) -> None:
    machine = KernelMachine(KERNELS["share"], make_node("share", BOOL, window_ns=SPAN_NS, capacity=2), BOOL)
    block = updates([True, False, True, True], times_ns=[0, 100, 200, next_ns])
    assert machine.run(block) == [None, 1.0, 0.5, 899 / 999 if next_ns == 1_099 else 0.9]
    assert machine.overflows == (next_ns == 1_099)
    node = make_node("share", BOOL, window_ns=SPAN_NS, capacity=2)
    assert_agrees(KERNELS["share"], node, BOOL, [block])


GLITCHES = (3.4e38, 1e300, 1e200, 1e100, 1e60, 1e30, 1e20, 1.8446744073709552e19, 1e19, 1e16, 65535.0)


@settings(max_examples=200)
@given(segment=glitched(GLITCHES))
def test_avg_is_the_mean_of_its_window_whatever_was_before(segment: Glitched) -> None:
    numbers, times_ns, window_ns = segment.numbers, segment.times_ns, segment.window_ns
    means = KernelMachine(KERNELS["window_avg"], average(window_ns=window_ns), NUMBER).run(segment.block)
    for end, (t_ns, mean) in enumerate(zip(times_ns, means, strict=True)):
        within = [x for x, at_ns in zip(numbers, times_ns, strict=True) if t_ns - window_ns < at_ns <= t_ns]
        assert isinstance(mean, float), end
        assert abs(mean - fsum(within) / len(within)) <= 2 * ulp(max(map(abs, within)))


def test_avg_after_two_glitches_is_right_at_the_first_tick_without_them() -> None:
    block = updates([0.0, 1e38, 1e19, *[10.0] * 30])
    expected = [0.0, 5e37, 1e38 / 3, 1e38 / 3, (1e19 + 20) / 3, *[10.0] * 28]
    assert KernelMachine(KERNELS["window_avg"], average(window_ns=300), NUMBER).run(block) == expected


@pytest.mark.parametrize("capacity", [1, 2, 4])
def test_avg_over_a_ring_that_is_too_small_is_the_mean_of_what_it_holds(capacity: int) -> None:
    machine = KernelMachine(KERNELS["window_avg"], average(capacity), NUMBER)
    numbers: list[Value] = [1e300, -1e20, 1.0, 2.0, 3.0, 4.0, 5.0]
    means = machine.run(updates(numbers))
    assert means[-1] == sum(range(6 - capacity, 6)) / capacity
    assert machine.overflows == len(numbers) - capacity
    assert_agrees(KERNELS["window_avg"], average(capacity), NUMBER, [updates(numbers)])
