"""PostgreSQL whose connections somebody else has used up: told by every process, nothing is lost, over by itself."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx
import psycopg
import pytest
from sqlalchemy import select

from fleet_api.api.app import create_app
from fleet_api.deployment.keys import ensure_signing_key
from ingest.gateway.app import create_app as create_gateway
from storage.database import Database
from storage.embedded import EmbeddedPostgres
from storage.migrate import migrate
from storage.settings import Settings
from storage.tables import uploads
from tests.ingest.gateway.serving import TusClient, serve, some_bytes
from tests.support.fleet import add_version, clip_manifest, enroll_vehicle
from tests.support.ingest_thread import ingesting, problem
from tests.support.servers.postgres import libpq_url
from tests.support.waiting import wait_for
from triggers.contracts.campaign import BudgetLimits
from triggers.errors import Unreachable

pytestmark = pytest.mark.integration

CONNECTIONS = 30
RECOVERY_S = 60.0
ANSWER_S = 50.0
_END_OTHERS = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
    " WHERE backend_type = 'client backend' AND application_name <> 'somebody'"
)


@pytest.fixture
def database(data_dir: Path) -> Iterator[Database]:
    """A migrated database on a server of its own."""
    with EmbeddedPostgres(data_dir, settings={"max_connections": CONNECTIONS}, volatile=True) as server:
        database = Database(server.url, pool_size=1)
        migrate(database)
        yield database
        database.close()


@pytest.fixture
def settings(database: Database, tmp_path: Path) -> Settings:
    made = Settings(
        database_url=database.url, database_pool_size=4, data_dir=tmp_path, log_partitions=1, extraction_workers=0
    )
    ensure_signing_key(made)
    return made


@contextmanager
def somebody_with_all_connections(database: Database) -> Iterator[None]:
    """All connections of the server are held by somebody; whoever had some has lost them."""
    database.close()
    url = libpq_url(database.url)
    held = [psycopg.connect(url, autocommit=True, application_name="somebody")]

    def takes_another() -> bool:
        held[0].execute(_END_OTHERS)
        try:
            held.append(psycopg.connect(url, application_name="somebody"))
        except psycopg.OperationalError:
            return False
        return len(held) == CONNECTIONS

    try:
        wait_for(takes_another, within_s=30, what="somebody to take every connection")
        yield
    finally:
        for connection in held:
            connection.close()


def ready(url: str) -> int:
    return httpx.get(f"{url}/readyz", timeout=ANSWER_S).status_code


def test_processes_that_start_and_run_without_a_connection_left_say_so_and_go_on_after_it(
    database: Database, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    with database.begin() as connection:
        add_version(connection, "wide", limits=BudgetLimits(total_bytes=10**12))
        token = enroll_vehicle(connection)
    with somebody_with_all_connections(database), pytest.raises(Unreachable) as caught, database.begin():
        pass
    assert "has no connection left" in str(caught.value) and "max_connections" in caught.value.remedy

    with ExitStack() as running, ExitStack() as somebody:
        somebody.enter_context(somebody_with_all_connections(database))
        api = running.enter_context(serve(create_app(settings)))
        gateway = running.enter_context(serve(create_gateway(settings)))
        ingest = running.enter_context(ingesting(settings))
        assert (ready(api), ready(gateway)) == (503, 503)
        wait_for(lambda: "has no connection left" in problem(ingest), within_s=RECOVERY_S, what="the word of ingest")
        somebody.close()
        wait_for(lambda: (ready(api), ready(gateway)) == (200, 200), within_s=RECOVERY_S, what="the first readiness")
        wait_for(lambda: not problem(ingest), within_s=RECOVERY_S, what="the first readiness of ingest")

        data = some_bytes(20_000)
        client = TusClient(gateway, token)
        location = client.begin(clip_manifest(data, "wide"))
        caplog.clear()
        with somebody_with_all_connections(database):
            assert (ready(api), ready(gateway)) == (503, 503)
            wait_for(lambda: "has no connection left" in problem(ingest), within_s=RECOVERY_S, what="ingest's word")
            refused = client.patch(location, 0, data)
            assert refused.status_code == 503 and "retry-after" in refused.headers
        assert caplog.text.count("has no connection left") >= 3
        wait_for(lambda: (ready(api), ready(gateway)) == (200, 200), within_s=RECOVERY_S, what="readiness after it")
        wait_for(lambda: not problem(ingest), within_s=RECOVERY_S, what="the readiness of ingest after it")
        offset = client.offset(location)
        assert client.patch(location, offset, data[offset:]).status_code == 204
        client.close()
        wait_for(lambda: states(database) == ["stored"], within_s=RECOVERY_S, what="the clip")


def states(database: Database) -> list[str]:
    with database.begin() as connection:
        return list(connection.execute(select(uploads.c.state)).scalars())
