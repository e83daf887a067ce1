"""Sine, cosine and arc sine in the language's own steps are as exact as they say."""

from __future__ import annotations

import math
import random

from hypothesis import given
from hypothesis import strategies as st

from triggers.language.earth import sine_and_cosine
from triggers.language.reference.earth.trigonometry import arc_sine, cosine, sine
from triggers.language.trigonometry import ERROR


@given(st.floats(-1, 1))
def test_sine_and_cosine_of_up_to_a_turn_are_within_their_error(turns: float) -> None:
    nearest = math.remainder(turns, 0.25)
    exact = sine_and_cosine(nearest * 2 * math.pi)
    quadrant = round((turns - nearest) * 4) % 4
    sines = (exact[0], exact[1], -exact[0], -exact[1])
    assert abs(sine(turns) - sines[quadrant]) <= ERROR
    assert abs(cosine(turns) - sines[(quadrant + 1) % 4]) <= ERROR


def test_whole_turns_change_nothing() -> None:
    rng = random.Random(2)
    for _ in range(1000):
        turns = rng.randrange(-(2**20), 2**20) / 2**20
        assert sine(turns + rng.randrange(-10_000, 10_000)) == sine(turns)


@given(st.one_of(st.floats(-1, 1), st.floats(-1e-6, 1e-6)))
def test_an_arc_sine_is_within_its_error(x: float) -> None:
    assert abs(arc_sine(x) - math.asin(x)) <= ERROR * abs(math.asin(x))
    assert math.copysign(1.0, arc_sine(x)) == math.copysign(1.0, x)


def test_beyond_one_an_arc_sine_is_a_quarter_turn() -> None:
    assert arc_sine(1.0 + 1e-15) == arc_sine(1.0) == -arc_sine(-2.0) == math.pi / 2
