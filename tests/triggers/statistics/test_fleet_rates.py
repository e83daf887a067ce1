"""Rates of a fleet: unbiased by sampling and rollout, exact where they can be, and covering as often as they say."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

import numpy as np
import pytest

from triggers.statistics.fleet_rates import (
    HOUR_NS,
    THOUSAND_KM_M,
    Report,
    VehicleSums,
    fleet_rate,
    spread_of_vehicles,
)
from triggers.statistics.poisson import poisson_interval
from triggers.statistics.sequences import Tally


def test_a_rate_is_fires_over_exposure() -> None:
    sums = VehicleSums.of([[Report(3, 2 * HOUR_NS), Report(1, HOUR_NS)], [Report(2, 3 * HOUR_NS)]])
    assert (sums.vehicles, sums.fires, sums.exposure) == (2, 6, 6 * HOUR_NS)
    rate = fleet_rate(sums, HOUR_NS)
    assert rate is not None
    assert rate.interval.mean == 1.0
    per_1000_km = fleet_rate(VehicleSums.of([[Report(3, 12_000_000)]]), THOUSAND_KM_M)
    assert per_1000_km is not None
    assert per_1000_km.interval.mean == 0.25


def test_sums_are_exact() -> None:
    """Armed ns of a large fleet exceed what a float holds, and so do the sums of their squares."""
    reports = [[Report(1, 10**18 + vehicle, Fraction(1, 100))] for vehicle in range(50)]
    sums = VehicleSums.of(reports)
    assert sums.exposure == 100 * sum(10**18 + vehicle for vehicle in range(50))
    assert sums.squared_exposure == sum((100 * (10**18 + vehicle)) ** 2 for vehicle in range(50))
    assert sums == VehicleSums.of(reports[:20]) + VehicleSums.of(reports[20:])


def test_many_vehicles_alike_have_garwoods_interval() -> None:
    """Each of 2,000 vehicles fires at most once: the Poisson variance is all there is, but for the prior's share."""
    sums = VehicleSums.of([Report(int(vehicle < 40), HOUR_NS)] for vehicle in range(2_000))
    rate = fleet_rate(sums, HOUR_NS)
    assert rate is not None
    low, high = poisson_interval(40)
    assert (rate.interval.low, rate.interval.high) == pytest.approx((low / 2_000, high / 2_000), rel=0.01)
    assert rate.design_effect == pytest.approx(1, abs=0.05)


def test_without_a_fire_the_rate_has_an_upper_bound() -> None:
    sums = VehicleSums.of([Report(0, HOUR_NS)] for _ in range(100))
    rate = fleet_rate(sums, HOUR_NS)
    assert rate is not None
    assert (rate.interval.mean, rate.interval.low) == (0, 0)
    assert rate.interval.high == pytest.approx(3.689 / 100, rel=1e-3)
    assert rate.tally == Tally(0, 100)
    assert fleet_rate(VehicleSums.of([[Report(0, 0)]]), HOUR_NS) is None


def test_a_fire_that_was_kept_with_a_small_chance_counts_for_many_and_is_uncertain() -> None:
    own = VehicleSums.of([Report(10, HOUR_NS)] for _ in range(100))
    kept = VehicleSums.of([Report(1, HOUR_NS, sampling=Fraction(1, 10))] for _ in range(100))
    counted, sampled = fleet_rate(own, HOUR_NS), fleet_rate(kept, HOUR_NS)
    assert counted is not None
    assert sampled is not None
    assert counted.interval.mean == sampled.interval.mean == 10
    assert sampled.interval.high - sampled.interval.low > 2 * (counted.interval.high - counted.interval.low)


def test_fires_of_one_vehicle_say_little_about_the_fleet() -> None:
    alike = fleet_rate(VehicleSums.of([Report(10, HOUR_NS)] for _ in range(100)), HOUR_NS)
    one = fleet_rate(VehicleSums.of([Report(1000 * (not v), HOUR_NS)] for v in range(100)), HOUR_NS)
    assert alike is not None
    assert one is not None
    assert alike.interval.mean == one.interval.mean
    assert alike.interval.high < 11
    assert one.interval.high > 30
    assert one.design_effect > 500


def simulated(
    rng: np.random.Generator, vehicles: int, spread: float, rate_of_day: Callable[[int], float]
) -> list[list[Report]]:
    """Thirty days of a fleet whose rollout admits 2 % for ten days, then 20 %, then all; an hour per day."""
    own = rng.gamma(1 / spread**2, spread**2, vehicles)
    number = rng.random(vehicles)
    reports = []
    for vehicle in range(vehicles):
        days = [
            (day, share)
            for day, share in enumerate([Fraction(1, 50)] * 10 + [Fraction(1, 5)] * 10 + [Fraction(1)] * 10)
            if number[vehicle] < share
        ]
        fires = rng.poisson([own[vehicle] * rate_of_day(day) for day, _ in days])
        reports.append([Report(int(count), HOUR_NS, share) for count, (_, share) in zip(fires, days, strict=True)])
    return reports


def test_a_rollout_does_not_bias_a_rate_that_changes_meanwhile() -> None:
    """The rate falls from 3 to 1 per hour when the last stage begins; all days alike, it is 7 / 3."""
    rng, estimates, plain = np.random.default_rng(5), [], []
    for _ in range(20):
        fleet = simulated(rng, 250, 0.7, lambda day: 3.0 if day < 20 else 1.0)
        weighted = fleet_rate(VehicleSums.of(fleet), HOUR_NS)
        counted = fleet_rate(
            VehicleSums.of([[Report(r.fires, r.exposure) for r in reports] for reports in fleet]), HOUR_NS
        )
        assert weighted is not None
        assert counted is not None
        estimates.append(weighted.interval.mean)
        plain.append(counted.interval.mean)
    assert np.mean(plain) < 1.5, "without weights the last stage decides alone"
    assert np.mean(estimates) == pytest.approx(7 / 3, abs=3 * np.std(estimates) / np.sqrt(20))


@pytest.mark.parametrize(("vehicles", "spread", "at_least"), [(10, 1.0, 0.88), (100, 1.0, 0.91), (200, 0.5, 0.92)])
def test_intervals_cover_the_truth_about_as_often_as_they_say(vehicles: int, spread: float, at_least: float) -> None:
    rng, runs, covered = np.random.default_rng(vehicles), 250, 0
    for _ in range(runs):
        hours = rng.gamma(4, 0.5, vehicles)
        fires = rng.poisson(0.4 * hours * rng.gamma(1 / spread**2, spread**2, vehicles))
        rate = fleet_rate(
            VehicleSums.of(
                [Report(int(n), int(h * HOUR_NS))] for n, h in zip(fires.tolist(), hours.tolist(), strict=True)
            ),
            HOUR_NS,
        )
        assert rate is not None
        covered += rate.interval.low <= 0.4 <= rate.interval.high
    assert covered / runs >= at_least


def test_the_spread_of_vehicles_is_found() -> None:
    rng = np.random.default_rng(9)
    for spread in (0.3, 1.0):
        fires = rng.poisson(20 * rng.gamma(1 / spread**2, spread**2, 3_000))
        found = spread_of_vehicles(VehicleSums.of([Report(int(n), HOUR_NS)] for n in fires))
        assert found == pytest.approx(spread, rel=0.07)
    assert spread_of_vehicles(VehicleSums()) == 1.0


@pytest.mark.parametrize("share", [Fraction(0), Fraction(3, 2), Fraction(-1, 2)])
def test_impossible_reports_are_refused(share: Fraction) -> None:
    with pytest.raises(ValueError, match="above 0 and at most 1"):
        Report(1, 1, share)
    with pytest.raises(ValueError, match="-1 fires"):
        Report(-1, 1)
