"""The report of a backtest: counts, rates, fires, overlap, compared heads and events, forecast."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from triggers.backtest.conditions import Judged, PartShares, Shares, WrittenParts, parts_of, why_not
from triggers.backtest.events import EventsOfDrives, events_of
from triggers.backtest.evidence.by_drive import DriveCounts, LeaveOneOut, counts_by_drive, leave_one_out
from triggers.backtest.evidence.circumstances import BreakdownReport, breakdown_of
from triggers.backtest.evidence.scores import EventsReport
from triggers.backtest.forecast import NS_PER_HOUR, Forecast, ForecastFleet, make_forecast
from triggers.backtest.limits.budgets import BudgetUse, budget_uses
from triggers.backtest.limits.limited_day import LimitedDay, limited_days
from triggers.backtest.plan import BacktestPlan
from triggers.backtest.result import BacktestResult, DriveResult
from triggers.contracts.compared import Compared
from triggers.drives.findings import SummedFinding, summed
from triggers.signals.catalog import SignalCatalog
from triggers.times import NS_PER_S


@dataclass(frozen=True, slots=True)
class TriggerCounts:
    """What a trigger did on the drives that it ran on. A rate is None if no time or distance was recorded.

    `known_hours` are those of the hours in which its condition was true or false: hours that could not be judged are
    not exposure. `condition` and `parts` have the shares of time of the condition and of each part of its `and`;
    `unknown` has, by signal, the share of the time in which the condition was unknown and the signal, too. `why_not`
    says why it never fired, if it did not. `clip_bytes` is the mean size of a clip for each
    fire alone, `recording_bytes` that of a recording of touching fires; both None without a fire. `largest_drive` is
    the drive with the most fires, and `largest_share` its share of them.
    """

    fires: int
    suppressed: int
    drives: int
    hours: float
    known_hours: float
    per_hour: float | None
    per_known_hour: float | None
    per_1000_km: float | None
    clip_bytes: int | None
    recordings: int
    recording_bytes: int | None
    largest_drive: str | None
    largest_share: float | None
    unknown: dict[str, float]
    condition: Shares
    parts: tuple[PartShares, ...]
    why_not: str | None


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A trigger (or compared head or events) that did not run on some drives, and why not on the first of them."""

    trigger: str
    drives: int
    reason: str


@dataclass(frozen=True, slots=True)
class Uncounted:
    """A signal or camera (`camera front`) that captures ask for and that these many drives say nothing about."""

    name: str
    drives: int


@dataclass(frozen=True, slots=True)
class ReportedFire:
    """A fire; `t` is in seconds of the drive's own clock, `drive` a name that no other drive has."""

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
    events: tuple[EventsOfDrives, ...]
    overflows: int
    forecast: Forecast | None
    """None where the drives are no sample of how vehicles drive."""
    by_drive: tuple[DriveCounts, ...]
    """In the order in which the drives were given."""
    leave_one_out: dict[str, LeaveOneOut | None]
    """By trigger, the drive that moves its rate most; None without a fire, or where there are no two drives."""
    left_out: tuple[LeftOut, ...]
    findings: tuple[SummedFinding, ...]
    """What the reader of drives could not take as it is."""
    uncounted: tuple[Uncounted, ...]
    """What the sizes of clips do not count."""
    budgets: tuple[BudgetUse, ...]
    """The budgets of the file's campaigns beside the forecast."""
    limited_days: tuple[LimitedDay, ...]
    """A day of the fleet under the limits of each campaign; none where there is no forecast."""
    programs: tuple[str, ...]
    """SHA-256 of the programs that ran."""
    failed_drives: tuple[str, ...]
    """For each drive that was left out, the reason."""
    known_events: EventsReport | None = None
    """How well known events were found, if there were any."""
    breakdown: BreakdownReport | None = None
    """Fires by speed, place and hour, if they were asked for."""

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
            "events": [each.to_json() for each in self.events],
            "overflows": self.overflows,
            "forecast": None if self.forecast is None else self.forecast.to_json(),
            "by_drive": [asdict(drive) for drive in self.by_drive],
            "leave_one_out": {
                name: None if found is None else asdict(found) for name, found in self.leave_one_out.items()
            },
            "left_out": [asdict(each) for each in self.left_out],
            "findings": [asdict(found) for found in self.findings],
            "uncounted": [asdict(each) for each in self.uncounted],
            "budgets": [use.to_json() for use in self.budgets],
            "limited_days": [day.to_json() for day in self.limited_days],
            "programs": list(self.programs),
            "failed_drives": list(self.failed_drives),
            **({} if self.breakdown is None else {"breakdown": self.breakdown.to_json()}),
            **({} if self.known_events is None else {"known_events": self.known_events.to_json()}),
        }


def make_report(
    plan: BacktestPlan, result: BacktestResult, fleet: ForecastFleet | None, catalog: SignalCatalog
) -> BacktestReport:
    """Sum up all drives and make the forecast for a fleet; without a fleet there is none.

    Then nothing of the report says how often something happens on the road: budgets have only their sizes.
    """
    drives = result.drives
    return BacktestReport(
        drives=len(drives),
        rows=sum(drive.rows for drive in drives),
        hours=_hours(drives),
        km=_kilometres(drives),
        triggers={name: _counts(name, drives, plan.parts.get(name, WrittenParts())) for name in plan.settings},
        fires=tuple(
            ReportedFire(fire.trigger, drive.name, fire.t_ns / NS_PER_S) for drive in drives for fire in drive.fires
        ),
        overlap=_overlap(drives),
        compared=_compared(drives),
        events=events_of(drives),
        overflows=sum(drive.overflows for drive in drives),
        forecast=None if fleet is None else make_forecast(plan, drives, fleet, catalog),
        by_drive=counts_by_drive(plan.settings, drives),
        leave_one_out={name: leave_one_out(name, drives) for name in plan.settings},
        left_out=_left_out(drives),
        findings=summed((drive.name, drive.findings) for drive in drives),
        uncounted=_uncounted(drives),
        budgets=budget_uses(plan.campaigns, drives, fleet, catalog),
        limited_days=limited_days(plan.campaigns, drives, fleet, catalog),
        programs=tuple(hashlib.sha256(program).hexdigest() for program in plan.programs),
        failed_drives=tuple(str(failure) for failure in result.failures),
        breakdown=breakdown_of(plan.settings, drives),
    )


def _hours(drives: Sequence[DriveResult]) -> float:
    return sum(drive.recorded_ns for drive in drives) / NS_PER_HOUR


def _kilometres(drives: Sequence[DriveResult]) -> float | None:
    """The distance of all drives; None without drives, or if the distance of one of them is unknown."""
    measured = [drive.metres for drive in drives if drive.metres is not None]
    return sum(measured) / 1000 if measured and len(measured) == len(drives) else None


def _fires(name: str, drives: Sequence[DriveResult]) -> int:
    return sum(len(drive.fires_ns.get(name, ())) for drive in drives)


def _counts(name: str, drives: Sequence[DriveResult], parts: WrittenParts) -> TriggerCounts:
    ran = [drive for drive in drives if name not in drive.left_out]
    hours, km, fires = _hours(ran), _kilometres(ran), _fires(name, ran)
    judged = Judged.over(name, ran)
    known_hours = judged.condition.known_ns / NS_PER_HOUR
    clip_bytes = sum(int(drive.clip_bytes[name].sum()) for drive in ran if name in drive.clip_bytes)
    recorded = [drive.recording_bytes[name] for drive in ran if name in drive.recording_bytes]
    recordings = sum(map(len, recorded))
    largest = max(ran, key=lambda drive: len(drive.fires_ns.get(name, ())), default=None) if fires else None
    return TriggerCounts(
        fires=fires,
        suppressed=sum(drive.suppressed.get(name, 0) for drive in ran),
        drives=len(ran),
        hours=hours,
        known_hours=known_hours,
        per_hour=fires / hours if hours else None,
        per_known_hour=fires / known_hours if known_hours else None,
        per_1000_km=fires / km * 1000 if km else None,
        clip_bytes=round(clip_bytes / fires) if fires else None,
        recordings=recordings,
        recording_bytes=round(sum(int(sizes.sum()) for sizes in recorded) / recordings) if recordings else None,
        largest_drive=largest.name if largest else None,
        largest_share=len(largest.fires_ns[name]) / fires if largest else None,
        unknown=judged.unknown,
        condition=Shares.of(judged.condition),
        parts=parts_of(judged, parts),
        why_not=why_not(judged, parts.names, fires) if ran else None,
    )


def _left_out(drives: Sequence[DriveResult]) -> tuple[LeftOut, ...]:
    """By trigger, the drives that it could not run on; the most first."""
    reasons: dict[str, list[str]] = {}
    for drive in drives:
        for name, problem in drive.left_out.items():
            reasons.setdefault(name, []).append(str(problem))
    by_trigger = [LeftOut(name, len(texts), texts[0]) for name, texts in reasons.items()]
    return tuple(sorted(by_trigger, key=lambda each: (-each.drives, each.trigger)))


def _uncounted(drives: Sequence[DriveResult]) -> tuple[Uncounted, ...]:
    counts = Counter(name for drive in drives for name in drive.uncounted)
    return tuple(Uncounted(name, counts[name]) for name in sorted(counts))


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
