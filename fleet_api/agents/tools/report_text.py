"""The report of a backtest in few words, for a model."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from fleet_api.agents.tools.tool import counted
from triggers.contracts.campaign import budget_owner
from triggers.pages.shown_numbers import shown_number

MAX_SHOWN = 20
"""Fires, and remarks of each kind, that the text has; the data have more."""


def report_text(report: dict[str, Any], fires: list[dict[str, Any]], fires_in_all: int) -> str:
    """What a backtest has given; `report` as the API's document has it."""
    km = "" if report["km"] is None else f", {report['km']:.1f} km"
    recorded = f"{counted(report['drives'], 'drive')}, {counted(report['rows'], 'row')}, {report['hours']:.2f} h{km}"
    lines = [f"{recorded}; {counted(fires_in_all, 'fire')}"]
    for name, counts in report["triggers"].items():
        lines += _trigger(name, counts, (report["forecast"] or {}).get("triggers", {}).get(name))
    if fires:
        shown = ", ".join(f"{each['trigger']} at {each['t']:.2f} s of {each['drive']}" for each in fires[:MAX_SHOWN])
        lines.append(f"fires: {shown}{', ...' if fires_in_all > MAX_SHOWN else ''}")
    lines += _budgets(report)
    lines += _remarks(report)
    return "\n".join(lines)


def _trigger(name: str, counts: dict[str, Any], forecast: dict[str, Any] | None) -> Iterator[str]:
    rates = [
        f"{shown_number(counts[key])} {unit}"
        for key, unit in (("per_hour", "per hour"), ("per_1000_km", "per 1,000 km"))
        if counts[key] is not None
    ]
    yield f"{name}: {counted(counts['fires'], 'fire')}, {counts['suppressed']} suppressed" + "".join(
        f", {each}" for each in rates
    )
    if counts["why_not"]:
        yield f"  it never fired: {counts['why_not']}"
    for part in (counts["condition"] | {"text": "the condition"}, *counts["parts"]):
        if part["true"] is not None:
            yield f"  {part['text']}: true {part['true']:.2%}, false {part['false']:.2%}, unknown {part['unknown']:.2%}"
    if forecast:
        expected = forecast["clips_per_fleet_day"]
        high = "any number" if expected["high"] is None else shown_number(expected["high"])
        low, mean = (shown_number(expected[bound]) for bound in ("low", "mean"))
        yield f"  clips per day of the fleet: {mean} ({low} to {high})"


def _budgets(report: dict[str, Any]) -> Iterator[str]:
    for use in report["budgets"]:
        per_day, days = use["per_day"], use["days"]
        whose = budget_owner(use["campaign"], use.get("trigger"))
        if per_day is not None:
            lasts = "" if days is None else f", lasts about {shown_number(days['mean'])} days"
            yield f"budget of {whose}, {use['limit']} {use['amount']:,}: {shown_number(per_day['mean'])} per day{lasts}"
        if use["larger_clips"]:
            larger = f"{use['larger_clips']} of {use['clips']} recordings"
            yield f"  {larger} are larger than the {use['amount']:,} bytes of {whose}"


def _remarks(report: dict[str, Any]) -> Iterator[str]:
    told = [
        [
            f"{each['trigger']} did not run on {counted(each['drives'], 'drive')}: {each['reason']}"
            for each in report["left_out"]
        ],
        [f"drive {each['drive']} could not be run: {each['problem']}" for each in report["failed_drives"]],
        [
            f"column {each['column']}: {each['count']:,} times {each['problem']}, first in {each['first_drive']}"
            for each in report["findings"]
        ],
    ]
    for lines in told:
        yield from lines[:MAX_SHOWN]
        if len(lines) > MAX_SHOWN:
            yield f"and {len(lines) - MAX_SHOWN} more like this"
