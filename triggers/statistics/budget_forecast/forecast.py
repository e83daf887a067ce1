"""The forecast of a budget: what will be spent by when, and when a limit ends it, each with a 90 % interval.

What is spent in the days to come is a sum over clips that come at an uncertain rate (`burn`), on days that differ.
Its mean and variance are those of the negative binomial distribution with the variance of the days added; small
counts take their quantiles from that distribution, large ones from a gamma distribution of the same moments. No
random number is drawn: the same days always give the same forecast. Intervals are widened by the errors of the past
(`kept`).

A limit ends a campaign by a time exactly if what would be spent by then reaches it. So the interval of the end is
that of the spending, read across: the earliest time is where the upper end reaches the limit, the latest where the
lower one does.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from triggers.statistics.budget_forecast.burn import Burn
from triggers.statistics.budget_forecast.days import TAIL, memory_effect
from triggers.statistics.budget_forecast.kept import widened
from triggers.statistics.distributions import count_quantile, gamma_quantile
from triggers.statistics.interval import Interval

DAY_NS = 86_400 * 10**9
_FEW_CLIPS = 50.0


@dataclass(frozen=True, slots=True)
class PlannedDay:
    """A day to come, or what is left of it, up to `until_ns` (Unix time), with its planned vehicle-days."""

    until_ns: int
    vehicle_days: float


@dataclass(frozen=True, slots=True)
class End:
    """When a limit is reached (Unix time in ns): None where that is not before the end of the plan."""

    expected_ns: int | None
    earliest_ns: int | None
    latest_ns: int | None


@dataclass(frozen=True, slots=True)
class BudgetForecast:
    """The forecast of one account, in its unit; `total` and `end` are of its whole life, spent so far included."""

    per_day: Interval
    """The burn rate: what a day with the vehicles of now costs in the long run."""
    computed: Interval
    """What is still to be spent without a limit, before the interval is widened: kept, to be scored later."""
    remaining: Interval
    """The same, widened by the errors of the past."""
    total: Interval
    """What is spent at the end of the plan; with a limit at most that."""
    demand: Interval
    """What would be spent without the limit."""
    end: End | None
    """When the limit is reached; None without a limit."""


class Spending:
    """What is spent on planned days, as it accumulates."""

    def __init__(self, burn: Burn, plan: Sequence[PlannedDay], *, now_ns: int, factor: float = 1.0) -> None:
        ends = [now_ns, *(day.until_ns for day in plan)]
        if any(later <= earlier for earlier, later in pairwise(ends)):
            raise ValueError("the planned days must follow each other, the first ending after now")
        self._burn = burn
        self._plan = plan
        self._ends_ns = ends
        self._factor = factor
        self._vehicle_days = [0.0]
        self._squares = [0.0]
        self._known: dict[int, Interval] = {}
        for day in plan:
            self._vehicle_days.append(self._vehicle_days[-1] + day.vehicle_days)
            self._squares.append(self._squares[-1] + day.vehicle_days**2)

    def computed(self, days: int) -> Interval:
        """What is spent on the first so many planned days, as the model says."""
        return spending(self._burn, self._vehicle_days[days], self._squares[days])

    def widened(self, days: int) -> Interval:
        """The same with an interval that is widened by the errors of the past."""
        if days not in self._known:
            self._known[days] = widened(self.computed(days), self._factor)
        return self._known[days]

    def end(self, remaining: float) -> End:
        """When so much more is spent."""
        return End(
            self._reached(lambda band: band.mean, remaining),
            self._reached(lambda band: band.high, remaining),
            self._reached(lambda band: band.low, remaining),
        )

    def _reached(self, part: Callable[[Interval], float], remaining: float) -> int | None:
        """When this part of the interval reaches an amount, in proportion within the day."""
        if remaining <= 0:
            return self._ends_ns[0]
        days = bisect_left(range(len(self._plan) + 1), remaining, key=lambda number: part(self.widened(number)))
        if days > len(self._plan):
            return None
        before, after = part(self.widened(days - 1)), part(self.widened(days))
        start_ns, end_ns = self._ends_ns[days - 1], self._ends_ns[days]
        return start_ns + round((end_ns - start_ns) * (remaining - before) / (after - before))

    @property
    def per_day(self) -> Interval:
        """What a day costs in the long run, with the vehicles of the first planned day."""
        if not self._plan:
            return Interval(0.0, 0.0, 0.0)
        days = (self._ends_ns[1] - self._ends_ns[0]) / DAY_NS
        return self._burn.per_vehicle_day().scaled(self._plan[0].vehicle_days / days)


def spending(burn: Burn, vehicle_days: float, squared_vehicle_days: float) -> Interval:
    """What is spent in so many vehicle-days, of whose numbers on each day the squares are summed up."""
    if vehicle_days <= 0:
        return Interval(0.0, 0.0, 0.0)
    mean = burn.rate * vehicle_days
    of_rate = burn.clips * (vehicle_days / burn.vehicle_days) ** 2
    of_days = burn.day_variance * burn.rate**2 * squared_vehicle_days
    of_days *= memory_effect(vehicle_days**2 / squared_vehicle_days, burn.day_memory)
    variance = mean + of_rate + of_days
    low, high = (burn.unit * _quantile(p, mean, variance) for p in (TAIL, 1 - TAIL))
    expected = burn.unit * mean
    return Interval(expected, min(low, expected), max(high, expected))


def _quantile(probability: float, mean: float, variance: float) -> float:
    if mean < _FEW_CLIPS and variance < _FEW_CLIPS * mean:  # else single clips do not matter, and there may be millions
        return float(count_quantile(probability, mean, variance))
    return gamma_quantile(probability, mean**2 / variance) * variance / mean


def forecast_budget(
    burn: Burn, plan: Sequence[PlannedDay], *, now_ns: int, spent: int, limit: int | None, factor: float = 1.0
) -> BudgetForecast:
    """The forecast of an account of which `spent` is spent, over the planned days; `factor` is `Calibration.factor`."""
    if spent < 0 or (limit is not None and limit < 0):
        raise ValueError(f"{spent} spent of {limit}: neither can be negative")
    course = Spending(burn, plan, now_ns=now_ns, factor=factor)
    remaining = course.widened(len(plan))
    demand = Interval(*(spent + part for part in (remaining.mean, remaining.low, remaining.high)))
    most = math.inf if limit is None else max(limit, spent)  # a limit may be lowered under what is spent
    return BudgetForecast(
        per_day=course.per_day,
        computed=course.computed(len(plan)),
        remaining=remaining,
        total=Interval(*(min(part, most) for part in (demand.mean, demand.low, demand.high))),
        demand=demand,
        end=None if limit is None else course.end(limit - spent),
    )
