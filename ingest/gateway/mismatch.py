"""Cells that came with other bytes than their manifest says: sent again, and given up after a number of times.

Whether a bit was flipped on the way or the manifest is wrong cannot be told apart: the vehicle sends the bytes again,
and a clip whose cell never fits is failed, so that its fires are counted and its budget is free.
"""

from __future__ import annotations

import logging

from storage.clips import writer
from storage.database import Connection
from storage.uploads import progress, rows
from storage.uploads.rows import UploadRow
from triggers.errors import ChecksumMismatch, ClipFailed, LongtailError

REASON = "cell_hash_mismatch"

_log = logging.getLogger(__name__)


def count_mismatch(
    connection: Connection, begun: UploadRow, error: ChecksumMismatch, *, limit: int
) -> tuple[UploadRow, LongtailError]:
    """Go back to the cell's start, or at the `limit` fail the clip; returns the upload now and the error to answer."""
    times = progress.note_mismatch(connection, begun, error.offset)
    if times < limit:
        _log.warning("upload %s of %s: %s (%d of %d)", begun.id, begun.vehicle_id, error.message, times, limit)
        upload = rows.find(connection, begun.id, begun.vehicle_id)
        return upload, ChecksumMismatch(error.message, offset=upload.offset_bytes)
    detail = f"{error.message}, and so {times} times in a row"
    pending = writer.find_upload(connection, begun.id)
    if pending is not None:
        writer.fail_upload(connection, pending, reason=REASON, detail=detail, stage="gateway")
    _log.error("upload %s of %s failed: %s", begun.id, begun.vehicle_id, detail)
    upload = rows.find(connection, begun.id, begun.vehicle_id)
    return upload, ClipFailed(
        detail, remedy="check the manifest's hashes against the file; do not send this clip again"
    )
