"""Rates of events, such as fires or bytes per hour, each with a confidence interval.

Two intervals are computed, and the wider one is used on each side:

- Events as a Poisson process: Garwood's exact interval (F. Garwood, Fiducial limits for the Poisson distribution,
  Biometrika 28, 1936). Events of different weights, such as clips of several sizes, have the interval of Dobson,
  Kuulasmaa, Eberle and Scherer (Confidence intervals for weighted sums of Poisson parameters, Statistics in
  Medicine 10, 1991), which equals Garwood's if all weights are the same.
- Drives as the resampling unit, since events cluster in drives: a bootstrap of the ratio of totals (percentiles), in
  which each drive is weighted by its recorded time.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

CONFIDENCE = 0.95
RESAMPLES = 2000
EXACT_COUNT = 1000
"""Up to this count, Garwood's interval is computed from exact probabilities."""
BLOCK_PICKS = 1 << 22
"""How many drives are picked at a time while resampling, which bounds the memory."""
_SEED = 20_261  # fixed, so that an interval is a function of its input
_NORMAL_QUANTILE = 1.959963984540054  # of (1 + CONFIDENCE) / 2
_LOG_FACTORIALS = np.concatenate(([0.0], np.cumsum(np.log(np.arange(1, EXACT_COUNT + 1)))))


@dataclass(frozen=True, slots=True)
class Interval:
    """An estimate, with the interval that covers the true value with the stated confidence."""

    mean: float
    low: float
    high: float

    def scaled(self, factor: float) -> Interval:
        """The interval of the quantity times a factor."""
        return Interval(self.mean * factor, self.low * factor, self.high * factor)

    def to_json(self, digits: int | None = None) -> dict[str, float]:
        """Mean, low and high, rounded to `digits` decimals; None: to whole numbers."""
        return {"mean": round(self.mean, digits), "low": round(self.low, digits), "high": round(self.high, digits)}


@dataclass(frozen=True, slots=True)
class Events:
    """A quantity that events add to, drive by drive.

    `totals` has the sum of the weights of each drive's events, `count` is the number of all events, and `squares` the
    sum of their squared weights. `weight` is the weight of an event that is assumed if there was none.
    """

    totals: Sequence[float]
    count: int
    squares: float
    weight: float = 1.0

    @classmethod
    def of_counts(cls, counts: Sequence[int]) -> Events:
        """Events that weigh 1 each."""
        return cls(counts, sum(counts), sum(counts))

    def scaled(self, factor: float) -> Events:
        """The same events with their weights multiplied by `factor`."""
        totals = [total * factor for total in self.totals]
        return Events(totals, self.count, self.squares * factor**2, self.weight * factor)

    @classmethod
    def total(cls, quantities: Sequence[Events], drives: int) -> Events:
        """The sum of several quantities of the same drives."""
        totals = np.sum([events.totals for events in quantities], axis=0) if quantities else np.zeros(drives)
        return cls(
            totals.tolist(),
            sum(events.count for events in quantities),
            sum(events.squares for events in quantities),
            max((events.weight for events in quantities), default=0.0),
        )


def rates_per_hour(
    quantities: Sequence[Events], hours: Sequence[float], *, block_picks: int = BLOCK_PICKS
) -> list[Interval] | None:
    """The rate of each quantity, given the hours of each drive; None if no time was recorded.

    All quantities see the same resampled drives, so the interval of a total fits those of its parts.
    """
    time = math.fsum(hours)
    if time <= 0:
        return None
    totals = np.array([events.totals for events in quantities], np.float64).T
    resampled = _resampled(totals, np.array(hours, np.float64), block_picks)
    intervals = []
    for events, (low, high) in zip(quantities, resampled, strict=True):
        poisson_low, poisson_high = weighted_interval(events)
        mean = math.fsum(events.totals) / time
        intervals.append(Interval(mean, min(low, poisson_low / time), max(high, poisson_high / time)))
    return intervals


def _resampled(totals: NDArray[np.float64], hours: NDArray[np.float64], block_picks: int) -> list[tuple[float, float]]:
    """Percentile intervals of totals (drive, quantity) over hours; empty, (inf, -inf), for a single drive."""
    drives, quantities = totals.shape
    if drives < 2 or not quantities:
        return [(math.inf, -math.inf)] * quantities
    generator = np.random.default_rng(_SEED)
    rates: list[NDArray[np.float64]] = []
    block = max(1, block_picks // drives)
    for first in range(0, RESAMPLES, block):
        rows = min(block, RESAMPLES - first)
        # Row r picks from the numbers r * drives to (r + 1) * drives - 1, so one bincount serves all rows.
        picks = generator.integers(0, drives, size=(rows, drives)) + np.arange(rows)[:, None] * drives
        times_picked = np.bincount(picks.ravel(), minlength=rows * drives).reshape(rows, drives).astype(np.float64)
        time = times_picked @ hours
        rates.append((times_picked @ totals)[time > 0] / time[time > 0, None])
    tail = (1 - CONFIDENCE) / 2
    low, high = np.quantile(np.concatenate(rates), (tail, 1 - tail), axis=0)
    return list(zip(low.tolist(), high.tolist(), strict=True))


def weighted_interval(events: Events) -> tuple[float, float]:
    """The interval of the expected total, if the events are a Poisson process."""
    low, high = poisson_interval(events.count)
    if events.count == 0:
        return 0.0, high * events.weight
    total, spread = math.fsum(events.totals), math.sqrt(events.squares / events.count)
    return max(0.0, total + spread * (low - events.count)), total + spread * (high - events.count)


def poisson_interval(count: int, *, exact_up_to: int = EXACT_COUNT) -> tuple[float, float]:
    """Garwood's exact interval for the mean of a Poisson variable that was observed once.

    Above `exact_up_to` (at most EXACT_COUNT) it is approximated by Wilson and Hilferty's cube (PNAS 17, 1931), whose
    error is below 1e-5 of the mean for counts above 1000.
    """
    if count > exact_up_to:
        return _cube(count, -_NORMAL_QUANTILE), _cube(count + 1, _NORMAL_QUANTILE)
    tail = (1 - CONFIDENCE) / 2
    low = 0.0 if count == 0 else _solve(lambda mean: 1 - _poisson_cdf(count - 1, mean) < tail, count)
    return low, _solve(lambda mean: _poisson_cdf(count, mean) > tail, count)


def _cube(shape: int, quantile: float) -> float:
    """A quantile of the gamma distribution of that shape."""
    return float(shape * (1 - 1 / (9 * shape) + quantile / (3 * math.sqrt(shape))) ** 3)


def _poisson_cdf(count: int, mean: float) -> float:
    """P(X <= count) for a count up to EXACT_COUNT, from sums of logarithms."""
    if mean <= 0:
        return 1.0
    counts = np.arange(count + 1)
    return min(1.0, float(np.exp(counts * math.log(mean) - mean - _LOG_FACTORIALS[: count + 1]).sum()))


def _solve(is_below: Callable[[float], bool], count: int) -> float:
    """The mean at which a monotonic condition becomes false, by bisection."""
    low, high = 0.0, 10.0 + count + 10 * math.sqrt(count + 1)
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if is_below(middle) else (low, middle)
    return (low + high) / 2
