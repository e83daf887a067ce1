"""A backtest's report for people: tables and a summary on standard output."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from fleet_api.cli.output import counted, print_result, print_table, remark, shown_bytes

if TYPE_CHECKING:
    from triggers.backtest.forecast import Forecast
    from triggers.backtest.report import BacktestReport, ReportedFire, TriggerOverlap
    from triggers.contracts.compared import Compared
    from triggers.statistics import Interval

_SHOWN = 20
"""Rows that are shown of the longer tables; the files have all of them."""


def show_report(report: BacktestReport) -> None:
    """Print every part of a report that is not empty."""
    distance = "" if report.km is None else f", {report.km:.1f} km"
    recorded = f"{counted(report.drives, 'drive')}, {counted(report.rows, 'row')}"
    print_result(f"{recorded}, {report.hours:.2f} h{distance}")
    _show_triggers(report)
    _show_fires(report.fires)
    _show_overlap(report.overlap)
    _show_compared(report.compared)
    if report.overflows:
        remark(
            f"{counted(report.overflows, 'sample')} came faster than the signal catalog declares, and windows "
            "lost them: correct the signals' `rate`"
        )
    _show_forecast(report.forecast)


def _show_triggers(report: BacktestReport) -> None:
    rows = []
    for name, counts in report.triggers.items():
        forecast = report.forecast.triggers.get(name)
        rows.append(
            (
                name,
                counts.fires,
                counts.suppressed,
                _number(counts.per_hour),
                _number(counts.per_1000_km),
                shown_bytes(counts.clip_bytes),
                _byte_range(forecast.vehicle_day.bytes) if forecast else "",
            )
        )
    columns = ("trigger", "fires", "suppressed", "per hour", "per 1,000 km", "per clip", "per vehicle-day")
    print_table("Triggers", columns, rows)


def _show_fires(fires: Sequence[ReportedFire]) -> None:
    if not fires:
        return
    rows = [(fire.drive, f"{fire.t:.3f} s", fire.trigger) for fire in fires[:_SHOWN]]
    print_table("Fires", ("drive", "t", "trigger"), rows)
    _tell_rest(len(fires), "--json and --fires write all of them")


def _show_overlap(pairs: Sequence[TriggerOverlap]) -> None:
    if not pairs:
        return
    rows = [(pair.trigger, pair.other, pair.fires, f"{100 * pair.share:.0f} %") for pair in pairs[:_SHOWN]]
    columns = ("trigger", "with", "fires", "of its fires")
    print_table("Fires that share a clip with another trigger", columns, rows)
    _tell_rest(len(pairs), "--json writes all of them")


def _show_compared(heads: Mapping[str, Compared]) -> None:
    if not heads:
        return
    columns = ("head", "both true", "only active true", "only shadow true", "both false", "unknown")
    rows = [
        (head, pairs.both, pairs.only_active, pairs.only_shadow, pairs.neither, pairs.unknown)
        for head, pairs in heads.items()
    ]
    print_table("Compared heads, in pairs of samples", columns, rows)


def _show_forecast(forecast: Forecast) -> None:
    vehicles = f"{counted(forecast.fleet.vehicles, 'vehicle')} at {forecast.fleet.hours_per_day:g} h per day"
    if forecast.fleet_day is None:
        print_result(f"no forecast for {vehicles}: no time was recorded")
        return
    print_result(
        f"forecast for {vehicles}: {_byte_range(forecast.fleet_day.bytes)} and "
        f"{_count_range(forecast.fleet_day.fires)} fires per day ({100 * forecast.confidence:.0f} % interval)"
    )


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.3g}" if value < 100 else f"{value:,.0f}"


def _byte_range(interval: Interval) -> str:
    low, mean, high = (shown_bytes(round(bound)) for bound in (interval.low, interval.mean, interval.high))
    return f"{mean} ({low} to {high})"


def _count_range(interval: Interval) -> str:
    low, mean, high = (_number(bound) for bound in (interval.low, interval.mean, interval.high))
    return f"{mean} ({low} to {high})"


def _tell_rest(count: int, where: str) -> None:
    if count > _SHOWN:
        print_result(f"and {count - _SHOWN} more ({where})")
