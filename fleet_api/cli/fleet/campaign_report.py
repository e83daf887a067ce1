"""Campaigns for people: the columns of lists, and all details of one version."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fleet_api.cli.fleet.budget import show_accounts
from fleet_api.cli.fleet.campaign_backtest import show_report
from fleet_api.cli.output import (
    Column,
    counted,
    print_fields,
    print_table,
    print_text,
    print_title,
    remark,
    shown_bytes,
)
from triggers.contracts.api.outcomes import FIRE_OUTCOMES
from triggers.pages.shown_numbers import shown_number

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from triggers.contracts.api.campaigns import (
        BacktestForecast,
        CampaignDetails,
        CampaignSummary,
        ComparedView,
        CostView,
        EventCountsView,
        Expected,
    )
    from triggers.contracts.api.costs.expected import ExpectedCostView
    from triggers.contracts.api.outcomes import OutcomesView
    from triggers.contracts.compared import Sides

CAMPAIGN_COLUMNS: tuple[Column[CampaignSummary], ...] = (
    Column("campaign", lambda version: version.campaign),
    Column("version", lambda version: version.version),
    Column("state", lambda version: version.state),
    Column("ended_reason", lambda version: version.ended_reason),
    Column("author", lambda version: version.author),
    Column("owner", lambda version: version.owner),
    Column("cost_centre", lambda version: version.cost_centre),
    Column("approved_by", lambda version: version.approved_by),
    Column("fired", lambda version: version.outcomes.fired),
    Column("catalogued", lambda version: version.outcomes.catalogued),
    Column("approval_digest", lambda version: version.approval_digest),
)
VERSION_COLUMNS: tuple[Column[CampaignSummary], ...] = (
    Column("version", lambda version: version.version),
    Column("state", lambda version: version.state),
    Column("ended_reason", lambda version: version.ended_reason),
    Column("author", lambda version: version.author),
    Column("created_at", lambda version: version.created_at),
    Column("approved_by", lambda version: version.approved_by),
    Column("fired", lambda version: version.outcomes.fired),
    Column("catalogued", lambda version: version.outcomes.catalogued),
    Column("approval_digest", lambda version: version.approval_digest),
)
_EVENTS = ("matched", "only_first", "only_second", "unresolved_first", "unresolved_second")
_PAIRS = ("neither", "only_shadow", "only_active", "both", "unknown")


def show_details(details: CampaignDetails) -> None:
    """Print a version's review and outcomes, and its compared heads, events and budget accounts if it has any."""
    show_review(details)
    show_outcomes(details.outcomes)
    if details.compared:
        _show_compared(details.compared)
    if details.events:
        _show_events(details.events)
    if details.budget:
        show_accounts(details.budget, title="Budget")


def show_review(details: CampaignDetails) -> None:
    """Print what an approver looks at: fields, text, settings, cost, and the difference to the version that runs."""
    review = details.review
    of_campaign = ("campaign", "owner", "cost_centre")
    names = (*of_campaign, "version", "state", "ended_reason", "author", "created_at", "approved_by", "approved_at")
    rejected = ("rejected_by", "rejected_at", "rejected_reason") if details.rejected_at else ()
    held = ("held_by", "held_at", "held_reason") if details.held_at else ()
    print_fields(
        {name: getattr(details, name) for name in (*names, *rejected, *held, "program_digest", "approval_digest")}
    )
    known = ", ".join(review.catalogs) or "its author's own: none that is published has this text"
    print_fields({"signal_catalog": known, "catalog_digest": review.catalog_digest})
    print_text("Trigger text", details.source)
    print_title("Settings")
    print_fields(review.settings)
    if review.cost is not None:
        print_title("Cost on a vehicle, at most")
        print_fields(_cost_fields(review.cost))
    show_report(review.report)
    if review.backtest_digest is not None:
        print_fields({"backtest_digest": review.backtest_digest})
    if review.forecast is not None:
        _show_forecast(review.forecast)
        if review.expected_cost is not None:
            _show_expected_cost(review.expected_cost)
    else:
        remark("no forecast: the author sent no backtest of this program")
    if review.difference:
        print_text(f"Difference to version {review.runs}, which runs", review.difference)
    elif review.runs is None:
        remark("no version of this campaign runs now")
    elif review.runs != details.version:
        remark(f"version {review.runs}, which runs, has the same text, settings, cost and signal catalog")


def _show_forecast(forecast: BacktestForecast) -> None:
    """What the author's backtest expects, and what that means for the budgets."""
    driven = f"{counted(forecast.drives, 'drive')}, {shown_number(forecast.hours)} h"
    title = (
        f"Forecast of the author's backtest ({driven}) for "
        f"{counted(forecast.vehicles, 'vehicle')} at {forecast.hours_per_day:g} h per day"
    )
    names = ("trigger", "fires per day", "clips per day", "bytes per day", "bytes per vehicle and day")
    rows = [
        (
            trigger,
            _range(expected.fires_per_fleet_day),
            _range(expected.clips_per_fleet_day),
            _range(expected.bytes_per_fleet_day, _bytes),
            _range(expected.bytes_per_vehicle_day, _bytes),
        )
        for trigger, expected in forecast.triggers.items()
    ]
    print_table(title, names, rows)
    budgets = [
        (use.trigger or "", use.limit, use.amount, _range(use.per_day), _range(use.days), use.larger_clips)
        for use in forecast.budgets
    ]
    if budgets:
        print_table(
            "Budgets in this forecast",
            ("trigger", "budget", "limit", "per day", "days until used", "larger clips"),
            budgets,
        )


def _show_expected_cost(expected: ExpectedCostView) -> None:
    """What the clips of a day of the fleet cost until they are erased."""
    if expected.unknown is not None:
        remark(f"the cost of the forecast is not known: {expected.unknown}")
        return
    title = f"Cost of a day's clips until they are erased, in {expected.currency} (price book {expected.price_book})"
    rows = [
        (cost.trigger, str(cost.network), f"{_money(cost.mean)} ({_money(cost.low)} to {_money(cost.high)})")
        for cost in expected.costs
    ]
    print_table(title, ("trigger", "uploaded on", "cost"), rows)


def _money(amount: str) -> str:
    from decimal import Decimal

    from triggers.costs.amounts import rounded

    return f"{rounded(Decimal(amount)):,f}"


def _bytes(value: float) -> str:
    return shown_bytes(round(value))


def _range(expected: Expected | None, shown: Callable[[float], str] = shown_number) -> str:
    """A mean, with its interval in parentheses."""
    if expected is None:
        return ""
    high = "" if expected.high is None else shown(expected.high)
    return f"{shown(expected.mean)} ({shown(expected.low)} to {high or 'for ever'})"


def _cost_fields(cost: CostView) -> dict[str, str]:
    burst = f" and {cost.burst_operations:,} more in a burst" if cost.burst_operations else ""
    return {
        "operations": f"{cost.operations_per_tick:,} per tick{burst}, {cost.operations_per_block:,} per block of ticks",
        "state": f"{cost.state_bytes:,} bytes",
    }


def show_outcomes(outcomes: OutcomesView) -> None:
    """Print the outcomes of fires; parts of others have a column only if there are any."""
    parts = [name for name in ("expired", "erased", "unaccounted") if getattr(outcomes, name)]
    names = ["fired", *FIRE_OUTCOMES, *parts, "suppressed"]
    row = [counted_by_reason(getattr(outcomes, name)) for name in names]
    print_table("Fires", names, [row])


def counted_by_reason(value: int | Mapping[str, int]) -> object:
    """A count, or the sum of counts followed by the counts per reason."""
    if isinstance(value, int):
        return value
    reasons = ", ".join(f"{reason} {count}" for reason, count in value.items())
    return f"{sum(value.values())} ({reasons})" if value else 0


def _show_compared(compared: Mapping[str, ComparedView]) -> None:
    rows = [(head, *(getattr(pairs, name) for name in _PAIRS)) for head, pairs in compared.items()]
    print_table("Compared heads, in pairs of samples", ("head", *_PAIRS), rows)


def _show_events(events: Mapping[str, Mapping[Sides, EventCountsView]]) -> None:
    rows = [
        (head, " and ".join(sides.names), *(getattr(counts, name) for name in _EVENTS))
        for head, of_head in events.items()
        for sides, counts in of_head.items()
    ]
    print_table("Compared events", ("head", "first and second", *_EVENTS), rows)
