"""A sweep as a page: for each trigger that the param changes its curve and figures, and the budgets at each value."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from triggers.backtest.page.figures import byte_range, number_range
from triggers.backtest.page.limited import counts_clips
from triggers.backtest.page.remarks import budget_of, is_of_vehicle_day
from triggers.backtest.page.versions import expected, nearness, ratio_text
from triggers.pages import html, parts
from triggers.pages.html import text
from triggers.pages.shown_numbers import counted, shown_bytes, shown_number, shown_share

if TYPE_CHECKING:
    from triggers.backtest.versions.sweep import Sweep, SweepPoint, TriggerPoint

STYLE = html.STYLE + parts.STYLE
_MOST_OF_MEAN = 4.0
"""The scale of a curve ends at so many times the largest mean, lest a wide interval flattens it."""


def page(sweep: Sweep) -> str:
    """The page, which needs nothing but itself."""
    title = f"{sweep.file}: {sweep.param} from {sweep.points[0].value} to {sweep.points[-1].value}"
    return html.page(title, _body(sweep), style=STYLE)


def _body(sweep: Sweep) -> Iterator[str]:
    yield f"<main><h1>{text(sweep.file)}: a sweep of {text(sweep.param)}</h1>"
    yield parts.facts(
        {
            "the file has": f"{sweep.param} = {sweep.own.value}",
            "swept over": counted(len(sweep.points), "value"),
            "driven": f"{counted(sweep.drives, 'drive')}, {sweep.hours:,.2f} h",
        }
    )
    if sweep.moved:
        yield f"<p>{text(nearness(sweep.within_ns)[:1].upper() + nearness(sweep.within_ns)[1:])}. The file's own value "
        yield "is marked with *; the ratio is that of the rate at a value to the rate at it, over the same drives.</p>"
    for trigger in sweep.moved:
        points = [(point, point.triggers[trigger]) for point in sweep.points]
        yield from parts.section(
            f"{trigger} by {sweep.param}", [*_curve(sweep, trigger, points), _table(sweep, points)]
        )
    yield from parts.section("Budgets", filter(None, [_budgets(sweep)]))
    unmoved = f"{sweep.param} changes nothing of: {', '.join(sweep.unmoved)}"
    yield from parts.section("Unchanged", [parts.listed([unmoved])] if sweep.unmoved else [])
    yield from parts.section("Left out", filter(None, [parts.listed(sweep.failed_drives)]))
    yield "</main>"


def places(points: Sequence[SweepPoint]) -> list[float]:
    """Where values are from left to right, from 0 to 1: numbers by their size, others one after the other."""
    numbers = [point.number for point in points if point.number is not None]
    if len(numbers) != len(points):
        numbers = [float(place) for place in range(len(points))]
    span = numbers[-1] - numbers[0]
    return [(number - numbers[0]) / span if span > 0 else 0.5 for number in numbers]


def _curve(sweep: Sweep, trigger: str, points: Sequence[tuple[SweepPoint, TriggerPoint]]) -> Iterator[str]:
    """Fires per hour over the values with their intervals; nothing where no time was recorded."""
    at = places(sweep.points)
    rates = [(place, each.figures.per_hour) for place, (_, each) in zip(at, points, strict=True)]
    known = [(place, rate) for place, rate in rates if rate is not None]
    if not known:
        return
    highest = max(rate.high for _, rate in known)
    mean = max(rate.mean for _, rate in known)
    most = min(highest, _MOST_OF_MEAN * mean) if mean > 0 else highest
    first, last = sweep.points[0].value, sweep.points[-1].value
    label = f"{trigger}: fires per hour with {sweep.param} from {first} to {last}, from 0 to {shown_number(most)}"
    yield f'<div class="axis"><span>{text(shown_number(most))} fires per hour</span></div>'
    curve = [parts.CurvePoint(place, rate.low, rate.mean, min(rate.high, most)) for place, rate in known]
    yield parts.curve(label, curve, most, marked=at[sweep.points.index(sweep.own)])
    yield f'<div class="axis"><span>{text(first)}</span><span>{text(sweep.param)}</span><span>{text(last)}</span></div>'
    if highest > most:
        yield '<p class="facts">The intervals go beyond the scale.</p>'


def _table(sweep: Sweep, points: Sequence[tuple[SweepPoint, TriggerPoint]]) -> str:
    rows = [
        (
            point.shown,
            f"{each.figures.fires:,}",
            number_range(expected(each.figures.per_hour)),
            ratio_text(each.ratio),
            f"{each.figures.recordings:,}",
            byte_range(expected(each.figures.bytes_per_vehicle_day)),
            f"{each.both:,}",
            f"{each.only_here:,}",
            f"{each.only_own:,}",
        )
        for point, each in points
    ]
    columns = (sweep.param, "fires", "per hour (95 %)", "ratio (95 %)", "clips", "bytes per vehicle and day")
    return parts.table("Fires at each value", (*columns, "in both", "only here", "only own"), rows)


def _budgets(sweep: Sweep) -> str:
    columns = (sweep.param, *BUDGET_COLUMNS)
    return parts.table("Budgets per vehicle and day at each value", columns, list(budget_rows(sweep)))


BUDGET_COLUMNS = ("campaign", "budget", "forecast per vehicle-day", "of the budget")
"""Titles of `budget_rows` after that of the param."""


def budget_rows(sweep: Sweep) -> Iterator[tuple[str, ...]]:
    """Each value with each budget of a vehicle's day, its forecast and which share of it that is, in words."""
    for point in sweep.points:
        for use in point.budgets:
            if not is_of_vehicle_day(use) or use.per_day is None or not math.isfinite(use.per_day.mean):
                continue
            is_of_clips, per_day = counts_clips(use.limit), expected(use.per_day)
            yield (
                point.shown,
                budget_of(use),
                counted(use.amount, "clip") if is_of_clips else shown_bytes(use.amount),
                number_range(per_day) if is_of_clips else byte_range(per_day),
                shown_share(use.per_day.mean / use.amount) if use.amount else "",
            )
