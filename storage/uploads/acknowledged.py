"""Uploads with acknowledged cells that are not in the catalog yet, which the log or the staging area must have."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, case, literal, select

from storage.tables import uploads
from storage.tables.uploads import ASSEMBLING, UploadState
from storage.uploads import parking
from triggers.contracts.clip import CELL_BYTES

MAX_LISTED = 10_000


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """An upload that is being assembled, its partition of the log, and how many of its first cells are acknowledged.

    `state` is `received` when that are all cells, else `open`.
    """

    upload_id: str
    partition: int
    cells: int
    state: str


def acknowledged(connection: Connection) -> list[Acknowledged]:
    """The uploads with acknowledged cells, the oldest first, at most MAX_LISTED."""
    table = uploads.c
    whole = case((table.state == UploadState.RECEIVED, literal(CELL_BYTES - 1)), else_=0)  # the last cell is shorter
    cells = (table.offset_bytes + whole) / literal(CELL_BYTES)
    rows = connection.execute(
        select(table.id, table.log_partition, cells, table.state)
        .where(table.state.in_(ASSEMBLING), table.offset_bytes >= case((whole > 0, 1), else_=CELL_BYTES))
        .order_by(table.created_at)
        .limit(MAX_LISTED)
    )
    return [Acknowledged(row[0], row[1], int(row[2]), row[3]) for row in rows]


def are_parked(connection: Connection, upload: Acknowledged) -> bool:
    """Whether every acknowledged cell of an upload is in the staging area."""
    parked = {cell for part in parking.parts(connection, upload.upload_id) for cell in part.cells}
    return parked >= set(range(upload.cells))
