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
from triggers.statistics.interval import Interval
from triggers.statistics.poisson import CONFIDENCE
from triggers.statistics.rates import Events, Rate
from triggers.times import NS_PER_S

NS_PER_HOUR = 3600 * NS_PER_S
ONE_DRIVE = "poisson: a single drive does not show how drives differ"
SEVERAL_DRIVES = "poisson within drives, student's t between drives"


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
    """What a trigger yields per hour: fires, the clips that sampling is expected to keep, and their bytes."""

    fires: Rate
    clips: Rate
    bytes: Rate

    @classmethod
    def total(cls, parts: Sequence[TriggerYield]) -> TriggerYield | None:
        """The sum over several triggers on the same drives; None without any."""
        fires = Rate.total([part.fires for part in parts])
        clips = Rate.total([part.clips for part in parts])
        volume = Rate.total([part.bytes for part in parts])
        return cls(fires, clips, volume) if fires and clips and volume else None

    def per_day(self, hours_per_day: float) -> DailyVolume:
        """The yield of a vehicle's day."""
        three = (rate.interval().scaled(hours_per_day) for rate in (self.fires, self.clips, self.bytes))
        return DailyVolume(*three)


def trigger_yield(
    trigger: str, capture: CaptureWindow, one_in: int, drives: Sequence[DriveResult], catalog: SignalCatalog
) -> TriggerYield | None:
    """What a trigger yielded on the drives that it ran on, if one of `one_in` fires is kept; None if it never ran.

    See `clip_sizes` for what counts as a clip.
    """
    hours = [0.0 if trigger in drive.left_out else drive.recorded_ns / NS_PER_HOUR for drive in drives]
    sizes = [clip_sizes(drive, trigger, one_in).astype(np.float64) for drive in drives]
    fires = Events.of_counts([len(drive.fires_ns.get(trigger, ())) for drive in drives])
    clips = Events.of_counts([len(each) for each in sizes])
    volume = _volume(sizes, nominal_clip_bytes(capture, catalog, mean_camera_rates(drives)))
    rates = [Rate.of(events, hours) for events in (fires, clips.scaled(1 / one_in), volume.scaled(1 / one_in))]
    known = [rate for rate in rates if rate is not None]
    return TriggerYield(*known) if known else None


def clip_sizes(drive: DriveResult, trigger: str, one_in: int) -> NDArray[np.int64]:
    """The clips of a trigger on a drive before sampling, in bytes: fires whose windows touch are one clip.

    Only where sampling thins them out does each fire count alone, as the kept ones may no longer touch: the sizes are
    an upper estimate then.
    """
    sizes = drive.recording_bytes if one_in == 1 else drive.clip_bytes
    return sizes.get(trigger, np.empty(0, np.int64))


def mean_camera_rates(drives: Sequence[DriveResult]) -> dict[str, float]:
    """Bytes per second of each camera: the mean over the drives that have it, by their recorded time."""
    sums: dict[str, tuple[float, float]] = {}
    for drive in drives:
        weight = max(drive.recorded_ns, 1) / NS_PER_S
        for camera, bytes_per_s in drive.camera_bytes_per_s.items():
            total, time = sums.get(camera, (0.0, 0.0))
            sums[camera] = (total + bytes_per_s * weight, time + weight)
    return {camera: total / time for camera, (total, time) in sums.items()}


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
    recorded = sum(1 for drive in drives if drive.recorded_ns)
    method = ONE_DRIVE if recorded < 2 else SEVERAL_DRIVES
    one_in = {name: fleet.sample_one_in or plan.one_in[name] for name in plan.settings}
    yields: dict[str, TriggerYield] = {}
    for name, settings in plan.settings.items():
        of_trigger = trigger_yield(name, settings.capture, one_in[name], drives, catalog)
        if of_trigger is not None:
            yields[name] = of_trigger
    triggers: dict[str, TriggerForecast] = {}
    for name, of_trigger in yields.items():
        volume = of_trigger.per_day(fleet.hours_per_day)
        triggers[name] = TriggerForecast(one_in[name], volume, volume.scaled(fleet.vehicles))
    total = TriggerYield.total(list(yields.values()))
    if total is None:
        return Forecast(fleet, method, triggers)
    day = total.per_day(fleet.hours_per_day)
    return Forecast(fleet, method, triggers, day, day.scaled(fleet.vehicles))
