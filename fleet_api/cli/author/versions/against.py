"""Two versions of a trigger file for people: which fires both have, and what the rates and clips of each are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from fleet_api.cli.author.evidence.shown import tell_rest
from fleet_api.cli.output import counted, print_result, print_table, shown_bytes
from triggers.backtest.page.figures import byte_range, number_range
from triggers.backtest.page.versions import nearness, ratio_text, verdict

if TYPE_CHECKING:
    from triggers.backtest.versions.comparison import Comparison, TriggerComparison

_SHOWN = 20
"""Rows that are shown of the longer tables; the JSON document has all of them."""
_EXAMPLES = 5
"""Fires of one version alone that are shown of each trigger and version."""


def show_comparison(comparison: Comparison) -> None:
    """Print every part of a comparison that is not empty."""
    print_result(f"first: {comparison.first}")
    print_result(f"second: {comparison.second}")
    print_result(f"{counted(comparison.drives, 'drive')}, {comparison.hours:.2f} h")
    triggers = list(comparison.triggers.values())
    if triggers:
        _show_fires(triggers)
        _show_versions(triggers)
        _show_drives(triggers)
        _show_alone(triggers)
        print_result()
        for trigger in triggers:
            print_result(f"{trigger.trigger}: {verdict(trigger)}")
        print_result(nearness(comparison.within_ns))
    for side, names in (("first", comparison.only_first), ("second", comparison.only_second)):
        if names:
            print_result(f"only the {side} has: {', '.join(names)}")


def _show_fires(triggers: Sequence[TriggerComparison]) -> None:
    rows = [
        (
            each.trigger,
            each.both,
            each.only_first,
            each.only_second,
            f"{each.neither_hours:.2f} h",
            ratio_text(each.ratio),
        )
        for each in triggers
    ]
    columns = ("trigger", "in both", "only first", "only second", "in neither", "first to second (95 %)")
    print_table("Fires of two versions", columns, rows)


def _show_versions(triggers: Sequence[TriggerComparison]) -> None:
    rows: list[tuple[object, ...]] = []
    for each in triggers:
        for side, figures in (("first", each.first), ("second", each.second)):
            per_hour, per_day = figures.per_hour, figures.bytes_per_vehicle_day
            rows.append(
                (
                    each.trigger,
                    side,
                    figures.fires,
                    "" if per_hour is None else number_range(per_hour),
                    figures.recordings,
                    shown_bytes(figures.recording_bytes),
                    "" if per_day is None else byte_range(per_day),
                )
            )
    columns: tuple[str, ...] = ("trigger", "version", "fires", "per hour", "clips", "bytes", "per vehicle-day")
    if not any(each.first.bytes_per_vehicle_day for each in triggers):
        columns, rows = columns[:-1], [row[:-1] for row in rows]
    print_table("Each version on these drives", columns, rows)


def _show_drives(triggers: Sequence[TriggerComparison]) -> None:
    differing = [(each.trigger, drive) for each in triggers for drive in each.by_drive if drive.alone]
    differing.sort(key=lambda pair: -pair[1].alone)
    if not differing:
        return
    rows = [
        (trigger, drive.drive, f"{drive.hours:.2f}", drive.both, drive.only_first, drive.only_second)
        for trigger, drive in differing[:_SHOWN]
    ]
    columns = ("trigger", "drive", "hours", "in both", "only first", "only second")
    print_table("Drives on which they differ most", columns, rows)
    tell_rest(len(differing), "--json writes all of them")


def _show_alone(triggers: Sequence[TriggerComparison]) -> None:
    rows: list[tuple[str, ...]] = []
    for each in triggers:
        for side in ("first", "second"):
            alone = [fire for fire in each.alone if fire.side == side]
            rows += [(each.trigger, f"only {side}", fire.drive, f"{fire.t:.3f} s") for fire in alone[:_EXAMPLES]]
            if len(alone) > _EXAMPLES:
                rows.append((each.trigger, f"only {side}", f"and {len(alone) - _EXAMPLES} more", ""))
    if rows:
        print_table("Fires of one version alone", ("trigger", "version", "drive", "t"), rows)
    if any(not t for *_, t in rows):
        print_result("--json writes all of them")
