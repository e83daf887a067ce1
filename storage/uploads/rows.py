"""An upload as its row says, and how one is found.

States: `open` → `received` → `stored`, or `failed` from the first two, or `expired` from `open`. Each step is a
compare-and-swap on the state: `creation` opens an upload, `progress` moves its offset, `endings` close it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select

from storage.rows import columns_of
from storage.tables import uploads
from storage.tables.uploads import LIVE_UPLOAD_STATES
from triggers.errors import NotFound, UploadGone

EXPIRED_BY_TIME = "expired"
"""Reason of an upload that was not whole in time; the vehicle may begin again."""


@dataclass(frozen=True, slots=True)
class UploadRow:
    """An upload without its manifest. `offset_bytes` is what the vehicle need not send again."""

    id: str
    clip_id: str
    vehicle_id: str
    size_bytes: int
    state: str
    offset_bytes: int
    log_partition: int
    writer_epoch: int
    reason: str | None
    expires_at: datetime

    @property
    def whole(self) -> bool:
        """Whether all bytes are in the log: nothing more can be written."""
        return self.state in ("received", "stored")


COLUMNS = columns_of(UploadRow, uploads)
"""The columns of an UploadRow, in its order."""


def latest(connection: Connection, clip_id: str) -> UploadRow | None:
    """The clip's live upload, else its last one; not locked."""
    row = connection.execute(
        select(*COLUMNS)
        .where(uploads.c.clip_id == clip_id)
        .order_by(uploads.c.state.in_(LIVE_UPLOAD_STATES).desc(), uploads.c.created_at.desc())
        .limit(1)
    ).one_or_none()
    return UploadRow(*row) if row else None


def find(connection: Connection, upload_id: str, vehicle_id: str) -> UploadRow:
    """A vehicle's upload in any state; NotFound for unknown ones and for those of other vehicles."""
    row = connection.execute(
        select(*COLUMNS).where(uploads.c.id == upload_id, uploads.c.vehicle_id == vehicle_id)
    ).one_or_none()
    if row is None:
        raise NotFound("there is no such upload", remedy="create it first")
    return UploadRow(*row)


def find_usable(connection: Connection, upload_id: str, vehicle_id: str, *, now: datetime) -> UploadRow:
    """Like `find`; UploadGone for one that was closed before it was whole, or whose time is over."""
    upload = find(connection, upload_id, vehicle_id)
    over = upload.state == "open" and upload.expires_at <= now
    if over or not (upload.whole or upload.state == "open"):
        raise UploadGone(
            f"the upload was closed ({EXPIRED_BY_TIME if over else upload.reason})", remedy="create it again"
        )
    return upload
