"""Fixtures for all tests; what they are made of is in `tests/support`."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from storage.database import Database
from tests.support import process_roles
from tests.support.calendar_borders import no_day_ends
from tests.support.failure_reports import parse_alone, pytest_sessionfinish
from tests.support.garbage import pytest_collection
from tests.support.paths import server_folder
from tests.support.servers import postgres
from tests.support.servers.database import Databases, migrated_template
from tests.support.servers.real_servers import (
    kafka_server,
    pytest_runtest_call,
    pytest_runtest_setup,
    pytest_terminal_summary,
    s3_server,
)

# No clock decides a test, and a machine may be busy: neither slow examples nor slow generation are failures.
settings.register_profile("longtail", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("longtail")

parse_alone()
process_roles.install()

__all__ = [
    "kafka_server",
    "no_day_ends",
    "pytest_collection",
    "pytest_runtest_call",
    "pytest_runtest_setup",
    "pytest_sessionfinish",
    "pytest_terminal_summary",
    "s3_server",
]


if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # a shell starts what runs in the background so, and
    signal.signal(signal.SIGINT, signal.default_int_handler)  # what the tests start and interrupt would inherit it


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """The URL of a server that lives as long as the test session (one per worker)."""
    with postgres.running_server() as url:
        yield url


@pytest.fixture
def database_url(postgres_url: str) -> Iterator[str]:
    """The URL of a fresh, empty database of the test's own."""
    with postgres.fresh_database(postgres_url) as url:
        yield url


@pytest.fixture
def data_dir() -> Iterator[Path]:
    """An empty folder for a server's data, reachable for the user whom root hands the server to."""
    with server_folder() as folder:
        yield folder


@pytest.fixture(scope="session")
def migrated(postgres_url: str) -> Iterator[str]:
    """The name of a migrated database to copy from."""
    with migrated_template(postgres_url) as name:
        yield name


@pytest.fixture(scope="session")
def databases(postgres_url: str, migrated: str) -> Iterator[Databases]:
    """Databases with the current schema."""
    databases = Databases(postgres_url, migrated)
    yield databases
    databases.close()


@pytest.fixture
def database(databases: Databases) -> Iterator[Database]:
    """A database with the current schema and nothing in it."""
    with databases.one() as database:
        yield database
