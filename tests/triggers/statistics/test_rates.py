"""Intervals of rates, against published values and simulation, and what they must not depend on."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
import pytest

from triggers.statistics.interval import Interval
from triggers.statistics.poisson import poisson_interval
from triggers.statistics.rates import Events, Rate, weighted_interval


def rate_per_hour(fires: Sequence[int], hours: Sequence[float]) -> Interval | None:
    rate = Rate.of(Events.of_counts(fires), hours)
    return rate.interval() if rate is not None else None


def test_poisson_intervals_are_garwoods() -> None:
    # reference values: chi-square quantiles, e.g. table 1 of Garwood (1936)
    for count, low, high in ((0, 0.0, 3.689), (1, 0.0253, 5.572), (10, 4.795, 18.39), (100, 81.36, 121.6)):
        assert poisson_interval(count) == (pytest.approx(low, rel=2e-3), pytest.approx(high, rel=1e-3))


def test_the_approximation_of_large_counts_continues_the_exact_interval() -> None:
    assert poisson_interval(1000, exact_up_to=0) == pytest.approx(poisson_interval(1000), rel=1e-6)
    low, high = poisson_interval(10**10)
    assert (low - 10**10, high - 10**10) == (pytest.approx(-1.96e5, rel=1e-3), pytest.approx(1.96e5, rel=1e-3))


def test_fires_that_cluster_in_one_drive_widen_the_interval() -> None:
    even, clustered = rate_per_hour([10] * 10, [1.0] * 10), rate_per_hour([100] + [0] * 9, [1.0] * 10)
    assert even is not None
    assert clustered is not None
    assert even.mean == clustered.mean
    assert clustered.high - clustered.low > 2 * (even.high - even.low)


def test_a_drive_counts_by_its_recorded_time() -> None:
    short, long = rate_per_hour([5, 0], [0.001, 10.0]), rate_per_hour([5, 0], [5.0, 5.0])
    assert short is not None
    assert long is not None
    assert short.mean == pytest.approx(5 / 10.001)
    assert short.high > 3 * long.high  # all of it comes from a ten thousandth of the time


def test_many_fires_of_a_single_drive_say_nothing_about_others() -> None:
    alone, three = rate_per_hour([229], [24.0]), rate_per_hour([76, 76, 77], [8.0, 8.0, 8.0])
    assert alone is not None
    assert three is not None
    low, high = poisson_interval(229)
    assert (alone.low, alone.high) == pytest.approx((low / 24, high / 24))
    assert three.high > 2 * alone.high  # three drives alike are no proof that all are


def test_fires_of_one_drive_in_five_leave_the_rate_open() -> None:
    """44 fires, 40 of them from one drive of three minutes; Poisson's interval alone would be 3.5 to 6.4 per hour."""
    rate = rate_per_hour([40, 0, 3, 0, 1], [0.05, 0.2, 1.0, 6.0, 2.0])
    assert rate is not None
    assert rate.mean == pytest.approx(44 / 9.25)
    assert rate.low < 1
    assert rate.high > 40


def test_the_spread_of_drives_is_moderated_towards_their_mean() -> None:
    def spread(fires: Sequence[int], hours: Sequence[float]) -> float:
        rate = Rate.of(Events.of_counts(fires), hours)
        assert rate is not None
        return rate.spread

    assert spread([229], [24.0]) == spread([0, 0], [1.0, 2.0]) == 1.0, "nothing is seen of it"
    assert spread([100] * 50, [1.0] * 50) == pytest.approx((2 / 51) ** 0.5), "as far as two drives say so"
    assert spread([1000, 3000] * 50, [1.0] * 100) == pytest.approx(0.52, abs=0.02)


def test_without_recorded_time_there_is_no_rate() -> None:
    assert rate_per_hour([], []) is None
    assert rate_per_hour([3], [0.0]) is None


def coverage(drives: int, spread: float, *, mean: float = 2.0, runs: int = 250) -> float:
    """How often the interval covers the truth: hours and rates of drives are log-normal, `spread` that of the rates."""
    rng = np.random.default_rng([drives, round(10 * spread)])
    covered = 0
    for _ in range(runs):
        hours = np.exp(rng.normal(0, 0.8, drives))
        rates = mean * np.exp(rng.normal(-(spread**2) / 2, spread, drives))
        rate = rate_per_hour(rng.poisson(rates * hours).tolist(), hours.tolist())
        assert rate is not None
        covered += rate.low <= mean <= rate.high
    return covered / runs


@pytest.mark.parametrize(
    ("spread", "at_least"),
    [
        (0.0, {1: 0.95, 2: 0.95, 3: 0.95, 5: 0.95, 10: 0.95, 30: 0.95, 100: 0.94}),
        (1.0, {1: 0.85, 2: 0.93, 3: 0.94, 5: 0.93, 10: 0.92, 30: 0.91, 100: 0.90}),
        (1.5, {1: 0.78, 2: 0.82, 3: 0.85, 5: 0.88, 10: 0.84, 30: 0.84, 100: 0.86}),
    ],
)
def test_intervals_cover_the_truth_about_as_often_as_they_say(spread: float, at_least: dict[int, float]) -> None:
    """docs/backtest.md has the table; less than it says by more than chance fails here."""
    covered = {drives: coverage(drives, spread) for drives in at_least}
    assert [drives for drives, share in covered.items() if share < at_least[drives]] == [], covered


def test_weighted_events_of_one_weight_have_the_interval_of_their_count() -> None:
    low, high = weighted_interval(Events([30.0, 20.0], 10, 10 * 25.0))
    assert (low, high) == pytest.approx([5 * bound for bound in poisson_interval(10)])


def test_weighted_intervals_cover_sums_of_unequal_clips() -> None:
    rng = np.random.default_rng(6)
    covered = 0
    for _ in range(200):
        few, many = rng.poisson(3), rng.poisson(30)
        events = Events([few * 10.0 + many], int(few + many), few * 100.0 + many)
        low, high = weighted_interval(events)
        covered += low <= 60 <= high
    assert covered >= 184


def test_an_event_that_never_happened_bounds_its_rate_by_its_weight() -> None:
    assert weighted_interval(Events([0.0], 0, 0.0, weight=7.0)) == (0.0, pytest.approx(7 * 3.689, rel=1e-3))


def test_the_total_is_no_wider_than_the_sum_of_its_parts() -> None:
    a, b = Events.of_counts([1, 9, 2, 4]), Events.of_counts([8, 0, 3, 2])
    hours = [1.0, 2.0, 1.5, 1.0]
    parts = [rate for events in (a, b) if (rate := Rate.of(events, hours)) is not None]
    whole = Rate.total(parts)
    assert whole is not None
    total, first, second = whole.interval(), *(part.interval() for part in parts)
    assert total.mean == pytest.approx(first.mean + second.mean)
    assert first.low + second.low < total.low < total.high < first.high + second.high


def test_a_total_of_rates_over_the_same_hours_is_the_rate_of_the_total() -> None:
    a, b, hours = Events.of_counts([1, 9, 2]), Events.of_counts([8, 0, 3]), [1.0, 2.0, 1.5]
    parts = [rate for events in (a, b) if (rate := Rate.of(events, hours)) is not None]
    whole, at_once = Rate.total(parts), Rate.of(Events.total([a, b], 3), hours)
    assert whole is not None
    assert at_once is not None
    assert dataclasses.astuple(whole.interval()) == pytest.approx(dataclasses.astuple(at_once.interval()))
    assert Rate.total([]) is None


def test_parts_may_have_hours_of_their_own() -> None:
    """A trigger that could not run on a drive has no hours there."""
    short, long = Rate.of(Events.of_counts([3, 0]), [1.0, 0.0]), Rate.of(Events.of_counts([3, 3]), [1.0, 1.0])
    assert short is not None
    assert long is not None
    whole = Rate.total([short, long])
    assert whole is not None
    assert whole.mean == pytest.approx(6.0)
    assert whole.interval().high > 12
