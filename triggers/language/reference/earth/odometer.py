"""The odometer: metres since the segment began, by the rule of `triggers.signals.travel`, or from positions.

Each step is rounded to whole multiples of 1 / `STEPS_PER_M`. Sums of these are exact up to 8,388 km per segment, so
that the distance between two ticks does not depend on what was before them.
"""

from __future__ import annotations

import math
from typing import Any, ClassVar

from triggers.language.earth import EARTH_RADIUS_M, STEPS_PER_M
from triggers.language.reference.earth.trigonometry import arc_sine, cosine, sine
from triggers.language.reference.operators import Operator, Tick
from triggers.language.reference.values import Value
from triggers.signals.travel import metres_between


def whole_steps(metres: float) -> float:
    """The distance, rounded to a whole number of steps."""
    return round(metres * STEPS_PER_M) / STEPS_PER_M


class Odometer(Operator):
    """The trapezoidal rule over the samples of a speed in m/s, where they count; 0 at first and never unknown."""

    STATE: ClassVar[dict[str, Any]] = {"metres": 0.0, "speed_m_s": math.nan, "sample_ns": 0}
    metres: float
    speed_m_s: float
    sample_ns: int

    def step(self, tick: Tick, /, *arguments: Any) -> Value:
        if tick.fresh & self.mask:
            speed_m_s = math.nan if arguments[0] is None else arguments[0]
            self.metres += whole_steps(metres_between(self.speed_m_s, speed_m_s, tick.t_ns - self.sample_ns))
            self.speed_m_s, self.sample_ns = speed_m_s, tick.t_ns
        return self.metres


class OdometerOfPlaces(Operator):
    """The great circles (haversine) between positions whose coordinates came together; 0 at first, never unknown."""

    STATE: ClassVar[dict[str, Any]] = {"metres": 0.0, "place": None}
    metres: float
    place: tuple[float, float] | None

    def __init__(self, node: Any, mask: int) -> None:
        super().__init__(node, mask)
        self.both = (mask, mask)
        """The signals of the latitude and of the longitude; `make_steps` sets it."""

    def step(self, tick: Tick, /, *arguments: Any) -> Value:
        if all(tick.fresh & mask for mask in self.both):
            latitude, longitude = arguments
            if latitude is not None and longitude is not None and abs(latitude) <= 90 and abs(longitude) <= 360:
                if self.place is not None:
                    self.metres += whole_steps(great_circle_m(*self.place, latitude, longitude))
                self.place = (latitude, longitude)
        return self.metres


class EveryDistance(Operator):
    """`every 5 km`: true at the first tick at or after each multiple of the distance since the segment began."""

    STATE: ClassVar[dict[str, Any]] = {"passed": 0.0}
    passed: float

    def step(self, _tick: Tick, /, *arguments: Any) -> Value:
        passed = float(math.floor(arguments[0] / self.node.number("multiple_m")))
        is_new = passed > self.passed
        self.passed = passed
        return is_new


def great_circle_m(latitude_a: float, longitude_a: float, latitude_b: float, longitude_b: float) -> float:
    """The great-circle distance in metres between two places in degrees."""
    north, east = sine((latitude_b - latitude_a) / 720.0), sine((longitude_b - longitude_a) / 720.0)
    cosines = cosine(latitude_a / 360.0) * cosine(latitude_b / 360.0)
    square = north * north + cosines * (east * east)
    return 2.0 * EARTH_RADIUS_M * arc_sine(math.sqrt(square))
