"""What came over the wire is counted once, by networks and as usage alike, whoever notices it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from sqlalchemy import Connection, text, update

from storage import ledger
from storage.database import Database
from storage.tables import uploads
from storage.uploads import endings, received, rows
from storage.uploads.rows import UploadRow
from tests.storage.ledger.ledger_support import add_upload
from tests.support.fleet import add_version, charged_manifest, enroll_vehicle

SIZE_BYTES = 100


def announced(connection: Connection) -> UploadRow:
    enroll_vehicle(connection)
    add_version(connection, "braking")
    manifest = charged_manifest({"braking": SIZE_BYTES})
    upload_id = add_upload(connection, manifest)
    ledger.reserve(connection, upload_id, manifest, now=datetime.now(UTC))
    return rows.find(connection, upload_id, manifest.recording.vehicle_id)


def counted(connection: Connection) -> tuple[int, int, int]:
    """The bytes by days of vehicles, by receipts of networks, and by hours of usage."""
    one, two, three = (
        int(connection.execute(text(f"SELECT coalesce(sum(received_bytes), 0) FROM {table}")).scalar_one())
        for table in ("vehicle_days", "ledger_receipts", "upload_hours")
    )
    return one, two, three


@pytest.mark.parametrize("recorded", [0, 60, SIZE_BYTES])
def test_bytes_that_a_killed_gateway_had_not_recorded_are_counted_with_the_clip(
    database: Database, recorded: int
) -> None:
    with database.begin() as connection:
        upload = announced(connection)
        received.add(connection, upload.id, upload.vehicle_id, recorded)
        connection.execute(update(uploads).values(offset_bytes=recorded))
        assert endings.mark_stored(connection, upload.id)
        assert counted(connection) == (SIZE_BYTES,) * 3


def test_a_writer_that_lives_counts_only_what_the_assembler_has_not(database: Database) -> None:
    """It had recorded 60 bytes when the clip was stored, and 45 more had come: five of them twice."""
    with database.begin() as connection:
        begun = announced(connection)
        received.add(connection, begun.id, begun.vehicle_id, 60)
        connection.execute(update(uploads).values(offset_bytes=60))
        endings.mark_stored(connection, begun.id)
        stored = rows.find(connection, begun.id, begun.vehicle_id)
        received.add(connection, begun.id, begun.vehicle_id, received.beside_stored(stored, begun, 60, 45))
        assert counted(connection) == (SIZE_BYTES + 5,) * 3
        assert received.beside_stored(stored, begun, SIZE_BYTES, 7) == 7, "after the last offset was recorded"
        assert received.beside_stored(stored, replace(begun, writer_epoch=-1), 60, 45) == 45, "another made it whole"
