"""What holds of every forecast, whatever the backtest, the days and the plan."""

from __future__ import annotations

import math

from hypothesis import given, settings
from hypothesis import strategies as st

from triggers.statistics.budget_forecast.burn import Prior, learn
from triggers.statistics.budget_forecast.days import Day, Vehicles
from triggers.statistics.budget_forecast.forecast import DAY_NS, BudgetForecast, End, PlannedDay, forecast_budget
from triggers.statistics.interval import Interval

positive = st.floats(1, 1e12)
clip_sizes = st.integers(1_000, 10**9)
vehicles = st.just(0.0) | st.floats(1e-3, 1e6)


@st.composite
def seen_days(draw: st.DrawFn) -> Day:
    clips, size = draw(st.integers(0, 10**6)), draw(clip_sizes)
    return Day(draw(vehicles), clips * size, clips * size**2)


@st.composite
def forecasts(draw: st.DrawFn) -> tuple[BudgetForecast, int, int | None]:
    low, mean, high = sorted(draw(st.tuples(positive, positive, positive)))
    prior = Prior.of_backtest(Interval(draw(st.sampled_from([0.0, mean])), low, high), draw(st.floats(1e3, 1e10)))
    fleet = Vehicles(draw(st.floats(1, 1e6)), draw(st.floats(0, 5)))
    burn = learn(prior, draw(st.lists(seen_days(), max_size=12)), fleet)
    numbers = draw(st.lists(vehicles, max_size=12))
    plan = [PlannedDay((day + 1) * DAY_NS, number) for day, number in enumerate(numbers)]
    spent, limit = draw(st.integers(0, 10**15)), draw(st.none() | st.integers(0, 10**15))
    factor = draw(st.floats(1, 10))
    return forecast_budget(burn, plan, now_ns=0, spent=spent, limit=limit, factor=factor), spent, limit


@settings(max_examples=40)
@given(made=forecasts())
def test_intervals_are_ordered_finite_and_not_negative(made: tuple[BudgetForecast, int, int | None]) -> None:
    forecast, spent, _ = made
    for each in (forecast.per_day, forecast.computed, forecast.remaining, forecast.total, forecast.demand):
        assert 0 <= each.low <= each.mean <= each.high < math.inf
    assert forecast.demand.low >= spent
    assert forecast.remaining.low <= forecast.computed.low <= forecast.computed.high <= forecast.remaining.high


@settings(max_examples=40)
@given(made=forecasts())
def test_no_total_passes_its_limit_unless_that_is_passed_already(made: tuple[BudgetForecast, int, int | None]) -> None:
    forecast, spent, limit = made
    assert limit is None or forecast.total.high <= max(limit, spent)


@settings(max_examples=40)
@given(made=forecasts())
def test_ends_are_in_order_and_those_of_the_demand(made: tuple[BudgetForecast, int, int | None]) -> None:
    forecast, spent, limit = made
    if limit is None:
        assert forecast.end is None
        return
    end = forecast.end
    assert end is not None
    times = [math.inf if ns is None else ns for ns in (end.earliest_ns, end.expected_ns, end.latest_ns)]
    assert times == sorted(times)
    assert (end == End(0, 0, 0)) == (spent >= limit)
    if abs(forecast.demand.mean - limit) > 1e-9 * limit:
        assert (end.expected_ns is not None) == (forecast.demand.mean >= limit or spent >= limit)
