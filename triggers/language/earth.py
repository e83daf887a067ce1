"""The Earth as `near` sees it: numbers that the reference interpreter and the kernel of `near` share.

Neither takes them from the other, so a test that compares the two tests both.
"""

from __future__ import annotations

import math
from fractions import Fraction

EARTH_RADIUS_M = 6_371_008.8
"""Mean radius of the Earth (IUGG)."""
RADIANS = math.pi / 180.0
"""One degree."""
STEPS_PER_M = 2.0**30
"""Odometers count in steps of 2^-30 m, about a nanometre."""
REACH_DEG = 12.0
"""Beyond this many degrees of latitude or longitude nothing is near: at 85 degrees, 100 km span 10.4."""


def sine_and_cosine(x: float) -> tuple[float, float]:
    """Sine and cosine, correctly rounded for |x| <= 1.6: the results of machines' libraries differ in the last bit.

    >>> sine_and_cosine(0.5)
    (0.479425538604203, 0.8775825618903728)
    """
    exact, term, sine, cosine = Fraction(x), Fraction(1), Fraction(0), Fraction(0)
    for n in range(0, 40, 2):  # 1.6^40 / 40! is far below half a unit in the last place
        cosine += term
        term *= exact / (n + 1)
        sine += term
        term *= -exact / (n + 2)
    return float(sine), float(cosine)


def squared_chord(radius_m: float) -> float:
    """The square of the straight-line distance, in Earth radii, between places this far apart on the surface."""
    chord = 2.0 * sine_and_cosine(radius_m / EARTH_RADIUS_M / 2.0)[0]
    return chord * chord
