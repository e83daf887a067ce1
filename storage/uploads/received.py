"""What came over the wire for uploads, repeats included: counted in one place for all that depends on it.

It counts for the day of the vehicle, which is bounded; as usage; and it is charged to networks.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from sqlalchemy import Connection, select, text

from storage import ledger, usage
from storage.rows import is_given
from storage.statements.prepared import Prepared
from storage.tables import uploads
from storage.tables.base import is_one_of
from storage.tables.uploads import ASSEMBLING, UploadState
from storage.uploads import vehicle_days
from storage.uploads.rows import UploadRow

_u = uploads.c
_of_these = is_given(_u.id), text(is_one_of("state", ASSEMBLING)), _u.offset_bytes < _u.size_bytes
_left = select(_u.id, _u.vehicle_id, _u.size_bytes - _u.offset_bytes).where(*_of_these).order_by(_u.id)
_UNRECORDED = Prepared(_left.with_for_update(key_share=True))


def add(connection: Connection, upload_id: str, vehicle_id: str, came_bytes: int) -> None:
    """Count bytes that came for an upload of a vehicle, good or not. The transaction has locked the upload."""
    _add_all(connection, {vehicle_id: came_bytes}, {upload_id: came_bytes})


def _add_all(connection: Connection, of_vehicles: Mapping[str, int], of_uploads: Mapping[str, int]) -> None:
    """Bytes by vehicle, and the same by upload. Vehicles' days come first: see `storage.uploads` on locks."""
    vehicle_days.add_received(connection, of_vehicles, now=datetime.now(UTC))
    usage.add_received(connection, of_uploads)
    ledger.add_received(connection, of_uploads)


def add_unrecorded(connection: Connection, upload_ids: Sequence[str]) -> None:
    """Count what came of uploads that prove to be whole, beyond the offsets that are recorded.

    Their writer may have been killed. One that lives leaves them out, see `beside_stored`.
    """
    of_vehicles: Counter[str] = Counter()
    of_uploads = {}
    for upload_id, vehicle_id, came_bytes in _UNRECORDED.rows(connection, ids=list(upload_ids)):
        of_vehicles[vehicle_id] += came_bytes
        of_uploads[upload_id] = came_bytes
    _add_all(connection, of_vehicles, of_uploads)


def beside_stored(upload: UploadRow, begun: UploadRow, recorded_bytes: int, came_bytes: int) -> int:
    """Of the bytes that came to a writer, those that are not counted yet: the assembler may have counted some.

    `upload` is the row as it is now, `begun` as the writer began it, and `recorded_bytes` the offset that the writer
    recorded last.
    """
    is_counted = upload.state == UploadState.STORED and upload.writer_epoch == begun.writer_epoch
    return max(0, came_bytes - (upload.size_bytes - recorded_bytes)) if is_counted else came_bytes
