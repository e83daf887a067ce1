"""Cells that arrive with other bytes than the manifest says: answered 460 before anything is acknowledged or lost."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from ingest.gateway.limits import GatewayLimits
from storage.database import Database
from storage.settings import Settings
from storage.uploads import dead_letters
from tests.ingest.gateway.pressure import DATA, clip, held_bytes
from tests.ingest.gateway.serving import TusClient, logged_bytes, running_gateway
from triggers.contracts.clip import CELL_BYTES


def flipped(data: bytes, at: int) -> bytes:
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


@pytest.mark.parametrize("cell", [0, 1, 3])
def test_a_bit_flipped_on_the_way_costs_the_cell_to_be_sent_again_and_nothing_else(
    client: TusClient, database: Database, settings: Settings, cell: int
) -> None:
    location = client.begin(clip())
    refused = client.patch(location, 0, flipped(DATA, cell * CELL_BYTES + 7))
    assert (refused.status_code, refused.json()["code"]) == (460, "checksum_mismatch")
    assert refused.headers["Upload-Offset"] == str(cell * CELL_BYTES) == str(refused.json()["offset"])
    assert f"cell {cell}" in refused.json()["detail"]
    offset = client.offset(location)
    assert offset == cell * CELL_BYTES
    assert client.patch(location, offset, DATA[offset:]).headers["Upload-Offset"] == str(len(DATA))
    assert logged_bytes(database, settings, location.rsplit("/", 1)[1]) == DATA


def test_a_bit_flipped_in_a_piece_of_a_cell_costs_its_whole_cell(
    client: TusClient, database: Database, settings: Settings
) -> None:
    location = client.begin(clip())
    client.patch(location, 0, DATA[:CELL_BYTES] + flipped(DATA[CELL_BYTES:][:1000], 5))
    assert client.offset(location) == CELL_BYTES + 1000, "what is wrong shows only at the cell's end"
    refused = client.patch(location, CELL_BYTES + 1000, DATA[CELL_BYTES + 1000 :])
    assert (refused.status_code, refused.headers["Upload-Offset"]) == (460, str(CELL_BYTES))
    assert client.patch(location, CELL_BYTES, DATA[CELL_BYTES:]).status_code == 204
    assert logged_bytes(database, settings, location.rsplit("/", 1)[1]) == DATA


def test_a_cell_that_never_fits_fails_the_clip_after_a_number_of_times(
    database: Database, settings: Settings, token: str
) -> None:
    with running_gateway(settings, GatewayLimits(mismatches_per_upload=3)) as (url, app):
        client = TusClient(url, token)
        manifest = clip()
        location = client.begin(manifest)
        bad = flipped(DATA, CELL_BYTES)
        assert client.patch(location, 0, bad).status_code == 460
        assert client.patch(location, CELL_BYTES, bad[CELL_BYTES:]).status_code == 460
        last = client.patch(location, CELL_BYTES, bad[CELL_BYTES:])
        assert (last.status_code, last.json()["code"]) == (409, "clip_failed")
        assert client.http.head(location).status_code == 410
        assert client.create(manifest).json()["code"] == "clip_failed"
        assert held_bytes(app) == 0
        client.close()
    with database.begin() as connection:
        (letter,) = dead_letters.listing(connection)
        assert (letter.stage, letter.reason, letter.fires) == ("gateway", "cell_hash_mismatch", 1)
        outcome = connection.execute(text("SELECT outcome, reason FROM fires")).one()
    assert tuple(outcome) == ("failed", "cell_hash_mismatch")


def test_a_good_cell_starts_the_count_again(database: Database, settings: Settings, token: str) -> None:
    with running_gateway(settings, GatewayLimits(mismatches_per_upload=2)) as (url, _app):
        client = TusClient(url, token)
        location = client.begin(clip())
        for cell in range(3):
            start, end = cell * CELL_BYTES, (cell + 1) * CELL_BYTES
            assert client.patch(location, start, flipped(DATA[start:end], 0)).status_code == 460
            assert client.patch(location, start, DATA[start:end]).status_code == 204
        assert client.patch(location, 3 * CELL_BYTES, DATA[3 * CELL_BYTES :]).status_code == 204
        client.close()
