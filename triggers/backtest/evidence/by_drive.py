"""Single drives in a backtest: what each adds to the fires, what the rates are without it, and whether one carries all.

A drive *carries* the result of a trigger if the trigger's rate without that drive is less than half of what it is with
it, or more than twice as much.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from triggers.backtest.forecast import NS_PER_HOUR
from triggers.backtest.result import DriveResult

CARRIES = 2.0
"""A drive carries a result if the rate changes by more than this factor without it."""


@dataclass(frozen=True, slots=True)
class LeaveOneOut:
    """The drive that moves a trigger's rate by the largest factor, up or down, when it is left out.

    `fires` and `hours` are those of the drive, `share` is that of the trigger's fires. `per_hour` is the rate over all
    drives that the trigger ran on, `per_hour_without` that over all but this one. `carries`: see above.
    """

    drive: str
    fires: int
    hours: float
    share: float
    per_hour: float
    per_hour_without: float
    carries: bool


@dataclass(frozen=True, slots=True)
class FiresOnDrive:
    """A trigger's fires on one drive, their share of its fires, and its rate over its other drives (None without)."""

    fires: int
    share: float
    per_hour_without: float | None


@dataclass(frozen=True, slots=True)
class DriveCounts:
    """A drive: its path, hours and fires of all triggers, and their share of all fires (None without any).

    `per_hour_without` is the rate of all fires over the other drives, None if they have no time. `by_trigger` has the
    triggers that fired on the drive. `first_ns` and `last_ns` are its first and last row, in ns of its own clock.
    """

    drive: str
    path: str
    hours: float
    km: float | None
    fires: int
    share: float | None
    per_hour_without: float | None
    by_trigger: dict[str, FiresOnDrive]
    first_ns: int
    last_ns: int


@dataclass(frozen=True, slots=True)
class Totals:
    """The fires and the time of several drives, from which those of single drives are taken away."""

    fires: int
    time_ns: int

    @classmethod
    def of(cls, trigger: str, drives: Iterable[DriveResult]) -> Totals:
        """What a trigger did on the drives that it ran on."""
        ran = [drive for drive in drives if trigger not in drive.left_out]
        return cls(sum(fires_on(drive, trigger) for drive in ran), sum(drive.recorded_ns for drive in ran))

    def share(self, fires: int) -> float | None:
        """The share of all fires that these are; None without any."""
        return fires / self.fires if self.fires else None

    def without(self, fires: int, time_ns: int) -> float | None:
        """Fires per hour without those of one drive; None if no time is left."""
        left_ns = self.time_ns - time_ns
        return (self.fires - fires) / (left_ns / NS_PER_HOUR) if left_ns > 0 else None


def fires_on(drive: DriveResult, trigger: str) -> int:
    """How often a trigger fired on a drive."""
    return len(drive.fires_ns.get(trigger, ()))


def leave_one_out(trigger: str, drives: Sequence[DriveResult]) -> LeaveOneOut | None:
    """What a trigger's rate rests on; None without a fire, or if it ran on fewer than two drives with time.

    Of drives that move the rate alike it is the first.
    """
    ran = [drive for drive in drives if trigger not in drive.left_out and drive.recorded_ns]
    totals = Totals.of(trigger, ran)
    if not totals.fires or len(ran) < 2:
        return None
    rate = totals.fires / (totals.time_ns / NS_PER_HOUR)
    others = [(totals.without(fires_on(drive, trigger), drive.recorded_ns) or 0.0, drive) for drive in ran]
    without, drive = max(others, key=lambda other: _factor(rate, other[0]))
    fires = fires_on(drive, trigger)
    return LeaveOneOut(
        drive=drive.name,
        fires=fires,
        hours=drive.recorded_ns / NS_PER_HOUR,
        share=fires / totals.fires,
        per_hour=rate,
        per_hour_without=without,
        carries=_factor(rate, without) > CARRIES,
    )


def _factor(rate: float, other: float) -> float:
    """How many times as large the larger of two rates is, the first of which is above 0."""
    return max(other / rate, rate / other) if other > 0 else math.inf


def counts_by_drive(triggers: Iterable[str], drives: Sequence[DriveResult]) -> tuple[DriveCounts, ...]:
    """What each drive adds, in the order in which the drives were given."""
    by_trigger = {name: Totals.of(name, drives) for name in triggers}
    counts = [sum(map(len, drive.fires_ns.values())) for drive in drives]
    together = Totals(sum(counts), sum(drive.recorded_ns for drive in drives))
    return tuple(
        DriveCounts(
            drive=drive.name,
            path=str(drive.path),
            hours=drive.recorded_ns / NS_PER_HOUR,
            km=None if drive.metres is None else drive.metres / 1000,
            fires=fires,
            share=together.share(fires),
            per_hour_without=together.without(fires, drive.recorded_ns),
            by_trigger={
                name: FiresOnDrive(len(t_ns), len(t_ns) / totals.fires, totals.without(len(t_ns), drive.recorded_ns))
                for name, totals in by_trigger.items()
                if len(t_ns := drive.fires_ns.get(name, ()))
            },
            first_ns=drive.first_ns,
            last_ns=drive.last_ns,
        )
        for drive, fires in zip(drives, counts, strict=True)
    )
