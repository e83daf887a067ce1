"""The course of a forecast: what it was made from, in few numbers, so that it can be asked again for an earlier end.

A campaign that a limit ends before its planned end is compared with what was expected by then. That needs the burn
rate and the planned days, of which most are alike: they are kept as runs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from triggers.statistics.budget_forecast.burn import Burn
from triggers.statistics.budget_forecast.forecast import DAY_NS, PlannedDay, spending
from triggers.statistics.interval import Interval


def course_of(burn: Burn, plan: Sequence[PlannedDay]) -> dict[str, Any]:
    """The burn rate and the planned days as a document: runs of (end of the first day, number of days, vehicle-days).

    >>> days = [PlannedDay(number * DAY_NS, 10.0) for number in (1, 2, 3)]
    >>> course_of(Burn(4.0, 8.0, 1.0, 0.04), days)["plan"]
    [[86400000000000, 3, 10.0]]
    """
    runs: list[list[Any]] = []
    for day in plan:
        if runs and runs[-1][2] == day.vehicle_days and day.until_ns == runs[-1][0] + runs[-1][1] * DAY_NS:
            runs[-1][1] += 1
        else:
            runs.append([day.until_ns, 1, day.vehicle_days])
    return {"burn": asdict(burn), "plan": runs}


def expected_until(course: Mapping[str, Any], until_ns: int) -> Interval:
    """What was expected to be spent on the planned days that are over by a time, as the model said."""
    vehicle_days = squares = 0.0
    for first_ns, days, of_day in course["plan"]:
        over = max(0, min(days, (until_ns - first_ns) // DAY_NS + 1))
        vehicle_days += over * of_day
        squares += over * of_day**2
    return spending(Burn(**course["burn"]), vehicle_days, squares)
