"""What the backtests of running versions expect for the time in which their vehicles have been armed."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import ValidationError

from storage.watching.fleet import FleetNumbers
from triggers.contracts.api.campaigns import BacktestForecast

NS_PER_HOUR = 3_600_000_000_000


@dataclass(frozen=True, slots=True)
class Expected:
    """Fires and bytes that are expected so far."""

    fires: float
    bytes: float


def expected(fleet: FleetNumbers) -> dict[str, Expected]:
    """By campaign; without those whose running version has no forecast, or one that this version cannot read."""
    found = {}
    for (campaign, version), stored in fleet.forecasts.items():
        counts = fleet.outcomes.get((campaign, version))
        forecast = _parsed(stored)
        if forecast is not None:
            hours = 0.0 if counts is None else counts.armed_ns / NS_PER_HOUR
            found[campaign] = _for_hours(forecast, hours)
    return found


def _for_hours(forecast: BacktestForecast, armed_hours: float) -> Expected:
    """The rates of the backtest, per hour of one vehicle, times the hours of all vehicles."""
    fires_per_day = sum(each.fires_per_fleet_day.mean for each in forecast.triggers.values())
    bytes_per_day = sum(each.bytes_per_vehicle_day.mean for each in forecast.triggers.values())
    days = armed_hours / forecast.hours_per_day
    return Expected(fires_per_day / forecast.vehicles * days, bytes_per_day * days)


def _parsed(stored: object) -> BacktestForecast | None:
    try:
        return None if stored is None else BacktestForecast.model_validate(stored, strict=False)
    except ValidationError:  # of an earlier version of Longtail
        return None
