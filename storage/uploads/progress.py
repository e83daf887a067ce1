"""The offset of an open upload: it is advanced by one writer at a time, and never decreases."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, case, update

from storage.tables import uploads
from storage.tables.uploads import UploadState
from storage.uploads.rows import COLUMNS, UploadRow, find_usable, row_of
from triggers.errors import Fenced, WrongOffset


def begin_write(connection: Connection, upload_id: str, vehicle_id: str, offset: int, *, now: datetime) -> UploadRow:
    """Become the upload's only writer, at `offset`: raises its writer epoch, which fences every earlier writer.

    A complete upload is returned unchanged when `offset` is its size. An attempt that raises WrongOffset, UploadGone or
    NotFound fences no writer.
    """
    raised = connection.execute(
        update(uploads)
        .where(
            uploads.c.id == upload_id,
            uploads.c.vehicle_id == vehicle_id,
            uploads.c.state == UploadState.OPEN,
            uploads.c.expires_at > now,
            uploads.c.offset_bytes == offset,
        )
        .values(writer_epoch=uploads.c.writer_epoch + 1)
        .returning(*COLUMNS)
    ).one_or_none()
    if raised is not None:
        return row_of(raised)
    upload = find_usable(connection, upload_id, vehicle_id, now=now)
    if upload.whole and offset == upload.size_bytes:
        return upload
    raise WrongOffset(
        f"the bytes start at {offset}, the stored ones end at {upload.offset_bytes}", offset=upload.offset_bytes
    )


def store_offset(connection: Connection, upload_id: str, writer_epoch: int, offset: int) -> None:
    """Record that the log holds all bytes before `offset`; with the last byte the upload becomes `received`.

    The offset never decreases. Fenced, with nothing changed, when a later writer has begun or the upload was closed.
    """
    state = case((uploads.c.size_bytes == offset, UploadState.RECEIVED), else_=UploadState.OPEN)
    moved = connection.execute(
        update(uploads)
        .where(
            uploads.c.id == upload_id,
            uploads.c.writer_epoch == writer_epoch,
            uploads.c.state == UploadState.OPEN,
            uploads.c.offset_bytes <= offset,
        )
        .values(offset_bytes=offset, state=state)
    )
    if moved.rowcount == 0:
        raise Fenced(f"upload {upload_id} has a later writer than {writer_epoch}, or is closed")
