"""The page of a report: its sections in order, each a function that gives nothing where the report has nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from triggers.backtest.page.figures import byte_range, in_days, number_range, per_hour, share_range
from triggers.backtest.page.limited import cellular
from triggers.backtest.page.remarks import budget_of, budget_text, concentrated, remarks, unread
from triggers.backtest.page.sections import breakdown, compared, drives, known_events, limits, ran, triggers, volume
from triggers.contracts.api.backtests.stated import StatedReport
from triggers.contracts.campaign import Network
from triggers.pages import html, parts
from triggers.pages.html import text
from triggers.pages.shown_numbers import counted

STYLE = html.STYLE + parts.STYLE
POLICY = html.policy(STYLE)
MAX_KEY_TRIGGERS = 4
SECTIONS = (
    ("Triggers", triggers.rates),
    ("How long conditions were true", triggers.conditions),
    ("Why triggers never fired", triggers.silent),
    ("Forecast", volume.forecast),
    ("Budgets", limits.budgets),
    ("A day under the limits", limits.days),
    ("Clips", volume.clips),
    ("Known events", known_events.found),
    ("Compared heads and events", compared.heads),
    ("Fires by drive", drives.timeline),
    ("Speed, place and hour", breakdown.tables),
    ("Drives", drives.table),
    ("Single drives", drives.single),
    ("Left out", drives.left_out),
    ("What ran", ran.what),
)
"""The sections below the key figures and the remarks."""


def page(stated: StatedReport, *, title: str | None = None, notes: Sequence[str] = ()) -> str:
    """The page; `notes` are sentences about the report, such as that its settings are not those to be approved."""
    heading = title or f"Backtest of {stated.run.file}"
    return html.page(heading, _body(stated, heading, notes), style=STYLE)


def _body(stated: StatedReport, heading: str, notes: Sequence[str]) -> Iterator[str]:
    yield f"<main><h1>{text(heading)}</h1>"
    run = stated.run
    yield f'<p class="facts">{text(", ".join(filter(None, (run.file, ran.when(run)))))}</p>'
    for note in notes:
        yield f'<p class="warning">{text(note)}</p>'
    yield from _key_figures(stated)
    yield from parts.section("Remarks", filter(None, [parts.listed(all_remarks(stated))]))
    for title, of_report in SECTIONS:
        yield from parts.section(title, filter(None, of_report(stated)))
    yield "</main>"


def all_remarks(stated: StatedReport) -> list[str]:
    """What the figures do not say by themselves, what few drives carry first."""
    report = stated.report
    lines = list(concentrated(report))
    if report.drives < 2 and report.forecast is not None:
        lines.append("the intervals are those of a single drive: how much drives differ cannot be seen from one")
    if report.failed_drives:
        lines.append(unread(len(report.failed_drives)))
    return lines + [line for kind in remarks(report) for line in kind]


def _key_figures(stated: StatedReport) -> Iterator[str]:
    report = stated.report
    figures = {
        "driven": f"{report.hours:,.2f} h" + ("" if report.km is None else f", {report.km:,.1f} km"),
        "drives": f"{report.drives:,}",
    }
    for name, counts in list(report.triggers.items())[:MAX_KEY_TRIGGERS]:
        rate = number_range(per_hour(report.forecast, name))
        figures[f"{name}: fires per hour"] = rate or f"{counts.fires:,} fires"
    if report.forecast is not None and report.forecast.bytes_per_fleet_day is not None:
        fleet = counted(report.forecast.vehicles, "vehicle")
        figures[f"forecast per day, {fleet}"] = byte_range(report.forecast.bytes_per_fleet_day)
    for day in report.limited_days[:MAX_KEY_TRIGGERS]:
        figures[f"{day.campaign}: clips of a day refused"] = share_range(day.refused)
        if Network.CELLULAR in day.networks:
            figures[f"{day.campaign}: over cellular per day"] = cellular(day)
    for use in report.budgets[:MAX_KEY_TRIGGERS]:
        if use.days is not None:
            figures[f"days until {budget_of(use)} has used {budget_text(use)}"] = in_days(use.days)
    yield parts.facts(figures)
