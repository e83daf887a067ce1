"""The comparison of two versions as a page: which fires both have, what each costs, and where they differ most."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

from triggers.backtest.page.figures import byte_range, number_range
from triggers.contracts.api.campaigns import Expected
from triggers.pages import html, parts
from triggers.pages.html import text
from triggers.pages.shown_numbers import counted, shown_bytes, shown_number
from triggers.times import NS_PER_S

if TYPE_CHECKING:
    from triggers.backtest.versions.comparison import Comparison, TriggerComparison
    from triggers.statistics.interval import Interval
    from triggers.statistics.sequences import RatioInterval

STYLE = html.STYLE + parts.STYLE


def page(comparison: Comparison) -> str:
    """The page, which needs nothing but itself."""
    title = f"{comparison.first} and {comparison.second}"
    return html.page(title, _body(comparison, title), style=STYLE)


def _body(comparison: Comparison, title: str) -> Iterator[str]:
    triggers = list(comparison.triggers.values())
    yield f"<main><h1>Two versions on the same drives: {text(title)}</h1>"
    yield parts.facts(
        {
            "first": comparison.first,
            "second": comparison.second,
            "driven": f"{counted(comparison.drives, 'drive')}, {comparison.hours:,.2f} h",
        }
    )
    yield parts.listed([f"{each.trigger}: {verdict(each)}" for each in triggers])
    yield f"<p>{text(nearness(comparison.within_ns))}</p>"
    yield from parts.section("Fires of both, and of one alone", filter(None, [_fires(triggers), *_shares(triggers)]))
    yield from parts.section("Each version on these drives", filter(None, [_figures(triggers)]))
    yield from parts.section("Drives on which they differ most", filter(None, [_drives(triggers)]))
    yield from parts.section("Fires of one version alone", filter(None, [_alone(triggers)]))
    only = [("first", comparison.only_first), ("second", comparison.only_second)]
    lines = [f"only the {side} has: {', '.join(names)}" for side, names in only if names]
    yield from parts.section("Left out", filter(None, [parts.listed([*lines, *comparison.failed_drives])]))
    yield "</main>"


def _fires(triggers: list[TriggerComparison]) -> str:
    rows = [
        (
            each.trigger,
            f"{each.both:,}",
            f"{each.only_first:,}",
            f"{each.only_second:,}",
            f"{each.neither_hours:.2f} h",
            ratio_text(each.ratio),
        )
        for each in triggers
    ]
    columns = ("trigger", "in both", "only first", "only second", "in neither", "first to second (95 %)")
    return parts.table("Fires of two versions", columns, rows)


def _shares(triggers: list[TriggerComparison]) -> Iterator[str]:
    for each in triggers:
        total = each.both + each.only_first + each.only_second
        if total:
            shares = [("t", each.both), ("u", each.only_first), ("second", each.only_second)]
            told = f"{each.trigger}: {each.both} in both, {each.only_first} only first, {each.only_second} only second"
            yield f'<h3 class="name">{text(told)}</h3>'
            yield parts.stacked_bar(told, [(kind, count / total) for kind, count in shares])


def _figures(triggers: list[TriggerComparison]) -> str:
    rows = [
        (
            each.trigger,
            side,
            f"{figures.fires:,}",
            number_range(expected(figures.per_hour)),
            f"{figures.recordings:,}",
            shown_bytes(figures.recording_bytes),
            byte_range(expected(figures.bytes_per_vehicle_day)),
        )
        for each in triggers
        for side, figures in (("first", each.first), ("second", each.second))
    ]
    columns = ("trigger", "version", "fires", "per hour", "clips", "bytes", "bytes per vehicle and day")
    return parts.table("Fires, clips and volume of each version", columns, rows)


def _drives(triggers: list[TriggerComparison]) -> str:
    differing = [(each.trigger, drive) for each in triggers for drive in each.by_drive if drive.alone]
    differing.sort(key=lambda pair: -pair[1].alone)
    rows = [
        (trigger, drive.drive, f"{drive.hours:.2f}", drive.both, drive.only_first, drive.only_second)
        for trigger, drive in differing
    ]
    columns = ("trigger", "drive", "hours", "in both", "only first", "only second")
    return parts.table("Drives with the most fires of one version alone", columns, rows)


def _alone(triggers: list[TriggerComparison]) -> str:
    rows = [
        (each.trigger, f"only {fire.side}", fire.drive, f"{fire.t:.3f} s") for each in triggers for fire in each.alone
    ]
    return parts.table("Fires that one version alone has", ("trigger", "version", "drive", "t"), rows)


def expected(interval: Interval | None) -> Expected | None:
    """An interval as reports have it: without an upper end where it has none."""
    if interval is None:
        return None
    high = interval.high if math.isfinite(interval.high) else None
    return Expected(mean=interval.mean, low=interval.low, high=high)


def nearness(within_ns: int | None) -> str:
    """Which fires of two versions are the same, in a sentence; None: those whose capture windows touch."""
    near = "if their capture windows touch" if within_ns is None else f"at most {within_ns / NS_PER_S:g} s apart"
    return f"fires are the same {near}, the nearest first, each once"


def verdict(trigger: TriggerComparison) -> str:
    """What the ratio says, in words."""
    if not trigger.drives:
        return "there is no drive on which it ran in both versions"
    ratio = trigger.ratio
    if ratio.low > 1:
        return f"the first fires more often, {_times(ratio)}"
    if ratio.high < 1:
        return f"the first fires less often, {_times(ratio)}"
    if not trigger.only_first and not trigger.only_second:
        return "both fire at the same events" if trigger.both else "neither fired"
    return "these drives do not tell which fires more often"


def _times(ratio: RatioInterval) -> str:
    if math.isfinite(ratio.high):
        return f"{shown_number(ratio.low)} to {shown_number(ratio.high)} times as often as the second"
    return f"at least {shown_number(ratio.low)} times as often as the second"


def ratio_text(ratio: RatioInterval) -> str:
    """A ratio with its interval."""
    high = shown_number(ratio.high) if math.isfinite(ratio.high) else "any"
    return f"{'-' if ratio.estimate is None else shown_number(ratio.estimate)} ({shown_number(ratio.low)} to {high})"
