"""Fires by speed, place and hour on the page of a report, beside the hours driven so: rates with their intervals."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from triggers.backtest.page.figures import number_range
from triggers.contracts.api.backtests.reports import BinView
from triggers.contracts.api.backtests.stated import StatedReport
from triggers.pages import parts
from triggers.pages.html import text
from triggers.pages.shown_numbers import shown_number

_COLUMNS = ("fires", "hours", "per hour (95 %)")


def tables(stated: StatedReport) -> Iterator[str]:
    """Three tables for each trigger, and what is to be known of hours; nothing where it was not asked for."""
    found = stated.report.breakdown
    if found is None:
        return
    for trigger, bins in found.triggers.items():
        yield f'<h3 class="name">{text(trigger)}</h3>'
        yield _table(f"{trigger} by speed", "speed", bins.speed)
        yield _table(f"{trigger} by place", "place cell", bins.place)
        yield _table(f"{trigger} by hour", "hour", bins.hour)
    yield parts.left_out(stated.breakdowns_left_out, "trigger")
    note = "The hour is that of the local mean solar time, by the sun and not by clocks."
    if found.utc_hours:
        note += f" That of {shown_number(found.utc_hours)} h is of UTC, as their drives have no position."
    yield f"<p>{text(note)} Of many bins some are extreme by chance alone.</p>"


def _table(caption: str, name: str, bins: Sequence[BinView]) -> str:
    rows = [(each.bin, f"{each.fires:,}", f"{each.hours:,.2f}", number_range(each.per_hour)) for each in bins]
    return parts.table(caption, (name, *_COLUMNS), rows)
