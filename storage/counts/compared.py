"""Counts of compared heads, per vehicle as reported and over the fleet: tables of pairs, and matched events."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, fields

from sqlalchemy import Connection

from storage.counts.growing import GrowingCounts
from storage.tables import compare_counts, event_counts
from triggers.contracts.checkin import FireCounts
from triggers.contracts.compared import Compared, EventCounts, EventsBySides, Sides

_PAIRS = GrowingCounts(compare_counts, ("head",), tuple(field.name for field in fields(Compared)))
_EVENTS = GrowingCounts(event_counts, ("head", "sides"), tuple(field.name for field in fields(EventCounts)))


def record_compared(connection: Connection, vehicle_id: str, counts: FireCounts, reported_at_ns: int) -> bool:
    """Store a report's pairs and events of one campaign version; True when any of them was new.

    Each table of a head, and each of its events by sides, is kept by itself, see `storage.counts.growing`.
    """
    version = {"vehicle_id": vehicle_id, "campaign": counts.campaign, "version": counts.version}
    pairs = [{"head": head, **asdict(each)} for head, each in counts.compared.items()]
    events = [
        {"head": head, "sides": sides.value, **asdict(each)}
        for head, of_head in counts.events.items()
        for sides, each in of_head.items()
    ]
    pairs_are_new = _PAIRS.record(connection, version, pairs, reported_at_ns)
    return _EVENTS.record(connection, version, events, reported_at_ns) or pairs_are_new


def compared(connection: Connection, campaign: str, version: int) -> dict[str, Compared]:
    """The confusion tables of a campaign version by head, over all vehicles whose counts are not voided.

    Heads without any pairs are left out.
    """
    rows = _PAIRS.sums(connection, campaign, version)
    return {row.head: Compared(*map(int, row[1:])) for row in rows}


def events(connection: Connection, campaign: str, version: int) -> dict[str, EventsBySides]:
    """The matched events of a campaign version by head and sides; those that nobody has reported are left out."""
    found: dict[str, EventsBySides] = {}
    for row in _EVENTS.sums(connection, campaign, version):
        found.setdefault(row.head, {})[Sides(row.sides)] = EventCounts(*map(int, row[2:]))
    return found


def fallen_compared(connection: Connection, vehicle_ids: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Vehicles whose pairs or events of a head fell, with a sentence that says how far, in a stable order."""
    for row in _PAIRS.fallen(connection, vehicle_ids):
        counted = f"its count of pairs for {row.head} in {row.campaign} version {row.version}"
        yield row.vehicle_id, f"{counted} fell to {row.fell_to} and is {row.total} here"
    for row in _EVENTS.fallen(connection, vehicle_ids):
        counted = f"its count of events for {row.head} ({row.sides}) in {row.campaign} version {row.version}"
        yield row.vehicle_id, f"{counted} fell to {row.fell_to} and is {row.total} here"
