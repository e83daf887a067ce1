"""The transactions that end an upload: the clip is stored with everything that belongs to it, or the upload fails.

Both are idempotent and decided by the upload's row: the transaction that locks it first while it is open wins, and
every other one finds it closed and changes nothing. Rows are written in the order that `storage.uploads` has for all,
so that two of these transactions never deadlock.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, select, text
from sqlalchemy.dialects.postgresql import Insert

from storage import outbox
from storage.campaigns.clip_marks import Marks, marks_of
from storage.clips import extraction_jobs
from storage.clips.marks import texts
from storage.clips.properties import days, known_names, known_values, terms
from storage.rows import insert_rows, rows_json, values_of
from storage.statements.prepared import Prepared
from storage.tables import clips, fires
from storage.tables import uploads as uploads_table
from storage.tables.clips import fired_terms
from storage.tables.uploads import ASSEMBLING, UploadState
from storage.uploads import dead_letters, endings, parking
from storage.uploads.fire_identity import OfVehicles, known_fires, reused_fire
from triggers.contracts.api.outcomes import LetterStage
from triggers.contracts.clip import ClipManifest
from triggers.errors import Conflict
from triggers.times import NS_PER_S


class FireReused(Conflict):
    """A fire has the ordinal of another fire: the vehicle used that ordinal before, and lost its count since."""

    code = "fire_reused"


@dataclass(frozen=True)
class PendingUpload:
    """What the assembler needs to know about an upload."""

    id: str
    clip_id: str
    vehicle_id: str
    state: str
    manifest: ClipManifest

    @property
    def is_assembling(self) -> bool:
        """Whether cells of it are still to be assembled."""
        return self.state in ASSEMBLING

    @property
    def object_key(self) -> str:
        """Key of the clip's file: a function of its identity, so that a replay writes the same object."""
        return clip_key(self.clip_id, self.manifest.recording.start_ns)


@dataclass(frozen=True, slots=True)
class Ending:
    """What became of an upload. `won` says whether this call ended it; `staging_keys` are objects to delete now."""

    state: str
    won: bool
    staging_keys: tuple[str, ...] = ()


def clip_key(clip_id: str, start_ns: int) -> str:
    """`clips/YYYY/MM/DD/<clip id>.mcap` by the UTC day on which the clip starts."""
    try:
        day = datetime.fromtimestamp(start_ns // NS_PER_S, tz=UTC)
    except (OverflowError, ValueError):  # a vehicle's clock may claim any int64
        return f"clips/undated/{clip_id}.mcap"
    return f"clips/{day:%Y/%m/%d}/{clip_id}.mcap"


def find_upload(connection: Connection, upload_id: str) -> PendingUpload | None:
    """The upload in any state, or None when there is none."""
    table = uploads_table.c
    row = connection.execute(
        select(table.id, table.clip_id, table.vehicle_id, table.state, table.manifest).where(table.id == upload_id)
    ).one_or_none()
    if row is None:
        return None
    manifest = ClipManifest.from_stored_json(row.manifest, what=f"the stored manifest of upload {upload_id}")
    return PendingUpload(row.id, row.clip_id, row.vehicle_id, row.state, manifest)


def store_clip(connection: Connection, upload: PendingUpload, *, extractor_version: int) -> Ending:
    """The one transaction that stores a clip; its object is durable under `upload.object_key` already.

    1. lock the upload; when it is closed already, end here
    2. write the clip, state `stored`
    3. write its fires (a fire that another clip brought before stays one fire), link them to the clip, and its words;
       if one has the ordinal of another fire, undo 2 and 3 and fail the upload instead
    4. close the upload as `stored` and settle its reservation
    5. write the event `clip.stored`
    6. write the extraction job
    7. drop the parked rows, whose objects the caller deletes after the commit
    """
    state = _lock_state(connection, upload.id)
    if state not in ASSEMBLING:
        return Ending(state, won=False, staging_keys=tuple(parking.forget(connection, upload.id)))
    try:
        with connection.begin_nested():
            _catalogue(connection, upload)
    except FireReused as error:
        detail, key = error.message, upload.object_key
        return fail_upload(connection, upload, reason=error.code, detail=detail, object_key=key)
    endings.mark_stored(connection, upload.id)
    outbox.add_clip_event(connection, outbox.CLIP_STORED, upload.clip_id)
    extraction_jobs.add(connection, upload.clip_id, upload.vehicle_id, extractor_version)
    return Ending(UploadState.STORED, won=True, staging_keys=tuple(parking.forget(connection, upload.id)))


def fail_upload(
    connection: Connection,
    upload: PendingUpload,
    *,
    reason: str,
    detail: str,
    object_key: str | None = None,
    stage: LetterStage = "assembler",
) -> Ending:
    """The one transaction that gives up a clip which can never be stored; `stage` is who does.

    1. lock the upload; when it is closed already, end here
    2. close it as `failed` and release its reservation
    3. write its fires with the outcome `failed` (unless another clip has catalogued them) and the reason
    4. write the dead letter, with the manifest
    5. drop the parked rows, whose objects the caller deletes after the commit
    """
    state = _lock_state(connection, upload.id)
    if state not in ASSEMBLING:
        return Ending(state, won=False, staging_keys=tuple(parking.forget(connection, upload.id)))
    manifest = upload.manifest
    endings.fail(connection, upload.id, reason)
    write_fires(connection, {upload.vehicle_id: manifest.recording.fires}, reason=reason)
    dead_letters.record(
        connection,
        stage=stage,
        reason=reason,
        detail=detail,
        vehicle_id=upload.vehicle_id,
        upload_id=upload.id,
        clip_id=upload.clip_id,
        manifest=manifest.canonical_json(),
        object_key=object_key,
        fires=len(manifest.recording.fires),
    )
    return Ending(UploadState.FAILED, won=True, staging_keys=tuple(parking.forget(connection, upload.id)))


def fail_unread(connection: Connection, upload_id: str, *, reason: str, detail: str) -> bool:
    """Give up an upload whose stored manifest, and so its fires, cannot be read; False when it is closed already."""
    table = uploads_table.c
    row = connection.execute(
        select(table.clip_id, table.vehicle_id, table.manifest).where(table.id == upload_id).with_for_update()
    ).one()
    if not endings.fail(connection, upload_id, reason):
        return False
    dead_letters.record(
        connection,
        stage="assembler",
        reason=reason,
        detail=detail,
        vehicle_id=row.vehicle_id,
        upload_id=upload_id,
        clip_id=row.clip_id,
        manifest=row.manifest,
    )
    return True


def _catalogue(connection: Connection, upload: PendingUpload) -> None:
    """Write clip, fires and links. FireReused is checked after writing, when no other clip can intervene."""
    of_vehicles = {upload.vehicle_id: upload.manifest.recording.fires}
    (marks,) = marks_of(connection, [upload.manifest.recording])
    row = clip_row(upload, marks)
    insert_rows(connection, clips, [row], unless_there)
    write_fires(connection, of_vehicles, reason=None)
    require_own_ordinals(connection, of_vehicles)
    link_fires(connection, [upload])
    note_contents(connection, [upload])


def note_contents(connection: Connection, uploads: Sequence[PendingUpload]) -> None:
    """Note what filters can ask of these clips. Rows that many clips share are written here, in one order."""
    known_names.add_attributes(connection, {name for each in uploads for name in each.manifest.recording.attributes})
    clip_ids = [upload.clip_id for upload in uploads]
    terms.note(connection, clip_ids)
    days.note(connection, clip_ids)
    known_values.note(connection, clip_ids)
    texts.write(connection, clip_ids)


def _lock_state(connection: Connection, upload_id: str) -> str:
    """The upload's state, locked until this transaction ends; `unknown` when there is no such upload."""
    locked = select(uploads_table.c.state).where(uploads_table.c.id == upload_id).with_for_update(key_share=True)
    return connection.execute(locked).scalar_one_or_none() or "unknown"


def clip_row(upload: PendingUpload, marks: Marks) -> dict[str, Any]:
    """The columns of a new clip; fields of the recording that bear a column's name are stored as they are."""
    manifest, recording = upload.manifest, upload.manifest.recording
    return {
        **values_of(recording, clips),
        "id": upload.clip_id,
        "upload_id": upload.id,
        "state": "stored",
        "size_bytes": manifest.size_bytes,
        "digest": manifest.digest,
        "object_key": upload.object_key,
        "manifest": manifest,
        "tags": marks.tags,
        "fired": sorted({term for fire in recording.fires for term in fired_terms(fire.campaign, fire.trigger)}),
        "expires_at": marks.expires_at,
    }


def write_fires(connection: Connection, of_vehicles: OfVehicles, *, reason: str | None) -> None:
    """Write fires with their outcome: `catalogued` once any of their clips is, else `failed` with the first reason."""
    outcome = {"outcome": "failed" if reason else "catalogued", "reason": reason}
    of_identity = {
        (vehicle_id, fire.campaign, fire.version, fire.ordinal): fire
        for vehicle_id, of_fires in of_vehicles.items()
        for fire in reversed(of_fires)
    }
    # Always in one order: otherwise two clips with the same fires could deadlock on each other's rows.
    rows = [
        {**values_of(of_identity[identity], fires), "vehicle_id": identity[0], **outcome}
        for identity in sorted(of_identity)
    ]
    insert_rows(connection, fires, rows, unless_there if reason else _or_catalogued)


def unless_there(insertion: Insert) -> Insert:
    """Rows that are there already stay as they are."""
    return insertion.on_conflict_do_nothing()


def _or_catalogued(insertion: Insert) -> Insert:
    return insertion.on_conflict_do_update(
        index_elements=list(fires.primary_key),
        set_={"outcome": "catalogued", "reason": None, "without_clip": None},
        where=(fires.c.outcome == "failed") | fires.c.without_clip.is_not(None),
    )


def require_own_ordinals(connection: Connection, of_vehicles: OfVehicles) -> None:
    """FireReused when one of these fires, which are written, has the ordinal of another fire."""
    known = known_fires(connection, of_vehicles)
    for vehicle_id, of_fires in of_vehicles.items():
        reused = reused_fire(of_fires, known[vehicle_id])
        if reused is not None:
            raise FireReused(reused)


# What a link repeats comes from the rows of the fire and the clip, as another clip may have brought this fire before.
_LINK_FIRES = Prepared(
    text("""
    INSERT INTO clip_fires (
        clip_id, vehicle_id, campaign, version, ordinal, window_start_ns, window_end_ns, charged_bytes,
        trigger, program_digest, t_ns, inclusion_probability, recorded_ns
    )
    SELECT n.*, f.trigger, f.program_digest, f.t_ns, f.inclusion_probability, c.recorded_ns
    FROM jsonb_to_recordset(CAST(:links AS jsonb)) AS n (
        clip_id text, vehicle_id text, campaign text, version integer, ordinal bigint, window_start_ns bigint,
        window_end_ns bigint, charged_bytes bigint
    )
    JOIN fires f USING (campaign, version, vehicle_id, ordinal)
    JOIN clips c ON c.id = n.clip_id
    ON CONFLICT DO NOTHING
""")
)
_OF_A_LINK = ("campaign", "version", "ordinal", "window_start_ns", "window_end_ns", "charged_bytes")


def link_fires(connection: Connection, uploads: Sequence[PendingUpload]) -> None:
    """Link clips to their fires; the rows of both exist."""
    links = [
        {
            "clip_id": upload.clip_id,
            "vehicle_id": upload.vehicle_id,
            **{name: getattr(fire, name) for name in _OF_A_LINK},
        }
        for upload in uploads
        for fire in upload.manifest.recording.fires
    ]
    _LINK_FIRES.rows(connection, links=rows_json(links))
