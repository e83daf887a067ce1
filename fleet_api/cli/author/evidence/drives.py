"""Single drives in a backtest's report for people: what each adds, the rates without it, and when one carries all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fleet_api.cli.author.evidence.shown import SHOWN, number, share, tell_rest
from fleet_api.cli.output import counted, print_result, print_table

if TYPE_CHECKING:
    from triggers.backtest.evidence.by_drive import DriveCounts, LeaveOneOut
    from triggers.backtest.report import BacktestReport

CONCENTRATED = 0.5
"""If more than this share of the fires of a trigger is in one drive, that is said."""
_DRIVE = ("drive", "hours", "km", "fires", "of all fires", "per hour without it")
_LEFT_OUT = ("trigger", "drive", "hours", "fires", "of its fires", "per hour", "without the drive")


def tell_concentrated(report: BacktestReport) -> None:
    """A line for each trigger whose fires are mostly in one drive, and for each whose rate one drive carries."""
    for name, counts in report.triggers.items():
        if counts.drives > 1 and counts.largest_share is not None and counts.largest_share > CONCENTRATED:
            in_one = f"{share(counts.largest_share)} of the fires in one, {counts.largest_drive}"
            print_result(f"{name}: {counted(counts.drives, 'drive')}, {in_one}")
        left = report.leave_one_out.get(name)
        if left is not None and left.carries:
            print_result(
                f"{name}: one drive carries the result: without {left.drive} ({left.fires} of "
                f"{counted(counts.fires, 'fire')}, {number(left.hours)} of {number(counts.hours)} h) it would be "
                f"{number(left.per_hour_without)} per hour instead of {number(left.per_hour)}"
            )


def show_drives(report: BacktestReport) -> None:
    """The drives with the most fires, and for each trigger the drive that moves its rate most."""
    if len(report.by_drive) < 2:
        return
    most = sorted(report.by_drive, key=lambda drive: -drive.fires)
    title = "Drives, those with the most fires first"
    print_table(title, _DRIVE, [_drive(drive) for drive in most[:SHOWN]])
    tell_rest(len(most), "--json and --results write all of them")
    found = [(name, left) for name, left in report.leave_one_out.items() if left is not None]
    if found:
        title = "Drives that move the rate of a trigger most"
        print_table(title, _LEFT_OUT, [_left_out(name, left) for name, left in found[:SHOWN]])
        tell_rest(len(found), "--json writes all of them")


def _drive(drive: DriveCounts) -> tuple[object, ...]:
    km = "" if drive.km is None else f"{drive.km:.1f}"
    return drive.drive, f"{drive.hours:.2f}", km, drive.fires, share(drive.share), number(drive.per_hour_without)


def _left_out(name: str, left: LeaveOneOut) -> tuple[object, ...]:
    rates = number(left.per_hour), number(left.per_hour_without)
    return name, left.drive, f"{left.hours:.2f}", left.fires, share(left.share), *rates
