"""The embedded PostgreSQL in everyday use: start, stop, start again; what it refuses, and with which words."""

from __future__ import annotations

import os
import shutil
import stat
from pathlib import Path

import psycopg
import pytest

from storage.embedded import EmbeddedPostgres, running_url
from storage.embedded.memory import available_bytes, shared_buffers
from storage.roles.rights import DatabaseRole
from tests.support.processes import descendants, is_gone
from tests.support.servers.postgres import libpq_url
from triggers.errors import Conflict, Misconfigured, Unreachable

pytestmark = pytest.mark.integration


def query(server: EmbeddedPostgres, statement: str) -> list[tuple[object, ...]]:
    with psycopg.connect(libpq_url(server.url), autocommit=True) as connection:
        cursor = connection.execute(statement)
        return cursor.fetchall() if cursor.description else []


def test_data_survives_a_stop_and_a_second_start(data_dir: Path) -> None:
    server = EmbeddedPostgres(data_dir)
    with server:
        query(server, "CREATE TABLE kept AS SELECT 7 AS seven")
    with server:
        assert query(server, "SELECT seven FROM kept") == [(7,)]


def test_a_stopped_server_leaves_no_process_and_no_socket(data_dir: Path) -> None:
    before = {process.pid for process in descendants()}
    with EmbeddedPostgres(data_dir) as server:
        url = running_url(data_dir)
        assert url == server.url_as(DatabaseRole.OWNER)
        started = [process for process in descendants() if process.pid not in before]
        socket_dir = Path(url.partition("?host=")[2].partition("&")[0])
        assert stat.S_IMODE(socket_dir.stat().st_mode) == 0o700
        assert len(started) > 2
    assert all(is_gone(process) for process in started)
    assert not socket_dir.exists()
    assert running_url(data_dir) is None
    assert not server.alive


def test_only_a_volatile_server_does_not_wait_for_the_disk(postgres_url: str) -> None:
    """The tests' own server is one."""
    with psycopg.connect(libpq_url(postgres_url)) as connection:
        names = "fsync", "full_page_writes", "synchronous_commit"
        assert [connection.execute(f"SHOW {name}").fetchone() for name in names] == [("off",)] * 3


def test_the_server_is_private_durable_and_speaks_unicode_and_vectors(data_dir: Path) -> None:
    with EmbeddedPostgres(data_dir) as server:
        names = "listen_addresses", "fsync", "full_page_writes", "data_checksums", "server_encoding", "max_connections"
        found = {name: query(server, f"SHOW {name}")[0][0] for name in names}
        assert found == {
            "listen_addresses": "",
            "fsync": "on",
            "full_page_writes": "on",
            "data_checksums": "on",
            "server_encoding": "UTF8",
            "max_connections": "200",
        }
        assert query(server, "SELECT '[1,2]'::vector <-> '[1,4]'::vector") == [(2.0,)]
        assert query(server, "SELECT upper('grün')") == [("GRÜN",)]
        cache = shared_buffers(available_bytes())
        assert query(server, f"SELECT pg_size_bytes(current_setting('shared_buffers')) = pg_size_bytes('{cache}')")[0][
            0
        ]
        assert server.version() == query(server, "SHOW server_version")[0][0]


def test_settings_reach_the_server_but_durability_and_privacy_are_not_settable(data_dir: Path) -> None:
    with EmbeddedPostgres(data_dir, settings={"max_connections": 33}) as server:
        assert query(server, "SHOW max_connections") == [("33",)]
    for name in ("fsync", "full_page_writes", "listen_addresses", "unix_socket_directories"):
        with pytest.raises(Misconfigured, match=name):
            EmbeddedPostgres(data_dir, settings={name: "off"})


def test_a_second_owner_of_one_directory_is_told_who_has_it(data_dir: Path) -> None:
    with EmbeddedPostgres(data_dir) as first:
        second = EmbeddedPostgres(data_dir)
        with pytest.raises(Conflict) as caught:
            second.start()
        assert str(data_dir) in caught.value.message
        assert str(os.getpid()) in caught.value.message
        with pytest.raises(Conflict, match="already"):
            first.start()
        assert query(first, "SELECT 1") == [(1,)]


def test_two_directories_serve_at_the_same_time(data_dir: Path) -> None:
    with EmbeddedPostgres(data_dir / "a") as one, EmbeddedPostgres(data_dir / "b") as other:
        query(one, "CREATE TABLE only_here ()")
        assert query(other, "SELECT count(*) FROM pg_tables WHERE tablename = 'only_here'") == [(0,)]


def test_a_long_path_with_spaces_and_quotes_works(data_dir: Path) -> None:
    deep = data_dir / ("it's a long way " * 6).strip() / ("to the data " * 8).strip()
    assert len(str(deep)) > 170
    with EmbeddedPostgres(deep) as server:
        assert query(server, "SELECT 1") == [(1,)]


def test_an_owner_that_has_no_server_yet_has_no_url(data_dir: Path) -> None:
    assert running_url(data_dir) is None
    for note in ("", '{"pid": 1', '{"pid": 1, "socket_dir": null}', '{"pid": 1, "socket_dir": "/tmp/absent"}'):
        (data_dir / "owner.lock").write_text(note)
        assert running_url(data_dir) is None


def test_a_url_before_the_start_is_an_error_that_says_so(data_dir: Path) -> None:
    with pytest.raises(Unreachable, match="not running"):
        _ = EmbeddedPostgres(data_dir).url


def test_a_file_in_the_place_of_the_directory_is_named(data_dir: Path) -> None:
    (data_dir / "file").touch()
    for place in (data_dir / "file", data_dir / "file" / "below"):
        with pytest.raises(Misconfigured, match="file is not a folder"):
            EmbeddedPostgres(place).start()


def test_what_an_interrupted_initdb_left_is_cleared_away(data_dir: Path) -> None:
    leftover = data_dir / "cluster.unfinished-abc"
    leftover.mkdir()
    (leftover / "PG_VERSION").write_text("18\n")
    with EmbeddedPostgres(data_dir) as server:
        assert query(server, "SELECT 1") == [(1,)]
    assert not leftover.exists()


def test_a_failing_initdb_is_reported_in_its_own_words_and_can_be_repeated(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("storage.embedded.cluster._INITDB_OPTIONS", ("--encoding=no-such-encoding",))
        with pytest.raises(Misconfigured, match="no-such-encoding"):
            EmbeddedPostgres(data_dir).start()
    with EmbeddedPostgres(data_dir) as server:
        assert query(server, "SELECT 1") == [(1,)]


@pytest.mark.parametrize(("content", "words"), [("17\n", "PostgreSQL 17"), (None, "not a PostgreSQL cluster")])
def test_a_cluster_that_this_version_cannot_read_is_left_alone(data_dir: Path, content: str | None, words: str) -> None:
    cluster = data_dir / "cluster"
    cluster.mkdir()
    if content:
        (cluster / "PG_VERSION").write_text(content)
    with pytest.raises(Misconfigured, match=words):
        EmbeddedPostgres(data_dir).start()
    assert cluster.exists()


def test_a_server_that_gives_up_is_reported_with_the_end_of_its_log(data_dir: Path) -> None:
    server = EmbeddedPostgres(data_dir)
    with server:
        pass
    shutil.rmtree(data_dir / "cluster" / "global")
    with pytest.raises(Unreachable, match="pg_control") as caught:
        server.start()
    assert str(data_dir) in caught.value.message
    assert running_url(data_dir) is None


def test_a_setting_that_postgresql_refuses_is_quoted(data_dir: Path) -> None:
    with pytest.raises(Unreachable, match="no_such_setting"):
        EmbeddedPostgres(data_dir, settings={"no_such_setting": 1}).start()
