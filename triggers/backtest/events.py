"""The compared events of a backtest: what became of the rises of two sides on each drive, and per 1,000 km."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from triggers.backtest.result import DriveResult
from triggers.compared_events.rates import EventRates, event_rates
from triggers.contracts.compared import EventCounts, EventKey
from triggers.statistics.fleet_rates import FleetRate

RATES = ("matched", "only_first", "only_second")


@dataclass(frozen=True, slots=True)
class EventsOfDrives:
    """The events of two sides of a head, by drive and together.

    `rates` are those of drives as independent units, with intervals of 95 %; None unless the distance of each of the
    drives is known.
    """

    key: EventKey
    by_drive: dict[str, EventCounts]
    counts: EventCounts
    rates: EventRates | None

    def rate(self, name: str) -> FleetRate | None:
        """Events per 1,000 km, by one of RATES."""
        found: FleetRate | None = None if self.rates is None else getattr(self.rates, name)
        return found

    def to_json(self) -> dict[str, Any]:
        """The entry of a report in `events`."""
        rates = {f"{name}_per_1000km": self.rate(name) for name in RATES}
        return {
            **asdict(self.key),
            **asdict(self.counts),
            **{name: None if rate is None else asdict(rate.interval) for name, rate in rates.items()},
            "by_drive": {drive: asdict(counts) for drive, counts in self.by_drive.items()},
        }


def events_of(drives: Sequence[DriveResult]) -> tuple[EventsOfDrives, ...]:
    """The compared events of all drives, in the order in which they are first met."""
    keys = dict.fromkeys(key for drive in drives for key in drive.events)
    return tuple(_of_key(key, [drive for drive in drives if key in drive.events]) for key in keys)


def _of_key(key: EventKey, ran: Sequence[DriveResult]) -> EventsOfDrives:
    by_drive = {drive.name: drive.events[key] for drive in ran}
    metres = [round(drive.metres) for drive in ran if drive.metres is not None]
    rates = event_rates(zip(by_drive.values(), metres, strict=True)) if len(metres) == len(ran) else None
    return EventsOfDrives(key, by_drive, sum(by_drive.values(), EventCounts()), rates)
