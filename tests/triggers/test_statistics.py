"""Intervals of rates, against published values and simulation, and what they must not depend on."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from triggers.statistics import Events, Interval, poisson_interval, rates_per_hour, weighted_interval


def rate_per_hour(fires: Sequence[int], hours: Sequence[float]) -> Interval | None:
    rates = rates_per_hour([Events.of_counts(fires)], hours)
    return rates[0] if rates is not None else None


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
    assert short.high > 1000  # the resamples with the short drive alone
    assert long.high < 2


def test_without_recorded_time_there_is_no_rate() -> None:
    assert rate_per_hour([], []) is None
    assert rate_per_hour([3], [0.0]) is None


def test_intervals_cover_the_truth_as_often_as_they_say() -> None:
    """Fires cluster: each drive has a rate of its own, so Poisson's interval alone would be far too narrow."""
    rng = np.random.default_rng(5)
    covered = 0
    for _ in range(60):
        hours = rng.uniform(0.5, 2.0, 40)
        fires = rng.poisson(rng.gamma(0.5, 4.0, 40) * hours)
        rate = rate_per_hour(fires.tolist(), hours.tolist())
        assert rate is not None
        covered += rate.low <= 2.0 <= rate.high
    assert covered >= 50


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
    rates = rates_per_hour([Events.total([a, b], 4), a, b], [1.0, 2.0, 1.5, 1.0])
    assert rates is not None
    total, first, second = rates
    assert total.mean == pytest.approx(first.mean + second.mean)
    assert first.low + second.low < total.low < total.high < first.high + second.high


def test_a_forecast_is_a_function_of_its_input_whatever_else_is_forecast() -> None:
    a, b, hours = Events.of_counts([1, 9, 2]), Events.of_counts([8, 0, 3]), [1.0, 2.0, 1.5]
    alone, together = rates_per_hour([a], hours), rates_per_hour([b, a], hours)
    assert alone is not None
    assert together is not None
    assert alone[0] == together[1]


def test_resampling_in_blocks_gives_what_resampling_at_once_gives() -> None:
    events, hours = [Events.of_counts([3, 1, 4, 1, 5])], [1.0] * 5
    assert rates_per_hour(events, hours, block_picks=64) == rates_per_hour(events, hours)
