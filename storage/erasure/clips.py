"""Erases clips: their rows in one transaction, which leaves a tombstone, exact counts, and the keys of their objects.

A clip's fires stay, and stay `catalogued`; so does its upload, without its manifest, and every entry of the ledger: the
bytes were used. A vehicle that sends the clip again is told that the cloud has received it, and nothing is stored.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection, Row, Table, delete, func, insert, select, text, update

from storage import outbox
from storage.backtests import jobs as backtests
from storage.clips.marks import openings
from storage.clips.properties import known_values
from storage.datasets import holds
from storage.erasure import objects
from storage.likeness import duplicates
from storage.rows import columns_of
from storage.tables import (
    clip_assets,
    clip_fires,
    clip_notes,
    clip_openings,
    clip_tags,
    clip_texts,
    clip_vectors,
    clips,
    dead_letters,
    erased_clips,
    extraction_jobs,
    label_jobs,
    labels,
    scan_hits,
    signal_statistics,
    uploads,
    vector_jobs,
)
from storage.tables.erasure import ErasureCause
from storage.tiers import moves
from triggers.contracts.clip import CLIP_ID_FORM
from triggers.errors import Erased, NotFound

BATCH = 100
LATE_WRITERS = timedelta(hours=1)
"""A worker that was slow or cut off may write an object of a clip after it was erased; none takes longer than this."""
_PARTS: tuple[Table, ...] = (
    labels,
    label_jobs,
    extraction_jobs,
    scan_hits,
    vector_jobs,
    clip_vectors,
    signal_statistics,
    clip_assets,
    clip_fires,
    clip_tags,
    clip_notes,
    clip_texts,
    clip_openings,
)
"""What refers to a clip, each table before those that it refers to."""

# In the order in which clips that are being stored write them, so that the two wait for each other at most one way.
_LOCK_FIRES = text("""
    SELECT f.ordinal FROM clip_fires l
    JOIN fires f USING (vehicle_id, campaign, version, ordinal)
    WHERE l.clip_id = ANY (CAST(:clips AS text[]))
    ORDER BY f.vehicle_id, f.campaign, f.version, f.ordinal
    FOR UPDATE OF f
""")
_MARK_FIRES = text("""
    UPDATE fires f SET without_clip = :why
    FROM (
        SELECT DISTINCT vehicle_id, campaign, version, ordinal
        FROM clip_fires WHERE clip_id = ANY (CAST(:clips AS text[]))
    ) l
    WHERE (f.vehicle_id, f.campaign, f.version, f.ordinal) = (l.vehicle_id, l.campaign, l.version, l.ordinal)
        AND f.outcome = 'catalogued'
        AND NOT EXISTS (
            SELECT FROM clip_fires o
            WHERE (o.vehicle_id, o.campaign, o.version, o.ordinal) = (f.vehicle_id, f.campaign, f.version, f.ordinal)
                AND o.clip_id <> ALL (CAST(:clips AS text[]))
        )
""")


@dataclass(frozen=True, slots=True)
class ErasedSum:
    """How many clips were erased, and their bytes without what was derived from them.

    `ids` are their ids; `rows` says how many rows of which tables, and how many `objects`, went with them.
    """

    clips: int = 0
    size_bytes: int = 0
    ids: tuple[str, ...] = field(default=(), compare=False)
    rows: Mapping[str, int] = field(default_factory=dict, compare=False)


@dataclass(frozen=True, slots=True)
class Tombstone:
    """What remains of an erased clip. `reason` and `erased_by` are a user's; retention has neither."""

    clip_id: str
    digest: str
    size_bytes: int
    cause: ErasureCause
    reason: str | None
    erased_by: str | None
    erased_at: Any


def expire(connection: Connection, *, limit: int = BATCH) -> ErasedSum:
    """Erase at most `limit` clips whose `expires_at` is over and that no dataset keeps, the longest expired first."""
    is_due = clips.c.expires_at <= func.now(), ~holds.is_kept()
    due = select(clips.c.id).where(*is_due).order_by(clips.c.expires_at).limit(limit)
    return erase(connection, connection.execute(due).scalars().all(), ErasureCause.EXPIRED)


def erase(
    connection: Connection,
    clip_ids: Collection[str],
    cause: ErasureCause,
    *,
    reason: str | None = None,
    by: str | None = None,
) -> ErasedSum:
    """Erase clips with everything that belongs to them; those that are not in the catalog are left out.

    1. lock the clips, after their jobs: whoever concludes a job does it before, or finds no job; leave out those that
       expired and that a dataset has come to keep meanwhile, which cannot change any more
    2. note the objects to delete, and a second time for those that a worker may still be writing
    3. mark the fires that will be in no clip any more, and see which clips anybody has used
    4. let clips that were duplicates of these be their own again, forget backtests over them, and delete the rows
    5. empty the manifests of the uploads, and discard the dead letters
    6. write tombstones and events
    7. forget values of attributes and tags that no other clip has; last, as storing clips waits for it
    """
    locked = _lock(connection, clip_ids)
    if cause is ErasureCause.EXPIRED:
        locked = _not_kept(connection, locked)
    if not locked:
        return ErasedSum()
    ids = [row.id for row in locked]
    rows = {"objects": _note_objects(connection, locked)}
    _mark_fires(connection, ids, "expired" if cause is ErasureCause.EXPIRED else "erased")
    used = openings.used_among(connection, ids)
    rows["duplicate_marks"] = duplicates.release(connection, ids)
    rows["backtests"] = backtests.forget_those_over(connection, ids)
    for table in _PARTS:
        rows[table.name] = connection.execute(delete(table).where(table.c.clip_id.in_(ids))).rowcount
    values = known_values.of_clips(connection, ids)
    connection.execute(delete(clips).where(clips.c.id.in_(ids)))
    _empty_uploads(connection, locked)
    told = {"cause": cause, "reason": reason, "erased_by": by}
    tombstones = [
        {
            "clip_id": r.id,
            "digest": r.digest,
            "size_bytes": r.size_bytes,
            "was_used": r.id in used,
            # never before it came or was moved, whichever way the server's clock was set in between
            "erased_at": max(filter(None, (r.now, r.stored_at, r.moved_at))),
            **told,
        }
        for r in locked
    ]
    connection.execute(insert(erased_clips), tombstones)
    outbox.add_clip_events(connection, outbox.CLIP_ERASED, ids)
    known_values.forget(connection, values)
    return ErasedSum(len(locked), sum(row.size_bytes for row in locked), tuple(ids), rows)


def require(connection: Connection, clip_id: str) -> None:
    """NotFound when the catalog has never had this clip, Erased when it has it no more."""
    row = connection.execute(
        select(*columns_of(Tombstone, erased_clips)).where(erased_clips.c.clip_id == clip_id)
    ).one_or_none()
    if row is not None:
        raise _erased(Tombstone(*row))
    if connection.execute(select(clips.c.id).where(clips.c.id == clip_id)).one_or_none() is None:
        raise no_clip(clip_id)


def no_clip(clip_id: str) -> NotFound:
    """The error for an id that no clip has, or ever had."""
    return NotFound(f"there is no clip {clip_id[:100]!r}", remedy=CLIP_ID_FORM)


_WHY = {
    ErasureCause.EXPIRED: "what its campaigns retain was over",
    ErasureCause.ERASED: "a user erased it",
    ErasureCause.VEHICLE_ERASED: "its vehicle was erased",
}


def _erased(tombstone: Tombstone) -> Erased:
    why = f": {tombstone.reason}" if tombstone.reason else ""
    return Erased(
        f"clip {tombstone.clip_id} was erased on {tombstone.erased_at:%Y-%m-%dT%H:%M:%SZ},"
        f" because {_WHY[ErasureCause(tombstone.cause)]}{why}",
        remedy="it cannot be had back; its fires are still counted",
    )


def _lock(connection: Connection, clip_ids: Collection[str]) -> Sequence[Row[Any]]:
    """The clips' rows. Jobs come first, as in the transactions that conclude them; otherwise they could deadlock.

    So do hits, in the order in which a scan that is removed takes them.
    """
    for table in (extraction_jobs, vector_jobs, label_jobs, scan_hits):
        keys = list(table.primary_key)
        rows = select(*keys).where(table.c.clip_id.in_(clip_ids)).order_by(*keys)
        connection.execute(rows.with_for_update())
    c = clips.c
    columns = (c.id, c.digest, c.size_bytes, c.upload_id, c.object_key, c.stored_at)
    moved_at = moves.last_move_at(c.id).label("moved_at")
    locked = select(*columns, func.now().label("now"), moved_at).where(c.id.in_(clip_ids)).order_by(c.id)
    return connection.execute(locked.with_for_update(of=clips)).all()


def _not_kept(connection: Connection, locked: Sequence[Row[Any]]) -> list[Row[Any]]:
    ids = [row.id for row in locked]
    kept = set(connection.execute(select(clips.c.id).where(clips.c.id.in_(ids), holds.is_kept())).scalars())
    return [row for row in locked if row.id not in kept]


def _note_objects(connection: Connection, locked: Sequence[Row[Any]]) -> int:
    """Have the clips' objects deleted; returns how many rows name, whatever a worker may still be writing."""
    ids = [row.id for row in locked]
    assets = select(clip_assets.c.object_key).where(clip_assets.c.clip_id.in_(ids))
    named = [*(row.object_key for row in locked), *connection.execute(assets).scalars()]
    objects.add(connection, named)
    recent = [row.object_key for row in locked if row.now - row.stored_at < LATE_WRITERS]
    objects.add(connection, recent, after=LATE_WRITERS)
    _note_derived(connection, ids)
    return len(named)


def _note_derived(connection: Connection, clip_ids: Sequence[str]) -> None:
    """Have deleted what any attempt at an extraction may have stored: one that was killed leaves what no row names."""
    jobs = extraction_jobs.c
    may_write = (jobs.token > 0) & (func.coalesce(jobs.finished_at, func.now()) > func.now() - LATE_WRITERS)
    tried = select(jobs.extractor_version, jobs.clip_id, may_write.label("may_write"))
    rows = connection.execute(tried.where(jobs.clip_id.in_(clip_ids))).all()
    prefixes = {derived_prefix(row.extractor_version, row.clip_id): row.may_write for row in rows}
    objects.add(connection, prefixes, is_prefix=True)
    late = [prefix for prefix, may_write in prefixes.items() if may_write]
    objects.add(connection, late, is_prefix=True, after=LATE_WRITERS)


def derived_prefix(extractor_version: int, clip_id: str) -> str:
    """What the keys of all objects begin with that a version of the extractor derives from a clip."""
    return f"derived/v{extractor_version}/{clip_id}/"


def _mark_fires(connection: Connection, clip_ids: Sequence[str], why: str) -> None:
    """Mark those of the clips' fires that no other clip has. They are locked first, so that a clip that is being stored
    with one of them is either seen, or finds the mark and takes it away."""
    connection.execute(_LOCK_FIRES, {"clips": clip_ids})
    connection.execute(_MARK_FIRES, {"clips": clip_ids, "why": why})


def _empty_uploads(connection: Connection, locked: Sequence[Row[Any]]) -> None:
    upload_ids = [row.upload_id for row in locked]
    connection.execute(
        update(uploads).where(uploads.c.id.in_(upload_ids)).values(manifest=b"", cell_digests=None, metadata=None)
    )
    letters = dead_letters.c.clip_id.in_([row.id for row in locked])
    kept = select(dead_letters.c.object_key).where(letters, dead_letters.c.object_key.is_not(None))
    objects.add(connection, connection.execute(kept).scalars().all())
    connection.execute(update(dead_letters).where(letters).values(state="discarded", manifest=None, object_key=None))
