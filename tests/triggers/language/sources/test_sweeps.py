"""Values of a sweep: lists and ranges, in the order of their numbers, and what does not fit told at its place."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from triggers.language.sources.sweeps import MAX_VALUES, swept_values
from triggers.language.sources.whole_text import WholeText

WHOLE = WholeText(
    'param hold = 300 ms  # found by trying\nparam share = 5\nparam gear = "R"\nparam strict = true\n'
    "param brake = -3 m/s^2\n",
    "main.trigger",
)


def texts(sweep: str) -> list[str]:
    swept, diagnostics = swept_values(WHOLE, sweep)
    assert not diagnostics and swept is not None
    return [f"{value.text}{' *' if value.is_own else ''}" for value in swept.values]


@pytest.mark.parametrize(
    ("sweep", "values"),
    [
        ("hold=500ms,100 ms", ["100 ms", "300 ms *", "500 ms"]),
        ("hold=0.3s,1s", ["300 ms *", "1 s"]),
        ("hold=100ms..1s/4", ["100 ms", "300 ms *", "400 ms", "700 ms", "1000 ms"]),
        ("hold=1s..2.00001s/2", ["300 ms *", "1 s", "2.00001 s"]),
        ("hold = 1s..100ms/2, 1.5s", ["0.1 s", "300 ms *", "1 s", "1.5 s"]),
        ("share=0..1/4", ["0", "0.3333", "0.6667", "1", "5 *"]),
        ("share=1000000..1000010/3", ["5 *", "1000000", "1000005", "1000010"]),
        ("brake=-4m/s^2..-2m/s^2/3", ["-4 m/s^2", "-3 m/s^2 *", "-2 m/s^2"]),
        ('gear=N,"D",R', ['"R" *', '"N"', '"D"']),
        ("strict=false", ["true *", "false"]),
    ],
)
def test_values_and_ranges_are_listed_with_the_files_own(sweep: str, values: list[str]) -> None:
    assert texts(sweep) == values


def test_numbers_are_in_the_unit_of_the_file() -> None:
    swept, _ = swept_values(WHOLE, "hold=1s")
    assert swept is not None
    assert (swept.name, swept.unit, swept.own.text) == ("hold", "ms", "300 ms")
    assert [value.number for value in swept.values] == [300.0, 1000.0]
    gears, _ = swept_values(WHOLE, "gear=N")
    assert gears is not None
    assert [value.number for value in gears.values] == [None, None]


@settings(max_examples=50, deadline=None)
@given(st.integers(-1000, 1000), st.integers(-1000, 1000), st.integers(2, MAX_VALUES), st.sampled_from((1, 7, 1000)))
def test_a_range_has_its_ends_and_equal_steps(low: int, high: int, count: int, over: int) -> None:
    first, last = round(Fraction(low, over), 3), round(Fraction(high, over), 3)
    assume(first != last)
    swept, diagnostics = swept_values(WHOLE, f"share={float(first):.3f}..{float(last):.3f}/{count}")
    assert not diagnostics and swept is not None
    numbers = [value.number for value in swept.values if not value.is_own and value.number is not None]
    steps = [float(first + (last - first) * Fraction(n, count - 1)) for n in range(count)]
    wanted = sorted(float(step) for step in steps if step != 5)
    assert numbers == pytest.approx(wanted, abs=2e-3 * float(abs(last - first)) / (count - 1) + 1e-9)


@pytest.mark.parametrize(
    ("sweep", "columns", "message", "proposal"),
    [
        ("hold=100ms,5km", (12, 15), "`5km` is not", "main.trigger:1 says `param hold = 300 ms  # found by trying`"),
        ("hold=100ms..5km/3", (13, 16), "`5km` is not", "main.trigger:1 says"),
        ("hold=100ms..1s", (6, 15), "does not say how many values it has", "100ms..1s/10"),
        ("hold=100ms..1s/1", (6, 17), "fewer than two values", "100ms..1s/10"),
        ("hold=1s..1000ms/3", (6, 18), "its ends are the same", "100ms..1s/10"),
        ("hold=100ms..1s/51", (6, 18), "51 values, and at most 50", "fewer"),
        ("hold=100ms..1s/50,2s", (6, 21), "51 values, and at most 50", "fewer"),
        ("hold=100ms,", (12, 12), "`` is not", "main.trigger:1 says"),
        ("hodl=1s", (1, 5), "no param `hodl`", "`hold`"),
        ("hold", (1, 5), "`hold` sets nothing", "hold=500ms"),
        ("share=1ms..3/3", (7, 10), "`1ms` is not", "main.trigger:2 says `param share = 5`"),
        ("gear=N..R/2", (6, 12), "", ""),
    ],
)
def test_what_does_not_fit_is_told_with_its_place_and_the_params_line(
    sweep: str, columns: tuple[int, int], message: str, proposal: str
) -> None:
    swept, diagnostics = swept_values(WHOLE, sweep)
    if not message:
        assert swept is not None, "a text may have dots"
        return
    (found,) = diagnostics
    assert swept is None
    assert (found.code, found.file, found.column, found.end_column) == ("LT230", "--sweep", *columns)
    assert message in found.message and proposal in found.proposal
