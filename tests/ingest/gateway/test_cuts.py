"""Uploads cut by the network after every record, by a zombie's return, by kill -9: no byte is lost or moved."""

from __future__ import annotations

import threading

import pytest

from ingest.log import CELLS_TOPIC, open_log
from storage.database import Database
from storage.settings import Settings
from tests.ingest.gateway.serving import TusClient, logged_bytes, logged_cells, running_gateway, some_bytes
from tests.support.fleet import clip_manifest
from tests.support.processes import python_process, read_line
from tests.support.waiting import wait_for
from triggers.contracts.clip import CELL_BYTES, ClipManifest

CELLS = 5
DATA = some_bytes((CELLS - 1) * CELL_BYTES + 12345)


def clip() -> ClipManifest:
    return clip_manifest(DATA, "wide")


def upload_id(location: str) -> str:
    return location.rsplit("/", 1)[1]


def wait_for_offset(client: TusClient, location: str, offset: int) -> None:
    wait_for(lambda: client.offset(location) == offset, within_s=10, what=f"offset {offset}")


def send_rest(client: TusClient, location: str, *, at_most: int) -> None:
    """Send what the gateway lacks; it may still be storing the end of the request that was cut."""

    def sent() -> bool:
        offset = client.offset(location)
        assert offset <= at_most
        return client.patch(location, offset, DATA[offset:]).status_code == 204

    wait_for(sent, within_s=10, what="the upload's end")
    assert client.offset(location) == len(DATA)


def wait_for_records(database: Database, settings: Settings, number: int) -> None:
    log = open_log(settings, database)
    wait_for(
        lambda: sum(log.end_offsets(CELLS_TOPIC).values()) >= number, within_s=20, what=f"record {number} in the log"
    )


def test_a_cut_after_every_record_in_turn_leaves_every_cell_in_the_log_once(
    client: TusClient, database: Database, settings: Settings
) -> None:
    location = client.begin(clip())
    for number in range(CELLS - 1):
        offset, cut = client.offset(location), (number + 1) * CELL_BYTES + 1000
        client.open_patch(location, offset, len(DATA) - offset, DATA[offset:cut]).close()
        wait_for_offset(client, location, cut)  # not the cell's end alone: the next request begins where this one ended
    send_rest(client, location, at_most=len(DATA))
    cells = logged_cells(database, settings)
    assert [cell.index for cell in cells] == list(range(CELLS))
    assert b"".join(cell.payload for cell in cells) == DATA
    assert [cell.writer_epoch for cell in cells] == sorted(cell.writer_epoch for cell in cells)


@pytest.mark.parametrize("sent", [0, 1, CELL_BYTES - 1, CELL_BYTES, CELL_BYTES + 1, 3 * CELL_BYTES - 1])
def test_a_cut_anywhere_keeps_the_whole_cells_and_what_had_come_of_the_next(
    client: TusClient, database: Database, settings: Settings, sent: int
) -> None:
    location = client.begin(clip())
    client.open_patch(location, 0, len(DATA), DATA[:sent]).close()
    whole_cells = sent // CELL_BYTES * CELL_BYTES
    wait_for(lambda: client.offset(location) >= whole_cells, within_s=10, what="the whole cells")
    send_rest(client, location, at_most=sent)
    assert logged_bytes(database, settings, upload_id(location)) == DATA


def test_the_offset_is_stored_while_a_long_request_still_runs(
    database: Database, settings: Settings, token: str
) -> None:
    often = settings.model_copy(update={"offset_store_interval_s": 0.01})
    with running_gateway(often) as (url, _app):
        client = TusClient(url, token)
        location = client.begin(clip())
        with client.open_patch(location, 0, len(DATA), DATA[:CELL_BYTES]) as connection:
            wait_for_records(database, settings, 1)
            threading.Event().wait(0.02)  # longer than the interval, so that the next append stores
            connection.sendall(DATA[CELL_BYTES : 2 * CELL_BYTES])
            wait_for_offset(client, location, 2 * CELL_BYTES)
        client.close()


def test_a_zombie_cannot_move_the_offset_of_the_writer_after_it(
    database: Database, settings: Settings, token: str
) -> None:
    seldom = settings.model_copy(update={"offset_store_interval_s": 3600.0})
    with running_gateway(seldom) as (url, _app):
        client = TusClient(url, token)
        location = client.begin(clip())
        zombie = client.open_patch(location, 0, len(DATA), DATA[:CELL_BYTES])
        wait_for_records(database, settings, 1)
        assert client.offset(location) == 0
        assert client.patch(location, 0, DATA[:CELL_BYTES]).headers["Upload-Offset"] == str(CELL_BYTES)

        zombie.sendall(DATA[CELL_BYTES:])
        answer = zombie.recv(10_000).decode()
        zombie.close()
        assert answer.startswith("HTTP/1.1 409 ")
        assert client.offset(location) == CELL_BYTES

        client.patch(location, CELL_BYTES, DATA[CELL_BYTES:])
        assert client.offset(location) == len(DATA)
        client.close()
    assert logged_bytes(database, settings, upload_id(location)) == DATA


def test_kill_9_in_the_middle_of_a_request_loses_no_acknowledged_byte(
    database: Database, settings: Settings, token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in settings.environment().items():
        monkeypatch.setenv(name, value)
    manifest = clip()
    acknowledged, records = 0, 0
    for rest in (1000, CELL_BYTES, CELL_BYTES + 1000):
        with python_process("-m", "tests.ingest.gateway.gateway_process") as process:
            client = TusClient(read_line(process), token)
            client.wait_until_ready()
            location = client.location(client.create(manifest))
            offset = client.offset(location)
            assert offset >= acknowledged
            answer = client.patch(location, offset, DATA[offset : offset + CELL_BYTES])
            acknowledged = int(answer.headers["Upload-Offset"])
            with client.open_patch(location, acknowledged, len(DATA) - acknowledged, DATA[acknowledged:][:rest]):
                records += 1 + rest // CELL_BYTES
                wait_for_records(database, settings, records)
                process.kill()
                process.wait()
            client.close()
    with running_gateway(settings) as (url, _app):
        client = TusClient(url, token)
        location = client.location(client.create(manifest))
        offset = client.offset(location)
        assert acknowledged <= offset < len(DATA)
        assert client.patch(location, offset, DATA[offset:]).headers["Upload-Offset"] == str(len(DATA))
        client.close()
    assert logged_bytes(database, settings, upload_id(location)) == DATA
