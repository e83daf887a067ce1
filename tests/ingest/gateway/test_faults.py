"""Faults around the gateway: a log that goes away, a database that is not there, an error nobody expected."""

from __future__ import annotations

from collections.abc import Sequence

import httpx
import pytest
from sqlalchemy import make_url, text

from ingest.cell_record import CellRecord
from ingest.gateway.limits import GatewayLimits
from storage.database import Database
from storage.settings import Settings
from tests.ingest.gateway.conftest import MIB
from tests.ingest.gateway.pressure import DATA, clip, held_bytes, log_stands_still
from tests.ingest.gateway.serving import TusClient, logged_bytes, running_gateway, some_bytes
from tests.support.locks import waiting_for_a_lock, waits_for_a_lock
from tests.support.waiting import wait_for
from triggers.contracts.clip import CELL_BYTES


def test_a_log_that_goes_away_keeps_what_was_acknowledged_and_says_so(
    database: Database, settings: Settings, token: str
) -> None:
    with running_gateway(settings) as (url, app):
        client = TusClient(url, token)
        location = client.begin(clip())
        client.patch(location, 0, DATA[:CELL_BYTES])
        with (
            log_stands_still(database),
            client.open_patch(location, CELL_BYTES, len(DATA) - CELL_BYTES, DATA[CELL_BYTES:]) as connection,
        ):
            wait_for(lambda: waits_for_a_lock(database), within_s=10, what="an append that waits")
            (waiting,) = waiting_for_a_lock(database)
            with database.begin() as admin:
                admin.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": waiting})
            answer = connection.recv(10_000).decode()
        assert answer.startswith("HTTP/1.1 503 ")
        assert "retry-after:" in answer.lower()
        assert held_bytes(app) == 0
        assert client.offset(location) == CELL_BYTES
        assert client.patch(location, CELL_BYTES, DATA[CELL_BYTES:]).headers["Upload-Offset"] == str(len(DATA))
        client.close()


def test_an_error_nobody_expected_gives_its_memory_back(database: Database, settings: Settings, token: str) -> None:
    with running_gateway(settings) as (url, app):
        client = TusClient(url, token)
        location = client.begin(clip())

        async def broken(partition: int, cells: Sequence[CellRecord]) -> None:
            raise ZeroDivisionError("a secret of ours")

        app.state.gateway.append = broken
        failed = client.patch(location, 0, DATA)
        assert (failed.status_code, failed.json()["code"]) == (500, "internal")
        assert "secret" not in failed.text
        assert held_bytes(app) == 0
        client.close()


def test_a_gateway_without_its_database_lives_and_its_log_names_the_address_and_the_setting(
    token: str, caplog: pytest.LogCaptureFixture
) -> None:
    nowhere = Settings(database_url="postgresql://someone:secret@127.0.0.1:1/longtail")
    with running_gateway(nowhere) as (url, _app):
        assert httpx.get(f"{url}/healthz", timeout=60).status_code == 200
        for answer in (httpx.get(f"{url}/readyz", timeout=60), TusClient(url, token).create(clip())):
            assert answer.status_code == 503
            assert answer.json()["code"] == "unreachable"
            assert "127.0.0.1" not in answer.text
            assert int(answer.headers["Retry-After"]) > 0
    assert "127.0.0.1:1" in caplog.text
    assert "LONGTAIL_DATABASE_URL" in caplog.text
    assert "secret" not in caplog.text


def test_a_revoked_token_is_refused_once_it_is_forgotten(database: Database, settings: Settings, token: str) -> None:
    with running_gateway(settings, GatewayLimits(token_ttl_s=0.05)) as (url, _app):
        client = TusClient(url, token)
        location = client.begin(clip())
        with database.begin() as connection:
            connection.execute(text("UPDATE vehicles SET revoked_at = now()"))
        wait_for(lambda: client.http.head(location).status_code == 401, within_s=30, what="the refusal")
        client.close()


@pytest.mark.parametrize("size", [1, CELL_BYTES, CELL_BYTES + 1, 16 * MIB + 1])
def test_clips_of_every_size_arrive_byte_for_byte(
    database: Database, settings: Settings, client: TusClient, size: int
) -> None:
    data = some_bytes(size)
    location = client.begin(clip(data))
    assert client.patch(location, 0, data).headers["Upload-Offset"] == str(size)
    assert logged_bytes(database, settings, location.rsplit("/", 1)[1]) == data


def test_any_error_of_a_statement_is_503_with_a_time_to_come_back(
    client: TusClient, database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    location = client.begin(clip())
    with database.begin() as connection:
        connection.execute(text("ALTER TABLE uploads RENAME COLUMN expires_at TO expired_at"))
    answers = [
        client.create(clip()),
        client.http.head(location),
        client.patch(location, 0, DATA),
        client.http.delete(location),
    ]
    for answer in answers:
        assert answer.status_code == 503
        assert int(answer.headers["Retry-After"]) > 0
        assert "expires_at" not in answer.text
    assert "expires_at" in caplog.text


def test_a_database_that_refuses_the_log_in_is_503_too(token: str, database: Database) -> None:
    wrong = make_url(database.url).set(database="no_such_database").render_as_string(hide_password=False)
    with running_gateway(Settings(database_url=wrong)) as (url, _app):
        refused = TusClient(url, token).create(clip())
        assert (refused.status_code, refused.json()["code"]) == (503, "misconfigured")
        assert int(refused.headers["Retry-After"]) > 0
        assert "no_such_database" not in refused.text
