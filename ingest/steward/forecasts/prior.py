"""What is thought of a campaign's or trigger's burn rate before its start, from the backtest that is stored with the
version.

A backtest's total for all triggers has an interval of its own where the campaign has a limit on that total. Where it
has none, the ends of its triggers' intervals are added up: too wide, as if all triggers were wrong in the same way.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from triggers.contracts.api.budget import AccountUnit
from triggers.contracts.api.campaigns import BacktestForecast, Expected, TriggerExpected
from triggers.statistics.budget_forecast.burn import FEWEST_PRIOR_CLIPS, Prior
from triggers.statistics.budget_forecast.days import Day
from triggers.statistics.interval import Interval

SIZE_SPREAD = 0.5
"""How sizes of a trigger's clips are taken to scatter before any was seen, relative to their mean."""
LIMIT_OF_UNIT = {"bytes": "total_bytes", "clips": "clips"}
"""The members of `BudgetLimits` that limit a total, by which uses of a budget are named in reports, too."""


def prior_of_backtest(forecast: BacktestForecast, unit: AccountUnit, trigger: str = "") -> Prior | None:
    """The prior of a stored backtest, for its campaign or a trigger in it; None where it has no such triggers."""
    triggers = [each for name, each in forecast.triggers.items() if trigger in ("", name)]
    if not triggers:
        return None
    limit = LIMIT_OF_UNIT[unit]
    uses = [use for use in forecast.budgets if use.limit == limit and (use.trigger or "") == trigger]
    total = [use.per_day for use in uses if use.per_day]
    per_day = _sum(total or [getattr(each, f"{unit}_per_fleet_day") for each in triggers])
    if not 0 < per_day.high < math.inf:
        return None
    size = _size(triggers) if unit == "bytes" else 1.0
    return Prior.of_backtest(per_day.scaled(1 / forecast.vehicles), size) if size > 0 else None


def prior_of_days(days: Sequence[Day]) -> Prior | None:
    """What the days themselves say, with the weight of half a clip; None if nothing was spent."""
    amount, vehicle_days = sum(day.amount for day in days), math.fsum(day.vehicle_days for day in days if day.counts)
    if amount <= 0 or vehicle_days <= 0:
        return None
    return Prior(amount / vehicle_days, FEWEST_PRIOR_CLIPS, max(1.0, sum(day.squares for day in days) / amount))


def _sum(expected: Sequence[Expected]) -> Interval:
    high = math.fsum(math.inf if each.high is None else each.high for each in expected)
    return Interval(math.fsum(each.mean for each in expected), math.fsum(each.low for each in expected), high)


def _size(triggers: Sequence[TriggerExpected]) -> float:
    """E(S^2) / E(S) of the sizes S of the triggers' clips; where nothing fired, by the upper ends."""
    rows = [(_likely(each.clips_per_fleet_day), _likely(each.bytes_per_fleet_day)) for each in triggers]
    clips = [(count, volume / count) for count, volume in rows if count > 0]
    total = math.fsum(count * size for count, size in clips)
    return math.fsum(count * size**2 for count, size in clips) / total * (1 + SIZE_SPREAD**2) if total > 0 else 0.0


def _likely(expected: Expected) -> float:
    return expected.mean or expected.high or 0.0
