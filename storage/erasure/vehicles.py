"""Erases a vehicle: at once it takes no part any more; what it sent goes in batches; then its id goes everywhere.

What counts and budgets refer to stays under a random id that nothing links to the vehicle: its counts of fires, its
fires without their times, its uploads without their manifests, and its accounts of single days. So every sum stays
exactly as it was. Only a digest of the id is kept, so that it is not enrolled a second time: a vehicle that goes on
counting where it was would be counted twice.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Delete, Table, delete, func, insert, literal, null, select, text, update

from storage import tokens, usage
from storage.clips import writer
from storage.erasure import clips as erased_clips
from storage.erasure import objects, report
from storage.erasure.clips import LATE_WRITERS, ErasedSum
from storage.tables import (
    assignments,
    clips,
    compare_counts,
    count_parts,
    enrolment_codes,
    erased_vehicles,
    event_counts,
    fire_counts,
    fires,
    ledger_accounts,
    uploads,
    vehicle_days,
    vehicle_refusals,
    vehicles,
)
from storage.tables.erasure import ErasureCause, VehicleErasure
from storage.tables.uploads import ASSEMBLING
from storage.uploads import dead_letters, endings, parking
from storage.vehicles.check_in import raise_vehicles
from triggers.contracts.clip import ClipManifest
from triggers.contracts.erasure.report import digest_of_vehicle
from triggers.errors import Erased, InvalidInput, NotFound

REASON = str(ErasureCause.VEHICLE_ERASED)
"""The reason of its uploads that were not stored yet, and of fires that will never be reported."""
BATCH = 100
_c = vehicles.c

# What the vehicle had not handed over, or the cloud had not received, will never come: it is dropped. The numbers that
# are left say how many fires arrived, so that `overruled` stays as it is and nothing is missing.
_END_IN_FLIGHT = text("""
    UPDATE fire_counts c
    SET dropped = CASE WHEN r.left_over = 0 THEN c.dropped ELSE c.dropped || jsonb_build_object(
            CAST(:reason AS text), coalesce((c.dropped ->> CAST(:reason AS text))::bigint, 0) + r.left_over
        ) END,
        handed_over = c.in_flight + c.handed_over - r.left_over,
        in_flight = 0
    FROM (
        SELECT o.campaign, o.version, greatest(0, o.in_flight + o.handed_over - count(f.ordinal)) AS left_over
        FROM fire_counts o
        LEFT JOIN fires f ON f.campaign = o.campaign AND f.version = o.version AND f.vehicle_id = o.vehicle_id
            AND f.ordinal <= o.watermark
        WHERE o.vehicle_id = :vehicle
        GROUP BY o.campaign, o.version, o.vehicle_id
    ) r
    WHERE c.vehicle_id = :vehicle AND c.campaign = r.campaign AND c.version = r.version
    RETURNING c.campaign, c.version, r.left_over
""")


@dataclass(frozen=True, slots=True)
class Progress:
    """What the steward did: the clips it erased, and whether a vehicle is erased completely now."""

    erased: ErasedSum
    finished: bool = False


def request(connection: Connection, vehicle_id: str, *, reason: str, by: str) -> ErasedSum:
    """Shut a vehicle out for good and end its uploads; returns what it has in the catalog, for the steward to erase.

    Asking again returns what is left. NotFound for an unknown vehicle, Erased for one that is erased completely.
    """
    # Not FOR UPDATE: clips that are being stored refer to this row, and hold locks that this transaction waits for.
    locked = select(_c.erasure).where(_c.id == vehicle_id).with_for_update(key_share=True)
    row = connection.execute(locked).one_or_none()
    if row is None or row.erasure == VehicleErasure.DONE:
        require_not_erased(connection, vehicle_id)
        raise NotFound(f"there is no vehicle {vehicle_id[:64]!r}", remedy="`longtail vehicles list` shows all vehicles")
    sums = select(func.count(), func.coalesce(func.sum(clips.c.size_bytes), 0)).where(clips.c.vehicle_id == vehicle_id)
    count, size_bytes = connection.execute(sums).one()
    left = ErasedSum(count, int(size_bytes))
    if row.erasure is None:
        _shut_out(connection, vehicle_id)
        counts = {"erased": _end_uploads(connection, vehicle_id)}
        told = {"reason": reason, "erased_by": by, "clips": left.clips, "size_bytes": left.size_bytes, "counts": counts}
        connection.execute(insert(erased_vehicles).values(id_digest=digest_of_vehicle(vehicle_id), **told))
    return left


def require_not_erased(connection: Connection, vehicle_id: str) -> None:
    """Erased when this id was a vehicle's that was erased, or is being erased."""
    row = connection.execute(
        select(erased_vehicles).where(erased_vehicles.c.id_digest == digest_of_vehicle(vehicle_id))
    ).one_or_none()
    if row is not None:
        raise Erased(
            f"vehicle {vehicle_id[:64]!r} was erased on {row.requested_at:%Y-%m-%dT%H:%M:%SZ}: {row.reason}",
            remedy="enrol the car under a new id, with an empty data directory, if it is to take part again",
        )


def go_on(connection: Connection, *, limit: int = BATCH) -> Progress | None:
    """Erase at most `limit` clips of a vehicle whose erasure was requested; once it has none, the vehicle itself.

    None when there is no such vehicle that another worker does not have.
    """
    asked = select(_c.id).where(_c.erasure == VehicleErasure.REQUESTED).order_by(_c.id).limit(1)
    vehicle_id = connection.execute(asked.with_for_update(key_share=True, skip_locked=True)).scalar_one_or_none()
    if vehicle_id is None:
        return None
    report.count(connection, vehicle_id, erased=_end_uploads(connection, vehicle_id))
    of_vehicle = select(clips.c.id).where(clips.c.vehicle_id == vehicle_id).order_by(clips.c.recorded_ns).limit(limit)
    clip_ids = connection.execute(of_vehicle).scalars().all()
    if clip_ids:
        erased = erased_clips.erase(connection, clip_ids, ErasureCause.VEHICLE_ERASED)
        report.count_clips(connection, vehicle_id, erased)
        return Progress(erased)
    _forget(connection, vehicle_id)
    return Progress(ErasedSum(), finished=True)


def _shut_out(connection: Connection, vehicle_id: str) -> None:
    nothing: dict[str, Any] = {"attributes": {}, "reported_attributes": {}, "software": {}, "problems": []}
    connection.execute(delete(enrolment_codes).where(enrolment_codes.c.vehicle_id == vehicle_id))
    connection.execute(
        update(vehicles)
        .where(_c.id == vehicle_id)
        .values(
            **nothing,
            erasure=VehicleErasure.REQUESTED,
            token_hash=tokens.token_hash(tokens.new_token()),
            former_token_hash=None,
            public_key=None,
            revoked_at=func.coalesce(_c.revoked_at, func.now()),
        )
    )
    raise_vehicles(connection)


def _end_uploads(connection: Connection, vehicle_id: str) -> Mapping[str, int]:
    """End every upload that is not stored: its fires fail, its bytes are free again. Returns what goes with them."""
    table = uploads.c
    columns = (table.id, table.clip_id, table.manifest)
    open_ones = select(*columns).where(table.vehicle_id == vehicle_id, table.state.in_(ASSEMBLING))
    rows = connection.execute(open_ones.order_by(table.id).with_for_update(key_share=True)).all()
    for row in rows:
        endings.fail(connection, row.id, REASON)
        _end_assembly(connection, vehicle_id, row.id, row.clip_id, row.manifest)
    keys = parking.forget_many(connection, [row.id for row in rows])
    parked = [key for of_upload in keys.values() for key in of_upload]
    objects.add(connection, parked)
    return {"uploads_under_way": len(rows), "objects": len(parked)} if rows else {}


def _end_assembly(connection: Connection, vehicle_id: str, upload_id: str, clip_id: str, stored: bytes) -> None:
    """Fail the fires of an upload, and have deleted what an assembler may have written of it, or still writes."""
    written = [dead_letters.payload_key(upload_id)]
    try:
        manifest = ClipManifest.from_stored_json(stored, what="a stored manifest")
    except InvalidInput:  # fires that cannot be read are counted by their vehicle alone
        pass
    else:
        writer.write_fires(connection, {vehicle_id: manifest.recording.fires}, reason=REASON)
        written.append(writer.clip_key(clip_id, manifest.recording.start_ns))
    objects.add(connection, written)
    objects.add(connection, written, after=LATE_WRITERS)


def _forget(connection: Connection, vehicle_id: str) -> None:
    """Take the id from everything that stays. The vehicle has no clips and no uploads that could become any."""
    nobody = f"erased-{secrets.token_hex(8)}"
    ended = connection.execute(_END_IN_FLIGHT, {"vehicle": vehicle_id, "reason": REASON})
    usage.add_dropped(connection, vehicle_id, {(name, version): lost for name, version, lost in ended})
    voided = select(_c.counts_voided_at).where(_c.id == vehicle_id).scalar_subquery()  # what is in no sum stays out
    row = {"id": nobody, "token_hash": secrets.token_bytes(32), "erasure": VehicleErasure.DONE}
    connection.execute(
        insert(vehicles).values(**row, token_expires_at=func.now(), revoked_at=func.now(), counts_voided_at=voided)
    )
    # Counts of pairs refer to counts of fires, so these are copied before the former move, and go afterwards.
    _copy_counts(connection, vehicle_id, nobody)
    unlinked = {}
    for table, emptied in _MOVED:
        moved = update(table).where(table.c.vehicle_id == vehicle_id).values(vehicle_id=nobody, **emptied)
        unlinked[table.name] = connection.execute(moved).rowcount
    keys = dead_letters.forget_those_of(connection, vehicle_id)
    kept = [key for key in keys if key is not None]
    objects.add(connection, kept)
    erased = {"dead_letters": len(keys), "objects": len(kept)}
    unlinked["fire_counts"] = connection.execute(_of_vehicle(fire_counts, vehicle_id)).rowcount
    for table in (assignments, vehicle_days):
        erased[table.name] = connection.execute(_of_vehicle(table, vehicle_id)).rowcount
    erased["vehicles"] = connection.execute(delete(vehicles).where(_c.id == vehicle_id)).rowcount
    report.count(connection, vehicle_id, erased=erased, unlinked=unlinked)
    report.finish(connection, vehicle_id)


def _of_vehicle(table: Table, vehicle_id: str) -> Delete:
    return delete(table).where(table.c.vehicle_id == vehicle_id)


_MOVED: Sequence[tuple[Table, dict[str, Any]]] = (
    (uploads, {"manifest": b"", "cell_digests": None, "metadata": None, "region": None, "model": None}),
    (fires, {"t_ns": 0}),
    (compare_counts, {}),
    (event_counts, {}),
    (count_parts, {}),
    (ledger_accounts, {}),
    (vehicle_refusals, {}),
)
"""Tables whose rows stay, and what is taken from them beside the id."""


def _copy_counts(connection: Connection, vehicle_id: str, nobody: str) -> None:
    table = fire_counts.c
    emptied = {"vehicle_id": literal(nobody), "region": null(), "model": null(), "elsewhere": text("'[]'::jsonb")}
    columns = [emptied.get(column.name, column) for column in table]
    rows = select(*columns).where(table.vehicle_id == vehicle_id)
    connection.execute(insert(fire_counts).from_select([column.name for column in table], rows))
