"""The report of a backtest: counts, rates, fires, overlap, compared heads, forecast."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from triggers.backtest.forecast import NS_PER_HOUR, Forecast, ForecastFleet, make_forecast
from triggers.backtest.plan import BacktestPlan
from triggers.backtest.result import BacktestResult, DriveResult
from triggers.contracts.compared import Compared
from triggers.signals.catalog import SignalCatalog
from triggers.times import NS_PER_S


@dataclass(frozen=True, slots=True)
class TriggerCounts:
    """What a trigger did on all drives. A rate is None if no time or distance was recorded.

    `clip_bytes` is the mean size of its clips, None without a fire.
    """

    fires: int
    suppressed: int
    per_hour: float | None
    per_1000_km: float | None
    clip_bytes: int | None


@dataclass(frozen=True, slots=True)
class ReportedFire:
    """A fire; `t` is in seconds of the drive's own clock."""

    trigger: str
    drive: str
    t: float


@dataclass(frozen=True, slots=True)
class TriggerOverlap:
    """How many fires of `trigger` share a clip with a fire of `other`, and which share of its fires that is."""

    trigger: str
    other: str
    fires: int
    share: float


@dataclass(frozen=True, slots=True)
class BacktestReport:
    """The whole report; see docs/backtest.md. `km` is None if the distance of a drive is unknown."""

    drives: int
    rows: int
    hours: float
    km: float | None
    triggers: dict[str, TriggerCounts]
    fires: tuple[ReportedFire, ...]
    overlap: tuple[TriggerOverlap, ...]
    compared: dict[str, Compared]
    overflows: int
    forecast: Forecast
    programs: tuple[str, ...]
    """SHA-256 of the programs that ran."""
    failed_drives: tuple[str, ...]
    """For each drive that was left out, the reason."""

    def to_json(self) -> dict[str, Any]:
        """The document that `longtail backtest --json` writes."""
        return {
            "drives": self.drives,
            "rows": self.rows,
            "hours": self.hours,
            "km": self.km,
            "triggers": {name: asdict(counts) for name, counts in self.triggers.items()},
            "fires": [asdict(fire) for fire in self.fires],
            "overlap": [asdict(pair) for pair in self.overlap],
            "compared": {head: asdict(counts) for head, counts in self.compared.items()},
            "overflows": self.overflows,
            "forecast": self.forecast.to_json(),
            "programs": list(self.programs),
            "failed_drives": list(self.failed_drives),
        }


def make_report(
    plan: BacktestPlan, result: BacktestResult, fleet: ForecastFleet, catalog: SignalCatalog
) -> BacktestReport:
    """Sum up all drives and make the forecast for a fleet."""
    drives = result.drives
    hours = sum(drive.recorded_ns for drive in drives) / NS_PER_HOUR
    km = _kilometres(drives)
    return BacktestReport(
        drives=len(drives),
        rows=sum(drive.rows for drive in drives),
        hours=hours,
        km=km,
        triggers={name: _counts(name, drives, hours, km) for name in plan.settings},
        fires=tuple(
            ReportedFire(fire.trigger, drive.name, fire.t_ns / NS_PER_S) for drive in drives for fire in drive.fires
        ),
        overlap=_overlap(drives),
        compared=_compared(drives),
        overflows=sum(drive.overflows for drive in drives),
        forecast=make_forecast(plan, drives, fleet, catalog),
        programs=tuple(hashlib.sha256(program).hexdigest() for program in plan.programs),
        failed_drives=tuple(str(failure) for failure in result.failures),
    )


def _kilometres(drives: Sequence[DriveResult]) -> float | None:
    """The distance of all drives; None without drives, or if the distance of one of them is unknown."""
    measured = [drive.metres for drive in drives if drive.metres is not None]
    return sum(measured) / 1000 if measured and len(measured) == len(drives) else None


def _fires(name: str, drives: Sequence[DriveResult]) -> int:
    return sum(len(drive.fires_ns.get(name, ())) for drive in drives)


def _counts(name: str, drives: Sequence[DriveResult], hours: float, km: float | None) -> TriggerCounts:
    fires = _fires(name, drives)
    clip_bytes = sum(int(drive.clip_bytes[name].sum()) for drive in drives if name in drive.clip_bytes)
    return TriggerCounts(
        fires=fires,
        suppressed=sum(drive.suppressed.get(name, 0) for drive in drives),
        per_hour=fires / hours if hours else None,
        per_1000_km=fires / km * 1000 if km else None,
        clip_bytes=round(clip_bytes / fires) if fires else None,
    )


def _overlap(drives: Sequence[DriveResult]) -> tuple[TriggerOverlap, ...]:
    """Ordered pairs of triggers that share clips, the largest shares first."""
    shared = sum((Counter(drive.shared) for drive in drives), Counter[tuple[str, str]]())
    fires = {name: _fires(name, drives) for name, _ in shared}
    pairs = [TriggerOverlap(name, other, count, count / fires[name]) for (name, other), count in shared.items()]
    return tuple(sorted(pairs, key=lambda pair: (-pair.share, pair.trigger, pair.other)))


def _compared(drives: Sequence[DriveResult]) -> dict[str, Compared]:
    """The confusion table of each compared head."""
    total: dict[str, Compared] = {}
    for drive in drives:
        for head, counts in drive.compared.items():
            total[head] = total.get(head, Compared()) + counts
    return total
