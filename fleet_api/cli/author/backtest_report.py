"""The report of a backtest as people read it: tables on standard error."""

from __future__ import annotations

from typing import Any

from fleet_api.cli.output import counted, print_table, remark, shown_bytes

_SHOWN = 20
"""Rows of the longer tables; the files have all."""


def show_report(result: dict[str, Any]) -> None:
    """All of a report that has something to show."""
    distance = "" if result["km"] is None else f", {result['km']:.1f} km"
    recorded = f"{counted(result['drives'], 'drive')}, {counted(result['rows'], 'row')}"
    remark(f"{recorded}, {result['hours']:.2f} h{distance}")
    _show_triggers(result)
    _show_fires(result["fires"])
    _show_overlap(result["overlap"])
    _show_compared(result["compared"])
    if result["overflows"]:
        remark(
            f"{counted(result['overflows'], 'sample')} came faster than the signal catalog declares and were lost to "
            "windows: correct the signals' `rate`"
        )
    _show_forecast(result["forecast"])


def _show_triggers(result: dict[str, Any]) -> None:
    rows = []
    for name, each in result["triggers"].items():
        forecast = result["forecast"]["triggers"].get(name)
        rows.append(
            (
                name,
                each["fires"],
                each["suppressed"],
                _number(each["per_hour"]),
                _number(each["per_1000_km"]),
                shown_bytes(each["clip_bytes"]),
                _range(forecast["bytes_per_vehicle_day"]) if forecast else "",
            )
        )
    columns = ("trigger", "fires", "suppressed", "an hour", "per 1,000 km", "a clip", "a vehicle-day")
    print_table("Triggers", columns, rows)


def _show_fires(fires: list[dict[str, Any]]) -> None:
    if not fires:
        return
    rows = [(fire["drive"], f"{fire['t']:.3f} s", fire["trigger"]) for fire in fires[:_SHOWN]]
    print_table("Fires", ("drive", "t", "trigger"), rows)
    _tell_rest(len(fires), "--json or --fires gives all")


def _show_overlap(pairs: list[dict[str, Any]]) -> None:
    if not pairs:
        return
    rows = [(p["trigger"], p["other"], p["fires"], f"{100 * p['share']:.0f} %") for p in pairs[:_SHOWN]]
    print_table("Fires that share a clip with another trigger", ("trigger", "with", "fires", "of its fires"), rows)
    _tell_rest(len(pairs), "--json gives all")


def _show_compared(heads: dict[str, dict[str, int]]) -> None:
    if not heads:
        return
    columns = ("head", "both true", "only active true", "only shadow true", "both false", "unknown")
    keys = ("both", "only_active", "only_shadow", "neither", "unknown")
    rows = [(head, *(counts[key] for key in keys)) for head, counts in heads.items()]
    print_table("Compared heads, in pairs of samples", columns, rows)


def _show_forecast(forecast: dict[str, Any]) -> None:
    vehicles = f"{counted(forecast['vehicles'], 'vehicle')} at {forecast['hours_per_day']:g} h a day"
    if "bytes_per_fleet_day" not in forecast:
        remark(f"no forecast for {vehicles}: no time was recorded")
        return
    remark(
        f"forecast for {vehicles}: {_range(forecast['bytes_per_fleet_day'])} and "
        f"{_count_range(forecast['fires_per_fleet_day'])} fires a day ({100 * forecast['confidence']:.0f} % interval)"
    )


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.3g}" if value < 100 else f"{value:,.0f}"


def _range(interval: dict[str, float]) -> str:
    low, mean, high = (shown_bytes(round(interval[key])) for key in ("low", "mean", "high"))
    return f"{mean} ({low} to {high})"


def _count_range(interval: dict[str, float]) -> str:
    low, mean, high = (_number(interval[key]) for key in ("low", "mean", "high"))
    return f"{mean} ({low} to {high})"


def _tell_rest(count: int, where: str) -> None:
    if count > _SHOWN:
        remark(f"and {count - _SHOWN} more ({where})")
