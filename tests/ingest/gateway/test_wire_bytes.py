"""Bytes on the wire: everything that came is counted, also what had to be sent again, or was refused."""

from __future__ import annotations

from sqlalchemy import text

from storage.database import Database
from storage.diagnosis.usage import usage_that_differs
from tests.ingest.gateway.pressure import DATA, clip
from tests.ingest.gateway.serving import TusClient
from tests.ingest.gateway.test_mismatches import flipped
from triggers.contracts.clip import CELL_BYTES


def counted_bytes(database: Database) -> int:
    """Of all uploads, by hour; as much as usage has by campaign."""
    with database.begin() as connection:
        assert usage_that_differs(connection) == []
        by_hour = connection.execute(text("SELECT coalesce(sum(received_bytes), 0) FROM upload_hours")).scalar_one()
        by_campaign = text("SELECT coalesce(sum(wire_bytes), 0) FROM usage_increments")
        assert connection.execute(by_campaign).scalar_one() == by_hour
    return int(by_hour)


def test_a_clip_that_comes_at_once_has_its_size(client: TusClient, database: Database) -> None:
    assert client.patch(client.begin(clip()), 0, DATA).status_code == 204
    assert counted_bytes(database) == len(DATA)


def test_a_cell_that_comes_twice_is_counted_twice(client: TusClient, database: Database) -> None:
    location = client.begin(clip())
    assert client.patch(location, 0, flipped(DATA, CELL_BYTES)).status_code == 460
    first = counted_bytes(database)
    assert first > CELL_BYTES, "the wrong cell came, too"
    offset = client.offset(location)
    assert client.patch(location, offset, DATA[offset:]).status_code == 204
    assert counted_bytes(database) == first + len(DATA) - offset


def test_bytes_of_a_piece_are_counted_although_their_cell_is_not_whole(client: TusClient, database: Database) -> None:
    client.patch(client.begin(clip()), 0, DATA[:1000])
    assert counted_bytes(database) == 1000


def test_a_body_whose_checksum_is_wrong_was_sent_all_the_same(client: TusClient, database: Database) -> None:
    location = client.begin(clip())
    headers = {"Content-Type": "application/offset+octet-stream", "Upload-Checksum": "sha1 " + "A" * 27 + "="}
    refused = client.patch(location, 0, DATA[:1000], {**headers, "Tus-Resumable": "1.0.0"})
    assert (refused.status_code, client.offset(location)) == (460, 0)
    assert counted_bytes(database) == 1000
