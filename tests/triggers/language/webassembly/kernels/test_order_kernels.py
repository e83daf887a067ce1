"""The kernel of `median` and `quantile`: by the language's rule, and as the interpreter does it, bit for bit."""

from __future__ import annotations

from fractions import Fraction
from math import ceil, copysign
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.triggers.language.webassembly.harness import Block, KernelMachine, assert_agrees, make_node, recordings
from tests.triggers.language.webassembly.kernels.updates import updates
from triggers.language.checks.calls.windows import MAX_RANKS
from triggers.language.ir import MAX_ORDERED, Kind, Node
from triggers.language.reference.values import Value
from triggers.language.webassembly.kernels.table import KERNELS
from triggers.language.webassembly.kernels.windows.order_statistics import MOST_TAKEN_OUT

KERNEL = KERNELS["window_quantile"]
SPAN_NS = 1_000
NUMBER = (Kind.NUMBER,)
CAPACITIES = (1, 2, 3, 7, 64, 500)
RANKS = (Fraction(1, 2), Fraction(1), Fraction(1, 10**9), Fraction(7, 100), Fraction(2, 3), Fraction(19, 20))


def quantile(rank: Fraction, window_ns: int = SPAN_NS, capacity: int = 500) -> Node:
    part, whole = float(rank.numerator), float(rank.denominator)
    return make_node("window_quantile", NUMBER, window_ns=window_ns, capacity=capacity, part=part, whole=whole)


def results(rank: Fraction, block: Block, window_ns: int = SPAN_NS) -> list[Value]:
    return KernelMachine(KERNEL, quantile(rank, window_ns), NUMBER).run(block)


@settings(max_examples=200)
@given(blocks=recordings(NUMBER, SPAN_NS), capacity=st.sampled_from(CAPACITIES), rank=st.sampled_from(RANKS))
def test_it_agrees_with_the_interpreter(blocks: list[Block], capacity: int, rank: Fraction) -> None:
    assert_agrees(KERNEL, quantile(rank, capacity=capacity), NUMBER, blocks)


def test_the_median_of_an_even_number_is_the_lower_of_the_two_in_the_middle() -> None:
    assert results(Fraction(1, 2), updates([5.0, 1.0, 4.0, 2.0])) == [5.0, 1.0, 4.0, 2.0]


def test_the_largest_rank_is_the_maximum_and_the_smallest_the_minimum() -> None:
    block = updates([5.0, 1.0, 4.0, 2.0, 6.0])
    assert results(Fraction(1), block, 300) == [5.0, 5.0, 5.0, 4.0, 6.0]
    assert results(Fraction(1, 10**9), block, 300) == [5.0, 1.0, 1.0, 1.0, 2.0]


def test_minus_zero_stands_before_zero() -> None:
    found = results(Fraction(1, 2), updates([0.0, -0.0, 0.0, -0.0, -0.0]))
    assert [copysign(1.0, value) for value in found if value is not None] == [1, -1, 1, -1, -1]


def test_the_place_of_a_decimal_rank_is_exact() -> None:
    # in doubles, 0.07 * 100 is more than 7
    values: list[Value] = [float(k) for k in range(1, 101)]
    assert results(Fraction(7, 100), updates(values), 100_000)[-1] == 7.0


@given(st.integers(1, MAX_ORDERED), st.integers(1, MAX_RANKS), st.data())
def test_the_place_is_exact_in_doubles_for_every_rank_that_is_allowed(
    count: int, whole: int, data: st.DataObject
) -> None:
    part = data.draw(st.integers(1, whole))
    assert ceil(float(part) * float(count) / float(whole)) == ceil(Fraction(part * count, whole))


@pytest.mark.parametrize("leaving", [1, MOST_TAKEN_OUT - 1, MOST_TAKEN_OUT, MOST_TAKEN_OUT + 1, 99, 100])
def test_entries_that_leave_together_are_all_taken_out(leaving: int) -> None:
    random = Random(leaving)
    values: list[Value] = [random.choice((-0.0, 0.0, random.gauss(0, 1), 1e300)) for _ in range(300)]
    times_ns = [*range(100), *range(99 + SPAN_NS - (100 - leaving), 99 + SPAN_NS + 30 + leaving)]
    block = updates(values[: len(times_ns)], times_ns=times_ns)
    for rank in RANKS:
        for capacity in (70, 100, 500):  # the first two wrap the ring
            assert_agrees(KERNEL, quantile(rank, capacity=capacity), NUMBER, [block])


def test_the_largest_window_keeps_its_order() -> None:
    node, random, t_ns = quantile(Fraction(1, 2), 10**9, MAX_ORDERED), Random(4), 0
    machine, operator = KernelMachine(KERNEL, node, NUMBER), []
    for number in range(MAX_ORDERED // 4096 + 2):
        values: list[Value] = [random.gauss(0, 1) for _ in range(4096)]
        times_ns = list(range(t_ns, t_ns + 4096))
        t_ns += 4096
        operator += values
        last = machine.run(Block(times_ns, [True] * 4096, [True] * 4096, (values,), begins=number == 0))[-1]
        latest = sorted(operator[-MAX_ORDERED:])
        assert last == latest[(len(latest) + 1) // 2 - 1]
    assert machine.overflows == len(operator) - MAX_ORDERED


def test_a_ring_that_is_too_small_covers_the_latest_entries_and_counts_the_lost_ones() -> None:
    machine = KernelMachine(KERNEL, quantile(Fraction(1, 2), capacity=3), NUMBER)
    assert machine.run(updates([9.0, 8.0, 7.0, 1.0, 2.0, 3.0])) == [9.0, 8.0, 8.0, 7.0, 2.0, 2.0]
    assert machine.overflows == 3


def test_it_is_unknown_without_update_ticks() -> None:
    assert results(Fraction(1, 2), updates([1.0, None, None, None, 3.0]), 300) == [1.0, 1.0, 1.0, None, 3.0]
