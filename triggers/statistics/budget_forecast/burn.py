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

**Days and vehicles differ.** Weather and weekends move all vehicles alike, so a day's clips vary more than Poisson's.
How much is taken from the days, moderated towards PRIOR_DAY_SPREAD, which counts as PRIOR_DAYS days. The first vehicles
of a rollout are not the fleet: they differ from those to come as a sample does from its population. A day weighs the
inverse of these variances (R. DerSimonian and N. Laird, Meta-analysis in clinical trials, Controlled Clinical Trials 7,
1986), so that a day of ten thousand vehicles does not outweigh the week of a thousand before it. The weighted mean then
counts as the clips that would tell as much (J. Rao and A. Scott, Statistics in Medicine 18, 1999).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from triggers.statistics.distributions import gamma_quantile, normal_quantile, student_quantile
from triggers.statistics.interval import Interval

CONFIDENCE = 0.9
TAIL = (1 - CONFIDENCE) / 2
BACKTEST_CONFIDENCE = 0.95
"""Of the intervals that backtests report."""
MOST_PRIOR_CLIPS = 4.0
"""A gamma distribution of shape 4 has a standard deviation of half its mean: so far off may recorded drives be."""
FEWEST_PRIOR_CLIPS = 0.5
HALF_LIFE_DAYS = 28.0
PRIOR_DAY_SPREAD = 0.2
"""The standard deviation of the days' own rates, relative to their mean, before any day was seen."""
PRIOR_DAYS = 2.0
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
class Day:
    """A day of the campaign: the vehicles that were assigned it, the bytes charged, the sum of squared sizes of clips.

    A part of a day has a part of the vehicle-days. For a budget of clips, bytes and squares are both the clips.
    """

    vehicle_days: float
    amount: int
    squares: int

    def __post_init__(self) -> None:
        if not 0 <= self.vehicle_days < math.inf or self.amount < 0 or self.squares < 0:
            raise ValueError(f"a day with {self.vehicle_days} vehicle-days, {self.amount} bytes and {self.squares}")


@dataclass(frozen=True, slots=True)
class Vehicles:
    """How many vehicles the fleet of the campaign has when all are admitted, and how their rates differ.

    `spread` is a standard deviation relative to the mean (`fleet_rates.spread_of_vehicles`).
    """

    fleet: float
    spread: float = 1.0

    def sampling_variance(self, seen: float) -> float:
        """The relative variance of the mean of so many vehicles around that of the fleet they are a part of."""
        return self.spread**2 * max(0.0, 1 / seen - 1 / self.fleet)


@dataclass(frozen=True, slots=True)
class Burn:
    """A burn rate: in clips of `unit` bytes, a gamma distribution of `clips` in `vehicle_days`."""

    clips: float
    vehicle_days: float
    unit: float
    day_variance: float
    """The relative variance of the days' own rates, widened by Student's t for what few days say about it."""

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
    clips = math.fsum(day.amount for day in days) / unit
    exposure = math.fsum(day.vehicle_days for day in days)
    if exposure <= 0:
        return Burn(prior.clips, prior_days, unit, _moderated(0.0, 0.0))
    seen = _Seen(days, unit, vehicles, (prior.clips + clips) / (prior_days + exposure))
    day_variance = seen.day_variance()
    mean, variance = seen.mean(day_variance)
    told_days = 1 / (seen.rate * variance)
    return Burn(prior.clips + mean * told_days, prior_days + told_days, unit, day_variance)


def _unit(prior: Prior, days: Sequence[Day]) -> float:
    squares, amount = sum(day.squares for day in days), sum(day.amount for day in days)
    return (PRIOR_SIZES * prior.unit**2 + squares) / (PRIOR_SIZES * prior.unit + amount)


class _Seen:
    """The days that have vehicles, and the variances of their rates relative to `rate`, which is known roughly."""

    def __init__(self, days: Sequence[Day], unit: float, vehicles: Vehicles, rate: float) -> None:
        ages = range(len(days) - 1, -1, -1)
        rows = [(day, 0.5 ** (age / HALF_LIFE_DAYS)) for day, age in zip(days, ages, strict=True) if day.vehicle_days]
        self.rate = rate
        self._days = [day for day, _ in rows]
        self._fresh = [weight for _, weight in rows]
        self._rates = [day.amount / unit / day.vehicle_days for day in self._days]
        self._chance = [1 / (rate * day.vehicle_days) for day in self._days]
        self._vehicles = vehicles
        self._sampling = [vehicles.sampling_variance(day.vehicle_days) for day in self._days]

    def _shares(self, day_variance: float) -> list[float]:
        """The share of each day in the mean."""
        weights = [
            fresh / (day_variance + chance + sampling)
            for fresh, chance, sampling in zip(self._fresh, self._chance, self._sampling, strict=True)
        ]
        total = math.fsum(weights)
        return [weight / total for weight in weights]

    def mean(self, day_variance: float) -> tuple[float, float]:
        """The weighted mean of the days' rates, and its variance relative to the square of the rate."""
        shares = self._shares(day_variance)
        mean = math.fsum(share * rate for share, rate in zip(shares, self._rates, strict=True))
        of_days = math.fsum(
            share**2 * (day_variance + chance) for share, chance in zip(shares, self._chance, strict=True)
        )
        return mean, of_days + self._sampling_variance(shares)

    def _sampling_variance(self, shares: Sequence[float]) -> float:
        """What the vehicles of the days differ from the fleet, in the weighted mean.

        A rollout only adds vehicles: those of a smaller day are among those of a larger one. So the covariance of two
        days is the variance of the larger one.
        """
        largest_last = sorted(zip(self._days, shares, self._sampling, strict=True), key=lambda row: row[0].vehicle_days)
        total = smaller = 0.0
        for _, share, sampling in largest_last:
            total += sampling * share * (share + 2 * smaller)
            smaller += share
        return total

    def day_variance(self) -> float:
        """The relative variance of the days' own rates beyond chance and sampling, moderated and widened."""
        mean, _ = self.mean(PRIOR_DAY_SPREAD**2)
        if mean <= 0:
            return _moderated(0.0, 0.0)
        weights = [
            (PRIOR_DAY_SPREAD**2 + chance + sampling) ** -2
            for chance, sampling in zip(self._chance, self._sampling, strict=True)
        ]
        total = math.fsum(weights)
        telling = total**2 / math.fsum(weight**2 for weight in weights)  # days of equal weight that tell as much
        beyond = math.fsum(
            weight * ((rate / mean - 1) ** 2 - chance - sampling)
            for weight, rate, chance, sampling in zip(weights, self._rates, self._chance, self._sampling, strict=True)
        )
        if telling <= 1:
            return _moderated(0.0, 0.0)
        return _moderated(max(0.0, beyond / total) * telling / (telling - 1), telling - 1)


def _moderated(variance: float, freedom: float) -> float:
    """A variance of days, moderated by the prior, and widened by Student's t for what few days say about it."""
    together = PRIOR_DAYS + freedom
    moderated = (PRIOR_DAYS * PRIOR_DAY_SPREAD**2 + freedom * variance) / together
    return moderated * (student_quantile(1 - TAIL, together) / normal_quantile(1 - TAIL)) ** 2
