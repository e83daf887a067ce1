"""Rates of compared events: how often both sides told an event, and how often one alone, per 1,000 km.

Vehicles are the independent units (`triggers.statistics.fleet_rates`). Rises whose partner may have been unseen are
in no rate; their share is told beside them, and says by how much the rates can be too low.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from triggers.contracts.compared import EventCounts
from triggers.statistics.disagreement import Disagreement, disagreement, sums_of_pairs
from triggers.statistics.fleet_rates import THOUSAND_KM_M, FleetRate, Report, VehicleSums, fleet_rate


@dataclass(frozen=True, slots=True)
class EventRates:
    """Events per 1,000 km, by who told them; None where no distance was driven."""

    counts: EventCounts
    matched: FleetRate | None
    only_first: FleetRate | None
    only_second: FleetRate | None
    told_by_one: Disagreement | None
    """The share of all resolved events that one side alone told; None without an event."""
    unresolved_share: float
    """The share of all rises that are not resolved."""


def event_rates(vehicles: Iterable[tuple[EventCounts, int]]) -> EventRates:
    """The rates of a fleet, from each vehicle's counts and the metres in which it compared events."""
    rows = list(vehicles)
    counts = sum((each for each, _ in rows), EventCounts())
    rises = sum(counts.rises)
    unresolved = counts.unresolved_first + counts.unresolved_second
    return EventRates(
        counts,
        _rate((each.matched, metres) for each, metres in rows),
        _rate((each.only_first, metres) for each, metres in rows),
        _rate((each.only_second, metres) for each, metres in rows),
        disagreement(sums_of_pairs(_told_by_one(each) for each, _ in rows)),
        unresolved / rises if rises else 0.0,
    )


def _rate(vehicles: Iterable[tuple[int, int]]) -> FleetRate | None:
    return fleet_rate(VehicleSums.of([Report(events, metres)] for events, metres in vehicles), THOUSAND_KM_M)


def _told_by_one(counts: EventCounts) -> tuple[int, int]:
    alone = counts.only_first + counts.only_second
    return alone, alone + counts.matched
