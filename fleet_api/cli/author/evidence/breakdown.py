"""`longtail backtest --breakdown`: fires by speed, place and hour of the day, for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fleet_api.cli.author.evidence.shown import tell_rest
from fleet_api.cli.output import print_result, print_table
from triggers.backtest.page.figures import number_range
from triggers.pages.shown_numbers import shown_number

if TYPE_CHECKING:
    from triggers.backtest.evidence.circumstances import Bin, BreakdownReport

_TRIGGERS = 5
"""Triggers that are shown, those with the most fires; the JSON document has all of them."""
_PLACES = 10
_REST = ("elsewhere", "unknown")
_COLUMNS = ("fires", "hours", "per hour")


def show_breakdown(report: BreakdownReport) -> None:
    """Print three tables for each of the triggers with the most fires."""
    fires = {name: sum(each.fires for each in found.speed) for name, found in report.triggers.items()}
    fired = sorted((name for name in fires if fires[name]), key=lambda name: -fires[name])
    for name in fired[:_TRIGGERS]:
        found = report.triggers[name]
        print_table(f"{name} by speed", ("speed", *_COLUMNS), map(_row, found.speed))
        places = [*found.place[:_PLACES], *(each for each in found.place[_PLACES:] if each.bin in _REST)]
        print_table(f"{name} by place", ("place cell", *_COLUMNS), map(_row, places))
        tell_rest(len(found.place), "--json writes up to 100 cells", len(places))
        print_table(f"{name} by hour", ("hour", *_COLUMNS), map(_row, found.hour))
    tell_rest(len(fired), "triggers that fired; --json writes all of them", _TRIGGERS)
    told = any(each.bin != "unknown" for found in report.triggers.values() for each in found.hour)
    if report.utc_hours:
        print_result(f"the hour of {shown_number(report.utc_hours)} h is that of UTC, as their drives have no position")
    if fired and told:
        print_result("the hour is that of the local mean solar time, by the sun and not by clocks")


def _row(each: Bin) -> tuple[object, ...]:
    return each.bin, each.fires, f"{each.hours:.2f}", "" if each.per_hour is None else number_range(each.per_hour)
