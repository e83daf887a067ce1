"""The counts that vehicles report: the newest per vehicle and campaign version, and counts that fell.

Counts only increase: a report is newer when its watermark is higher; at an equal watermark, when fewer fires are in
flight; then when more time was armed; then when it was made later. The vehicle's clock decides last because it may be
set back. A lower watermark in
a later report is kept as a problem of the vehicle: it lost its journal and counts from 0 again.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from sqlalchemy import Connection, func, select, tuple_, update
from sqlalchemy.dialects.postgresql import insert

from storage import usage
from storage.campaigns.queries import MAX_VERSION
from storage.counts.compared import fallen_compared, record_compared
from storage.rates import parts
from storage.tables import campaign_versions, fire_counts
from storage.uploads.fire_identity import ENROL_AGAIN
from triggers.assignment.given import CountedParts, Version
from triggers.contracts.campaign import EventComparison
from triggers.contracts.checkin import FireCounts, Telemetry

_c = fire_counts.c
_KEYS = ("vehicle_id", "campaign", "version")


def counted_parts(connection: Connection, versions: Collection[Version]) -> dict[Version, CountedParts]:
    """What each of these versions counts; versions that do not exist are left out."""
    table = campaign_versions.c
    storable = [(campaign, version) for campaign, version in versions if version <= MAX_VERSION]
    rows = connection.execute(
        select(
            table.campaign,
            table.version,
            table.settings["compare"].label("heads"),
            table.settings["events"].label("events"),
            table.settings["triggers"].label("triggers"),
        ).where(tuple_(table.campaign, table.version).in_(storable))
    )
    return {
        (row.campaign, row.version): CountedParts(
            frozenset(row.heads or ()),
            frozenset(trigger["name"] for trigger in row.triggers),
            frozenset((each["head"], sides) for each in row.events or () for sides in EventComparison(**each).sides),
        )
        for row in rows
    }


def watermarks(connection: Connection, vehicle_id: str) -> dict[Version, int]:
    """How many fires a vehicle has reported, by campaign version."""
    rows = connection.execute(select(_c.campaign, _c.version, _c.watermark).where(_c.vehicle_id == vehicle_id))
    return {(row.campaign, row.version): row.watermark for row in rows}


def record_counts(connection: Connection, vehicle_id: str, telemetry: Telemetry) -> int:
    """Store a report of counts; returns for how many of its campaign versions it was new.

    All of its versions must exist, and appear once. Pairs and events of compared heads are updated independently, see
    `storage.counts.compared`. What is new is divided by software and rollout, see `storage.rates.parts`, and counted as
    usage.
    """
    changed = 0
    versions = [(counts.campaign, counts.version) for counts in telemetry.counts]
    reporting = usage.counted_where(connection, vehicle_id, versions)
    newer = []
    # The same order in all reports, so that two concurrent ones of a vehicle cannot deadlock.
    for counts in sorted(telemetry.counts, key=lambda counts: (counts.campaign, counts.version)):
        place = reporting.place(counts)
        if fires_are_new := _upsert(connection, vehicle_id, counts, telemetry.reported_at_ns, place):
            newer.append(counts)
        pairs_are_new = record_compared(connection, vehicle_id, counts, telemetry.reported_at_ns)
        changed += fires_are_new or pairs_are_new
    parts.divide(connection, vehicle_id, [(counts.campaign, counts.version) for counts in newer])
    usage.add_reported(connection, reporting, newer)
    return changed


def fallen_counts(connection: Connection, vehicle_ids: Sequence[str]) -> dict[str, list[str]]:
    """Sentences about counts of fires, pairs or events that fell, by vehicle."""
    rows = connection.execute(
        select(_c.vehicle_id, _c.campaign, _c.version, _c.watermark, _c.fell_to)
        .where(_c.vehicle_id.in_(vehicle_ids), _c.fell_to.is_not(None))
        .order_by(_c.vehicle_id, _c.campaign, _c.version)
    )
    fallen: dict[str, list[str]] = {}
    for row in rows:
        fallen.setdefault(row.vehicle_id, []).append(
            f"its count of fires for {row.campaign} version {row.version} fell to {row.fell_to} and is {row.watermark}"
            f" here; {ENROL_AGAIN}"
        )
    for vehicle_id, fall in fallen_compared(connection, vehicle_ids):
        fallen.setdefault(vehicle_id, []).append(f"{fall}; {ENROL_AGAIN}")
    return fallen


def _upsert(
    connection: Connection, vehicle_id: str, counts: FireCounts, reported_at_ns: int, place: Mapping[str, object]
) -> bool:
    """Store these counts if they are newer; otherwise remember a watermark that fell, and return False."""
    row = {
        **counts.model_dump(mode="json", exclude={"compared", "events"}),
        **place,
        "vehicle_id": vehicle_id,
        "reported_at_ns": reported_at_ns,
        "received_at": func.now(),
    }
    statement = insert(fire_counts).values(row)
    new = statement.excluded
    newer = tuple_(new.watermark, -new.in_flight, new.armed_ns, new.reported_at_ns) > tuple_(
        _c.watermark, -_c.in_flight, _c.armed_ns, _c.reported_at_ns
    )
    changes = {name: new[name] for name in row if name not in _KEYS}
    upsert = statement.on_conflict_do_update(index_elements=list(_KEYS), set_=changes, where=newer)
    if connection.execute(upsert.returning(_c.version)).one_or_none() is not None:
        return True
    _note_fall(connection, row)
    return False


def _note_fall(connection: Connection, row: Mapping[str, object]) -> None:
    """Remember the watermark of a report if it is lower than one that was reported earlier."""
    lowest = func.least(func.coalesce(_c.fell_to, row["watermark"]), row["watermark"])
    connection.execute(
        update(fire_counts)
        .where(*(_c[name] == row[name] for name in _KEYS))
        .where(_c.watermark > row["watermark"], _c.reported_at_ns < row["reported_at_ns"])
        .values(fell_to=lowest)
    )
