"""The course of a forecast says what was expected by any day of its plan, as the forecast would have."""

from __future__ import annotations

import json

import pytest

from triggers.statistics.budget_forecast.burn import Burn
from triggers.statistics.budget_forecast.course import course_of, expected_until
from triggers.statistics.budget_forecast.forecast import DAY_NS, PlannedDay, Spending

BURN = Burn(clips=12.0, vehicle_days=30.0, unit=2e6, day_variance=0.05, day_memory=0.3)
NOON_NS = DAY_NS // 2
PLAN = [PlannedDay(day * DAY_NS, 5.0 if day == 1 else 10.0 if day < 8 else 40.0) for day in range(1, 31)]


def test_it_is_short_and_survives_json() -> None:
    course = course_of(BURN, PLAN)
    assert course["plan"] == [[DAY_NS, 1, 5.0], [2 * DAY_NS, 6, 10.0], [8 * DAY_NS, 23, 40.0]]
    assert json.loads(json.dumps(course)) == course


@pytest.mark.parametrize("days", [0, 1, 2, 7, 8, 20, 30])
def test_what_was_expected_by_a_midnight_is_what_the_forecast_said_of_so_many_days(days: int) -> None:
    course = json.loads(json.dumps(course_of(BURN, PLAN)))
    of_forecast = Spending(BURN, PLAN, now_ns=NOON_NS).computed(days)
    for until_ns in (days * DAY_NS, days * DAY_NS + NOON_NS):
        found = expected_until(course, until_ns)
        assert (found.mean, found.low, found.high) == pytest.approx(
            (of_forecast.mean, of_forecast.low, of_forecast.high)
        )


def test_nothing_is_expected_before_it_and_no_more_after_it() -> None:
    course = course_of(BURN, PLAN)
    assert expected_until(course, 0).high == 0
    assert expected_until(course, 99 * DAY_NS) == expected_until(course, 30 * DAY_NS)
