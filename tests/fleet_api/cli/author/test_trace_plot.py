"""Plots of a trace in a terminal: round times at their columns, texts as runs, and lines of any width."""

from __future__ import annotations

from random import Random

import numpy as np
import pytest

from fleet_api.cli.author.trace.axis import axis, origin
from fleet_api.cli.author.trace.plot import drawn
from triggers.language.parts import ConditionPart
from triggers.times import NS_PER_S
from triggers.trace.bins import Binning
from triggers.trace.run import TraceBlock

GEARS = ("park", "drive", "\u96fb", "a\x1bb")
GEAR = ConditionPart("gear", None, 0, "text", "", GEARS, 0)


def plotted(values: list[float], columns: int, part: ConditionPart = GEAR) -> str:
    """A value per ms, in as many columns as are asked for."""
    t_ns = np.arange(len(values)) * 1_000_000
    binning = Binning(1, 0, len(values) * 1_000_000, columns)
    binning.take(TraceBlock(t_ns, [np.array(values)], np.zeros(len(values), np.bool_)))
    return drawn(part, binning.bins()[0])


NAN = float("nan")


@pytest.mark.parametrize(
    ("values", "columns", "expected"),
    [
        ([0] * 10 + [1] * 10, 20, "park──────│drive────"),
        ([0] * 10 + [1] * 10, 10, "park─│dri…"),
        ([0] * 4 + [1] * 2 + [0] * 4, 10, "park│…│pa…"),
        ([0] * 4 + [1] + [0] * 5, 10, "park││park"),
        ([0] * 8 + [1] + [0] * 11, 10, "park│park─"),
        ([NAN] * 5 + [1] * 10 + [NAN] * 5, 20, "?????drive─────?????"),
        ([1] * 8 + [NAN] + [1] * 11, 10, "dri…│drive"),
        ([NAN] * 8, 8, "????????"),
        ([0] * 3, 3, "pa…"),
        ([0], 1, "…"),
        ([2] * 4 + [3] * 8, 12, "\u96fb──│a\\x1bb─"),
    ],
)
def test_a_text_is_written_where_it_begins_and_cut_where_it_ends(
    values: list[float], columns: int, expected: str
) -> None:
    assert plotted(values, columns) == expected


def test_a_condition_is_true_at_some_time_else_unknown_at_some_time_else_false() -> None:
    part = ConditionPart("p", None, 0, "condition", "", (), 0)
    assert plotted([0, 0, 0, 1, 1, 1, 0, NAN, NAN, NAN], 5, part) == "FTT??"


def test_a_number_is_a_height_and_unknown_is_not_one() -> None:
    part = ConditionPart("x", None, 0, "number", "m", (), 0)
    assert plotted([0, 1, 2, 3, 4, NAN, 6, 7], 8, part) == "▁▂▃▄▅?▇█"


def marked(line: str) -> dict[int, str]:
    """By column, what stands after a mark."""
    return {at: line[at + 1 :].partition("│")[0].strip() for at, sign in enumerate(line) if sign == "│"}


@pytest.mark.parametrize("seed", range(60))
def test_each_mark_is_at_the_column_of_the_time_beside_it(seed: int) -> None:
    random = Random(seed)
    first_ns = random.choice((0, random.randint(0, 10**13)))
    last_ns, columns = first_ns + random.randint(1_000_000, 3600 * NS_PER_S), random.randint(20, 200)
    line = axis(first_ns, last_ns, columns)
    found = {at: label.removesuffix(" s") for at, label in marked(line).items() if label}
    step_ns = (last_ns - first_ns) / columns
    assert len(line) <= columns
    assert all(abs(float(label) * NS_PER_S - first_ns - at * step_ns) <= step_ns for at, label in found.items())


@pytest.mark.parametrize(("columns", "least"), [(40, 3), (80, 6), (120, 7)])
def test_usual_widths_have_many_times(columns: int, least: int) -> None:
    for span_s in (1, 3, 7, 10, 25, 60, 600, 3600):
        assert len(marked(axis(120 * NS_PER_S, (120 + span_s) * NS_PER_S, columns))) >= least


def test_times_since_1970_are_told_after_a_round_one_shortly_before() -> None:
    first_ns = 1_700_000_004_500_000_000
    after_ns = origin(first_ns, first_ns + 10 * NS_PER_S)
    assert after_ns == 1_700_000_000 * NS_PER_S
    line = axis(first_ns - after_ns, first_ns + 10 * NS_PER_S - after_ns, 40)
    assert [*marked(line).values()] == ["6 s", "8", "10", "12", ""]
    assert origin(99_999 * NS_PER_S, 100_009 * NS_PER_S) == 0


def test_a_window_of_no_length_has_its_one_time() -> None:
    assert axis(5 * NS_PER_S, 5 * NS_PER_S, 40) == "│5.000 s"
