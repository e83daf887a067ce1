"""The trend of a rate: by what factor it changes per unit of time, with an interval.

A Poisson regression of the fires of periods (days, weeks) on time, with the exposure as offset. Its coefficients are
those of D. Firth, Bias reduction of maximum likelihood estimates, Biometrika 80, 1993, which exist also where all fires
are in one period. Periods differ by more than chance (weather, weekends): the variance is multiplied by Pearson's
dispersion, at least 1, and the interval uses Student's t.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from triggers.statistics.distributions import student_quantile
from triggers.statistics.interval import Interval
from triggers.statistics.sequences import Tally

CONFIDENCE = 0.95
FEWEST_PERIODS = 3
_ROUNDS = 100
_LONGEST_STEP = 1.0


@dataclass(frozen=True, slots=True)
class Period:
    """A period by its middle, in units of time, with its independent fires (`FleetRate.tally`)."""

    time: float
    tally: Tally


def trend(periods: Sequence[Period], confidence: float = CONFIDENCE) -> Interval | None:
    """The factor per unit of time: 1 is no trend, 0.9 a tenth less each; None where the periods do not tell.

    They tell with a fire and at least three periods that have an exposure, not all at the same time.
    """
    seen = [period for period in periods if period.tally.exposure > 0]
    if len(seen) < FEWEST_PERIODS or len({period.time for period in seen}) < 2:
        return None
    if not any(period.tally.count for period in seen):
        return None
    middle = math.fsum(period.time for period in seen) / len(seen)
    scale = max(abs(period.time - middle) for period in seen)  # times from -1 to 1, whatever their unit
    times = [(period.time - middle) / scale for period in seen]
    slope, expected = _fit(times, [period.tally for period in seen])
    freedom = len(seen) - 2
    chi_square = math.fsum((period.tally.count - mean) ** 2 / mean for period, mean in zip(seen, expected, strict=True))
    deviation = math.sqrt(max(1.0, chi_square / freedom) / _information(times, expected))
    reach = student_quantile((1 + confidence) / 2, freedom) * deviation
    return Interval(*(_factor((slope + off) / scale) for off in (0.0, -reach, reach)))


def _factor(exponent: float) -> float:
    """Growth by e ** exponent; beyond what a number can hold, infinite."""
    return math.exp(exponent) if exponent < 700 else math.inf


def _information(times: Sequence[float], expected: Sequence[float]) -> float:
    """The information about the slope: the weighted sum of squares of the times around their weighted mean."""
    total = math.fsum(expected)
    mean = math.fsum(time * weight for time, weight in zip(times, expected, strict=True)) / total
    return math.fsum(weight * (time - mean) ** 2 for time, weight in zip(times, expected, strict=True))


def _fit(times: Sequence[float], tallies: Sequence[Tally]) -> tuple[float, list[float]]:
    """The slope of the logarithm of the rate, and the expected count of each period, by Newton's steps."""
    slope = 0.0
    level = math.log(math.fsum(tally.count for tally in tallies) / math.fsum(tally.exposure for tally in tallies))
    for _ in range(_ROUNDS):
        expected = _expected(level, slope, times, tallies)
        level_step, slope_step = _step(times, tallies, expected)
        longest = max(abs(level_step), abs(slope_step))
        shortened = min(1.0, _LONGEST_STEP / longest) if longest > 0 else 1.0
        level, slope = level + shortened * level_step, slope + shortened * slope_step
        if longest < 1e-12:
            break
    return slope, _expected(level, slope, times, tallies)


def _expected(level: float, slope: float, times: Sequence[float], tallies: Sequence[Tally]) -> list[float]:
    return [tally.exposure * math.exp(level + slope * time) for time, tally in zip(times, tallies, strict=True)]


def _step(times: Sequence[float], tallies: Sequence[Tally], expected: Sequence[float]) -> tuple[float, float]:
    """Newton's step of level and slope."""
    total, information = math.fsum(expected), _information(times, expected)
    mean = math.fsum(time * weight for time, weight in zip(times, expected, strict=True)) / total
    rest = []
    for time, tally, weight in zip(times, tallies, expected, strict=True):
        leverage = weight * (1 / total + (time - mean) ** 2 / information)
        rest.append(tally.count + leverage / 2 - weight)  # Firth: half a leverage more fires in each period
    slope_step = math.fsum(each * (time - mean) for each, time in zip(rest, times, strict=True)) / information
    return math.fsum(rest) / total - slope_step * mean, slope_step
