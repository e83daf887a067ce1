"""A vehicle that is erased while the gateway still trusts its token is refused, and nothing of it is kept."""

from __future__ import annotations

from sqlalchemy import select

from storage.database import Database
from storage.erasure import vehicles
from storage.settings import Settings
from storage.tables import dead_letters
from tests.ingest.gateway.pressure import DATA, clip
from tests.ingest.gateway.serving import TusClient, running_gateway


def test_a_token_that_is_still_trusted_brings_nothing_of_an_erased_vehicle(
    database: Database, settings: Settings, token: str
) -> None:
    with running_gateway(settings) as (url, _app):
        client = TusClient(url, token)
        location = client.begin(clip())
        with database.begin() as connection:
            vehicles.request(connection, "car-1", reason="asked", by="olga")
        assert client.patch(location, 0, DATA).status_code == 410
        refused = [client.create(clip(DATA[1:])), client.create_raw(b"no manifest", 5)]
        with database.begin() as connection:
            finished = vehicles.go_on(connection)
        assert finished is not None
        assert finished.finished
        refused += [client.create(clip(DATA[2:])), client.create_raw(b"no manifest", 5)]
        assert {(answer.status_code, answer.json()["detail"]) for answer in refused} == {
            (401, "the vehicle was erased")
        }
        client.close()
    with database.begin() as connection:
        assert connection.execute(select(dead_letters.c.id)).all() == []
