"""Amounts of money are exact, are rounded by one rule, and are divided into parts that add up to them."""

from __future__ import annotations

import random
from decimal import Decimal, Inexact
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triggers.costs.amounts import (
    AMOUNT_DECIMALS,
    EXACT,
    allocate,
    allocate_among,
    allocate_whole,
    rounded,
    total,
    unit_cost,
)

AMOUNTS = st.decimals(-(10**12), 10**12, allow_nan=False, allow_infinity=False, places=AMOUNT_DECIMALS)
WEIGHTS = st.lists(st.integers(0, 2**63 - 1), min_size=1, max_size=30).filter(any)


@given(AMOUNTS, WEIGHTS)
def test_parts_add_up_to_the_amount_and_are_less_than_a_unit_from_their_share(
    amount: Decimal, weights: list[int]
) -> None:
    parts = allocate(amount, weights)
    assert total(parts) == amount
    for part, weight in zip(parts, weights, strict=True):
        share = Fraction(amount) * weight / sum(weights)
        assert abs(Fraction(part) - share) < Fraction(1, 10**AMOUNT_DECIMALS)
        assert weight or part == 0


@given(AMOUNTS, WEIGHTS)
def test_a_correction_is_divided_as_its_opposite(amount: Decimal, weights: list[int]) -> None:
    opposite = amount.copy_negate()  # unlike `-amount`, which rounds to the digits of the default context
    assert allocate(opposite, weights) == [part.copy_negate() for part in allocate(amount, weights)]


@given(AMOUNTS, st.dictionaries(st.text(max_size=3), st.integers(1, 100), min_size=1), st.randoms())
def test_parts_by_key_do_not_depend_on_the_order(
    amount: Decimal, weights: dict[str, int], chance: random.Random
) -> None:
    keys = list(weights)
    chance.shuffle(keys)
    assert allocate_among(amount, {key: weights[key] for key in keys}) == allocate_among(amount, weights)


def test_what_is_left_goes_to_those_that_lost_most() -> None:
    assert allocate_whole(10, [1, 1, 4]) == [2, 2, 6]
    assert allocate_whole(10, [3, 1, 2]) == [5, 2, 3]
    assert allocate_whole(3, [5, 5, 0]) == [2, 1, 0]
    assert allocate(Decimal("-0.05"), [1, 1], decimals=2) == [Decimal("-0.03"), Decimal("-0.02")]


def test_what_cannot_be_divided_is_refused() -> None:
    assert allocate_whole(0, [0, 0]) == [0, 0]
    assert allocate_whole(0, []) == []
    with pytest.raises(ValueError, match="nothing to which"):
        allocate(Decimal(1), [0, 0])
    with pytest.raises(ValueError, match="nothing to which"):
        allocate(Decimal(1), [])
    with pytest.raises(ValueError, match="not negative"):
        allocate(Decimal(1), [2, -1])
    with pytest.raises(ValueError, match="more than 2 decimals"):
        allocate(Decimal("0.001"), [1], decimals=2)


@given(st.lists(AMOUNTS))
def test_a_sum_is_exact(amounts: list[Decimal]) -> None:
    assert Fraction(total(amounts)) == sum(map(Fraction, amounts))


def test_arithmetic_raises_rather_than_rounds() -> None:
    with pytest.raises(Inexact):
        EXACT.divide(Decimal(1), Decimal(3))


@given(st.fractions(-(10**9), 10**9), st.integers(0, 18))
def test_an_amount_is_rounded_to_the_nearest_and_half_to_even(amount: Fraction, decimals: int) -> None:
    near = rounded(amount, decimals)
    lost = abs(Fraction(near) - amount) * 10**decimals
    assert near.as_tuple().exponent == -decimals
    assert lost <= Fraction(1, 2)
    assert lost < Fraction(1, 2) or near.as_tuple().digits[-1] % 2 == 0


def test_a_cost_per_unit_of_which_there_were_none_is_not_a_number() -> None:
    assert unit_cost(Decimal("1.724"), 0) is None
    assert unit_cost(Decimal("1.724"), 1) == Decimal("1.724000000")
    assert unit_cost(Decimal(1), 3) == Decimal("0.333333333")
    assert unit_cost(Decimal(-1), 3) == Decimal("-0.333333333")
    with pytest.raises(ValueError, match="not negative"):
        unit_cost(Decimal(1), -3)
