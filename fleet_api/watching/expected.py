"""What the backtests of a campaign's versions expect for the time in which their vehicles have been armed."""

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

    def __add__(self, other: Expected) -> Expected:
        return Expected(self.fires + other.fires, self.bytes + other.bytes)


NOTHING = Expected(0.0, 0.0)


def expected(fleet: FleetNumbers) -> dict[str, Expected]:
    """By campaign, over its versions: fires and bytes are counted so, too, and a day may be of two versions.

    Without campaigns of which a version that ran lately has no forecast, or one that this version of Longtail cannot
    read: what it counts has nothing to be compared with.
    """
    found: dict[str, Expected] = {}
    unknown = set()
    for (campaign, version), plan in fleet.plans.items():
        counts = fleet.outcomes.get((campaign, version))
        forecast = _parsed(plan.forecast)
        if forecast is not None:
            hours = 0.0 if counts is None else counts.armed_ns / NS_PER_HOUR
            found[campaign] = found.get(campaign, NOTHING) + _for_hours(forecast, hours)
        elif plan.ran_lately:
            unknown.add(campaign)
    return {campaign: each for campaign, each in found.items() if campaign not in unknown}


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
