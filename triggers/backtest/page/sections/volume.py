"""Volume on the page of a report: the forecast for a fleet, sizes of clips, and shared clips."""

from __future__ import annotations

from collections.abc import Iterator

from triggers.backtest.page.figures import byte_range, number_range
from triggers.backtest.page.sections.triggers import clip_rows
from triggers.contracts.api.backtests.stated import StatedReport
from triggers.pages import parts
from triggers.pages.html import text
from triggers.pages.shown_numbers import counted, shown_share


def forecast(stated: StatedReport) -> Iterator[str]:
    """What a fleet is expected to do in a day; or that there is no forecast."""
    found = stated.report.forecast
    if found is None:
        yield (
            "<p>There is no forecast: clips were recorded because something happened, so they are not a random sample "
            "of driving.</p>"
        )
    else:
        fleet = f"{counted(found.vehicles, 'vehicle')} at {found.hours_per_day:g} h per day"
        yield f"<p>For {text(fleet)}, if they drive like the recorded drives; {100 * found.confidence:.0f} % intervals "
        yield f"({text(found.method)}).</p>"
        rows = [
            (
                name,
                f"1 in {each.sample_one_in}",
                number_range(each.fires_per_fleet_day),
                number_range(each.clips_per_fleet_day),
                byte_range(each.bytes_per_fleet_day),
                byte_range(each.bytes_per_vehicle_day),
            )
            for name, each in found.triggers.items()
        ]
        if found.fires_per_fleet_day is not None:
            of_all = (number_range(found.fires_per_fleet_day), number_range(found.clips_per_fleet_day))
            volume = (byte_range(found.bytes_per_fleet_day), byte_range(found.bytes_per_vehicle_day))
            rows.append(("all triggers", "", *of_all, *volume))
        columns = ("trigger", "kept", "fires per day", "clips per day", "bytes per day", "bytes per vehicle and day")
        yield parts.table("Forecast per day of the fleet", columns, rows)


def clips(stated: StatedReport) -> Iterator[str]:
    """Sizes of clips, and triggers whose fires share them."""
    yield parts.table(
        "Clips and their estimated sizes", ("trigger", "clips", "mean size", "for each fire alone"), clip_rows(stated)
    )
    pairs = [(each.trigger, each.other, f"{each.fires:,}", shown_share(each.share)) for each in stated.report.overlap]
    yield parts.table("Fires that share a clip with another trigger", ("trigger", "with", "fires", "of its"), pairs)
