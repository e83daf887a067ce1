"""Known events on the page of a report: how many of them each trigger found, how late, and what it told falsely."""

from __future__ import annotations

from collections.abc import Iterator

from triggers.backtest.page.figures import share_range
from triggers.contracts.api.backtests.stated import StatedReport
from triggers.pages import parts
from triggers.pages.html import text
from triggers.pages.shown_numbers import counted, shown_number


def found(stated: StatedReport) -> Iterator[str]:
    """Precision and recall of each trigger, with intervals over drives; nothing where no events were known."""
    known = stated.report.known_events
    if known is None:
        return
    rows = [
        (
            name,
            f"{each.found:,} of {each.events:,}",
            f"{each.missed:,}",
            f"{each.unknown + each.outside:,}",
            f"{each.false_alarms:,}",
            share_range(each.precision),
            share_range(each.recall),
            "" if each.delay_median_s is None else f"{shown_number(each.delay_median_s)} s",
        )
        for name, each in known.triggers.items()
    ]
    columns = ("trigger", "found", "missed", "not judged", "false alarms", "precision", "recall", "median delay")
    yield parts.table("Known events", columns, rows)
    notes = f"A fire finds an event that is at most {known.window_s:g} s away."
    if known.elsewhere:
        notes += f" {counted(known.elsewhere, 'event')} of drives that did not run do not count."
    if known.drives_without:
        notes += f" {counted(known.drives_without, 'drive')} had no known event: each fire there is a false alarm."
    yield f"<p>{text(notes)}</p>"
