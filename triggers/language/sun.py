"""The sun as the language sees it: numbers that the reference interpreter and the kernels share.

The position is the low-precision formula of the Astronomical Almanac (section C, "Low precision formulas for the Sun's
coordinates"): 0.01 degrees from 1950 to 2050. The sidereal time is that of section B, "Relationship with local and
universal time". All angles are in turns here, n is in days since J2000.0 (2000-01-01 12:00 UTC). UTC stands for UT1 and
terrestrial time, from which it differs by less than 70 s: at most 0.005 degrees.
"""

from __future__ import annotations

DAY_NS = 86_400_000_000_000
HOUR_NS = 3_600_000_000_000
FIRST_NS = 946_684_800_000_000_000
"""2000-01-01 00:00 UTC. A time before it is that of a recording's own clock, which begins at 0."""
J2000_NS = FIRST_NS + DAY_NS // 2

MEAN_LONGITUDE = (280.460 / 360.0, 0.9856474 / 360.0)
MEAN_ANOMALY = (357.528 / 360.0, 0.9856003 / 360.0)
CENTRE = (1.915 / 360.0, 0.020 / 360.0)
"""What is added to the mean longitude, times the sine of the anomaly, and of twice the anomaly."""
OBLIQUITY = (23.439 / 360.0, -0.0000004 / 360.0)
SIDEREAL = (280.46062 / 360.0, 360.98564737 / 360.0)
"""Greenwich mean sidereal time."""
ERROR_DEG = 0.02
"""Largest error of the elevation of the sun's centre from 2000 to 2050, without refraction."""
