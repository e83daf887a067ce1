"""API, gateway and ingest while their database takes connections and answers nothing: told, bounded, over in time."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from fleet_api.api.app import create_app
from fleet_api.deployment.keys import ensure_signing_key
from ingest.gateway.app import create_app as create_gateway
from storage import watched_connection
from storage.database import Database
from storage.settings import Settings
from tests.chaos.parts.wire import Trouble, Wire
from tests.ingest.gateway.serving import serve
from tests.storage.test_silent_server import socket_of, wired
from tests.support.ingest_thread import ingesting, problem
from tests.support.waiting import wait_for

pytestmark = pytest.mark.integration

CONNECT_S = 2
TOLD_S = 30.0
RECOVERY_S = 60.0
ANSWER_S = 50.0
"""The longest that docs/operations.md lets a request wait."""
HEADERS = {"Authorization": f"Bearer lt_{'A' * 43}", "Tus-Resumable": "1.0.0"}


@pytest.fixture
def wire(database: Database, monkeypatch: pytest.MonkeyPatch) -> Iterator[Wire]:
    monkeypatch.setattr(watched_connection, "CONNECT_S", CONNECT_S)
    monkeypatch.setitem(watched_connection.TCP_ARGUMENTS, "connect_timeout", CONNECT_S)
    with Wire("postgresql", 1, socket_of(database.url)) as wire:
        yield wire


@pytest.fixture
def settings(database: Database, wire: Wire, tmp_path: Path) -> Settings:
    settings = Settings(
        database_url=wired(database.url, wire),
        database_silence_s=1,
        data_dir=tmp_path,
        log_partitions=1,
        extraction_workers=0,
    )
    ensure_signing_key(settings)
    return settings


def ready(url: str) -> int:
    return httpx.get(f"{url}/readyz", timeout=ANSWER_S).status_code


def test_every_process_tells_a_silent_database_and_works_again_after_it(settings: Settings, wire: Wire) -> None:
    with serve(create_app(settings)) as api, serve(create_gateway(settings)) as gateway, ingesting(settings) as ingest:
        wait_for(lambda: not problem(ingest), within_s=RECOVERY_S, what="the readiness of ingest")
        assert (ready(api), ready(gateway)) == (200, 200)
        try:
            wire.set(Trouble(stalled=True))
            assert (ready(api), ready(gateway)) == (503, 503)
            wait_for(lambda: problem(ingest), within_s=TOLD_S, what="the word of ingest on the outage")
            for method, url in (("GET", f"{api}/v1/campaigns"), ("HEAD", f"{gateway}/v1/uploads/{'a' * 32}")):
                assert httpx.request(method, url, headers=HEADERS, timeout=ANSWER_S).status_code == 503
        finally:
            wire.set(Trouble())
        wait_for(lambda: (ready(api), ready(gateway)) == (200, 200), within_s=RECOVERY_S, what="readiness after it")
        wait_for(lambda: not problem(ingest), within_s=RECOVERY_S, what="the readiness of ingest after the outage")
