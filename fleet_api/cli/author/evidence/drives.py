"""Single drives in a backtest's report for people: what each adds, the rates without it, and when one carries all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fleet_api.cli.author.evidence.shown import SHOWN, share, tell_rest
from fleet_api.cli.output import print_result, print_table
from triggers.backtest.page.remarks import concentrated
from triggers.pages.shown_numbers import shown_number

if TYPE_CHECKING:
    from triggers.backtest.evidence.by_drive import DriveCounts, LeaveOneOut
    from triggers.backtest.report import BacktestReport

_DRIVE = ("drive", "hours", "km", "fires", "of all fires", "per hour without it")
_LEFT_OUT = ("trigger", "drive", "hours", "fires", "of its fires", "per hour", "without the drive")


def tell_concentrated(report: BacktestReport) -> None:
    """A line for each trigger whose fires are mostly in one drive, and for each whose rate one drive carries."""
    for line in concentrated(report):
        print_result(line)


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
    return drive.drive, f"{drive.hours:.2f}", km, drive.fires, share(drive.share), shown_number(drive.per_hour_without)


def _left_out(name: str, left: LeaveOneOut) -> tuple[object, ...]:
    rates = shown_number(left.per_hour), shown_number(left.per_hour_without)
    return name, left.drive, f"{left.hours:.2f}", left.fires, share(left.share), *rates
