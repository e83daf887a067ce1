"""The offset of an open upload: it is advanced by one writer at a time, and covers durable bytes only.

It goes back in one case: a cell proves to have other bytes than its manifest says, so all of it has to be sent again.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, case, func, literal, select, update

from storage.tables import uploads
from storage.tables.uploads import UploadState
from storage.uploads import pieces
from storage.uploads.rows import COLUMNS, UploadRow, find, find_usable, row_of
from triggers.contracts.clip import CELL_BYTES
from triggers.errors import Fenced, UploadGone, WrongOffset

DIGEST_BYTES = 32
LONGEST_LIFE = 30
"""However slowly an upload goes on, it ends after this many times its expiry: it may not hold its budget for ever."""


@dataclass(frozen=True, slots=True)
class Reached:
    """How far a writer is: all bytes before `offset_bytes` are durable, and `tail`, a part of a cell, follows there."""

    offset_bytes: int
    tail: bytes = b""

    @property
    def end_bytes(self) -> int:
        """The offset that may be acknowledged once the tail is kept, too."""
        return self.offset_bytes + len(self.tail)


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


def cell_digests(connection: Connection, upload_id: str, first: int, count: int) -> bytes:
    """SHA-256 (32 bytes each) of `count` cells of an open upload, from cell `first`; fewer where the clip ends."""
    wanted = func.substring(uploads.c.cell_digests, first * DIGEST_BYTES + 1, count * DIGEST_BYTES)
    return bytes(connection.execute(select(wanted).where(uploads.c.id == upload_id)).scalar_one())


def store(connection: Connection, writer: UploadRow, reached: Reached, *, now: datetime, expiry_s: int) -> UploadRow:
    """Record how far the writer is, which also puts off the upload's end; with the last byte it becomes `received`.

    `writer` is what `begin_write` returned. Returns the upload as it is now. One that another writer, or the assembler,
    has made whole in the meantime is returned as it is. Otherwise, with nothing changed, Fenced when a later writer has
    begun and UploadGone when the upload was closed.
    """
    table, end = uploads.c, reached.end_bytes
    whole = end == writer.size_bytes
    checked = end if whole else reached.offset_bytes
    latest_end = table.created_at + LONGEST_LIFE * timedelta(seconds=expiry_s)
    moved = connection.execute(
        update(uploads)
        .where(
            table.id == writer.id,
            table.writer_epoch == writer.writer_epoch,
            table.state == UploadState.OPEN,
            table.offset_bytes <= end,
        )
        .values(
            offset_bytes=end,
            state=UploadState.RECEIVED if whole else UploadState.OPEN,
            mismatches=case((table.offset_bytes < checked, 0), else_=table.mismatches),
            expires_at=func.greatest(
                table.expires_at, func.least(literal(now + timedelta(seconds=expiry_s)), latest_end)
            ),
        )
        .returning(*COLUMNS)
    ).one_or_none()
    if moved is None:
        return _made_whole_by_another(connection, writer)
    if reached.offset_bytes > writer.offset_bytes and writer.offset_bytes % CELL_BYTES:
        pieces.forget(connection, [writer.id])  # their cell is in the log
    if reached.tail:
        pieces.keep(connection, writer.id, reached.offset_bytes, reached.tail)
    return row_of(moved)


def note_mismatch(connection: Connection, writer: UploadRow, cell_start: int) -> int:
    """Go back to the start of a cell that came with other bytes than the manifest says; how often that happened.

    The count starts again with every good cell. Fenced or UploadGone as in `store`.
    """
    table = uploads.c
    counted = connection.execute(
        update(uploads)
        .where(table.id == writer.id, table.writer_epoch == writer.writer_epoch, table.state == UploadState.OPEN)
        .values(
            mismatches=table.mismatches + 1,
            offset_bytes=func.least(table.offset_bytes, cell_start),
        )
        .returning(table.mismatches, table.offset_bytes)
    ).one_or_none()
    if counted is None:
        _made_whole_by_another(connection, writer)
        return 0
    if counted.offset_bytes == cell_start:
        pieces.forget(connection, [writer.id])
    return int(counted.mismatches)


def _made_whole_by_another(connection: Connection, writer: UploadRow) -> UploadRow:
    """The upload as a later writer or the assembler made it whole; else Fenced or UploadGone."""
    upload = find(connection, writer.id, writer.vehicle_id)
    if upload.whole:
        return upload
    if upload.state == UploadState.OPEN:
        raise Fenced(
            f"another request has begun to write upload {writer.id}", remedy="ask for the offset and continue there"
        )
    raise UploadGone(f"the upload was closed ({upload.reason})", remedy="create it again")
