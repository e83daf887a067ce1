"""`solar_time` and `sun_elevation`: from the time of a tick and the catalog's position in degrees.

Unknown where the recording has no Unix time, so that its times are before 2000, or without a position on the Earth.
"""

from __future__ import annotations

import math
from typing import Any

from triggers.language.reference.earth.trigonometry import arc_sine, cosine, sine
from triggers.language.reference.operators import Operator, Tick
from triggers.language.reference.values import Value
from triggers.language.sun import (
    CENTRE,
    DAY_NS,
    FIRST_NS,
    HOUR_NS,
    J2000_NS,
    MEAN_ANOMALY,
    MEAN_LONGITUDE,
    OBLIQUITY,
    SIDEREAL,
)
from triggers.language.trigonometry import TURN_RAD


class SolarTime(Operator):
    """`solar_time`: the local mean solar time in hours from 0 to 24: UTC, and an hour for 15 degrees to the east."""

    def step(self, tick: Tick, /, *arguments: Any) -> Value:
        longitude = arguments[0]
        if tick.t_ns < FIRST_NS or longitude is None or abs(longitude) > 360.0:
            return None
        hours = (tick.t_ns % DAY_NS) / HOUR_NS + longitude / 15.0
        hours -= 24.0 * math.floor(hours / 24.0)
        return hours if hours < 24.0 else 0.0


class SunElevation(Operator):
    """`sun_elevation`: the elevation of the sun's centre in degrees, without refraction."""

    def step(self, tick: Tick, /, *arguments: Any) -> Value:
        latitude, longitude = arguments
        if tick.t_ns < FIRST_NS or latitude is None or longitude is None:
            return None
        if abs(latitude) > 90.0 or abs(longitude) > 360.0:
            return None
        # As a double first: Python would divide the integers exactly, which a program cannot.
        return elevation_deg(float(tick.t_ns - J2000_NS) / DAY_NS, latitude, longitude)


def elevation_deg(days: float, latitude: float, longitude: float) -> float:
    """The elevation so many days after J2000.0 at a place in degrees.

    >>> round(elevation_deg(0.0, 0.0, 0.0), 1)   # at noon in January the sun is south of the equator
    67.0
    """
    anomaly = MEAN_ANOMALY[0] + MEAN_ANOMALY[1] * days
    centre = CENTRE[0] * sine(anomaly) + CENTRE[1] * sine(2.0 * anomaly)
    ecliptic = MEAN_LONGITUDE[0] + MEAN_LONGITUDE[1] * days + centre
    obliquity = OBLIQUITY[0] + OBLIQUITY[1] * days
    sidereal = SIDEREAL[0] + SIDEREAL[1] * days + longitude / 360.0
    # the direction of the sun in equatorial coordinates: to the equinox, 90 degrees to the east of it, to the north
    equinox, across = cosine(ecliptic), sine(ecliptic)
    east, north = across * cosine(obliquity), across * sine(obliquity)
    towards = cosine(sidereal) * equinox + sine(sidereal) * east
    height = sine(latitude / 360.0) * north + cosine(latitude / 360.0) * towards
    return arc_sine(height) * 360.0 / TURN_RAD
