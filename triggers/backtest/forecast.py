"""From fires on recorded drives to fires and bytes a vehicle-day, with an interval.

The rate's interval is Poisson's exact one (Garwood 1936). With several drives the drives are resampled as well,
since fires cluster in drives, and the wider of the two intervals is given.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

CONFIDENCE = 0.95
RESAMPLES = 2000
_SEED = 20_261  # a forecast is a function of its input


@dataclass(frozen=True, slots=True)
class Interval:
    """An estimate with the interval that covers the truth with the stated confidence."""

    mean: float
    low: float
    high: float

    def scaled(self, factor: float) -> Interval:
        """The same for a multiple of the quantity."""
        return Interval(self.mean * factor, self.low * factor, self.high * factor)

    def to_json(self, digits: int | None = None) -> dict[str, float]:
        """Mean, low and high; whole numbers for `digits` None."""
        return {"mean": round(self.mean, digits), "low": round(self.low, digits), "high": round(self.high, digits)}


def rate_per_hour(fires: Sequence[int], hours: Sequence[float]) -> Interval | None:
    """Fires an hour from the fires and hours of each drive; None without any time."""
    total, time = sum(fires), sum(hours)
    if time <= 0:
        return None
    low, high = (bound / time for bound in poisson_interval(total))
    if len(fires) > 1:
        resampled = _resampled(np.array(fires, np.float64), np.array(hours, np.float64))
        low, high = min(low, resampled[0]), max(high, resampled[1])
    return Interval(total / time, low, high)


def _resampled(fires: np.ndarray, hours: np.ndarray) -> tuple[float, float]:
    generator = np.random.default_rng(_SEED)
    picks = generator.integers(0, len(fires), size=(RESAMPLES, len(fires)))
    times = hours[picks].sum(axis=1)
    rates = fires[picks].sum(axis=1)[times > 0] / times[times > 0]
    tail = (1 - CONFIDENCE) / 2
    low, high = np.quantile(rates, (tail, 1 - tail))
    return float(low), float(high)


def poisson_interval(count: int) -> tuple[float, float]:
    """Garwood's exact interval for the mean of a Poisson variable that was observed once."""
    tail = (1 - CONFIDENCE) / 2
    low = 0.0 if count == 0 else _solve(lambda mean: 1 - _poisson_cdf(count - 1, mean) < tail, count)
    return low, _solve(lambda mean: _poisson_cdf(count, mean) > tail, count)


def _poisson_cdf(count: int, mean: float) -> float:
    """P(X <= count), summed from the largest term downwards in logarithms."""
    if mean <= 0:
        return 1.0
    logs = [k * math.log(mean) - mean - math.lgamma(k + 1) for k in range(max(0, count - 2000), count + 1)]
    largest = max(logs)
    return min(1.0, math.exp(largest) * math.fsum(math.exp(value - largest) for value in logs))


def _solve(is_below: Callable[[float], bool], count: int) -> float:
    """The mean at which a monotonous statement turns false, by bisection."""
    low, high = 0.0, 10.0 + count + 10 * math.sqrt(count + 1)
    for _ in range(100):
        middle = (low + high) / 2
        low, high = (middle, high) if is_below(middle) else (low, middle)
    return (low + high) / 2
