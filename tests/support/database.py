"""A migrated database for the tests: migrated once a worker as a template, then copied for each test."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.engine import make_url

from storage.database import Database
from storage.migrate import migrate
from tests.support import postgres


@contextmanager
def migrated_template(server_url: str) -> Iterator[str]:
    """The name of a migrated database that nobody is connected to."""
    with postgres.fresh_database(server_url) as url:
        database = Database(url, pool_size=1)
        migrate(database)
        database.close()
        yield str(make_url(url).database)


@contextmanager
def migrated_database(server_url: str, template: str) -> Iterator[Database]:
    """A database of one's own with the current schema."""
    with postgres.fresh_database(server_url, template=template) as url:
        database = Database(url)
        try:
            yield database
        finally:
            database.close()
