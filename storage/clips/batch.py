"""Many uploads in one transaction: looked up, and stored as clips, with few statements whatever their number.

The rules are those of writer.py, in the same order of rows (see `storage.uploads`). Where one clip cannot be stored as
the others are, nothing is written, and the caller stores each alone.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence

from sqlalchemy import Connection, select

from storage import outbox
from storage.campaigns.clip_marks import marks_of
from storage.clips import extraction_jobs, writer
from storage.clips.writer import Ending, PendingUpload
from storage.rows import insert_rows, is_among, is_given
from storage.statements.prepared import Prepared
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


_t = uploads_table.c
_LOCKED_STATES = Prepared(
    select(_t.id, _t.state).where(is_given(_t.id)).order_by(_t.id).with_for_update(key_share=True)
)


def _lock_states(connection: Connection, upload_ids: Sequence[str]) -> dict[str, str]:
    """The uploads' states, locked in the order of ids, so that two transactions never wait for each other."""
    return {row[0]: row[1] for row in _LOCKED_STATES.rows(connection, ids=list(upload_ids))}


def _catalogue(connection: Connection, uploads: Sequence[PendingUpload]) -> None:
    recordings = [upload.manifest.recording for upload in uploads]
    marks = marks_of(connection, recordings)
    rows = [writer.clip_row(upload, of_it) for upload, of_it in zip(uploads, marks, strict=True)]
    ordered = sorted(rows, key=lambda row: str(row["id"]))
    insert_rows(connection, clips, ordered, writer.unless_there)
    by_vehicle: dict[str, list[Fire]] = defaultdict(list)
    for upload in uploads:
        by_vehicle[upload.vehicle_id] += upload.manifest.recording.fires
    writer.write_fires(connection, by_vehicle, reason=None)
    writer.require_own_ordinals(connection, by_vehicle)
    writer.link_fires(connection, uploads)
    writer.note_contents(connection, uploads)
