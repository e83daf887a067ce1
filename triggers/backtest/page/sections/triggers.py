"""Triggers on the page of a report: rates with intervals, the time that conditions were true, and why none fired."""

from __future__ import annotations

from collections.abc import Iterator

from triggers.backtest.page.figures import number_range, per_hour
from triggers.contracts.api.backtests.reports import PartSharesView
from triggers.contracts.api.backtests.stated import StatedReport
from triggers.pages import html, parts
from triggers.pages.html import text
from triggers.pages.shown_numbers import shown_bytes, shown_number, shown_share

_DRAWN = 30
"""Triggers whose conditions are drawn; the table has more of them."""
_TEXT = 300
_DEEPEST = 6
"""Lets in lets that are told apart."""


def rates(stated: StatedReport) -> Iterator[str]:
    """Fires, rates and sizes of each trigger, and the intervals of the rates beside each other."""
    report = stated.report
    rows = []
    for name, counts in report.triggers.items():
        rate = number_range(per_hour(report.forecast, name)) or shown_number(counts.per_hour)
        known = shown_share(counts.known_hours / counts.hours) if counts.hours else ""
        per_km, drives = shown_number(counts.per_1000_km), f"{counts.drives:,}"
        rows.append((name, f"{counts.fires:,}", f"{counts.suppressed:,}", rate, known, per_km, drives))
    columns = ("trigger", "fires", "suppressed", "per hour (95 %)", "known", "per 1,000 km", "drives")
    yield parts.table("Fires and rates", columns, rows)
    intervals = [(name, expected) for name in report.triggers if (expected := per_hour(report.forecast, name))]
    most = max((each.mean if each.high is None else each.high for _, each in intervals), default=0.0)
    for name, each in intervals[:_DRAWN]:
        label = f"{name}: {number_range(each)} fires per hour, on a scale from 0 to {shown_number(most)}"
        yield f'<h3 class="name">{text(name)}</h3>'
        yield parts.interval_bar(label, each.low, each.mean, most if each.high is None else each.high, most)
    if intervals:
        yield f'<div class="axis"><span>0</span><span>{text(shown_number(most))} fires per hour</span></div>'


def conditions(stated: StatedReport) -> Iterator[str]:
    """The time in which each condition and its parts were true, false and unknown, as bars and as a table."""
    rows = []
    drawn: list[str] = []
    for name, counts in stated.report.triggers.items():
        if counts.condition.true is None:
            continue
        signals = ", ".join(f"{signal} {shown_share(share)}" for signal, share in list(counts.unknown.items())[:5])
        shares = [(name, counts.condition, signals)] + [(_nested(each), each, "") for each in counts.parts]
        for label, each, unknown in shares:
            rows.append((label, shown_share(each.true), shown_share(each.false), shown_share(each.unknown), unknown))
        if len(drawn) < _DRAWN:
            drawn += [
                f'<h3 class="name">{text(label)}</h3>{parts.share_bar(label, each.true, each.false, each.unknown)}'
                for label, each, _ in shares[: _DRAWN - len(drawn)]
            ]
    if drawn:
        yield html.KEY
        yield from drawn
    yield parts.table("Shares of time", ("condition or part", "true", "false", "unknown", "unknown with"), rows)


def silent(stated: StatedReport) -> Iterator[str]:
    """A sentence for each trigger that never fired."""
    yield parts.listed([f"{name}: {each.why_not}" for name, each in stated.report.triggers.items() if each.why_not])


def clip_rows(stated: StatedReport) -> list[tuple[str, str, str, str]]:
    """Clips of each trigger: how many recordings, their mean size, and that of a clip for each fire alone."""
    return [
        (name, f"{each.recordings:,}", shown_bytes(each.recording_bytes), shown_bytes(each.clip_bytes))
        for name, each in stated.report.triggers.items()
    ]


def _nested(part: PartSharesView) -> str:
    """A part as it is written, with a mark for each let that it is in."""
    return "↳ " * min(part.depth, _DEEPEST) + (part.text if len(part.text) <= _TEXT else part.text[: _TEXT - 1] + "…")
