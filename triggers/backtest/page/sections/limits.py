"""Limits on the page of a report: how long budgets last, what they refuse of a fleet's day, and bytes by network."""

from __future__ import annotations

from collections.abc import Iterator

from triggers.backtest.page.figures import byte_range, in_days, number_range, share_range
from triggers.backtest.page.limited import COLUMNS, counts_clips, row
from triggers.backtest.page.remarks import budget_of, budget_text
from triggers.contracts.api.backtests.stated import StatedReport
from triggers.pages import parts
from triggers.pages.html import text
from triggers.pages.shown_numbers import shown_share

_DRAWN = 30
"""Campaigns whose refused shares are drawn; the table has more of them."""


def budgets(stated: StatedReport) -> Iterator[str]:
    """Each limit beside what the forecast expects of it."""
    rows = []
    for use in stated.report.budgets:
        per_day = number_range(use.per_day) if counts_clips(use.limit) else byte_range(use.per_day)
        refused = ""
        if not counts_clips(use.limit) and use.clips:
            refused = f"{use.larger_clips:,} of {use.clips:,} ({shown_share(use.larger_clips / use.clips)})"
        rows.append((budget_of(use), budget_text(use), per_day, in_days(use.days), refused))
    columns = ("campaign", "budget", "forecast per day", "days until used", "clips refused as too large")
    yield parts.table("Budgets beside the forecast", columns, rows)


def days(stated: StatedReport) -> Iterator[str]:
    """What the limits of each campaign refuse of a day of the fleet, and what may go over cellular networks."""
    found = stated.report.limited_days
    yield parts.table("A day of the fleet under the campaigns' limits", COLUMNS, [row(day) for day in found])
    for day in found[:_DRAWN]:
        if day.refused is not None:
            shown = day.refused
            label = f"{day.campaign}: {share_range(shown)} of the clips refused, on a scale from 0 to 100 %"
            yield f'<h3 class="name">{text(day.campaign)}: refused share of clips</h3>'
            yield parts.interval_bar(label, shown.low, shown.mean, 1.0 if shown.high is None else shown.high, 1.0)
    if found:
        yield '<div class="axis"><span>0</span><span>100&nbsp;% of the clips</span></div>'
        yield (
            "<p>A refused clip waits for the next day or is dropped, as its campaign says. A total counts as unused at "
            "the day's beginning.</p>"
        )
