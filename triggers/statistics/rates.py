"""Rates of events, such as fires or bytes per hour, each with a confidence interval.

The interval has two parts:

- Events within drives are a Poisson process: Garwood's exact interval (`poisson`). Events of different weights, such
  as clips of several sizes, have the interval of Dobson, Kuulasmaa, Eberle and Scherer (Confidence intervals for
  weighted sums of Poisson parameters, Statistics in Medicine 10, 1991), which equals Garwood's if all weights are the
  same.
- Drives differ: the jackknife's variance of the ratio of totals, less its Poisson part, as far as there are drives to
  see it; for few drives it is moderated towards a prior, drives whose rates differ by as much as their mean, which
  counts as PRIOR_DRIVES drives (as G. Smyth, Linear models and empirical Bayes, Stat. Appl. Genet. Mol. Biol. 3,
  2004, moderates variances). It widens the interval on the scale of logarithms by a quantile of Student's t, above the
  estimate with the correction for skewness of N. Johnson (Modified t tests, J. Am. Stat. Assoc. 73, 1978).

How often the interval covers the truth is measured by a test and stated in docs/backtest.md.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from triggers.statistics.distributions import student_quantile
from triggers.statistics.interval import Interval
from triggers.statistics.poisson import CONFIDENCE, poisson_interval

PRIOR_DRIVES = 2.0
"""How many drives the prior of the drives' differences weighs as much as."""
PRIOR_SPREAD = 1.0
"""The prior's standard deviation of the rates of drives, relative to their mean."""


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


@dataclass(frozen=True, slots=True)
class Rate:
    """A quantity per hour, with what its interval is made of."""

    mean: float
    events: Events
    """The events, their weights divided by all hours."""
    influence: NDArray[np.float64]
    """By drive, what it adds to the mean beyond what all other drives alike would: the sum is 0."""
    shares: NDArray[np.float64]
    """By drive, its share of the hours."""

    @classmethod
    def of(cls, events: Events, hours: Sequence[float]) -> Rate | None:
        """The rate of events, given the hours of each drive in which they could happen; None without any."""
        time = math.fsum(hours)
        if time <= 0:
            return None
        per_hour = events.scaled(1 / time)
        totals, shares = np.array(per_hour.totals, np.float64), np.array(hours, np.float64) / time
        mean = math.fsum(per_hour.totals)
        return cls(mean, per_hour, totals - mean * shares, shares)

    @classmethod
    def total(cls, parts: Sequence[Rate]) -> Rate | None:
        """The sum of several rates on the same drives, whose hours may differ; None without any."""
        if not parts:
            return None
        mean = math.fsum(part.mean for part in parts)
        weights = [part.mean / mean if mean else 1 / len(parts) for part in parts]
        return cls(
            mean,
            Events.total([part.events for part in parts], len(parts[0].shares)),
            np.sum([part.influence for part in parts], axis=0),
            np.sum([weight * part.shares for weight, part in zip(weights, parts, strict=True)], axis=0),
        )

    def interval(self) -> Interval:
        """The rate with its interval, which for a single drive, or without an event, is that of a Poisson process."""
        low, high = weighted_interval(self.events)
        if self.mean <= 0 or np.count_nonzero(self.shares) < 2:
            return Interval(self.mean, low, high)
        below, above = self._widening()
        if low > 0:
            low = self.mean * math.exp(-math.hypot(math.log(self.mean / low), below))
        return Interval(self.mean, low, self.mean * math.exp(math.hypot(math.log(high / self.mean), above)))

    @property
    def spread(self) -> float:
        """The standard deviation of drives' rates relative to their mean, moderated as in the interval: never 0."""
        if self.mean <= 0 or np.count_nonzero(self.shares) < 2:
            return PRIOR_SPREAD
        return self._deviation / math.sqrt(float((self.shares**2).sum()))

    @property
    def _freedom(self) -> float:
        """Drives of equal length that would tell as much, less one."""
        return max(1.0, 1 / float((self.shares**2).sum()) - 1)

    @property
    def _deviation(self) -> float:
        """The standard deviation of the mean that the differences of drives make, relative to it."""
        influence, squared_shares = self.influence / self.mean, float((self.shares**2).sum())
        drives = np.count_nonzero(self.shares)
        others = np.maximum(1 - self.shares, 1 / drives)  # a drive that is nearly all hours says little about the rest
        jackknife = float(((influence / others) ** 2).sum()) * (drives - 1) / drives
        seen = max(0.0, jackknife - self.events.squares / self.mean**2)
        prior = PRIOR_SPREAD**2 * squared_shares
        return math.sqrt((PRIOR_DRIVES * prior + self._freedom * seen) / (PRIOR_DRIVES + self._freedom))

    def _widening(self) -> tuple[float, float]:
        """How far the differences of drives widen the interval, below and above, on the scale of logarithms."""
        quantile, deviation = student_quantile((1 + CONFIDENCE) / 2, PRIOR_DRIVES + self._freedom), self._deviation
        influence = self.influence / self.mean
        squares = float((influence**2).sum())
        skewness = max(0.0, float((influence**3).sum()) / squares**1.5) if squares > 0 else 0.0
        return quantile * deviation, (quantile + skewness * (1 + 2 * quantile**2) / 6) * deviation


def weighted_interval(events: Events) -> tuple[float, float]:
    """The interval of the expected total, if the events are a Poisson process."""
    low, high = poisson_interval(events.count)
    if events.count == 0:
        return 0.0, high * events.weight
    total, spread = math.fsum(events.totals), math.sqrt(events.squares / events.count)
    return max(0.0, total + spread * (low - events.count)), total + spread * (high - events.count)
