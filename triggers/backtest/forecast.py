"""The forecast of a backtest: fires, clips and bytes per day for a vehicle and for a fleet, each with an interval.

It assumes that every vehicle runs every trigger: targets, rollouts and budgets are not applied.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from triggers.backtest.plan import BacktestPlan
from triggers.backtest.result import DriveResult
from triggers.clips.size import nominal_clip_bytes
from triggers.contracts.campaign import CaptureWindow
from triggers.signals.catalog import SignalCatalog
from triggers.statistics import CONFIDENCE, Events, Interval, rates_per_hour
from triggers.times import NS_PER_S

NS_PER_HOUR = 3600 * NS_PER_S


@dataclass(frozen=True, slots=True)
class ForecastFleet:
    """The fleet a forecast is for; every vehicle drives `hours_per_day`.

    `sample_one_in`: one of this many fires is kept; None for what each trigger's campaign says.
    """

    vehicles: int
    hours_per_day: float
    sample_one_in: int | None = None


@dataclass(frozen=True, slots=True)
class TriggerYield:
    """What recorded drives yielded: fires, the clips that sampling is expected to keep, and their bytes."""

    fires: Events
    clips: Events
    bytes: Events

    @classmethod
    def total(cls, parts: Sequence[TriggerYield], drives: int) -> TriggerYield:
        """The sum over several triggers on the same drives."""
        return cls(
            Events.total([part.fires for part in parts], drives),
            Events.total([part.clips for part in parts], drives),
            Events.total([part.bytes for part in parts], drives),
        )


def trigger_yield(
    trigger: str, capture: CaptureWindow, one_in: int, drives: Sequence[DriveResult], catalog: SignalCatalog
) -> TriggerYield:
    """What a trigger yielded on these drives, if one of `one_in` fires is kept."""
    no_clips = np.empty(0, np.int64)
    sizes = [drive.clip_bytes.get(trigger, no_clips).astype(np.float64) for drive in drives]
    fires = Events.of_counts([len(drive.fires_ns.get(trigger, ())) for drive in drives])
    volume = _volume(sizes, nominal_clip_bytes(capture, catalog))
    return TriggerYield(fires, fires.scaled(1 / one_in), volume.scaled(1 / one_in))


def _volume(sizes: Sequence[NDArray[np.float64]], nominal_bytes: float) -> Events:
    """The bytes of all clips, drive by drive. If there was no clip, one is assumed to have `nominal_bytes`."""
    squares = sum(float((clips * clips).sum()) for clips in sizes)
    return Events([float(clips.sum()) for clips in sizes], sum(map(len, sizes)), squares, nominal_bytes)


@dataclass(frozen=True, slots=True)
class DailyVolume:
    """Fires, clips (fires that sampling keeps) and bytes per day."""

    fires: Interval
    clips: Interval
    bytes: Interval

    def scaled(self, factor: float) -> DailyVolume:
        """The volume of `factor` times as many vehicles."""
        return DailyVolume(self.fires.scaled(factor), self.clips.scaled(factor), self.bytes.scaled(factor))


@dataclass(frozen=True, slots=True)
class TriggerForecast:
    """The forecast for one trigger."""

    sample_one_in: int
    vehicle_day: DailyVolume
    fleet_day: DailyVolume

    def to_json(self) -> dict[str, Any]:
        """As in the report of a backtest."""
        return {"sample_one_in": self.sample_one_in, **_quantities(self.vehicle_day, self.fleet_day)}


@dataclass(frozen=True, slots=True)
class Forecast:
    """The forecast for a fleet, by trigger and in total; empty if no time was recorded."""

    fleet: ForecastFleet
    method: str
    triggers: dict[str, TriggerForecast]
    vehicle_day: DailyVolume | None = None
    fleet_day: DailyVolume | None = None
    confidence: float = CONFIDENCE

    def to_json(self) -> dict[str, Any]:
        """As in the report of a backtest."""
        document = {
            "vehicles": self.fleet.vehicles,
            "hours_per_day": self.fleet.hours_per_day,
            "confidence": self.confidence,
            "method": self.method,
            "triggers": {name: trigger.to_json() for name, trigger in self.triggers.items()},
        }
        if self.vehicle_day is None or self.fleet_day is None:
            return document
        return document | _quantities(self.vehicle_day, self.fleet_day)


def _quantities(vehicle_day: DailyVolume, fleet_day: DailyVolume) -> dict[str, Any]:
    """Counts with six decimals, bytes as whole numbers."""
    return {
        f"{name}_per_{per}": getattr(daily, name).to_json(digits)
        for name, digits in (("fires", 6), ("clips", 6), ("bytes", None))
        for per, daily in (("vehicle_day", vehicle_day), ("fleet_day", fleet_day))
    }


def make_forecast(
    plan: BacktestPlan, drives: Sequence[DriveResult], fleet: ForecastFleet, catalog: SignalCatalog
) -> Forecast:
    """Forecast what the fleet will do if its vehicles drive like the recorded ones."""
    hours = [drive.recorded_ns / NS_PER_HOUR for drive in drives]
    method = "poisson" if len(hours) < 2 else "poisson and drives resampled, the wider"
    one_in = {name: fleet.sample_one_in or plan.one_in[name] for name in plan.settings}
    yields = [
        trigger_yield(name, settings.capture, one_in[name], drives, catalog) for name, settings in plan.settings.items()
    ]
    daily = _daily([TriggerYield.total(yields, len(drives)), *yields], hours, fleet.hours_per_day)
    if daily is None:
        return Forecast(fleet, method, {})
    total, *by_trigger = daily
    triggers = {
        name: TriggerForecast(one_in[name], volume, volume.scaled(fleet.vehicles))
        for name, volume in zip(plan.settings, by_trigger, strict=True)
    }
    return Forecast(fleet, method, triggers, total, total.scaled(fleet.vehicles))


def _daily(yields: Sequence[TriggerYield], hours: Sequence[float], hours_per_day: float) -> list[DailyVolume] | None:
    """Each yield per day of a vehicle; None if no time was recorded. All are estimated from the same resamples."""
    rates = rates_per_hour([events for part in yields for events in (part.fires, part.clips, part.bytes)], hours)
    if rates is None:
        return None
    daily = iter([rate.scaled(hours_per_day) for rate in rates])
    return [DailyVolume(*three) for three in zip(daily, daily, daily, strict=True)]
