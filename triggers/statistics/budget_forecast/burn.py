"""What is known of a burn rate: the backtest's prediction, shrunk towards the days that were seen.

**The rate.** Clips come at a rate per vehicle-day that has a gamma distribution. Before the start it is the
backtest's (`Prior`): its weight is what its interval says, but never more than MOST_PRIOR_CLIPS clips, since recorded
drives are not the fleet. Each day then adds its clips and its vehicle-days (A. Gelman et al., Bayesian Data Analysis,
third edition, section 2.6). Older days count less, by half per HALF_LIFE_DAYS, so that a rate that changes is
followed (J. Smith and R. Miller, A non-Gaussian state space model, Journal of the Royal Statistical Society B 48,
1986).

**Bytes.** Clips differ in size. Their sum varies like a Poisson number of clips of the size E(S^2) / E(S), which is
the *unit* here: everything below is counted in such clips (as `triggers.statistics.rates` weighs clips, after Dobson
et al.). A budget of clips has a unit of 1.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from triggers.statistics.budget_forecast.days import TAIL, Day, SeenDays, Vehicles, moderated
from triggers.statistics.distributions import gamma_quantile
from triggers.statistics.interval import Interval

BACKTEST_CONFIDENCE = 0.95
"""Of the intervals that backtests report."""
MOST_PRIOR_CLIPS = 4.0
"""A gamma distribution of shape 4 has a standard deviation of half its mean: so far off may recorded drives be."""
FEWEST_PRIOR_CLIPS = 0.5
PRIOR_SIZES = 5.0
"""How many clips the backtest's size of a clip counts as."""


@dataclass(frozen=True, slots=True)
class Prior:
    """What was thought of the rate before the start: its mean in bytes per vehicle-day, and its weight in clips."""

    mean: float
    clips: float
    unit: float
    """E(S^2) / E(S) of the sizes of clips."""

    def __post_init__(self) -> None:
        if not (0 < self.mean < math.inf and 0 < self.clips < math.inf and 0 < self.unit < math.inf):
            raise ValueError(f"a prior of {self.mean} per vehicle-day in clips of {self.unit}: both must be positive")

    @classmethod
    def of_backtest(cls, per_vehicle_day: Interval, unit: float, *, uploading: float = 1.0) -> Prior:
        """The prior of a backtest's interval (with a confidence of 95 %), if a share `uploading` of vehicles uploads.

        The gamma distribution has the interval's upper end, and its mean where such a distribution exists. It does not
        where the upper end is many times the mean, or where nothing fired: no fire in the backtest is not a rate of 0.
        """
        high = per_vehicle_day.high * uploading
        clips = _shape(per_vehicle_day.high / per_vehicle_day.mean if per_vehicle_day.mean > 0 else math.inf)
        mean = high / _reach(clips) if clips == FEWEST_PRIOR_CLIPS else per_vehicle_day.mean * uploading
        return cls(mean, min(clips, MOST_PRIOR_CLIPS), unit)


def _reach(shape: float) -> float:
    """The upper end of a gamma distribution's interval, divided by its mean."""
    return gamma_quantile((1 + BACKTEST_CONFIDENCE) / 2, shape) / shape


def _shape(ratio: float) -> float:
    """The shape of the gamma distribution with this ratio of upper end to mean, within the bounds of a prior."""
    low, high = FEWEST_PRIOR_CLIPS, MOST_PRIOR_CLIPS
    if ratio >= _reach(low):
        return low
    if ratio <= _reach(high):
        return high
    for _ in range(50):
        middle = (low + high) / 2
        low, high = (middle, high) if _reach(middle) > ratio else (low, middle)
    return high


@dataclass(frozen=True, slots=True)
class Burn:
    """A burn rate: in clips of `unit` bytes, a gamma distribution of `clips` in `vehicle_days`."""

    clips: float
    vehicle_days: float
    unit: float
    day_variance: float
    """The relative variance of the days' own rates, widened by Student's t for what few days say about it."""
    day_memory: float = 0.0
    """The correlation of a day's own rate with that of the day before."""

    @property
    def rate(self) -> float:
        """Clips of `unit` bytes per vehicle-day."""
        return self.clips / self.vehicle_days

    def per_vehicle_day(self) -> Interval:
        """Bytes per vehicle-day in the long run, with the interval of this mean: single days scatter around it."""
        scale = self.unit / self.vehicle_days
        low, high = (gamma_quantile(p, self.clips) * scale for p in (TAIL, 1 - TAIL))
        return Interval(self.rate * self.unit, low, high)


def learn(prior: Prior, days: Sequence[Day], vehicles: Vehicles) -> Burn:
    """The burn rate after these days, the oldest first; without any it is the prior's."""
    unit = _unit(prior, days)
    prior_days = prior.clips * unit / prior.mean
    clips = math.fsum(day.amount for day in days if day.counts) / unit
    exposure = math.fsum(day.vehicle_days for day in days if day.counts)
    if exposure <= 0:
        return Burn(prior.clips, prior_days, unit, moderated(0.0, 0.0))
    seen = SeenDays(days, unit, vehicles, (prior.clips + clips) / (prior_days + exposure))
    day_memory = seen.day_memory()
    day_variance = seen.day_variance(day_memory)
    mean, variance = seen.mean(day_variance, day_memory)
    told_days = 1 / (seen.rate * variance)
    return Burn(prior.clips + mean * told_days, prior_days + told_days, unit, day_variance, day_memory)


def _unit(prior: Prior, days: Sequence[Day]) -> float:
    squares, amount = sum(day.squares for day in days), sum(day.amount for day in days)
    return (PRIOR_SIZES * prior.unit**2 + squares) / (PRIOR_SIZES * prior.unit + amount)
