"""What the log in PostgreSQL does beyond the contract: the server's death, segments, errors that name the setting."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import Connection

from ingest.log import Log, LogConsumer, PostgresLog, open_log
from storage.database import Database
from storage.embedded import EmbeddedPostgres
from storage.log import groups
from storage.log import records as log_store
from storage.log.groups import GroupKey
from storage.migrate import differences, migrate
from storage.settings import Settings
from tests.ingest.log.support import TOPIC, drain, values, wait_until
from tests.support.servers.postgres import libpq_url
from triggers.errors import Misconfigured, Overloaded, Unreachable

pytestmark = pytest.mark.integration


@pytest.fixture
def log(database: Database) -> Log:
    log = PostgresLog(database, lease_s=30, segment_bytes=1)
    log.ensure_topic(TOPIC, partitions=2, retention_s=3600)
    return log


@pytest.fixture
def sql(database: Database) -> Iterator[psycopg.Connection]:
    """A connection of the test's own."""
    with psycopg.connect(libpq_url(database.url), autocommit=True) as connection:
        yield connection


def test_who_says_that_it_is_alive_is_in_the_group_however_short_its_lease(database: Database) -> None:
    key = GroupKey("group", TOPIC)
    with database.begin() as connection:
        assert groups.heartbeat(connection, key, "gone", 0.0) == ["gone"]
        assert groups.heartbeat(connection, key, "here", 0.0) == ["here"]


def segments(sql: psycopg.Connection) -> list[int]:
    tables = sql.execute(
        "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'log_records'::regclass"
    ).fetchall()
    return sorted(int(name.removeprefix("log_records_")) for (name,) in tables)


def make_older(sql: psycopg.Connection, seconds: int) -> None:
    """Let what is in the log have been appended earlier."""
    past = f"- make_interval(secs => {seconds})"
    sql.execute(f"UPDATE log_records SET appended_at = appended_at {past}")
    sql.execute(f"UPDATE log_segments SET created_at = created_at {past}, closed_at = closed_at {past}")


def test_what_was_acknowledged_survives_kill_9_of_a_server_that_commits_lazily(data_dir: Path) -> None:
    """The server is set to acknowledge before it writes to disk; the log asks for more."""
    settings = {"synchronous_commit": "off", "wal_writer_delay": "10s"}
    with EmbeddedPostgres(data_dir / "postgres", settings=settings) as server:
        database = Database(server.url)
        migrate(database)
        log = PostgresLog(database, lease_s=30)
        log.ensure_topic(TOPIC, partitions=1, retention_s=3600)
        offsets = log.append(TOPIC, 0, [(b"", b"kept")])
        postmaster = int(next(data_dir.rglob("postmaster.pid")).read_text().split()[0])
        os.kill(postmaster, signal.SIGKILL)
        database.close()
    with EmbeddedPostgres(data_dir / "postgres", settings=settings) as server:
        database = Database(server.url)
        log = PostgresLog(database, lease_s=30)
        with log.consumer(TOPIC, group="g", member="a") as consumer:
            assert [(record.offset, record.value) for record in drain(consumer, 1)] == [(offsets[0], b"kept")]
        database.close()


def test_records_are_read_across_segments_from_any_offset(log: Log, sql: psycopg.Connection) -> None:
    for number in range(40):
        log.append(TOPIC, number // 4 % 2, [(b"", b"%d" % number)])
        if number % 5 == 4:
            assert log.enforce_retention() == 0
    assert len(segments(sql)) == 9
    expected = {p: [b"%d" % number for number in range(40) if number // 4 % 2 == p] for p in (0, 1)}
    with log.consumer(TOPIC, group="g", member="a") as consumer:
        records = drain(consumer, 40, at_once=3)
        assert {p: values(records, p) for p in (0, 1)} == expected
        for offset in (19, 7, 0, 13):
            consumer.seek(1, offset)
            assert values(drain(consumer, 20 - offset), 1) == expected[1][offset:]


def test_a_segment_begins_only_when_there_is_something_in_the_last(log: Log, sql: psycopg.Connection) -> None:
    for _ in range(3):
        log.enforce_retention()
    assert segments(sql) == [1]
    log.append(TOPIC, 0, [(b"", b"x")])
    for _ in range(3):
        log.enforce_retention()
    assert segments(sql) == [1, 2]


def test_an_aged_segment_is_closed_and_goes_after_the_retention(database: Database, sql: psycopg.Connection) -> None:
    log = PostgresLog(database, lease_s=30)
    log.ensure_topic(TOPIC, partitions=1, retention_s=800)
    log.append(TOPIC, 0, [(b"", b"1")])
    log.enforce_retention()
    assert segments(sql) == [1]
    make_older(sql, 101)
    log.append(TOPIC, 0, [(b"", b"2")])
    log.enforce_retention()
    assert segments(sql) == [1, 2]
    make_older(sql, 700)
    assert log.enforce_retention() == 0, "the first record is older than the retention, the second is not"
    make_older(sql, 101)
    assert log.enforce_retention() == 1
    assert segments(sql) == [2]


def test_a_segment_waits_for_the_longest_retention_of_the_topics_in_it(log: Log, sql: psycopg.Connection) -> None:
    log.ensure_topic("short", partitions=1, retention_s=60)
    log.append("short", 0, [(b"", b"s")])
    log.append(TOPIC, 0, [(b"", b"l")])
    log.enforce_retention()
    make_older(sql, 1000)
    assert log.enforce_retention() == 0
    make_older(sql, 3000)
    assert log.enforce_retention() == 1


def test_a_long_reader_delays_the_drop_and_no_append(log: Log, sql: psycopg.Connection) -> None:
    log.append(TOPIC, 0, [(b"", b"x")])
    log.enforce_retention()
    make_older(sql, 4000)
    with sql.transaction():
        sql.execute("SELECT count(*) FROM log_records")
        assert log.enforce_retention() == 0
        log.append(TOPIC, 0, [(b"", b"y")])
    assert log.enforce_retention() == 1


def test_a_segment_dropped_in_the_middle_of_a_poll_does_not_hide_later_records(
    log: Log, sql: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    log.append(TOPIC, 0, [(b"", b"dropped")])
    log.enforce_retention()
    make_older(sql, 4000)
    real_bounds, dropped = log_store.bounds, []

    def bounds_then_drop(connection: Connection, topic: str) -> dict[int, log_store.PartitionBounds]:
        bounds = real_bounds(connection, topic)
        dropped.append(log.enforce_retention())
        return bounds

    with log.consumer(TOPIC, group="g", member="a") as consumer:
        monkeypatch.setattr(log_store, "bounds", bounds_then_drop)
        assert consumer.poll(max_records=1, timeout_s=0) == []
        monkeypatch.setattr(log_store, "bounds", real_bounds)
        assert dropped == [1]
        log.append(TOPIC, 0, [(b"", b"later")])
        assert values(drain(consumer, 1, deadline_s=5), 0) == [b"later"]


def test_values_are_not_compressed_again(log: Log, sql: psycopg.Connection) -> None:
    log.append(TOPIC, 0, [(b"", bytes(500_000))])
    row = sql.execute("SELECT pg_column_size(value), pg_column_compression(value) FROM log_records").fetchone()
    assert row == (500_000, None)


def test_segments_are_no_difference_to_the_migrations(log: Log, database: Database) -> None:
    assert [difference for difference in differences(database) if "log_" in difference.phrase] == []


def test_connections_that_the_server_closed_are_replaced(log: Log, sql: psycopg.Connection) -> None:
    kill = (
        "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity "
        "WHERE pid <> pg_backend_pid() AND datname = current_database()"
    )
    with log.consumer(TOPIC, group="g", member="a") as consumer:
        consumer.poll(max_records=1, timeout_s=0)
        sql.execute(kill)
        log.append(TOPIC, 0, [(b"", b"1")])
        sql.execute(kill)
        assert values(drain(consumer, 1), 0) == [b"1"]


def test_a_server_that_is_gone_is_named_with_its_setting(data_dir: Path) -> None:
    with EmbeddedPostgres(data_dir / "postgres") as server:
        database = Database(server.url)
        migrate(database)
        log = PostgresLog(database, lease_s=30)
        log.ensure_topic(TOPIC, partitions=1, retention_s=60)
        consumer = log.consumer(TOPIC, group="g", member="a")
        consumer.poll(max_records=1, timeout_s=0)
    for use in (
        lambda: log.append(TOPIC, 0, [(b"", b"")]),
        lambda: log.ensure_topic(TOPIC, partitions=1, retention_s=60),
        lambda: wait_until(lambda: consumer.poll(max_records=1, timeout_s=0)),
        lambda: consumer.commit({0: 0}),
        log.enforce_retention,
        log.check,
    ):
        with pytest.raises(Unreachable, match="LONGTAIL_DATABASE_URL"):
            use()
    database.close()


def test_a_connection_that_breaks_in_an_append_is_unreachable_and_the_next_append_works(
    log: Log, sql: psycopg.Connection
) -> None:
    sql.execute("""
        CREATE FUNCTION break_off() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); PERFORM pg_sleep(1); RETURN NEW; END $$
    """)
    sql.execute("CREATE TRIGGER break_off BEFORE INSERT ON log_records FOR EACH ROW EXECUTE FUNCTION break_off()")
    with pytest.raises(Unreachable, match="LONGTAIL_DATABASE_URL"):
        log.append(TOPIC, 0, [(b"", b"1"), (b"", b"2")])
    sql.execute("DROP TRIGGER break_off ON log_records")
    assert log.append(TOPIC, 0, [(b"", b"3")]) == [0], "nothing of the broken append is there"


class LosesAnswers(Database):
    """A database whose next answers to a commit get lost on the way: done, but the caller cannot know."""

    losing = 0

    @contextmanager
    def begin(self) -> Iterator[Connection]:
        with super().begin() as connection:
            yield connection
        if self.losing:
            self.losing -= 1
            raise psycopg.OperationalError("server closed the connection unexpectedly")


def test_a_member_whose_claim_was_not_confirmed_finds_it_again(log: Log, database: Database) -> None:
    revoked: list[int] = []
    shaky = LosesAnswers(database.url)
    with PostgresLog(shaky, lease_s=30).consumer(TOPIC, group="g", member="a", on_revoked=revoked.extend) as consumer:
        shaky.losing = 1
        with pytest.raises(Unreachable):
            consumer.poll(max_records=1, timeout_s=0)
        consumer.poll(max_records=1, timeout_s=0)
        assert consumer.assignment() == {0, 1}
        consumer.commit({0: 1})
        with log.consumer(TOPIC, group="g", member="b") as other:
            other.poll(max_records=1, timeout_s=0)
            wait_until(lambda: not consumer.poll(max_records=1, timeout_s=0) and len(consumer.assignment()) == 1)
        wait_until(lambda: _poll_losing_answers(shaky, consumer) and len(consumer.assignment()) == 2)
        consumer.commit({0: 2, 1: 1})
    shaky.close()


def _poll_losing_answers(shaky: LosesAnswers, consumer: LogConsumer) -> bool:
    """A poll whose first answer gets lost; whether a later one came through."""
    shaky.losing = 1
    with contextlib.suppress(Unreachable):
        consumer.poll(max_records=1, timeout_s=0)
    shaky.losing = 0
    return consumer.poll(max_records=1, timeout_s=0) == []


def test_an_unconfirmed_heartbeat_takes_nothing_away(log: Log, database: Database) -> None:
    revoked: list[int] = []
    shaky = LosesAnswers(database.url)
    with PostgresLog(shaky, lease_s=0.6).consumer(TOPIC, group="g", member="a", on_revoked=revoked.extend) as consumer:
        consumer.poll(max_records=1, timeout_s=0)
        shaky.losing = 1
        with pytest.raises(Unreachable):
            wait_until(lambda: consumer.poll(max_records=1, timeout_s=0))
        consumer.poll(max_records=1, timeout_s=0)
        assert consumer.assignment() == {0, 1}
        assert revoked == []
    shaky.close()


def test_an_exhausted_pool_says_which_setting_to_raise(log: Log, database: Database) -> None:
    small = Database(database.url, pool_size=1, connection_wait_s=0.1)
    with small.begin(), pytest.raises(Overloaded, match="LONGTAIL_DATABASE_POOL_SIZE"):
        PostgresLog(small, lease_s=30).append(TOPIC, 0, [(b"", b"")])
    small.close()


def test_a_database_without_tables_says_what_to_run(database_url: str) -> None:
    database = Database(database_url)
    log = PostgresLog(database, lease_s=30)
    for use in (log.check, lambda: log.append(TOPIC, 0, [(b"", b"")]), log.enforce_retention):
        with pytest.raises(Misconfigured, match="longtail migrate"):
            use()
    database.close()


@pytest.mark.parametrize("url", ["", "kafka-ish://host", "postgresql://elsewhere/db", "redis:"])
def test_a_url_that_names_no_log_is_refused_with_the_setting(database: Database, url: str) -> None:
    with pytest.raises(Misconfigured, match="LONGTAIL_LOG_URL"):
        open_log(Settings(log_url=url), database)


def test_the_default_log_is_the_one_in_the_database(database: Database) -> None:
    assert isinstance(open_log(Settings(), database), PostgresLog)
