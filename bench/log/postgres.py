"""PostgresLog as it is measured, and psycopg used directly: COPY in, SELECT out, every append its own commit."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from typing import Any, Self

import psycopg

from bench.log.kafka import LEASE_S, RETENTION_S, OwnReader
from ingest.log.postgres.consumer import MAX_POLL_BYTES
from ingest.log.postgres.log import PostgresLog
from storage.database import Database
from tests.support.servers.postgres import libpq_url
from triggers.contracts.clip import CELL_BYTES

Record = tuple[bytes, bytes]
_TABLES = """
    CREATE TABLE bench_records (
        topic text, partition integer, log_offset bigint, key bytea NOT NULL, value bytea NOT NULL,
        PRIMARY KEY (topic, partition, log_offset));
    ALTER TABLE bench_records ALTER COLUMN value SET STORAGE EXTERNAL;
    CREATE TABLE bench_offsets (topic text, partition integer, committed bigint, PRIMARY KEY (topic, partition));
"""
_STORED = "SELECT key, value FROM {} WHERE topic = %s AND partition = %s ORDER BY log_offset"
_READ = """
    SELECT log_offset, key, value FROM bench_records
    WHERE topic = %s AND partition = %s AND log_offset >= %s ORDER BY log_offset LIMIT %s
"""
_COMMIT = """
    INSERT INTO bench_offsets VALUES (%s, %s, %s)
    ON CONFLICT (topic, partition) DO UPDATE SET committed = excluded.committed
"""


class _MeasuredPostgres:
    """Base of both: closing, and reading back with psycopg."""

    table = ""

    def __init__(self, url: str, partitions: int) -> None:
        self.url = url
        self.partitions = partitions
        self.stack = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stack.close()

    def connect(self) -> psycopg.Connection[tuple[Any, ...]]:
        """A connection that ends with this object."""
        return self.stack.enter_context(psycopg.connect(libpq_url(self.url), autocommit=True))

    def stored(self, topic: str) -> Iterator[Record]:
        """Every record, partition after partition."""
        with psycopg.connect(libpq_url(self.url)) as connection, connection.cursor(binary=True) as cursor:
            for partition in range(self.partitions):
                yield from cursor.execute(_STORED.format(self.table), (topic, partition))


class OwnPostgres(_MeasuredPostgres):
    """PostgresLog in the embedded PostgreSQL."""

    name = "PostgresLog"
    table = "log_records"

    def __init__(self, url: str, partitions: int) -> None:
        super().__init__(url, partitions)
        self._database = Database(url)
        self.stack.callback(self._database.close)
        self._log = PostgresLog(self._database, lease_s=LEASE_S)

    def create(self, topic: str) -> None:
        """A new topic."""
        self._log.ensure_topic(topic, partitions=self.partitions, retention_s=RETENTION_S)

    def append(self, topic: str, partition: int, records: Sequence[Record]) -> None:
        """Append through the contract."""
        self._log.append(topic, partition, records)

    def reader(self, topic: str) -> OwnReader:
        """A consumer of the log that has joined its group."""
        consumer = self.stack.enter_context(self._log.consumer(topic, group="own", member="bench"))
        return OwnReader(self.name, consumer, self.partitions)


class BarePostgres(_MeasuredPostgres):
    """Binary COPY into a table with the same key and storage; the writer of a partition counts its offsets itself."""

    name = "psycopg alone"
    table = "bench_records"

    def __init__(self, url: str, partitions: int) -> None:
        super().__init__(url, partitions)
        self.connect().execute(_TABLES)
        self._connections = [self.connect() for _ in range(partitions)]
        self._next: dict[tuple[str, int], int] = {}

    def create(self, topic: str) -> None:
        """Nothing to create: offsets begin at 0."""
        self._next |= {(topic, partition): 0 for partition in range(self.partitions)}

    def append(self, topic: str, partition: int, records: Sequence[Record]) -> None:
        """One COPY, committed and synced when it returns."""
        columns = "COPY bench_records (topic, partition, log_offset, key, value) FROM STDIN (FORMAT BINARY)"
        with self._connections[partition].cursor() as cursor, cursor.copy(columns) as copy:
            copy.set_types(["text", "int4", "int8", "bytea", "bytea"])
            for offset, (key, value) in enumerate(records, start=self._next[topic, partition]):
                copy.write_row((topic, partition, offset, key, value))
        self._next[topic, partition] += len(records)

    def reader(self, topic: str) -> BareReader:
        """A reader of this table, which gets a copy of what is in the log's topic."""
        connection = self.connect()
        connection.execute(
            "INSERT INTO bench_records SELECT topic, partition, log_offset, key, value FROM log_records"
            " WHERE topic = %s",
            (topic,),
        )
        return BareReader(connection, topic, self.partitions)


class BareReader:
    """Partition after partition in batches of what a poll of PostgresLog returns, each followed by its commit."""

    name = BarePostgres.name

    def __init__(self, connection: psycopg.Connection[tuple[Any, ...]], topic: str, partitions: int) -> None:
        self._connection = connection
        self._topic = topic
        self._partitions = partitions

    def read(self, count: int) -> list[tuple[int, Record]]:
        """From the beginning, until `count` records are there."""
        read: list[tuple[int, Record]] = []
        limit = MAX_POLL_BYTES // CELL_BYTES
        for partition in range(self._partitions):
            offset = 0
            while rows := self._batch(partition, offset, limit):
                read += [(partition, (key, value)) for _, key, value in rows]
                offset = rows[-1][0] + 1
                self._connection.execute(_COMMIT, (self._topic, partition, offset))
        if len(read) != count:
            raise ValueError(f"{self.name}: {len(read)} records of topic {self._topic!r} instead of {count}")
        return read

    def _batch(self, partition: int, offset: int, limit: int) -> list[tuple[int, bytes, bytes]]:
        with self._connection.cursor(binary=True) as cursor:
            return cursor.execute(_READ, (self._topic, partition, offset, limit)).fetchall()
