"""A sweep for people: a table for each trigger that the param changes, with a bar for its fires, and the budgets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fleet_api.cli.output import counted, print_result, print_table, shown_bytes
from triggers.backtest.page.sweep import BUDGET_COLUMNS, budget_rows
from triggers.backtest.page.versions import nearness
from triggers.pages.shown_numbers import shown_number

if TYPE_CHECKING:
    from triggers.backtest.versions.sweep import Sweep

_BAR = 8
"""Characters of the longest bar."""
_EIGHTHS = " ▏▎▍▌▋▊▉"


def show_sweep(sweep: Sweep) -> None:
    """Print the curve of each trigger and the budgets."""
    print_result(f"{sweep.file}: {sweep.param} = {sweep.own.value}, swept over {counted(len(sweep.points), 'value')}")
    print_result(f"{counted(sweep.drives, 'drive')}, {sweep.hours:.2f} h")
    for trigger in sweep.moved:
        _show_trigger(sweep, trigger)
    _show_budgets(sweep)
    print_result()
    if sweep.moved:
        print_result(
            f"* the file's own {sweep.param}; in both: fires that are there at this value and at the file's own"
        )
        print_result(nearness(sweep.within_ns))
    if sweep.unmoved:
        print_result(f"{sweep.param} changes nothing of: {', '.join(sweep.unmoved)}")


def _show_trigger(sweep: Sweep, trigger: str) -> None:
    points = [(point, point.triggers[trigger]) for point in sweep.points]
    most = max(each.figures.fires for _, each in points)
    rows = []
    for point, each in points:
        figures = each.figures
        per_hour, per_day = figures.per_hour, figures.bytes_per_vehicle_day
        rows.append(
            (
                point.shown,
                figures.fires,
                bar(figures.fires, most),
                "" if per_hour is None else shown_number(per_hour.mean),
                "" if per_hour is None else f"{shown_number(per_hour.low)}..{shown_number(per_hour.high)}",
                figures.recordings,
                "" if per_day is None else shown_bytes(round(per_day.mean)),
                each.both,
                each.only_here,
                each.only_own,
            )
        )
    columns = (sweep.param, "fires", "", "per hour", "95 %", "clips", "per day", "in both", "only here", "only own")
    print_table(f"{trigger} by {sweep.param}", columns, rows)


def bar(value: float, most: float) -> str:
    """A bar of eighths of characters.

    >>> bar(1, 4), bar(4, 4), bar(0, 4)
    ('██', '████████', '')
    """
    eighths = round(8 * _BAR * value / most) if most else 0
    return "█" * (eighths // 8) + _EIGHTHS[eighths % 8].strip()


def _show_budgets(sweep: Sweep) -> None:
    if rows := list(budget_rows(sweep)):
        print_table(f"Budgets per vehicle and day by {sweep.param}", (sweep.param, *BUDGET_COLUMNS), rows)
