"""Many uploads in one transaction: looked up, and stored as clips, with few statements whatever their number.

The rules are those of writer.py, in the same order of rows (see `storage.uploads`). Where one clip cannot be stored as
the others are, nothing is written, and the caller stores each alone.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence

from sqlalchemy import Connection, select

from storage import outbox
from storage.clips import extraction_jobs, writer
from storage.clips.writer import Ending, PendingUpload
from storage.erasure.expiry import expiries_of
from storage.rows import inserted, is_among
from storage.tables import clips
from storage.tables import uploads as uploads_table
from storage.tables.uploads import ASSEMBLING, UploadState
from storage.uploads import endings, parking
from triggers.contracts.clip import ClipManifest, Fire
from triggers.errors import InvalidInput


def find_uploads(connection: Connection, upload_ids: Collection[str]) -> dict[str, PendingUpload]:
    """These uploads by id; unknown ones, and those whose manifest cannot be read, are left out."""
    table = uploads_table.c
    rows = connection.execute(
        select(table.id, table.clip_id, table.vehicle_id, table.state, table.manifest).where(
            is_among(table.id, upload_ids)
        )
    )
    found = {}
    for row in rows:
        try:
            manifest = ClipManifest.from_stored_json(row.manifest, what="a stored manifest")
        except InvalidInput:  # whoever looks up this one alone gets the error
            continue
        found[row.id] = PendingUpload(row.id, row.clip_id, row.vehicle_id, row.state, manifest)
    return found


def store_clips(connection: Connection, uploads: Sequence[PendingUpload], *, extractor_version: int) -> list[Ending]:
    """Store clips, whose objects are durable already, as `writer.store_clip` does; endings in the order of `uploads`.

    FireReused, for the caller to roll back, when a fire of any of them has the ordinal of another fire.
    """
    states = _lock_states(connection, [upload.id for upload in uploads])
    won = [upload for upload in uploads if states.get(upload.id) in ASSEMBLING]
    if won:
        _catalogue(connection, won)
        endings.mark_all_stored(connection, [upload.id for upload in won])
        outbox.add_clip_events(connection, outbox.CLIP_STORED, [upload.clip_id for upload in won])
        of_vehicles = [(upload.clip_id, upload.vehicle_id) for upload in won]
        extraction_jobs.add_many(connection, of_vehicles, extractor_version)
    keys = parking.forget_many(connection, [upload.id for upload in uploads])
    ours = {upload.id for upload in won}
    return [
        Ending(UploadState.STORED, won=True, staging_keys=keys.get(upload.id, ()))
        if upload.id in ours
        else Ending(states.get(upload.id, "unknown"), won=False, staging_keys=keys.get(upload.id, ()))
        for upload in uploads
    ]


def _lock_states(connection: Connection, upload_ids: Sequence[str]) -> dict[str, str]:
    """The uploads' states, locked in the order of ids, so that two transactions never wait for each other."""
    table = uploads_table.c
    locked = select(table.id, table.state).where(is_among(table.id, upload_ids)).order_by(table.id)
    return {row.id: row.state for row in connection.execute(locked.with_for_update(key_share=True))}


def _catalogue(connection: Connection, uploads: Sequence[PendingUpload]) -> None:
    recordings = [upload.manifest.recording for upload in uploads]
    marks = zip(uploads, writer.tags_of(connection, recordings), expiries_of(connection, recordings), strict=True)
    rows = [writer.clip_row(upload, tags=tags, expires_at=expires_at) for upload, tags, expires_at in marks]
    ordered = sorted(rows, key=lambda row: str(row["id"]))
    connection.execute(inserted(clips, ordered).on_conflict_do_nothing())
    by_vehicle: dict[str, list[Fire]] = defaultdict(list)
    for upload in uploads:
        by_vehicle[upload.vehicle_id] += upload.manifest.recording.fires
    writer.write_fires(connection, by_vehicle, reason=None)
    writer.require_own_ordinals(connection, by_vehicle)
    writer.link_fires(connection, uploads)
    writer.note_contents(connection, uploads)
