"""Drives on the page of a report: fires on a line per drive, hours and distance, and what was left out."""

from __future__ import annotations

from collections.abc import Iterator

from triggers.contracts.api.backtests.reports import RunDriveView
from triggers.contracts.api.backtests.stated import StatedFire, StatedReport
from triggers.pages import parts
from triggers.pages.html import text
from triggers.pages.shown_numbers import counted, shown_number, shown_share
from triggers.times import NS_PER_S

_DRAWN = 40
"""Drives that are drawn, those with the most fires."""
_NAMED = 5
_LANES = 6
"""Triggers that have a lane of each drive."""


def timeline(stated: StatedReport) -> Iterator[str]:
    """A line per drive and trigger with its fires, from the drive's first row to its last."""
    by_drive: dict[str, dict[str, list[StatedFire]]] = {}
    for fire in stated.fires:
        by_drive.setdefault(fire.drive, {}).setdefault(fire.trigger, []).append(fire)
    most = sorted(stated.report.by_drive, key=lambda each: -each.fires)
    drawn = [each for each in most if each.drive in by_drive]
    for drive in drawn[:_DRAWN]:
        yield f'<h3 class="name">{text(drive.drive)}</h3>'
        lanes = by_drive[drive.drive]
        for trigger, fires in list(lanes.items())[:_LANES]:
            yield f'<div class="facts">{text(_told(trigger, fires))}</div>'
            yield parts.marks(f"{trigger} on {drive.drive}: {_told(trigger, fires)}", _places(drive, fires))
        yield parts.left_out(len(lanes) - _LANES, "trigger")
    yield parts.left_out(len(drawn) - _DRAWN + stated.drives_left_out, "drive")
    yield parts.left_out(stated.fires_left_out, "fire")


def _told(trigger: str, fires: list[StatedFire]) -> str:
    times = ", ".join(f"{fire.t:.3f} s" for fire in fires[:_NAMED])
    more = f" and {len(fires) - _NAMED:,} more" if len(fires) > _NAMED else ""
    return f"{trigger}, {counted(len(fires), 'fire')}: {times}{more}"


def _places(drive: RunDriveView, fires: list[StatedFire]) -> list[float]:
    first, last = drive.first_ns / NS_PER_S, drive.last_ns / NS_PER_S
    return [(fire.t - first) / (last - first) if last > first else 0.0 for fire in fires]


def table(stated: StatedReport) -> Iterator[str]:
    """Hours, distance and fires of each drive, in the order in which they were given."""
    rows = [
        (
            each.drive,
            f"{each.hours:,.2f}",
            "" if each.km is None else f"{each.km:,.1f}",
            f"{each.fires:,}",
            shown_share(each.share),
            shown_number(each.per_hour_without),
        )
        for each in stated.report.by_drive
    ]
    yield parts.table("Drives", ("drive", "hours", "km", "fires", "of all fires", "per hour without it"), rows)
    yield parts.left_out(stated.drives_left_out, "drive")


def single(stated: StatedReport) -> Iterator[str]:
    """For each trigger the drive that moves its rate most."""
    rows = [
        (
            name,
            each.drive,
            f"{each.hours:,.2f}",
            f"{each.fires:,}",
            shown_share(each.share),
            shown_number(each.per_hour),
            shown_number(each.per_hour_without),
        )
        for name, each in stated.report.leave_one_out.items()
        if each is not None
    ]
    columns = ("trigger", "drive", "hours", "fires", "of its fires", "per hour", "without the drive")
    yield parts.table("Drives that move the rate of a trigger most", columns, rows)


def left_out(stated: StatedReport) -> Iterator[str]:
    """Drives that could not be read, and triggers that did not run on some."""
    failed = [f"{each.drive} {each.problem} {each.remedy}".strip() for each in stated.report.failed_drives]
    yield parts.listed(failed)
    rows = [(each.trigger, shown_number(each.drives), each.reason) for each in stated.report.left_out]
    yield parts.table("Did not run on some drives", ("trigger", "drives", "reason on the first"), rows)
