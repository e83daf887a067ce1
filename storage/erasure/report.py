"""What is erased with a vehicle, counted in the transactions that erase it, and told once nothing of it is left.

A batch is erased and counted in one transaction, so no crash and no repetition counts anything twice, or not at all.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import Connection, delete, func, insert, select, update

from storage.erasure.clips import ErasedSum
from storage.tables import dataset_members, deployment, erased_vehicle_clips, erased_vehicles, object_deletions
from triggers.contracts.erasure.report import ErasureReport, digest_of_clip, digest_of_clips, digest_of_vehicle
from triggers.errors import Conflict, NotFound

_c = erased_vehicles.c


def count(
    connection: Connection, vehicle_id: str, *, erased: Mapping[str, int], unlinked: Mapping[str, int] | None = None
) -> None:
    """Add to what was erased of a vehicle, or is kept without it, by name."""
    if not erased and not unlinked:
        return
    of_vehicle = _c.id_digest == digest_of_vehicle(vehicle_id)
    counts = dict(connection.execute(select(_c.counts).where(of_vehicle).with_for_update()).scalar_one())
    for kind, added in (("erased", erased), ("unlinked", unlinked or {})):
        before = counts.get(kind, {})
        counts[kind] = before | {name: before.get(name, 0) + number for name, number in added.items()}
    connection.execute(update(erased_vehicles).where(of_vehicle).values(counts=counts))


def count_clips(connection: Connection, vehicle_id: str, erased: ErasedSum) -> None:
    """Add a batch of clips that were erased with a vehicle."""
    members = select(func.count()).where(dataset_members.c.clip_id.in_(erased.ids))
    count(
        connection,
        vehicle_id,
        erased={**erased.rows, "clips": erased.clips, "clip_bytes": erased.size_bytes},
        unlinked={"dataset_members": connection.execute(members).scalar_one()},
    )
    digest = digest_of_vehicle(vehicle_id)
    rows = [{"vehicle_digest": digest, "clip_digest": digest_of_clip(clip_id)} for clip_id in erased.ids]
    if rows:
        connection.execute(insert(erased_vehicle_clips), rows)


def finish(connection: Connection, vehicle_id: str) -> None:
    """Note that no row of the vehicle is left, and which clips it had; what linked them goes."""
    digest = digest_of_vehicle(vehicle_id)
    gone = delete(erased_vehicle_clips).where(erased_vehicle_clips.c.vehicle_digest == digest)
    clips = connection.execute(gone.returning(erased_vehicle_clips.c.clip_digest)).scalars().all()
    last = select(func.coalesce(func.max(object_deletions.c.id), 0)).scalar_subquery()
    values = {"finished_at": func.now(), "clips_digest": digest_of_clips(clips), "last_deletion": last}
    connection.execute(update(erased_vehicles).where(_c.id_digest == digest).values(**values))


def report_of(connection: Connection, vehicle_id: str) -> ErasureReport:
    """The report on a vehicle that is erased completely, objects included: always the same one.

    NotFound if no such vehicle was erased, Conflict while something of it is left, saying what.
    """
    digest = digest_of_vehicle(vehicle_id)
    row = connection.execute(select(erased_vehicles).where(_c.id_digest == digest)).one_or_none()
    if row is None:
        raise NotFound(
            f"no vehicle {vehicle_id[:64]!r} was erased", remedy="`longtail erase-vehicle ID --reason WHY` erases one"
        )
    if row.finished_at is None:
        raise Conflict("the vehicle is still being erased", remedy="ask again in a minute")
    if row.clips_digest is None:
        raise Conflict(
            "the vehicle was erased by a version that did not count what it erased",
            remedy="its tombstone is all there is: `longtail audit` shows when, by whom and why it was erased",
        )
    _require_no_objects(connection, row.last_deletion)
    (identity,) = connection.execute(select(deployment.c.id)).scalars()
    return ErasureReport(
        deployment=identity,
        vehicle_digest=digest.hex(),
        requested_at=_shown(row.requested_at),
        finished_at=_shown(row.finished_at),
        erased_by=row.erased_by,
        reason=row.reason,
        erased=row.counts.get("erased", {}),
        unlinked=row.counts.get("unlinked", {}),
        clips_digest=row.clips_digest.hex(),
    )


def _require_no_objects(connection: Connection, last_deletion: int) -> None:
    """Deletions are not linked to vehicles: those of others that were asked for before count, too, for a while."""
    left = select(func.count(), func.max(object_deletions.c.due_at)).where(object_deletions.c.id <= last_deletion)
    number, due_at = connection.execute(left).one()
    if number:
        raise Conflict(
            f"{number} objects of erased clips are still to be deleted, the last of them at {_shown(due_at)}",
            remedy="ask again after that: a slow worker may still have been writing when the clips were erased",
        )


def _shown(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%SZ}"
