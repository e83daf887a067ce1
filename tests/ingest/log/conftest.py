"""The implementations of the log that the contract suite runs on: a new one adds its settings here."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import pytest

from ingest.log import Log
from storage.database import Database
from storage.settings import Settings
from tests.ingest.log.support import OpenLog, log_opener

NO_DATABASE = "postgresql://nobody@127.0.0.1:1/none"
"""For logs that never ask the database."""


@pytest.fixture(params=["postgresql", "kafka"])
def log_settings(request: pytest.FixtureRequest) -> Settings:
    """Settings that name an empty log of one implementation."""
    if request.param == "kafka":
        server = request.getfixturevalue("kafka_server")
        url = f"kafka://{server.bootstrap}/{uuid.uuid4().hex[:12]}"
        return Settings(log_url=url, database_url=NO_DATABASE, log_lease_s=30)
    database: Database = request.getfixturevalue("database")
    return Settings(log_url="postgresql:", database_url=database.url, log_lease_s=30, database_pool_size=20)


@pytest.fixture
def open_client(log_settings: Settings) -> Iterator[OpenLog]:
    """Opens further clients of the same log, each as a process of its own would."""
    with log_opener(log_settings) as opener:
        yield opener


@pytest.fixture
def log(open_client: OpenLog) -> Log:
    """A client of the log."""
    return open_client()
