"""The comparison of two versions of a trigger file on the same drives: which fires both have, and which one alone.

Triggers are compared by name, each on the drives on which both versions ran. What is the same fire is said in
`triggers.backtest.versions.matching`, and what the interval of the ratio of rates is in `triggers.statistics.paired`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import compress
from operator import not_
from typing import Any, Literal

from triggers.backtest.forecast import NS_PER_HOUR, ForecastFleet, trigger_yield
from triggers.backtest.plan import BacktestPlan
from triggers.backtest.result import BacktestResult, DriveResult
from triggers.backtest.versions.matching import Nearness, matched
from triggers.contracts.campaign import CaptureWindow
from triggers.signals.catalog import SignalCatalog
from triggers.statistics.interval import Interval
from triggers.statistics.paired import PairedFires, rate_ratio
from triggers.statistics.sequences import RatioInterval
from triggers.times import NS_PER_S

Side = Literal["first", "second"]


@dataclass(frozen=True, slots=True)
class RanVersion:
    """A version that ran: what people call it, its plan, and what came of it."""

    name: str
    plan: BacktestPlan
    result: BacktestResult


@dataclass(frozen=True, slots=True)
class VersionFigures:
    """What a trigger of one version did on the drives on which it ran in both.

    `recordings` are the clips that vehicles would make of its fires, `recording_bytes` the sum of their sizes. Rates
    are None without recorded time, bytes per day also where the drives are no sample of driving.
    """

    fires: int
    per_hour: Interval | None
    recordings: int
    recording_bytes: int
    bytes_per_vehicle_day: Interval | None


@dataclass(frozen=True, slots=True)
class DriveDifference:
    """What two versions of a trigger did on one drive; `known_hours` is the lesser of what they could judge."""

    drive: str
    path: str
    hours: float
    known_hours: float
    both: int
    only_first: int
    only_second: int

    @property
    def alone(self) -> int:
        """Fires that one version alone has."""
        return self.only_first + self.only_second


@dataclass(frozen=True, slots=True)
class LoneFire:
    """A fire that one version alone has; `t` is in seconds of the drive's own clock."""

    side: Side
    drive: str
    t: float


@dataclass(frozen=True, slots=True)
class TriggerComparison:
    """A trigger of both versions, on the `drives` on which it ran in both.

    `neither_hours` is the time in which both conditions could be judged (of each drive the lesser of the two times),
    less the time around the fires of either. `ratio` is the rate of the first version divided by that of the second.
    `by_drive` has the drives with the most fires of one version alone first.
    """

    trigger: str
    drives: int
    hours: float
    first: VersionFigures
    second: VersionFigures
    both: int
    only_first: int
    only_second: int
    neither_hours: float
    ratio: RatioInterval
    by_drive: tuple[DriveDifference, ...]
    alone: tuple[LoneFire, ...]
    """By drive in their order, then by time."""

    def to_json(self) -> dict[str, Any]:
        """The entry of a comparison in `triggers`; a ratio without an upper limit has null."""
        return asdict(self) | {"ratio": self.ratio.to_json()}


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two versions on the same drives; `within_ns` is how far apart fires are the same, None: their windows touch.

    `only_first` and `only_second` name the triggers of one version alone. `drives` and `hours` are those that either
    ran on, `failed_drives` has the reason for each that could not be read.
    """

    first: str
    second: str
    within_ns: int | None
    drives: int
    hours: float
    triggers: dict[str, TriggerComparison]
    only_first: tuple[str, ...]
    only_second: tuple[str, ...]
    failed_drives: tuple[str, ...]

    @property
    def is_complete(self) -> bool:
        """Whether every drive could be read, and every trigger of both ran in both on one of them."""
        return not self.failed_drives and all(each.drives for each in self.triggers.values())

    def to_json(self) -> dict[str, Any]:
        """The document that `longtail backtest --against --json` writes."""
        return {
            "first": self.first,
            "second": self.second,
            "within_ns": self.within_ns,
            "drives": self.drives,
            "hours": self.hours,
            "triggers": {name: each.to_json() for name, each in self.triggers.items()},
            "only_first": list(self.only_first),
            "only_second": list(self.only_second),
            "failed_drives": list(self.failed_drives),
        }


def compare(
    first: RanVersion,
    second: RanVersion,
    fleet: ForecastFleet | None,
    catalog: SignalCatalog,
    *,
    within_ns: int | None = None,
) -> Comparison:
    """Compare two versions that ran over the same drives; `fleet` is None where these are no sample of driving."""
    ran = {each.path: each for version in (second, first) for each in version.result.drives}
    failures = dict.fromkeys(str(failure) for version in (first, second) for failure in version.result.failures)
    shared = [name for name in first.plan.settings if name in second.plan.settings]
    return Comparison(
        first.name,
        second.name,
        within_ns,
        drives=len(ran),
        hours=sum(each.recorded_ns for each in ran.values()) / NS_PER_HOUR,
        triggers={name: compare_trigger(name, first, second, fleet, catalog, within_ns=within_ns) for name in shared},
        only_first=tuple(name for name in first.plan.settings if name not in second.plan.settings),
        only_second=tuple(name for name in second.plan.settings if name not in first.plan.settings),
        failed_drives=tuple(failures),
    )


def compare_trigger(
    trigger: str,
    first: RanVersion,
    second: RanVersion,
    fleet: ForecastFleet | None,
    catalog: SignalCatalog,
    *,
    within_ns: int | None,
) -> TriggerComparison:
    """Compare a trigger of two versions; see `compare`."""
    drives = list(_in_both(trigger, first.result, second.result))
    captures = (first.plan.settings[trigger].capture, second.plan.settings[trigger].capture)
    if within_ns is None:
        nearness, around = Nearness.touching(*captures), captures
    else:
        nearness = Nearness.within(within_ns)
        around = (CaptureWindow(before_ns=within_ns, after_ns=within_ns, signals=(), cameras=()),) * 2
    by_drive, alone, neither_ns = [], [], 0
    for pair in drives:
        difference, lone = _on_drive(trigger, pair, nearness)
        by_drive.append(difference)
        alone += lone
        neither_ns += _neither_ns(trigger, pair, around)
    return TriggerComparison(
        trigger,
        drives=len(drives),
        hours=sum(each.hours for each in by_drive),
        first=_figures(trigger, first.plan, [one for one, _ in drives], fleet, catalog),
        second=_figures(trigger, second.plan, [other for _, other in drives], fleet, catalog),
        both=sum(each.both for each in by_drive),
        only_first=sum(each.only_first for each in by_drive),
        only_second=sum(each.only_second for each in by_drive),
        neither_hours=neither_ns / NS_PER_HOUR,
        ratio=rate_ratio(PairedFires(each.both, each.only_first, each.only_second) for each in by_drive),
        by_drive=tuple(sorted(by_drive, key=lambda each: -each.alone)),
        alone=tuple(alone),
    )


_Pair = tuple[DriveResult, DriveResult]


def _in_both(trigger: str, first: BacktestResult, second: BacktestResult) -> Iterator[_Pair]:
    """The results of the drives on which a trigger ran in both versions."""
    others = {each.path: each for each in second.drives if trigger not in each.left_out}
    for one in first.drives:
        if trigger not in one.left_out and one.path in others:
            yield one, others[one.path]


def _on_drive(trigger: str, pair: _Pair, nearness: Nearness) -> tuple[DriveDifference, list[LoneFire]]:
    one, other = pair
    first_ns, second_ns = fires_of(one, trigger), fires_of(other, trigger)
    first_found, second_found = matched(first_ns, second_ns, nearness)
    alone: list[tuple[int, Side]] = [(t_ns, "first") for t_ns in compress(first_ns, map(not_, first_found))]
    alone += [(t_ns, "second") for t_ns in compress(second_ns, map(not_, second_found))]
    difference = DriveDifference(
        one.name,
        str(one.path),
        hours=one.recorded_ns / NS_PER_HOUR,
        known_hours=_known_ns(trigger, pair) / NS_PER_HOUR,
        both=first_found.count(True),
        only_first=first_found.count(False),
        only_second=second_found.count(False),
    )
    return difference, [LoneFire(side, one.name, t_ns / NS_PER_S) for t_ns, side in sorted(alone)]


def fires_of(drive: DriveResult, trigger: str) -> list[int]:
    """The times of a trigger's fires, in ns, ascending."""
    times_ns: list[int] = drive.fires_ns[trigger].tolist() if trigger in drive.fires_ns else []
    return times_ns


def _known_ns(trigger: str, pair: _Pair) -> int:
    return min(each.weights[trigger].condition.known_ns for each in pair)


def _neither_ns(trigger: str, pair: _Pair, around: tuple[CaptureWindow, CaptureWindow]) -> int:
    """The time that could be judged, less that of the windows of fires, in which some could not: 0 at least."""
    windows = [
        (max(each.first_ns, t_ns - window.before_ns), min(each.last_ns, t_ns + window.after_ns))
        for each, window in zip(pair, around, strict=True)
        for t_ns in fires_of(each, trigger)
    ]
    return max(0, _known_ns(trigger, pair) - _covered_ns(sorted(windows)))


def _covered_ns(windows: Iterable[tuple[int, int]]) -> int:
    """The length of windows together, in the order in which they begin."""
    covered_ns, until_ns = 0, -1
    for start_ns, end_ns in windows:
        covered_ns += max(0, end_ns - max(start_ns, until_ns))
        until_ns = max(until_ns, end_ns)
    return covered_ns


def _figures(
    trigger: str,
    plan: BacktestPlan,
    drives: Sequence[DriveResult],
    fleet: ForecastFleet | None,
    catalog: SignalCatalog,
) -> VersionFigures:
    one_in = (fleet.sample_one_in if fleet else None) or plan.one_in[trigger]
    yields = trigger_yield(trigger, plan.settings[trigger].capture, one_in, drives, catalog)
    sizes = [drive.recording_bytes[trigger] for drive in drives if trigger in drive.recording_bytes]
    return VersionFigures(
        fires=sum(len(fires_of(drive, trigger)) for drive in drives),
        per_hour=yields.fires.interval() if yields else None,
        recordings=sum(map(len, sizes)),
        recording_bytes=sum(int(each.sum()) for each in sizes),
        bytes_per_vehicle_day=yields.per_day(fleet.hours_per_day).bytes if yields and fleet else None,
    )
