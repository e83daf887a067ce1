"""Compared heads and events on the page of a report."""

from __future__ import annotations

from collections.abc import Iterator

from triggers.backtest.page.figures import number_range
from triggers.contracts.api.backtests.reports import BacktestEventsView
from triggers.contracts.api.backtests.stated import StatedReport
from triggers.contracts.api.campaigns import Expected
from triggers.pages import parts
from triggers.pages.shown_numbers import shown_share
from triggers.times import NS_PER_S


def heads(stated: StatedReport) -> Iterator[str]:
    """How often the two networks' values of heads differ, and what became of their events."""
    rows = []
    for head, pairs in stated.report.compared.items():
        known = pairs.both + pairs.only_active + pairs.only_shadow + pairs.neither
        differ = shown_share((pairs.only_active + pairs.only_shadow) / known) if known > 0 else ""
        counts = (pairs.both, pairs.only_active, pairs.only_shadow, pairs.neither, pairs.unknown)
        rows.append((head, *(f"{count:,}" for count in counts), differ))
    columns = ("head", "both true", "only active true", "only shadow true", "both false", "unknown", "differ")
    yield parts.table("Compared heads, in pairs of samples", columns, rows)
    yield parts.table(
        "Compared events, with rates per 1,000 km",
        ("head", "sides", "within", "both", "first alone", "second alone", "unresolved"),
        [_row(each) for each in stated.report.events],
    )


def _row(events: BacktestEventsView) -> tuple[str, ...]:
    return (
        events.head,
        " and ".join(events.sides.names),
        f"{events.within_ns / NS_PER_S:g} s",
        _counted(events.matched, events.matched_per_1000km),
        _counted(events.only_first, events.only_first_per_1000km),
        _counted(events.only_second, events.only_second_per_1000km),
        f"{events.unresolved_first + events.unresolved_second:,}",
    )


def _counted(count: int, rate: Expected | None) -> str:
    return f"{count:,}" if rate is None else f"{count:,}, {number_range(rate)}"
