"""A PostgreSQL that takes connections and answers nothing: nobody waits for it for long, and slow is not silent."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import text
from sqlalchemy.engine import make_url

from storage import watched_connection
from storage.database import Database
from tests.chaos.parts.wire import Trouble, Wire
from tests.support.waiting import Deadline
from triggers.errors import Unreachable

SILENCE_S = 1.0
CONNECT_S = 2
MARGIN_S = 60.0
"""For a busy machine; without a bound the tests would not end at all."""
STALLED = Trouble(stalled=True)


@pytest.fixture
def wire(database: Database) -> Iterator[Wire]:
    """A wire to the server of `database`."""
    with Wire("postgresql", 1, socket_of(database.url)) as wire:
        yield wire


@pytest.fixture
def remote(database: Database, wire: Wire, monkeypatch: pytest.MonkeyPatch) -> Iterator[Database]:
    """The same database, reached by TCP over the wire."""
    monkeypatch.setattr(watched_connection, "CONNECT_S", CONNECT_S)
    monkeypatch.setitem(watched_connection.TCP_ARGUMENTS, "connect_timeout", CONNECT_S)
    remote = Database(wired(database.url, wire), pool_size=2, silence_s=SILENCE_S)
    yield remote
    remote.close()


def socket_of(url: str) -> str:
    """The path of the Unix socket that the URL of an embedded server names."""
    query = make_url(url).query
    return f"{query['host']}/.s.PGSQL.{query.get('port', 5432)}"


def wired(url: str, wire: Wire) -> str:
    """The URL over a wire."""
    address = make_url(url).set(host="127.0.0.1", port=wire.port, query={"sslmode": "disable"})
    return address.render_as_string(hide_password=False)


def number(database: Database, statement: str = "SELECT 1") -> object:
    with database.begin() as connection:
        return connection.execute(text(statement)).scalar()


def require_unreachable(database: Database, *, within_s: float) -> None:
    deadline = Deadline(within_s + MARGIN_S)
    with pytest.raises(Unreachable, match="does not answer"):
        number(database)
    deadline.check("the end of the statement")


def test_pooled_and_new_connections_end_in_time_and_work_again_after(remote: Database, wire: Wire) -> None:
    assert number(remote) == 1
    wire.set(STALLED)
    require_unreachable(remote, within_s=SILENCE_S + 2 * CONNECT_S)  # a pooled one, then a new one
    require_unreachable(remote, within_s=CONNECT_S)  # a new one
    wire.set(Trouble())
    assert number(remote) == 1


def test_a_statement_under_way_ends_and_its_connection_with_it(remote: Database, wire: Wire) -> None:
    with pytest.raises(Unreachable, match="no answer for"), remote.begin() as connection:
        connection.execute(text("SELECT 1"))
        wire.set(STALLED)
        connection.execute(text("SELECT 2"))
    wire.set(Trouble())
    assert number(remote) == 1


def test_a_slow_statement_of_a_server_that_lives_has_the_time_it_needs(remote: Database) -> None:
    assert number(remote, f"SELECT 7 FROM pg_sleep({2.5 * SILENCE_S})") == 7
