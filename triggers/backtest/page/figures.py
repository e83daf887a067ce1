"""Figures of a report as its page, the command line and an approval's summary write them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from triggers.contracts.api.backtests.reports import BacktestForecastView
from triggers.contracts.api.campaigns import Expected
from triggers.pages.shown_numbers import shown_bytes, shown_number, shown_share

if TYPE_CHECKING:
    from triggers.statistics.interval import Interval


def per_hour(forecast: BacktestForecastView | None, trigger: str) -> Expected | None:
    """Fires per hour with the interval of the forecast, which a vehicle's day has for its hours; None without one."""
    of_trigger = None if forecast is None else forecast.triggers.get(trigger)
    if forecast is None or of_trigger is None or forecast.hours_per_day <= 0:
        return None
    day, hours = of_trigger.fires_per_vehicle_day, forecast.hours_per_day
    mean, low, high = (None if each is None else each / hours for each in (day.mean, day.low, day.high))
    if mean is None or low is None or not (math.isfinite(mean) and math.isfinite(low)):
        return None  # of hours too few to divide by
    return Expected(mean=mean, low=low, high=high if high is not None and math.isfinite(high) else None)


def number_range(expected: Expected | Interval | None) -> str:
    """A number with its interval, as in `3.2 (1.1 to 6)`."""
    if expected is None:
        return ""
    return f"{shown_number(expected.mean)} ({shown_number(expected.low)} to {shown_number(expected.high) or 'no end'})"


def byte_range(expected: Expected | Interval | None) -> str:
    """The same of bytes."""
    if expected is None:
        return ""
    high = "no end" if expected.high is None else shown_bytes(round(expected.high))
    return f"{shown_bytes(round(expected.mean))} ({shown_bytes(round(expected.low))} to {high})"


def share_range(expected: Expected | Interval | None) -> str:
    """The same of a share, which is 100 % at most."""
    if expected is None:
        return ""
    high = 1.0 if expected.high is None else expected.high
    return f"{shown_share(expected.mean)} ({shown_share(expected.low)} to {shown_share(high)})"


def in_days(expected: Expected | None) -> str:
    """How long a budget lasts, in days, as in `12 (8 to 20)`; `never` is the end of one that may not be used up."""
    if expected is None:
        return ""
    return f"{shown_number(expected.mean)} ({shown_number(expected.low)} to {shown_number(expected.high) or 'never'})"
