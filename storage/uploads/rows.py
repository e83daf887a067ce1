"""Uploads as values read from their rows, and how they are found.

Each step of its life is a compare-and-swap on the state: `creation` opens an upload, `progress` moves its offset,
`endings` close it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, select

from storage.rows import columns_of
from storage.tables import uploads
from storage.tables.uploads import LIVE, UploadState
from triggers.errors import NotFound, UploadGone

EXPIRED_BY_TIME = "expired"
"""The reason of an upload that was not completed in time; the vehicle may begin again."""


@dataclass(frozen=True, slots=True)
class UploadRow:
    """An upload without its manifest. `offset_bytes` is what the vehicle need not send again."""

    id: str
    clip_id: str
    vehicle_id: str
    size_bytes: int
    state: UploadState
    offset_bytes: int
    log_partition: int
    writer_epoch: int
    reason: str | None
    metadata: str | None
    expires_at: datetime

    @property
    def whole(self) -> bool:
        """Whether all bytes are in the log: nothing more can be written."""
        return self.state in (UploadState.RECEIVED, UploadState.STORED)


COLUMNS = columns_of(UploadRow, uploads)
"""The columns of an UploadRow, in its order."""


def row_of(row: Row[Any]) -> UploadRow:
    """A row of COLUMNS as a value."""
    return UploadRow(**{**row._mapping, "state": UploadState(row.state)})


def latest(connection: Connection, clip_id: str) -> UploadRow | None:
    """The clip's live upload, else its last one; not locked."""
    row = connection.execute(
        select(*COLUMNS)
        .where(uploads.c.clip_id == clip_id)
        .order_by(uploads.c.state.in_(LIVE).desc(), uploads.c.created_at.desc())
        .limit(1)
    ).one_or_none()
    return row_of(row) if row else None


def find(connection: Connection, upload_id: str, vehicle_id: str) -> UploadRow:
    """A vehicle's upload in any state; NotFound for unknown ones and for those of other vehicles."""
    row = connection.execute(
        select(*COLUMNS).where(uploads.c.id == upload_id, uploads.c.vehicle_id == vehicle_id)
    ).one_or_none()
    if row is None:
        raise NotFound("there is no such upload", remedy="create it first")
    return row_of(row)


def locked(connection: Connection, upload_id: str, vehicle_id: str) -> UploadRow:
    """Like `find`; nobody else changes the upload until this transaction ends."""
    connection.execute(select(uploads.c.id).where(uploads.c.id == upload_id).with_for_update(key_share=True))
    return find(connection, upload_id, vehicle_id)


def find_usable(connection: Connection, upload_id: str, vehicle_id: str, *, now: datetime) -> UploadRow:
    """Like `find`; UploadGone for an upload that has expired or was closed before it was complete."""
    upload = find(connection, upload_id, vehicle_id)
    over = upload.state == UploadState.OPEN and upload.expires_at <= now
    if over or not (upload.whole or upload.state == UploadState.OPEN):
        raise UploadGone(
            f"the upload was closed ({EXPIRED_BY_TIME if over else upload.reason})", remedy="create it again"
        )
    return upload
