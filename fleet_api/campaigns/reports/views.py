"""The API's views of attached reports: their key figures, and the page that an approver opens."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from fleet_api.campaigns.reports.rules import coarse
from storage.campaigns.queries import StoredContent, settings_of
from storage.campaigns.reports import AttachedSummary
from triggers.backtest.page.figures import per_hour
from triggers.backtest.page.of_campaign import differences
from triggers.backtest.page.page import all_remarks, page
from triggers.backtest.page.remarks import CONCENTRATED, unread
from triggers.contracts.api.backtests.reports import ReportView
from triggers.contracts.api.backtests.stated import StatedReport
from triggers.contracts.api.campaigns import ReportSummaryView
from triggers.contracts.base import text_digest
from triggers.foreign_text import escaped
from triggers.pages.shown_numbers import counted, shown_share

MAX_REMARKS = 20
MAX_REMARK = 500


def summary(stated: StatedReport, content: StoredContent) -> dict[str, Any]:
    """The key figures of a version's report, as they are stored: of the version's own triggers.

    Remarks quote no values of drives, and name no drive, as everybody who sees the version reads them.
    """
    report, settings = stated.report, settings_of(content.settings)
    remarks = [escaped(line)[:MAX_REMARK] for line in (*_of_drives(report), *all_remarks(coarse(stated)))]
    names = [trigger.name for trigger in settings.triggers if trigger.name in report.triggers]
    return {
        "ran_at": None if stated.run.at is None else stated.run.at.isoformat(),
        "longtail": None if stated.run.longtail is None else escaped(stated.run.longtail),
        "drives": report.drives,
        "hours": report.hours,
        "km": report.km,
        "triggers": {
            name: {
                "fires": report.triggers[name].fires,
                "hours": report.triggers[name].hours,
                "per_hour": None if (rate := per_hour(report.forecast, name)) is None else rate.model_dump(),
            }
            for name in names
        },
        "remarks": remarks[:MAX_REMARKS],
        "more_remarks": max(0, len(remarks) - MAX_REMARKS),
        "differences": differences(stated, settings, text_digest(content.signal_catalog)),
    }


def _of_drives(report: ReportView) -> Iterator[str]:
    """What there is to say of single drives, without naming one."""
    for name, counts in report.triggers.items():
        left = report.leave_one_out.get(name)
        if left is not None and left.carries:
            yield f"{name}: one drive carries the result, whose rate is another one without it"
        elif counts.drives > 1 and counts.largest_share is not None and counts.largest_share > CONCENTRATED:
            share = shown_share(counts.largest_share)
            yield f"{name}: {share} of the fires are in one of {counted(counts.drives, 'drive')}"
    for each in report.left_out:
        yield f"`{each.trigger}` did not run on {each.drives} of {counted(report.drives, 'drive')}"
    if report.failed_drives:
        yield unread(len(report.failed_drives))
    if report.findings:
        yield "some samples of drives were unknown, replaced or merged while they were read"


def summary_view(attached: AttachedSummary) -> ReportSummaryView:
    """The key figures with who attached the report when."""
    return ReportSummaryView(
        **attached.summary,
        attached_by=attached.attached_by,
        attached_by_id=attached.attached_by_id,
        attached_at=attached.attached_at,
    )


def report_page(campaign: str, version: int, attached: ReportSummaryView, stated: StatedReport, *, whole: bool) -> str:
    """The page, with what an approver should know of it above everything else."""
    notes = [f"{attached.attached_by} attached this report at {attached.attached_at:%Y-%m-%d %H:%M} UTC."]
    notes += [f"{line[:1].upper()}{line[1:]}." for line in attached.differences]
    if not whole:
        notes.append("You see place cells only: what says of single drives or moments what happened is left out.")
    return page(stated, title=f"Backtest of {campaign} version {version}", notes=notes)
