"""Quarantine reaches uploads that are open: they end when they are continued, and cost what came of them."""

from __future__ import annotations

from storage import ledger
from storage.database import Database
from storage.settings import Settings
from storage.vehicles import quarantine
from tests.ingest.gateway.pressure import DATA, clip
from tests.ingest.gateway.serving import TusClient, running_gateway
from triggers.contracts.clip import CELL_BYTES


def used(database: Database) -> list[tuple[int, int]]:
    """What each account in bytes of clips has reserved or settled, and what it has settled."""
    with database.begin() as connection:
        accounts = ledger.usage(connection)
    of_clips = [each for each in accounts if each.unit == "bytes" and each.key.kind != "network_month"]
    return [(each.held, each.settled) for each in of_clips]


def test_an_open_upload_of_a_vehicle_in_quarantine_ends_with_what_came(
    database: Database, settings: Settings, token: str
) -> None:
    with running_gateway(settings) as (url, _app):
        client = TusClient(url, token)
        location, whole = client.begin(clip()), client.begin(clip(DATA[::-1]))
        assert client.patch(location, 0, DATA[:CELL_BYTES]).status_code == 204
        assert client.patch(whole, 0, DATA[::-1]).status_code == 204
        with database.begin() as connection:
            quarantine.quarantine(connection, "car-1", reason="its clips are noise", by="ann")
        refused = client.patch(location, CELL_BYTES, DATA[CELL_BYTES:])
        assert (refused.status_code, refused.json()["code"]) == (403, "quarantined")
        assert "its clips are noise" in refused.json()["detail"]
        assert client.patch(whole, len(DATA), b"").status_code == 204, "all of it is there"
        assert client.patch(location, CELL_BYTES, DATA[CELL_BYTES:]).status_code == 410
        assert {held for held, _ in used(database)} == {len(DATA) + CELL_BYTES}, "the whole clip, and what came"
        assert {settled for _, settled in used(database)} == {CELL_BYTES}
        with database.begin() as connection:
            quarantine.release(connection, "car-1", reason="a new camera", by="ann")
        assert client.begin(clip()) != location, "the clip may come again, as another upload"
        client.close()
