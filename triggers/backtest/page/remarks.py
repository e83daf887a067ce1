"""Remarks on a report: what was left out, unknown or not counted, what cannot fit, and what few drives carry."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from triggers.backtest.page.limited import counts_clips, limit_text, refusals
from triggers.backtest.unknown import MENTIONED, unknown_otherwise
from triggers.contracts.api.backtests.reports import BudgetUseView, ReportView
from triggers.contracts.campaign import budget_owner
from triggers.drives.findings import REMEDIES
from triggers.pages.shown_numbers import counted, shown_bytes, shown_number

if TYPE_CHECKING:
    from triggers.backtest.limits.budgets import BudgetUse
    from triggers.backtest.report import BacktestReport

    Report = BacktestReport | ReportView

MOSTLY_KNOWN = 0.95
"""A trigger whose condition was known for less than this share of the time is remarked on."""
_MOST_NAMED = 5
"""Signals of a remark."""
CONCENTRATED = 0.5
"""If more than this share of the fires of a trigger is in one drive, that is said."""


def remarks(report: Report) -> Iterator[list[str]]:
    """What the figures do not say by themselves, kind by kind."""
    for lines in (_left_out(report), _findings(report), _unknown(report), _uncounted(report), _budgets(report)):
        yield list(lines)
    yield list(refusals(report.limited_days))
    if report.overflows:
        yield [
            f"{counted(report.overflows, 'sample')} came faster than the signal catalog declares, and windows "
            "lost them: correct the signals' `rate`"
        ]


def concentrated(report: Report) -> Iterator[str]:
    """A line for each trigger whose fires are mostly in one drive, and for each whose rate one drive carries."""
    for name, counts in report.triggers.items():
        if counts.drives > 1 and counts.largest_share is not None and counts.largest_share > CONCENTRATED:
            in_one = f"{_percent(counts.largest_share)} of the fires in one, {counts.largest_drive}"
            yield f"{name}: {counted(counts.drives, 'drive')}, {in_one}"
        left = report.leave_one_out.get(name)
        if left is not None and left.carries:
            yield (
                f"{name}: one drive carries the result: without {left.drive} ({left.fires} of "
                f"{counted(counts.fires, 'fire')}, {shown_number(left.hours)} of {shown_number(counts.hours)} h) it "
                f"would be {shown_number(left.per_hour_without)} per hour instead of {shown_number(left.per_hour)}"
            )


def unread(drives: int) -> str:
    """That drives could not be read."""
    return f"{counted(drives, 'drive')} could not be read, and {'was' if drives == 1 else 'were'} left out"


def _left_out(report: Report) -> Iterator[str]:
    for each in report.left_out:
        yield f"`{each.trigger}` did not run on {each.drives} of {counted(report.drives, 'drive')}: {each.reason}"


def _findings(report: Report) -> Iterator[str]:
    for found in report.findings:
        example = f" ({found.value})" if found.value else ""
        remedy = REMEDIES.get(found.problem)
        yield (
            f"column `{found.column}` in {counted(found.drives, 'drive')}: {found.count:,} times {found.problem}, "
            f"first in drive `{found.first_drive}`, row {found.row}{example}{f'; {remedy}' if remedy else ''}"
        )


def _unknown(report: Report) -> Iterator[str]:
    for name, counts in report.triggers.items():
        if not counts.hours or counts.known_hours >= MOSTLY_KNOWN * counts.hours:
            continue
        unknown = 1 - counts.known_hours / counts.hours
        mentioned = [(signal, share) for signal, share in counts.unknown.items() if share >= MENTIONED]
        causes = [f"`{signal}` {_percent(share)}" for signal, share in mentioned[:_MOST_NAMED]]
        if otherwise := unknown_otherwise(unknown, counts.unknown):
            causes.append(f"with every signal known {_percent(otherwise)}")
        why = f" ({', '.join(causes)})" if causes else ""
        yield (
            f"`{name}`: for {_percent(unknown)} of the time its condition was unknown{why}, so it could not fire; "
            "ask for this with `missing(...)`"
        )


def _uncounted(report: Report) -> Iterator[str]:
    for each in report.uncounted:
        kind, _, camera = each.name.rpartition(" ")
        where = f"{each.drives} of {counted(report.drives, 'drive')}"
        if kind:
            yield (
                f"clip sizes lack the camera `{camera}`: {where} without its video; put the video beside the drive, or "
                f"declare it in the signal catalog, such as `cameras: {{{camera}: {{bit_rate: 4 Mbit/s}}}}`"
            )
        else:
            yield f"clip sizes lack the captured signal `{camera}`: {where} without a column for it"


def _budgets(report: Report) -> Iterator[str]:
    for use in report.budgets:
        own = "" if use.trigger is None else f"trigger `{use.trigger}` in "
        what = f"the budget of {own}campaign `{use.campaign}`, {budget_text(use)}"
        if use.larger_clips:
            yield f"{use.larger_clips} of {counted(use.clips, 'clip')} cannot be uploaded: larger than {what}"
        elif is_exceeded(use) and use.per_day is not None:
            expected = use.per_day.mean
            amount = f"{expected:.1f} clips" if counts_clips(use.limit) else shown_bytes(round(expected))
            yield f"{amount} per vehicle and day are expected, more than {what}"


def is_of_vehicle_day(use: BudgetUse | BudgetUseView) -> bool:
    """Whether the limit is that of a vehicle's day."""
    return use.limit in ("vehicle_day_bytes", "vehicle_day_clips")


def is_exceeded(use: BudgetUse | BudgetUseView) -> bool:
    """Whether more than a day's budget is expected per day."""
    return is_of_vehicle_day(use) and use.per_day is not None and use.per_day.mean > use.amount


def budget_of(use: BudgetUse | BudgetUseView) -> str:
    """Whose budget it is: a campaign's, or that of a trigger in it."""
    return budget_owner(use.campaign, use.trigger)


def budget_text(use: BudgetUse | BudgetUseView) -> str:
    """A limit as the trigger file writes it."""
    return limit_text(use.limit, use.amount)


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"
