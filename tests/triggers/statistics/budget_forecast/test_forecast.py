"""Forecasts of budgets: totals, limits and end dates, and that they agree with each other."""

from __future__ import annotations

import numpy as np
import pytest

from triggers.statistics.budget_forecast.burn import Burn
from triggers.statistics.budget_forecast.forecast import (
    DAY_NS,
    End,
    PlannedDay,
    Spending,
    forecast_budget,
    spending,
)
from triggers.statistics.interval import Interval

MB = 10**6
NOW = 1_000 * DAY_NS
BURN = Burn(clips=100.0, vehicle_days=200.0, unit=4.0 * MB, day_variance=0.04)
"""2 MB per vehicle-day, known to a tenth; days differ by a fifth."""


def plan(days: int, vehicles: float = 1000.0) -> list[PlannedDay]:
    return [PlannedDay(NOW + (day + 1) * DAY_NS, vehicles) for day in range(days)]


def test_the_expected_total_is_what_was_spent_and_the_rate_times_the_planned_vehicle_days() -> None:
    forecast = forecast_budget(BURN, plan(10), now_ns=NOW, spent=500 * MB, limit=None)
    assert forecast.total.mean == 500 * MB + 10 * 1000 * 2 * MB
    assert forecast.demand == forecast.total
    assert forecast.end is None
    assert forecast.per_day.mean == 2000 * MB
    assert 500 * MB < forecast.total.low < forecast.total.mean < forecast.total.high


def test_the_burn_rate_of_a_part_of_a_day_is_that_of_a_whole_one() -> None:
    rest = [PlannedDay(NOW + DAY_NS // 4, 250.0), PlannedDay(NOW + DAY_NS, 750.0)]
    assert forecast_budget(BURN, rest, now_ns=NOW, spent=0, limit=None).per_day.mean == 2000 * MB


def test_a_limit_is_never_passed_and_ends_when_it_is_reached() -> None:
    forecast = forecast_budget(BURN, plan(30), now_ns=NOW, spent=1000 * MB, limit=21_000 * MB)
    assert forecast.total.high == forecast.total.mean == 21_000 * MB
    assert forecast.demand.mean == 61_000 * MB
    assert forecast.end is not None
    assert forecast.end.expected_ns == pytest.approx(NOW + 10 * DAY_NS)
    assert forecast.end.earliest_ns is not None
    assert forecast.end.latest_ns is not None
    assert NOW + 7 * DAY_NS < forecast.end.earliest_ns < NOW + 10 * DAY_NS < forecast.end.latest_ns < NOW + 14 * DAY_NS


def test_the_end_lies_where_the_band_crosses_the_limit() -> None:
    course = Spending(BURN, plan(30), now_ns=NOW)
    for days in (1, 5, 17):
        band = course.widened(days)
        at = NOW + days * DAY_NS
        assert course.end(band.high).earliest_ns == at
        assert course.end(band.mean).expected_ns == at
        assert course.end(band.low).latest_ns == at


def test_a_limit_that_lasts_beyond_the_plan_has_no_end() -> None:
    forecast = forecast_budget(BURN, plan(10), now_ns=NOW, spent=0, limit=10**15)
    assert forecast.end == End(None, None, None)
    near = forecast_budget(BURN, plan(10), now_ns=NOW, spent=0, limit=21_500 * MB)
    assert near.end is not None
    assert near.end.earliest_ns is not None
    assert (near.end.expected_ns, near.end.latest_ns) == (None, None)


@pytest.mark.parametrize("limit", [0, 400 * MB, 500 * MB])
def test_a_limit_that_is_spent_ends_now(limit: int) -> None:
    """Also one that was lowered under what is spent: the total is then what is spent."""
    forecast = forecast_budget(BURN, plan(10), now_ns=NOW, spent=500 * MB, limit=limit)
    assert forecast.end == End(NOW, NOW, NOW)
    assert forecast.total == Interval(500 * MB, 500 * MB, 500 * MB)


def test_without_a_plan_nothing_more_is_spent() -> None:
    forecast = forecast_budget(BURN, [], now_ns=NOW, spent=7, limit=100)
    assert forecast.total == Interval(7, 7, 7)
    assert forecast.end == End(None, None, None)
    assert forecast.per_day == Interval(0, 0, 0)
    paused = forecast_budget(BURN, plan(5, vehicles=0.0), now_ns=NOW, spent=7, limit=100)
    assert paused.total == Interval(7, 7, 7)


def test_the_band_covers_sums_of_clips_on_days_that_differ() -> None:
    """Drawn from what the burn rate says: a gamma rate, gamma days, Poisson clips; 90 % of sums are inside."""
    rng, runs = np.random.default_rng(7), 4_000
    for vehicles, days in ((1000.0, 10), (3.0, 4), (0.2, 5)):
        band = spending(BURN, vehicles * days, vehicles**2 * days)
        rates = rng.gamma(BURN.clips, 1 / BURN.vehicle_days, (runs, 1))
        factors = rng.gamma(1 / BURN.day_variance, BURN.day_variance, (runs, days))
        clips = rng.poisson(rates * factors * vehicles).sum(axis=1)
        inside = np.mean((band.low <= clips * BURN.unit) & (clips * BURN.unit <= band.high))
        assert 0.88 <= inside <= (0.92 if vehicles > 100 else 0.99)  # whole clips: at least, not exactly


def test_what_hardly_ever_happens_may_happen_not_at_all() -> None:
    band = spending(Burn(1.0, 1e6, 4.0 * MB, 0.04), 1000.0, 1000.0)
    assert band.low == 0
    assert band.mean == band.high == pytest.approx(4000)


def test_a_band_grows_with_the_days() -> None:
    course = Spending(BURN, plan(60, vehicles=20.0), now_ns=NOW)
    bands = [course.widened(days) for days in range(61)]
    assert bands == sorted(bands, key=lambda band: band.high)
    assert bands == sorted(bands, key=lambda band: band.low)


def test_errors_of_the_past_widen_band_and_dates() -> None:
    plain = forecast_budget(BURN, plan(20), now_ns=NOW, spent=0, limit=20_000 * MB)
    wide = forecast_budget(BURN, plan(20), now_ns=NOW, spent=0, limit=20_000 * MB, factor=2.0)
    assert wide.computed == plain.computed == plain.remaining
    assert wide.remaining.high - wide.remaining.mean == pytest.approx(2 * (plain.computed.high - plain.computed.mean))
    assert plain.end is not None
    assert wide.end is not None
    assert wide.end.expected_ns == plain.end.expected_ns
    assert wide.end.earliest_ns is not None
    assert plain.end.earliest_ns is not None
    assert wide.end.earliest_ns < plain.end.earliest_ns


def test_plans_and_amounts_that_make_no_sense_are_refused() -> None:
    with pytest.raises(ValueError, match="must follow each other"):
        Spending(BURN, [PlannedDay(NOW, 1.0)], now_ns=NOW)
    with pytest.raises(ValueError, match="neither can be negative"):
        forecast_budget(BURN, [], now_ns=NOW, spent=-1, limit=None)
