"""A PostgreSQL for the tests: one embedded server per worker, one fresh database per test."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg import sql
from sqlalchemy.engine import make_url

from storage.embedded import EmbeddedPostgres
from tests.support.paths import server_folder

_SETTINGS = {
    "max_connections": 100,
    "shared_buffers": "64MB",
    "max_wal_size": "128MB",
    "autovacuum": "off",  # it would change what the planner knows in the middle of a test, or before it, or not at all
}
_numbers = itertools.count(1)


@contextmanager
def running_server() -> Iterator[str]:
    """A running server; yields the URL of its (empty) database `longtail`."""
    with (
        server_folder() as folder,
        EmbeddedPostgres(folder / "postgres", settings=_SETTINGS, volatile=True) as server,
    ):
        yield server.url


def libpq_url(url: str) -> str:
    """The same database as psycopg itself (and `psql`) wants to have it."""
    return make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)


@contextmanager
def fresh_database(server_url: str, *, template: str | None = None) -> Iterator[str]:
    """A new database, dropped afterwards whether or not it has connections. `template` names one to copy."""
    name = f"test_{os.getpid()}_{next(_numbers)}"
    source = sql.SQL(" TEMPLATE {}").format(sql.Identifier(template)) if template else sql.SQL("")
    _execute(server_url, sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)) + source)
    try:
        yield make_url(server_url).set(database=name).render_as_string(hide_password=False)
    finally:
        _execute(server_url, sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def _execute(server_url: str, statement: sql.Composable) -> None:
    with psycopg.connect(libpq_url(server_url), autocommit=True) as connection:
        connection.execute(statement)
