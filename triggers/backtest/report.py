"""The report of a backtest: counts, rates, fires, forecast, as JSON values and as a Parquet table of fires."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from triggers.backtest.forecast import CONFIDENCE, Interval, rate_per_hour
from triggers.backtest.run import Outcome, Plan
from triggers.contracts.base import NS_PER_S
from triggers.errors import Misconfigured
from triggers.language.program import digest

NS_PER_HOUR = 3600 * NS_PER_S


@dataclass(frozen=True, slots=True)
class Fleet:
    """The fleet a forecast is for; every vehicle drives `hours_per_day`."""

    vehicles: int
    hours_per_day: float


def report(plan: Plan, outcome: Outcome, fleet: Fleet) -> dict[str, Any]:
    """The report as JSON values; rates are null where no time or distance was recorded."""
    results = outcome.results
    hours = sum(result.recorded_ns for result in results) / NS_PER_HOUR
    measured = [result.metres for result in results if result.metres is not None]
    km = sum(measured) / 1000 if measured and len(measured) == len(results) else None
    return {
        "drives": len(results),
        "rows": sum(result.rows for result in results),
        "hours": hours,
        "km": km,
        "triggers": {name: _trigger(name, outcome, hours, km) for name in plan.settings},
        "fires": [
            {"trigger": fire.trigger, "drive": result.drive, "t": fire.t_ns / NS_PER_S}
            for result in results
            for fire in result.fires
        ],
        "forecast": _forecast(plan, outcome, fleet),
        "programs": [digest(program) for program in plan.programs],
        "failed_drives": [str(failure) for failure in outcome.failures],
    }


def _trigger(name: str, outcome: Outcome, hours: float, km: float | None) -> dict[str, Any]:
    fires = sum(1 for result in outcome.results for fire in result.fires if fire.trigger == name)
    return {
        "fires": fires,
        "suppressed": sum(result.suppressed.get(name, 0) for result in outcome.results),
        "per_hour": fires / hours if hours else None,
        "per_1000_km": fires / km * 1000 if km else None,
        "clip_bytes": _mean_clip(name, outcome),
    }


def _mean_clip(name: str, outcome: Outcome) -> int | None:
    """Bytes of the average clip; None where the trigger never fired."""
    sizes = [size for result in outcome.results for size in result.clip_bytes.get(name, ())]
    return round(sum(sizes) / len(sizes)) if sizes else None


def _forecast(plan: Plan, outcome: Outcome, fleet: Fleet) -> dict[str, Any]:
    hours = [result.recorded_ns / NS_PER_HOUR for result in outcome.results]
    by_trigger: dict[str, Any] = {}
    bytes_per_day = Interval(0.0, 0.0, 0.0)
    for name in plan.settings:
        fires = [sum(1 for fire in result.fires if fire.trigger == name) for result in outcome.results]
        rate = rate_per_hour(fires, hours)
        if rate is None:
            continue
        fired = rate.scaled(fleet.hours_per_day)
        kept = fired.scaled(1 / plan.one_in[name])
        volume = kept.scaled(_mean_clip(name, outcome) or 0)
        bytes_per_day = Interval(
            bytes_per_day.mean + volume.mean, bytes_per_day.low + volume.low, bytes_per_day.high + volume.high
        )
        by_trigger[name] = {
            "sample_one_in": plan.one_in[name],
            "fires_per_vehicle_day": fired.to_json(6),
            "clips_per_vehicle_day": kept.to_json(6),
            "bytes_per_vehicle_day": volume.to_json(),
        }
    return {
        "vehicles": fleet.vehicles,
        "hours_per_day": fleet.hours_per_day,
        "confidence": CONFIDENCE,
        "method": "poisson" if len(hours) < 2 else "poisson and drives resampled, the wider",
        "triggers": by_trigger,
        "bytes_per_vehicle_day": bytes_per_day.to_json(),
        "bytes_per_fleet_day": bytes_per_day.scaled(fleet.vehicles).to_json(),
    }


def write_fires(path: Path, outcome: Outcome) -> None:
    """Write all fires as a Parquet table: trigger, drive, t (s) and t_ns of the drive's clock."""
    rows = [(fire.trigger, result.drive, fire.t_ns) for result in outcome.results for fire in result.fires]
    table = pa.table(
        {
            "trigger": pa.array([row[0] for row in rows], pa.string()),
            "drive": pa.array([row[1] for row in rows], pa.string()),
            "t": pa.array([row[2] / NS_PER_S for row in rows], pa.float64()),
            "t_ns": pa.array([row[2] for row in rows], pa.int64()),
        }
    )
    try:
        pq.write_table(table, path)
    except OSError as error:
        raise Misconfigured(f"--fires {path}: cannot be written ({error})") from error
