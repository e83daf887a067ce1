"""Every double can be written, in short or in full, and whole numbers that no double equals are refused."""

from __future__ import annotations

import re
from decimal import Decimal
from math import inf, nextafter

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.triggers.language.support import CATALOG
from triggers.language.compile import Compilation, compile_source


def compiled(condition: str) -> Compilation:
    return compile_source(f"trigger t {{ when {condition} }}", filename="numbers", catalog=CATALOG)


def constant(literal: str) -> float:
    """The number that the program compares with."""
    triggers = compiled(f"x > {literal}").triggers
    assert triggers is not None, literal
    return next(node.number("value") for node in triggers.ir.nodes if node.op == "number")


@given(st.floats(min_value=0, allow_nan=False, allow_infinity=False))
@example(5e-324)
@example(nextafter(inf, 0))
@example(2.2250738585072014e-308)
@example(2.225073858507201e-308)
@example(1e23)
@example(0.0)
def test_every_double_can_be_written_in_short_and_in_full(number: float) -> None:
    assert constant(repr(number)) == number
    in_full = f"{Decimal(number):f}"
    assert constant(in_full) == number
    assert len(in_full) <= 1100
    assert constant(f"-{in_full}") == -number


@pytest.mark.parametrize("literal", ["1e309", "1.8e308", "2e-324", "1e-99999", "1e99999", "9" * 309, "0." + "0" * 1099])
def test_a_number_that_no_double_is_near_is_refused(literal: str) -> None:
    assert [each.code for each in compiled(f"x > {literal}").diagnostics] == ["LT108"]


@pytest.mark.parametrize("zeros", ["0", "0.0", "0e500", "0.000e-500"])
def test_zero_has_no_exponent_that_matters(zeros: str) -> None:
    assert constant(zeros) == 0.0


@given(st.integers(min_value=2**53 + 1, max_value=2**64))
@example(2**53 + 1)
@example(2**60 + 1)
@example(2**64 - 1)
def test_a_whole_number_is_held_exactly_or_refused_with_its_neighbours(number: int) -> None:
    if int(float(number)) == number:
        assert constant(str(number)) == number
        return
    for text in (
        str(number),
        f"-{number}",
        f"{number - 1} + 1" if int(float(number - 1)) == number - 1 else str(number),
    ):
        (found,) = compiled(f"x == {text}").diagnostics
        assert found.code == "LT108"
        low, high = sorted(map(int, re.findall(r"[0-9]{16,}", found.proposal)))
        assert low < number < high
        assert float(low) == low
        assert nextafter(float(low), inf) == high


def test_a_whole_number_with_an_exponent_or_a_point_is_a_measurement() -> None:
    assert constant("1e23") == 1e23
    assert constant("9007199254740993.0") == 9007199254740992
