"""Trends of rates: found where they are, and not where they are not."""

from __future__ import annotations

import numpy as np
import pytest

from triggers.statistics.sequences import Tally
from triggers.statistics.trend import Period, trend


def periods(counts: list[float], exposure: float = 10.0) -> list[Period]:
    return [Period(float(day), Tally(count, exposure)) for day, count in enumerate(counts)]


def test_a_rate_that_halves_each_day_has_a_factor_of_a_half() -> None:
    found = trend(periods([1600, 800, 400, 200, 100]))
    assert found is not None
    assert found.mean == pytest.approx(0.5, abs=0.005)
    assert found.low < 0.5 < found.high < 0.6


def test_exposure_is_no_trend() -> None:
    found = trend([Period(day, Tally(10.0 * 2**day, 2.0**day)) for day in range(6)])
    assert found is not None
    assert found.mean == pytest.approx(1, abs=0.01)
    assert found.low < 1 < found.high


def test_the_unit_of_time_scales_the_exponent() -> None:
    by_day = trend([Period(day, Tally(100 * 0.99**day, 1.0)) for day in range(0, 70, 7)])
    by_week = trend([Period(day / 7, Tally(100 * 0.99**day, 1.0)) for day in range(0, 70, 7)])
    assert by_day is not None
    assert by_week is not None
    assert by_week.mean == pytest.approx(by_day.mean**7)
    assert by_week.high == pytest.approx(by_day.high**7)


def test_fires_of_one_period_alone_still_give_a_finite_trend() -> None:
    found = trend(periods([5, 0, 0, 0, 0, 0]))
    assert found is not None
    assert 0 < found.mean < 1


def test_too_little_gives_no_trend() -> None:
    assert trend(periods([5, 3])) is None
    assert trend(periods([0, 0, 0, 0])) is None
    assert trend([Period(0.0, Tally(2, 1.0))] * 4) is None
    assert trend([Period(float(day), Tally(0, 0)) for day in range(5)]) is None


def test_without_a_trend_one_in_twenty_intervals_leaves_one_out() -> None:
    """Days differ by a fifth beyond chance, which Poisson's variance alone would not know."""
    rng, runs, missed = np.random.default_rng(21), 300, 0
    for _ in range(runs):
        counts = rng.poisson(200 * rng.gamma(25, 1 / 25, 28))
        found = trend(periods(counts.tolist()))
        assert found is not None
        missed += not found.low <= 1 <= found.high
    assert missed <= 25  # of 300 with a chance of 5 %, in all but 1 % of cases
