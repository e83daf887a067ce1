"""A catalog in which plans are told apart: skewed, and larger than what small caps let a search visit."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import Connection

from bench.search.made import make
from storage.database import Database
from tests.storage.clips.plan.explained import CLIPS
from tests.support.servers.database import migrated_database


@pytest.fixture(scope="package")
def catalog(postgres_url: str, migrated: str) -> Iterator[Database]:
    """The catalog, which tests only read."""
    with migrated_database(postgres_url, migrated) as database:
        make(database, CLIPS)
        yield database


@pytest.fixture
def connection(catalog: Database) -> Iterator[Connection]:
    """A connection to the catalog."""
    with catalog.begin() as connection:
        yield connection
