"""Remarks on a backtest, on standard error: what was left out, unknown, merged or not counted, and what cannot fit."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from fleet_api.cli.output import counted, remark, shown_bytes

if TYPE_CHECKING:
    from triggers.backtest.budgets import BudgetUse
    from triggers.backtest.report import BacktestReport

MOSTLY_KNOWN = 0.95
"""A trigger whose condition was known for less than this share of the time is remarked on."""
_SHOWN = 20
"""Remarks of one kind; the report has all of them."""


def tell_remarks(report: BacktestReport) -> None:
    """Print what the figures do not say by themselves."""
    for lines in (_left_out(report), _findings(report), _unknown(report), _uncounted(report), _budgets(report)):
        all_lines = list(lines)
        for line in all_lines[:_SHOWN]:
            remark(line)
        if len(all_lines) > _SHOWN:
            remark(f"and {len(all_lines) - _SHOWN} more like this (--json has all of them)")
    if report.overflows:
        remark(
            f"{counted(report.overflows, 'sample')} came faster than the signal catalog declares, and windows "
            "lost them: correct the signals' `rate`"
        )


def _left_out(report: BacktestReport) -> Iterator[str]:
    for each in report.left_out:
        yield f"`{each.trigger}` did not run on {each.drives} of {counted(report.drives, 'drive')}: {each.reason}"


def _findings(report: BacktestReport) -> Iterator[str]:
    for found in report.findings:
        example = f" ({found.value})" if found.value else ""
        yield (
            f"column `{found.column}` in {counted(found.drives, 'drive')}: {found.count:,} times {found.problem}, "
            f"first in drive `{found.first_drive}`, row {found.row}{example}; {found.remedy}"
        )


def _unknown(report: BacktestReport) -> Iterator[str]:
    for name, counts in report.triggers.items():
        if not counts.hours or counts.known_hours >= MOSTLY_KNOWN * counts.hours:
            continue
        signals = ", ".join(f"`{signal}` {_percent(share)}" for signal, share in list(counts.unknown.items())[:5])
        share = _percent(1 - counts.known_hours / counts.hours)
        yield (
            f"`{name}`: for {share} of the time its condition was unknown"
            f"{f' ({signals})' if signals else ''}, so it could not fire; ask for this with `missing(...)`"
        )


def _uncounted(report: BacktestReport) -> Iterator[str]:
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


def _budgets(report: BacktestReport) -> Iterator[str]:
    for use in report.budgets:
        what = f"the budget of campaign `{use.campaign}`, {budget_text(use)}"
        if use.larger_clips:
            yield f"{use.larger_clips} of {counted(use.clips, 'clip')} cannot be uploaded: larger than {what}"
        elif use.is_exceeded and use.per_day is not None:
            yield f"{shown_bytes(round(use.per_day.mean))} per vehicle and day are expected, more than {what}"


def budget_text(use: BudgetUse) -> str:
    """A limit as the trigger file writes it."""
    if use.limit == "clips":
        return counted(use.amount, "clip")
    suffix = {"vehicle_day_bytes": "per vehicle per day", "total_bytes": "total", "upload_bytes": "per upload"}
    return f"{shown_bytes(use.amount)} {suffix[use.limit]}"


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"
