"""Rates of a fleet: fires per hour or per 1,000 km, unbiased by sampling and rollout, with intervals.

**Weights.** A vehicle in a rollout stage of 1 % stands for a hundred, and a fire that `sample 1 in 10` keeps for ten.
Each counts with the inverse of its inclusion probability (D. Horvitz and D. Thompson, A generalization of sampling
without replacement from a finite universe, Journal of the American Statistical Association 47, 1952), and a rate is the
ratio of two such totals (J. Hájek, 1971). Without weights the days of the last stage, with most vehicles, would decide
alone. Fires that vehicles count themselves are not sampled; those that are found in clips are.

**Interval.** Vehicles, not fires, are the independent units. The variance has two parts: the Poisson variance of the
weighted fires, and what the rates of vehicles differ beyond it (the linearised variance of a ratio over vehicles). With
few vehicles the latter is moderated towards vehicles that differ by as much as their mean, which counts as two
vehicles, and widened by Student's t, as `triggers.statistics.rates` does for drives. Both together give a gamma
interval: M. Fay and E. Feuer, Confidence intervals for directly standardized rates, Statistics in Medicine 16, 1997. It
equals Garwood's exact interval if all weights are 1 and vehicles are alike.

Vehicles are a sample of those to come: the interval does not vanish when every vehicle of today's fleet is admitted.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

from triggers.statistics.distributions import gamma_quantile, normal_quantile, student_quantile
from triggers.statistics.interval import Interval
from triggers.statistics.sequences import Tally

CONFIDENCE = 0.95
HOUR_NS = 3_600 * 10**9
THOUSAND_KM_M = 1_000_000
PRIOR_VEHICLES = 2.0
"""How many vehicles the prior of the vehicles' differences weighs as much as."""
PRIOR_SPREAD = 1.0
"""The prior's standard deviation of the rates of vehicles, relative to their mean."""

Exact = int | Fraction


@dataclass(frozen=True, slots=True)
class Report:
    """Fires of a vehicle in some exposure (ns or metres), and the probability with which they are seen.

    `admission` is the share of the fleet that the rollout admitted then, `sampling` the share of fires that was kept: 1
    for the vehicle's own counts. Both are above 0 and at most 1.
    """

    fires: int
    exposure: int
    admission: Fraction = Fraction(1)
    sampling: Fraction = Fraction(1)

    def __post_init__(self) -> None:
        if self.fires < 0 or self.exposure < 0:
            raise ValueError(f"{self.fires} fires in an exposure of {self.exposure}")
        if not (_is_probability(self.admission) and _is_probability(self.sampling)):
            raise ValueError(f"probabilities {self.admission} and {self.sampling}: must be above 0 and at most 1")


@dataclass(frozen=True, slots=True)
class VehicleSums:
    """Exact sums over vehicles, enough for a rate and its interval; those of disjoint sets of vehicles can be added.

    With w a report's weight, and F and E a vehicle's sums of w * fires and w * exposure over its reports.
    """

    vehicles: int = 0
    fires: Exact = 0
    exposure: Exact = 0
    squared_fires: Exact = 0
    """The sum of F ** 2."""
    products: Exact = 0
    """The sum of F * E."""
    squared_exposure: Exact = 0
    """The sum of E ** 2."""
    poisson: Exact = 0
    """The sum of w ** 2 * fires."""
    largest_weight: Exact = 1

    @classmethod
    def of(cls, vehicles: Iterable[Iterable[Report]]) -> VehicleSums:
        """The sums over the reports of each vehicle; one without any exposure does not count."""
        total = cls()
        for reports in vehicles:
            one = cls._of_vehicle(reports)
            if one.exposure > 0:
                total += one
        return total

    @classmethod
    def _of_vehicle(cls, reports: Iterable[Report]) -> VehicleSums:
        fires: Exact = 0
        exposure: Exact = 0
        poisson: Exact = 0
        largest: Exact = 1
        for report in reports:
            admitted = _inverse(report.admission)
            weight = admitted * _inverse(report.sampling)
            fires += weight * report.fires
            exposure += admitted * report.exposure
            poisson += weight * weight * report.fires
            largest = max(largest, weight)
        return cls(1, fires, exposure, fires * fires, fires * exposure, exposure * exposure, poisson, largest)

    def __add__(self, other: VehicleSums) -> VehicleSums:
        """The sums of both sets of vehicles, which must have none in common."""
        return VehicleSums(
            self.vehicles + other.vehicles,
            self.fires + other.fires,
            self.exposure + other.exposure,
            self.squared_fires + other.squared_fires,
            self.products + other.products,
            self.squared_exposure + other.squared_exposure,
            self.poisson + other.poisson,
            max(self.largest_weight, other.largest_weight),
        )


def _is_probability(value: Fraction) -> bool:
    return 0 < value.numerator <= value.denominator  # ten times as fast as comparing fractions


def _inverse(probability: Fraction) -> Exact:
    """1 / probability, as a whole number where it is one: those add up much faster."""
    if probability.numerator == 1:
        return probability.denominator
    return Fraction(probability.denominator, probability.numerator)


@dataclass(frozen=True, slots=True)
class FleetRate:
    """A rate with its interval, and what it is made of.

    `fires` is the weighted number (exact if all weights are 1), `tally` the number of independent fires that would
    tell as much, with an exposure in units of the rate.
    """

    interval: Interval
    vehicles: int
    fires: float
    tally: Tally

    @property
    def design_effect(self) -> float:
        """How many times as large the variance is as that of a Poisson process with as many fires; 1 without a fire."""
        return self.fires / self.tally.count if self.tally.count else 1.0


def fleet_rate(sums: VehicleSums, per: int, confidence: float = CONFIDENCE) -> FleetRate | None:
    """The rate per `per` units of exposure, such as HOUR_NS or THOUSAND_KM_M; None without any exposure."""
    if sums.exposure <= 0:
        return None
    exposure = float(Fraction(sums.exposure) / per)
    largest = float(sums.largest_weight)
    tail = (1 - confidence) / 2
    if sums.fires == 0:
        high = gamma_quantile(1 - tail, 1.0) * largest / exposure
        return FleetRate(Interval(0.0, 0.0, high), sums.vehicles, 0.0, Tally(0.0, exposure / largest))
    rate = float(sums.fires) / exposure
    count = 1 / _relative_variance(sums, 1 - tail)
    variance, weight = rate**2 / count, largest / exposure
    above = (rate + weight) ** 2 / (variance + weight**2)
    low = gamma_quantile(tail, count) * rate / count
    high = gamma_quantile(1 - tail, above) * (rate + weight) / above
    return FleetRate(Interval(rate, low, high), sums.vehicles, float(sums.fires), Tally(count, count / rate))


def _relative_variance(sums: VehicleSums, quantile: float) -> float:
    """The variance of the rate divided by its square; what vehicles differ is widened for a normal quantile."""
    poisson = float(Fraction(sums.poisson) / Fraction(sums.fires) ** 2)
    shares = float(Fraction(sums.squared_exposure) / Fraction(sums.exposure) ** 2)
    freedom = max(1.0, 1 / shares - 1)  # vehicles of equal exposure that would tell as much, less one
    seen = max(0.0, _between_vehicles(sums) - poisson)
    prior = PRIOR_SPREAD**2 * shares
    spread = (PRIOR_VEHICLES * prior + freedom * seen) / (PRIOR_VEHICLES + freedom)
    widened = student_quantile(quantile, PRIOR_VEHICLES + freedom) / normal_quantile(quantile)
    return poisson + spread * widened**2


def _between_vehicles(sums: VehicleSums) -> float:
    """The linearised variance of fires / exposure over vehicles, divided by its square; 0 for a single vehicle."""
    if sums.vehicles < 2:
        return 0.0
    fires, exposure = Fraction(sums.fires), Fraction(sums.exposure)
    # exact, since the three terms nearly cancel where vehicles are alike
    residuals = sums.squared_fires / fires**2
    residuals += sums.squared_exposure / exposure**2 - 2 * sums.products / (fires * exposure)
    return float(residuals * sums.vehicles / (sums.vehicles - 1))


def spread_of_vehicles(sums: VehicleSums) -> float:
    """The standard deviation of the vehicles' own rates, relative to their mean: moderated, and never below 0."""
    if sums.fires == 0 or sums.exposure == 0:
        return PRIOR_SPREAD
    poisson = float(Fraction(sums.poisson) / Fraction(sums.fires) ** 2)
    shares = float(Fraction(sums.squared_exposure) / Fraction(sums.exposure) ** 2)
    freedom = max(0.0, 1 / shares - 1)
    seen = max(0.0, _between_vehicles(sums) - poisson) / shares
    return math.sqrt((PRIOR_VEHICLES * PRIOR_SPREAD**2 + freedom * seen) / (PRIOR_VEHICLES + freedom))
