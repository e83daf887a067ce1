"""Bins are those of the whole trace, however it is cut into blocks, and take no more room than the plot."""

from __future__ import annotations

import tracemalloc
from fractions import Fraction
from random import Random

import numpy as np
import pytest

from tests.triggers.trace.made import cut, made, many
from triggers.trace.bins import Binning, Run
from triggers.trace.run import TraceBlock


def in_bin(block: TraceBlock, part: int, begin: Fraction, end: Fraction, *, is_last: bool) -> list[float]:
    """By the definition: the values at the ticks in a bin, after the one that is held when the bin begins."""
    values = list(zip(block.t_ns.tolist(), block.values[part].tolist(), strict=True))
    inside = [value for t_ns, value in values if begin <= t_ns < end or (is_last and t_ns == end)]
    held = [value for t_ns, value in values if t_ns < begin][-1:]
    return inside if any(t_ns == begin for t_ns, _ in values) else held + inside


@pytest.mark.parametrize("seed", range(40))
def test_bins_are_those_of_the_definition_wherever_blocks_end(seed: int) -> None:
    random = Random(seed)
    whole = made(random, random.randint(1, 60), 3)
    first_ns, last_ns = -random.randint(0, 30), int(whole.t_ns[-1]) + random.choice((0, 0, 25))
    count = random.choice((1, 2, 7, 40, 300))
    binning = Binning(3, first_ns, last_ns, count)
    for block in cut(random, whole):
        binning.take(block)
    span = Fraction(max(last_ns - first_ns, 1), count)
    for part, bins in enumerate(binning.bins()):
        for place in range(count):
            begin = first_ns + span * place
            values = in_bin(whole, part, begin, begin + span, is_last=place == count - 1)
            known = [value for value in values if not np.isnan(value)] or [np.nan]
            expected = [min(known), max(known), values[-1] if values else np.nan]
            assert np.array_equal([bins.low[place], bins.high[place], bins.last[place]], expected, equal_nan=True)
            assert bins.has_unknown[place] == (not values or any(map(np.isnan, values)))


def test_the_extent_is_that_of_all_values_and_none_where_none_is_known() -> None:
    t_ns = np.array([0, 1, 5])
    values = [np.array([3.0, np.nan, -4.0]), np.full(3, np.nan)]
    binning = Binning(2, 0, 9, 4)
    binning.take(TraceBlock(t_ns, values, np.zeros(3, np.bool_)))
    known, unknown = binning.bins()
    assert known.extent == (-4.0, 3.0)
    assert unknown.extent is None


def test_runs_are_those_of_one_value_and_begin_again_where_it_changed_in_a_bin() -> None:
    t_ns = np.array([0, 20, 35, 38, 60, 70])
    values = [np.array([np.nan, 2.0, 0.0, 2.0, np.nan, 1.0])]
    binning = Binning(1, 0, 100, 10)
    binning.take(TraceBlock(t_ns, values, np.zeros(6, np.bool_)))
    (bins,) = binning.bins()
    expected = [Run(0, 2, None), Run(2, 3, 2), Run(3, 6, 2), Run(6, 7, None), Run(7, 10, 1)]
    assert list(bins.runs()) == expected


def test_memory_is_bounded_by_what_is_drawn() -> None:
    ticks, parts = 2_000, 20
    binning = Binning(parts, 0, 200 * ticks * 1_000_000, 100)
    tracemalloc.start()
    for block in many(200, ticks, parts):
        binning.take(block)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(binning.bins()) == parts
    assert most < 12 * ticks * parts * 8, "some copies of one block, where all blocks take 200"
