"""Kernels of `sum`, `integral`, `std` and `samples`: by the language's rules, and as the interpreter does it."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from math import fsum, isclose, sqrt

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.triggers.language.webassembly.harness import (
    Block,
    KernelMachine,
    assert_agrees,
    make_node,
    recordings,
)
from tests.triggers.language.webassembly.kernels.updates import Glitched, glitched, updates
from triggers.language.analysis import bounds
from triggers.language.ir import Kind, Node
from triggers.language.reference.values import Value
from triggers.language.webassembly.kernels.table import KERNELS

SPAN_NS = 1_000
CAPACITIES = (1, 2, 3, 7, 64, 500)
NUMBER, BOOL = (Kind.NUMBER,), (Kind.BOOL,)
OPS = ("window_sum", "window_integral", "window_std")
SECOND_NS = 1_000_000_000


def window(op: str, window_ns: int = SPAN_NS, capacity: int = 500, kinds: tuple[Kind, ...] = NUMBER) -> Node:
    return make_node(op, kinds, window_ns=window_ns, capacity=capacity)


def results(op: str, block: Block, window_ns: int = SPAN_NS, capacity: int = 500) -> list[Value]:
    return KernelMachine(KERNELS[op], window(op, window_ns, capacity), NUMBER).run(block)


@pytest.mark.parametrize("op", OPS)
def test_it_agrees_with_the_interpreter(op: str) -> None:
    @settings(max_examples=150, database=None)
    @given(blocks=recordings(NUMBER, SPAN_NS), capacity=st.sampled_from(CAPACITIES))
    def agrees(blocks: list[Block], capacity: int) -> None:
        assert_agrees(KERNELS[op], window(op, capacity=capacity), NUMBER, blocks)

    agrees()


@pytest.mark.parametrize("kind", Kind)
def test_samples_agree_with_the_interpreter(kind: Kind) -> None:
    @settings(max_examples=150, database=None)
    @given(blocks=recordings((kind,), SPAN_NS), capacity=st.sampled_from(CAPACITIES))
    def agrees(blocks: list[Block], capacity: int) -> None:
        node = window("samples", capacity=capacity, kinds=(kind,))
        assert_agrees(KERNELS[f"samples_{kind}"], node, (kind,), blocks)

    agrees()


def test_a_sum_compensates_what_additions_round_off() -> None:
    assert results("window_sum", updates([1e16, 1.0, 1.0, 1.0, 1.0]))[-1] == 1e16 + 4.0


@pytest.mark.parametrize(
    ("op", "expected"),
    [
        ("window_sum", [1e308, None, 1e308, 3.0, 5.0]),
        ("window_integral", [0.0, None, 1e308 / 2 * 1e-7, 1.5 * 1e-7, 2.5 * 1e-7]),
        ("window_std", [0.0, 0.0, None, 0.5, 0.5]),
    ],
)
def test_what_is_not_finite_is_unknown_until_it_has_left(op: str, expected: list[Value]) -> None:
    block = updates([1e308, 1e308, 1.0, 2.0, 3.0])
    assert results(op, block, window_ns=200) == expected
    assert_agrees(KERNELS[op], window(op, 200), NUMBER, [block])


def test_an_integral_has_the_trapezoids_between_the_ticks_of_the_window() -> None:
    block = updates([0.0, 2.0, 2.0, None, 6.0, 0.0], step_ns=SECOND_NS)
    assert results("window_integral", block, 3 * SECOND_NS) == [0.0, 1.0, 3.0, 2.0, 8.0, 3.0]


def test_a_deviation_is_that_of_the_population() -> None:
    assert results("window_std", updates([2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0]))[-1] == 2.0


def test_a_deviation_of_small_differences_between_large_numbers_is_right() -> None:
    numbers: list[Value] = [1e9 + (k % 3) for k in range(200)]
    expected = [sqrt(2 / 3)] * 150
    for found, right in zip(results("window_std", updates(numbers), window_ns=3_000)[50:], expected, strict=True):
        assert isinstance(found, float)
        assert isclose(found, right, rel_tol=1e-7)
    assert set(results("window_std", updates([0.1] * 200))) == {0.0}


def test_samples_are_the_update_ticks_of_the_window() -> None:
    block = Block([0, 300, 600, 900, 1_200, 1_500], [True] * 6, [1, 1, 0, 1, 1, 0], ([1.0, None, 2.0, 2.0, 2.0, 2.0],))
    node = window("samples")
    assert KernelMachine(KERNELS["samples_number"], node, NUMBER).run(block) == [1, 1, 1, 2, 2, 2]


GLITCHES = (3.4e38, 1e308, 1e200, 1e100, 1e60, 1e30, 1e20, 1.8446744073709552e19, 1e16, 65535.0)


@settings(max_examples=150)
@given(segment=glitched(GLITCHES))
def test_the_results_are_those_of_the_window_whatever_was_before(segment: Glitched) -> None:
    numbers, times_ns, window_ns, last = segment.numbers, segment.times_ns, segment.window_ns, segment.last
    found = {op: results(op, segment.block, window_ns) for op in OPS}
    for end in range(last + 1, len(times_ns)):
        within = [k for k in range(end + 1) if times_ns[k] > times_ns[end] - window_ns]
        if within[0] > last:
            for op in OPS:
                result = found[op][end]
                assert isinstance(result, float)
                x = [(times_ns[k], numbers[k]) for k in within]
                assert isclose(result, _exact(op, x), rel_tol=1e-12, abs_tol=1e-14), (op, end)


@settings(max_examples=60)
@given(values=st.lists(st.floats(-1e3, 1e3), min_size=1, max_size=80), low=st.floats(-1e3, 1e3), high=st.floats(0, 1e3))
def test_the_results_lie_within_the_bounds_that_the_checker_states(
    values: list[float], low: float, high: float
) -> None:
    high += low
    block = updates([min(max(value, low), high) for value in values])
    ends = Fraction(low), Fraction(high)
    stated = {
        "window_sum": bounds.of_total(ends, 10),
        "window_integral": bounds.sign_of(ends),
        "window_std": bounds.of_deviation(ends),
    }
    for op, (least, most) in stated.items():
        for result in results(op, block, capacity=10):
            assert isinstance(result, float)
            assert least is None or least <= result, op
            assert most is None or result <= most, op


def _exact(op: str, entries: list[tuple[int, float]]) -> float:
    """What the operator means, of times in ns and numbers, without rounding on the way."""
    exact = [Fraction(x) for _, x in entries]
    if op == "window_sum":
        return fsum(x for _, x in entries)
    if op == "window_integral":
        areas = (Fraction(b[0] - a[0], SECOND_NS) * (Fraction(a[1]) + Fraction(b[1])) / 2 for a, b in pairwise(entries))
        return float(sum(areas))
    mean = sum(exact) / len(exact)
    return sqrt(sum((x - mean) ** 2 for x in exact) / len(exact))


@pytest.mark.parametrize("op", OPS)
@pytest.mark.parametrize("capacity", [1, 2, 4])
def test_a_ring_that_is_too_small_covers_the_latest_entries_and_counts_the_lost_ones(op: str, capacity: int) -> None:
    numbers: list[Value] = [1e300, -1e20, 1.0, 2.0, 3.0, 4.0, 5.0]
    machine = KernelMachine(KERNELS[op], window(op, capacity=capacity), NUMBER)
    last = machine.run(updates(numbers))[-1]
    latest = [(100 * k, float(k - 1)) for k in range(7 - capacity, 7)]
    assert isinstance(last, float)
    assert isclose(last, _exact(op, latest), rel_tol=1e-15)
    assert machine.overflows == len(numbers) - capacity
    assert_agrees(KERNELS[op], window(op, capacity=capacity), NUMBER, [updates(numbers)])
