"""The numbers that `near` is computed with, held to a machine's own functions and to distances on the sphere."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from triggers.language.earth import EARTH_RADIUS_M, RADIANS, sine_and_cosine, squared_chord


@given(st.floats(-1.6, 1.6))
def test_sine_and_cosine_are_those_of_the_machine_but_for_its_last_bit(x: float) -> None:
    sine, cosine = sine_and_cosine(x)
    assert abs(sine - math.sin(x)) <= math.ulp(math.sin(x))
    assert abs(cosine - math.cos(x)) <= math.ulp(math.cos(x))


@given(st.floats(0, 100_000))
def test_two_places_at_that_distance_on_the_equator_are_a_chord_apart(radius_m: float) -> None:
    angle = radius_m / EARTH_RADIUS_M
    chord = math.dist((1, 0), (math.cos(angle), math.sin(angle)))
    assert math.isclose(math.sqrt(squared_chord(radius_m)), chord, rel_tol=1e-9, abs_tol=1e-12)


def test_a_degree_of_latitude_is_111_km() -> None:
    assert 111_000 < EARTH_RADIUS_M * RADIANS < 111_300
