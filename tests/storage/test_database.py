"""The database's edge: servers that cannot be used are told apart, in one line that names address and setting."""

from __future__ import annotations

import math
from contextlib import ExitStack

import pytest
from sqlalchemy import text
from sqlalchemy.engine import make_url

import storage.database
from storage import watched_connection
from storage.database import Database
from storage.statements.driver import rows_of
from tests.support.statements import noted
from triggers.errors import Misconfigured, Overloaded, Unreachable


def test_a_server_that_fits_tells_its_version_and_pgvectors(database: Database) -> None:
    version, _, vector = database.check_server().partition(" with pgvector ")
    assert int(version.split(".")[0]) >= 15
    assert vector


def test_a_server_without_pgvector_is_refused_with_the_remedy(database: Database) -> None:
    with database.begin() as connection:
        name = make_url(database.url).database
        connection.execute(text(f"ALTER DATABASE {name} SET extension_control_path = '/nowhere'"))
    database.close()
    with pytest.raises(Misconfigured, match="no pgvector") as caught:
        database.check_server()
    assert "LONGTAIL_DATABASE_URL" in caught.value.remedy


@pytest.mark.parametrize(
    ("name", "minimum", "says"),
    [("MINIMUM_SERVER_VERSION", 990000, "is PostgreSQL"), ("MINIMUM_VECTOR_VERSION", (99, 0), "has pgvector")],
)
def test_an_old_server_is_refused_with_its_version(
    database: Database, monkeypatch: pytest.MonkeyPatch, name: str, minimum: object, says: str
) -> None:
    monkeypatch.setattr(storage.database, name, minimum)
    with pytest.raises(Misconfigured, match=says) as caught:
        database.check_server()
    assert "LONGTAIL_DATABASE_URL" in caught.value.remedy


@pytest.mark.parametrize("changes", [{"username": "nobody"}, {"database": "not_there"}])
def test_a_server_that_refuses_user_or_database_is_not_called_unreachable(
    database: Database, changes: dict[str, str]
) -> None:
    refused = Database(make_url(database.url).set(**changes).render_as_string(hide_password=False))
    with pytest.raises(Misconfigured, match="refuses the connection") as caught, refused.begin():
        pass
    assert "LONGTAIL_DATABASE_URL" in caught.value.remedy


def test_a_server_that_is_not_there_is_unreachable_and_its_password_stays_hidden() -> None:
    absent = Database("postgresql+psycopg://user:secret@127.0.0.1:1/longtail")
    with pytest.raises(Unreachable, match=r"127\.0\.0\.1:1") as caught, absent.begin():
        pass
    assert "secret" not in str(caught.value)
    assert "LONGTAIL_DATABASE_URL" in str(caught.value)


def test_a_used_up_pool_is_overload_and_names_the_setting(database: Database) -> None:
    small = Database(database.url, pool_size=1, connection_wait_s=0.1)
    with small.begin(), pytest.raises(Overloaded, match="LONGTAIL_DATABASE_POOL_SIZE"), small.begin():
        pass
    small.close()


def test_a_lost_connection_is_unreachable(database: Database) -> None:
    other = Database(database.url, pool_size=1)
    with pytest.raises(Unreachable), other.begin() as connection:
        pid = connection.execute(text("SELECT pg_backend_pid()")).scalar_one()
        with database.begin() as killer:
            killer.execute(text("SELECT pg_terminate_backend(:pid, 10000)"), {"pid": pid})
        connection.execute(text("SELECT 1"))
    other.close()


def test_a_connection_that_the_driver_has_closed_is_unreachable_for_prepared_statements(database: Database) -> None:
    other = Database(database.url, pool_size=1)
    with pytest.raises(Unreachable), other.begin() as connection:
        connection.connection.dbapi_connection.close()  # type: ignore[union-attr]
        rows_of(connection, "SELECT 1", {})
    with other.begin() as connection:
        assert rows_of(connection, "SELECT 1", {}) == [(1,)]
    other.close()


def test_a_pooled_connection_that_the_server_has_ended_is_replaced(database: Database) -> None:
    other = Database(database.url, pool_size=1)
    pids = []
    for _ in range(2):
        with other.begin() as connection:
            pids.append(connection.execute(text("SELECT pg_backend_pid()")).scalar_one())
        with database.begin() as killer:
            killer.execute(text("SELECT pg_terminate_backend(:pid, 10000)"), {"pid": pids[-1]})
    other.close()
    assert pids[0] != pids[1]


@pytest.mark.parametrize(("fresh_s", "before"), [(math.inf, 0), (-1.0, 1)])
def test_a_pooled_connection_is_asked_whether_it_lives_unless_it_has_just_answered(
    database: Database, monkeypatch: pytest.MonkeyPatch, fresh_s: float, before: int
) -> None:
    monkeypatch.setattr(watched_connection, "FRESH_S", fresh_s)
    other = Database(database.url, pool_size=1)
    with ExitStack() as noting:
        with other.begin() as connection:
            sent = noting.enter_context(noted(connection))
        with other.begin() as connection:
            connection.execute(text("SELECT 1"))
    other.close()
    statements = [statement for statement, _ in sent]
    assert statements[before:] == ["SELECT 1"]
