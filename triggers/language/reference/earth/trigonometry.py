"""Sine, cosine and arc sine in the steps of the language, of angles in turns; see `triggers.language.trigonometry`."""

from __future__ import annotations

import math
from collections.abc import Sequence

from triggers.language.trigonometry import ARC_SINE, COSINE, SINE, TURN_RAD


def sine(turns: float) -> float:
    """The sine of an angle in turns.

    >>> sine(0.25), sine(1.5), round(sine(1 / 12), 15)
    (1.0, -0.0, 0.5)
    """
    quarters = float(round(4.0 * turns))
    x = (turns - quarters / 4.0) * TURN_RAD  # within an eighth of a turn; the difference is exact
    square = x * x
    quadrant = quarters - 4.0 * math.floor(quarters / 4.0)
    value = _polynomial(COSINE, square) if quadrant in (1.0, 3.0) else x * _polynomial(SINE, square)
    return -value if quadrant >= 2.0 else value


def cosine(turns: float) -> float:
    """The cosine of an angle in turns."""
    return sine(turns + 0.25)


def arc_sine(x: float) -> float:
    """The arc sine in radians of a number from -1 to 1; a number beyond counts as the nearer of the two.

    >>> arc_sine(1.0) == math.pi / 2, round(arc_sine(0.5) * 6 / math.pi, 15)
    (True, 1.0)
    """
    size = min(abs(x), 1.0)
    half = size > 0.5
    argument = math.sqrt((1.0 - size) / 2.0) if half else size
    value = argument * _polynomial(ARC_SINE, argument * argument)
    value = TURN_RAD / 4.0 - 2.0 * value if half else value
    return math.copysign(value, x)


def _polynomial(coefficients: Sequence[float], x: float) -> float:
    """The polynomial by Horner's rule; the coefficient of the highest power comes first."""
    value = coefficients[0]
    for coefficient in coefficients[1:]:
        value = value * x + coefficient
    return value
