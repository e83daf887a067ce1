"""What came over the wire for uploads, repeats included: charged to networks, and counted as usage, in one place."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, select

from storage import ledger, usage
from storage.rows import is_among
from storage.tables import uploads
from storage.tables.uploads import ASSEMBLING, UploadState
from storage.uploads.rows import UploadRow


def add(connection: Connection, upload_id: str, came_bytes: int) -> None:
    """Count bytes that came for an upload, good or not."""
    usage.add_received(connection, upload_id, came_bytes)
    ledger.add_received(connection, upload_id, came_bytes)


def add_unrecorded(connection: Connection, upload_ids: Sequence[str]) -> None:
    """Count what came of uploads that prove to be whole, beyond the offsets that are recorded.

    Their writer may have been killed. One that lives leaves them out, see `beside_stored`.
    """
    table = uploads.c
    left = select(table.id, (table.size_bytes - table.offset_bytes).label("came_bytes"))
    of_these = is_among(table.id, upload_ids), table.state.in_(ASSEMBLING), table.offset_bytes < table.size_bytes
    for row in connection.execute(left.where(*of_these).order_by(table.id)).all():
        add(connection, row.id, row.came_bytes)


def beside_stored(upload: UploadRow, begun: UploadRow, recorded_bytes: int, came_bytes: int) -> int:
    """Of the bytes that came to a writer, those that are not counted yet: the assembler may have counted some.

    `upload` is the row as it is now, `begun` as the writer began it, and `recorded_bytes` the offset that the writer
    recorded last.
    """
    is_counted = upload.state == UploadState.STORED and upload.writer_epoch == begun.writer_epoch
    return max(0, came_bytes - (upload.size_bytes - recorded_bytes)) if is_counted else came_bytes
