"""Rules of rates: the trend of records, the rate that was expected, and what has changed between two versions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from triggers.contracts.api.campaigns import BacktestForecast
from triggers.contracts.api.rates.answers import RatePer
from triggers.statistics.fleet_rates import HOUR_NS, THOUSAND_KM_M
from triggers.statistics.interval import Interval
from triggers.statistics.sequences import Tally
from triggers.statistics.trend import Period, trend

WEEK_S = 7 * 86_400
HOURS_PER_1000KM = 20.0
"""At 50 km/h: for a guess of what is likely, which makes intervals wider where it is wrong, never false."""
LIKELY_PER_HOUR = 0.1
"""What is thought likely of a trigger without a backtest."""
LIKELY_SHARE = 0.01
"""What is thought likely of the share of pairs that disagree."""
LIKELY_PER_1000KM = 2.0
"""What is thought likely of a compared event."""
UNITS: Mapping[RatePer, int] = {"hour": HOUR_NS, "1000km": THOUSAND_KM_M}


@dataclass(frozen=True, slots=True)
class CountedBy:
    """What had been counted of a trigger at a time (Unix time in s)."""

    at_s: float
    fires: int
    armed_ns: int


def weekly_trend(days: Sequence[CountedBy], counted_per_independent: float) -> Interval | None:
    """The factor by which a rate changes per week, from what was counted by the end of each day.

    Fires are thinned to the independent ones. A time in which a sum fell tells nothing: a vehicle was voided.
    """
    periods = []
    for before, after in pairwise(days):
        fires, armed_ns = after.fires - before.fires, after.armed_ns - before.armed_ns
        if fires < 0 or armed_ns <= 0:
            continue
        middle = (before.at_s + after.at_s) / 2 / WEEK_S
        periods.append(Period(middle, Tally(fires, armed_ns / HOUR_NS).thinned(max(1.0, counted_per_independent))))
    return trend(periods)


def expected_rate(forecast: BacktestForecast | None, trigger: str, per: RatePer) -> float:
    """What was thought likely of a trigger's rate before any vehicle counted it: the backtest's, else a guess."""
    likely = LIKELY_PER_HOUR
    if forecast is not None and trigger in forecast.triggers:
        daily = forecast.triggers[trigger].fires_per_fleet_day
        fires = daily.mean or daily.high or 0.0
        likely = fires / (forecast.vehicles * forecast.hours_per_day) or likely
    return likely if per == "hour" else likely * HOURS_PER_1000KM
