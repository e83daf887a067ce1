"""A backtest's report for people: tables and a summary on standard output."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from fleet_api.cli.author.backtest_conditions import show_conditions
from fleet_api.cli.author.evidence.breakdown import show_breakdown
from fleet_api.cli.author.evidence.drives import show_drives, tell_concentrated
from fleet_api.cli.author.evidence.known_events import show_events
from fleet_api.cli.author.evidence.shown import SHOWN, tell_rest
from fleet_api.cli.output import counted, print_result, print_table, shown_bytes
from triggers.backtest.events import RATES
from triggers.backtest.page import limited
from triggers.backtest.page.figures import byte_range, number_range
from triggers.backtest.page.limited import counts_clips
from triggers.backtest.page.remarks import budget_of, budget_text
from triggers.pages.shown_numbers import shown_number
from triggers.times import NS_PER_S

if TYPE_CHECKING:
    from triggers.backtest.events import EventsOfDrives
    from triggers.backtest.limits.budgets import BudgetUse
    from triggers.backtest.limits.limited_day import LimitedDay
    from triggers.backtest.report import BacktestReport, ReportedFire, TriggerOverlap
    from triggers.contracts.compared import Compared
    from triggers.statistics.fleet_rates import FleetRate
    from triggers.statistics.interval import Interval


def show_report(report: BacktestReport) -> None:
    """Print every part of a report that is not empty."""
    distance = "" if report.km is None else f", {report.km:.1f} km"
    recorded = f"{counted(report.drives, 'drive')}, {counted(report.rows, 'row')}"
    print_result(f"{recorded}, {report.hours:.2f} h{distance}")
    _show_triggers(report)
    show_conditions(report)
    _show_fires(report.fires)
    _show_overlap(report.overlap)
    _show_compared(report.compared)
    _show_events(report.events)
    show_drives(report)
    if report.breakdown is not None:
        show_breakdown(report.breakdown)
    if report.known_events is not None:
        show_events(report.known_events)
    _show_budgets(report.budgets)
    _show_limited_days(report.limited_days)
    _show_forecast(report)


def _show_triggers(report: BacktestReport) -> None:
    rows: list[tuple[object, ...]] = []
    for name, counts in report.triggers.items():
        forecast = report.forecast.triggers.get(name) if report.forecast else None
        rows.append(
            (
                name,
                counts.fires,
                counts.recordings,
                counts.suppressed,
                shown_number(counts.per_hour),
                f"{100 * counts.known_hours / counts.hours:.0f} %" if counts.hours else "",
                shown_number(counts.per_1000_km),
                shown_bytes(counts.clip_bytes),
                byte_range(forecast.vehicle_day.bytes) if forecast else "",
            )
        )
    columns: tuple[str, ...] = (
        "trigger",
        "fires",
        "clips",
        "suppressed",
        "per hour",
        "known",
        "per 1,000 km",
        "per fire",
        "per vehicle-day",
    )
    if report.forecast is None:
        columns, rows = columns[:-1], [row[:-1] for row in rows]
    print_table("Triggers", columns, rows)
    tell_concentrated(report)


def _show_fires(fires: Sequence[ReportedFire]) -> None:
    if not fires:
        return
    rows = [(fire.drive, f"{fire.t:.3f} s", fire.trigger) for fire in fires[:SHOWN]]
    print_table("Fires", ("drive", "t", "trigger"), rows)
    tell_rest(len(fires), "--json and --fires write all of them")


def _show_budgets(budgets: Sequence[BudgetUse]) -> None:
    if not budgets:
        return
    rows = [
        (
            budget_of(use),
            budget_text(use),
            "" if use.per_day is None else _budget_use(use, use.per_day),
            ""
            if use.days is None
            else f"{shown_number(use.days.mean)} ({shown_number(use.days.low)} to {_days(use.days.high)})",
            f"{use.larger_clips} of {use.clips}" if not counts_clips(use.limit) else "",
        )
        for use in budgets
    ]
    print_table("Budgets", ("campaign", "budget", "forecast per day", "days until used", "larger clips"), rows)


def _show_limited_days(days: Sequence[LimitedDay]) -> None:
    if not days:
        return
    print_table("A day of the fleet under the campaigns' limits", limited.COLUMNS, map(limited.row, days))


def _budget_use(use: BudgetUse, per_day: Interval) -> str:
    return number_range(per_day) if counts_clips(use.limit) else byte_range(per_day)


def _days(days: float) -> str:
    return shown_number(days) if math.isfinite(days) else "never"


def _show_overlap(pairs: Sequence[TriggerOverlap]) -> None:
    if not pairs:
        return
    rows = [(pair.trigger, pair.other, pair.fires, f"{100 * pair.share:.0f} %") for pair in pairs[:SHOWN]]
    columns = ("trigger", "with", "fires", "of its fires")
    print_table("Fires that share a clip with another trigger", columns, rows)
    tell_rest(len(pairs), "--json writes all of them")


def _show_compared(heads: Mapping[str, Compared]) -> None:
    if not heads:
        return
    columns = ("head", "both true", "only active true", "only shadow true", "both false", "unknown")
    rows = [
        (head, pairs.both, pairs.only_active, pairs.only_shadow, pairs.neither, pairs.unknown)
        for head, pairs in heads.items()
    ]
    print_table("Compared heads, in pairs of samples", columns, rows)


def _show_events(events: Sequence[EventsOfDrives]) -> None:
    if not events:
        return
    rows = [
        (
            each.key.head,
            " and ".join(each.key.sides.names),
            f"{each.key.within_ns / NS_PER_S:g} s",
            *(_counted_per_1000_km(getattr(each.counts, name), each.rate(name)) for name in RATES),
            each.counts.unresolved_first + each.counts.unresolved_second,
        )
        for each in events
    ]
    columns = ("head", "sides", "within", "both (per 1,000 km)", "first alone", "second alone", "unresolved")
    print_table("Compared events", columns, rows)


def _counted_per_1000_km(count: int, rate: FleetRate | None) -> str:
    """A count, and the rate if the distance is known, as in `12 (3.4)`."""
    return str(count) if rate is None else f"{count} ({shown_number(rate.interval.mean)})"


def _show_forecast(report: BacktestReport) -> None:
    forecast = report.forecast
    if forecast is None:
        print_result(
            "no forecast: clips were recorded because something happened, so they are not a random sample of driving, "
            "and neither are these rates those of a vehicle"
        )
        return
    vehicles = f"{counted(forecast.fleet.vehicles, 'vehicle')} at {forecast.fleet.hours_per_day:g} h per day"
    if forecast.fleet_day is None:
        print_result(f"no forecast for {vehicles}: no time was recorded")
        return
    print_result(
        f"forecast for {vehicles}: {byte_range(forecast.fleet_day.bytes)} and "
        f"{number_range(forecast.fleet_day.fires)} fires per day ({100 * forecast.confidence:.0f} % interval)"
    )
    if report.drives < 2:
        print_result("the interval is that of a single drive: how much drives differ cannot be seen from one")
