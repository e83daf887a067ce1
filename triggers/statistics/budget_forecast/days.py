"""What days tell of a rate: how they differ, how much each weighs, and how much they tell together.

Weather and weekends move all vehicles alike, so a day's clips vary more than Poisson's.
How much is taken from the days, moderated towards PRIOR_DAY_SPREAD, which counts as PRIOR_DAYS days. The first
vehicles of a rollout are not the fleet: they differ from those to come as a sample does from its population. A day
may also be like the one before it (snow lies for a week), so that ten days tell less than ten times as much as one,
and the days to come scatter together: that correlation is estimated, too. A day weighs the inverse of these variances
(R. DerSimonian and N. Laird, Meta-analysis in clinical trials, Controlled Clinical Trials 7, 1986), so that a day of
ten thousand vehicles does not outweigh the week of a thousand before it. The weighted mean then counts as the clips
that would tell as much (J. Rao and A. Scott, Statistics in Medicine 18, 1999).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from triggers.statistics.distributions import normal_quantile, student_quantile

CONFIDENCE = 0.9
TAIL = (1 - CONFIDENCE) / 2
HALF_LIFE_DAYS = 28.0
PRIOR_DAY_SPREAD = 0.2
"""The standard deviation of the days' own rates, relative to their mean, before any day was seen."""
PRIOR_DAYS = 2.0
PRIOR_DAYS_OF_MEMORY = 5.0
"""How many days the belief weighs that a day is not like the one before it."""
MOST_MEMORY = 0.95
FEWEST_VEHICLE_DAYS = 1e-6


@dataclass(frozen=True, slots=True)
class Day:
    """A day of the campaign: the vehicles that were assigned it, the bytes charged, the sum of squared sizes of clips.

    A part of a day has a part of the vehicle-days. For a budget of clips, bytes and squares are both the clips.
    """

    vehicle_days: float
    amount: int
    squares: int

    @property
    def counts(self) -> bool:
        """Whether somebody ran the campaign: less than a tenth of a second of one vehicle is nobody."""
        return self.vehicle_days >= FEWEST_VEHICLE_DAYS

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


class SeenDays:
    """The days that have vehicles, and the variances of their rates relative to `rate`, which is known roughly."""

    def __init__(self, days: Sequence[Day], unit: float, vehicles: Vehicles, rate: float) -> None:
        ages = range(len(days) - 1, -1, -1)
        rows = [(day, 0.5 ** (age / HALF_LIFE_DAYS)) for day, age in zip(days, ages, strict=True) if day.counts]
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

    def mean(self, day_variance: float, day_memory: float = 0.0) -> tuple[float, float]:
        """The weighted mean of the days' rates, and its variance relative to the square of the rate."""
        shares = self._shares(day_variance)
        mean = math.fsum(share * rate for share, rate in zip(shares, self._rates, strict=True))
        squares = math.fsum(share**2 for share in shares)
        chance = math.fsum(share**2 * chance for share, chance in zip(shares, self._chance, strict=True))
        of_days = day_variance * squares * memory_effect(1 / squares, day_memory)
        return mean, chance + of_days + self._sampling_variance(shares)

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

    def _offs(self) -> list[float]:
        """By day, how far its rate is from the mean, relative to it; none if the mean is 0."""
        mean, _ = self.mean(PRIOR_DAY_SPREAD**2)
        return [rate / mean - 1 for rate in self._rates] if mean > 0 else []

    def _weights(self) -> list[float]:
        """The weight of each day's square in a variance of days."""
        explained = zip(self._chance, self._sampling, strict=True)
        return [(PRIOR_DAY_SPREAD**2 + chance + sampling) ** -2 for chance, sampling in explained]

    def _variance(self) -> float:
        """The mean square of the days' distances from the mean, less what chance and sampling explain of it."""
        weights = self._weights()
        rows = zip(weights, self._offs(), self._chance, self._sampling, strict=False)
        beyond = math.fsum(weight * (off**2 - chance - sampling) for weight, off, chance, sampling in rows)
        return max(0.0, beyond / math.fsum(weights))

    def day_memory(self) -> float:
        """The correlation of neighbouring days: M. Kendall's estimate (Biometrika 41, 1954), moderated towards none.

        Days that share the vehicles of a rollout's stage are alike for that reason, which is taken out.
        """
        days = len(self._offs())
        if days < 3:
            return 0.0
        rows = list(zip(self._weights(), self._offs(), self._sampling, strict=True))
        weights = [math.sqrt(one[0] * other[0]) for one, other in pairwise(rows)]
        products = [one[1] * other[1] - min(one[2], other[2]) for one, other in pairwise(rows)]
        covariance = math.fsum(w * p for w, p in zip(weights, products, strict=True)) / math.fsum(weights)
        variance = (PRIOR_DAYS * PRIOR_DAY_SPREAD**2 + days * self._variance()) / (PRIOR_DAYS + days)
        plain = covariance / variance
        unbiased = plain + (1 + 3 * plain) / days
        return min(MOST_MEMORY, max(0.0, unbiased * days / (days + PRIOR_DAYS_OF_MEMORY)))

    def day_variance(self, day_memory: float) -> float:
        """The relative variance of the days' own rates beyond chance and sampling, moderated and widened."""
        weights = self._weights()
        # days of equal weight that tell as much; fewer where each is like the one before it
        telling = math.fsum(weights) ** 2 / math.fsum(weight**2 for weight in weights)
        telling /= memory_effect(telling, day_memory)
        if telling <= 1 or not self._offs():
            return moderated(0.0, 0.0)
        return moderated(self._variance() * telling / (telling - 1), telling - 1)


def moderated(variance: float, freedom: float) -> float:
    """A variance of days, moderated by the prior, and widened by Student's t for what few days say about it."""
    together = PRIOR_DAYS + freedom
    moderated = (PRIOR_DAYS * PRIOR_DAY_SPREAD**2 + freedom * variance) / together
    return moderated * (student_quantile(1 - TAIL, together) / normal_quantile(1 - TAIL)) ** 2


def memory_effect(days: float, memory: float) -> float:
    """By what factor the variance of a mean of days grows if each is correlated with the one before it by `memory`."""
    if memory <= 0 or days <= 1:
        return 1.0
    past = math.pow(memory, days)
    return (1 + memory) / (1 - memory) - 2 * memory * (1 - past) / (days * (1 - memory) ** 2)
