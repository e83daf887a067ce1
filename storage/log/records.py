"""Topics, appends and reads of the log in PostgreSQL. See segments.py for segments, groups.py for consumer groups.

No reader ever skips a record: an append takes its offsets by updating the partition's row, and keeps that row's lock
until it commits. The next append to the partition waits for it, so offsets become visible in order.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, cast

import psycopg
from psycopg import errors as pg
from sqlalchemy import Connection, func, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import DBAPIError

from storage.database import Database
from storage.settings import shown_url
from storage.tables.log import log_partitions
from triggers.errors import Misconfigured, NotFound, Unreachable

_INSERT_BYTES = 16 * 1024**2
_INSERT_RECORDS = 10_000
"""The limits of one INSERT; a larger append takes several in one transaction."""

_DURABLE = "SELECT set_config('synchronous_commit', 'on', true) WHERE current_setting('synchronous_commit') = 'off'"
_TAKE_OFFSETS = """
    UPDATE log_partitions SET next_offset = next_offset + %(count)s
    WHERE topic = %(topic)s AND partition = %(partition)s
    RETURNING next_offset
"""
# %b: psycopg writes a list of bytes as text unless told otherwise, a hundred times slower.
_INSERT = """
    INSERT INTO log_records (segment, topic, partition, log_offset, key, value)
    SELECT (SELECT max(segment) FROM log_segments), p.topic, p.partition,
           p.next_offset - %(remaining)s + record.number - 1, record.key, record.value
    FROM log_partitions p,
         unnest(%(keys)b::bytea[], %(values)b::bytea[]) WITH ORDINALITY AS record (key, value, number)
    WHERE p.topic = %(topic)s AND p.partition = %(partition)s
"""
_READ = """
    SELECT partition, log_offset, key, value
    FROM (
        SELECT record.*,
               coalesce(sum(octet_length(key) + octet_length(value)) OVER (
                   ORDER BY place, partition ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0) AS bytes_before
        FROM unnest(%(partitions)s::integer[], %(offsets)s::bigint[]) AS wanted (wanted_partition, wanted_offset)
        CROSS JOIN LATERAL (
            SELECT partition, log_offset, key, value, log_offset - wanted_offset AS place
            FROM log_records
            WHERE segment = {segment} AND topic = %(topic)s
              AND partition = wanted_partition AND log_offset >= wanted_offset
            ORDER BY log_offset
            LIMIT %(max_records)s
        ) AS record
    ) AS placed
    WHERE bytes_before < %(max_bytes)s
    ORDER BY place, partition
    LIMIT %(max_records)s
"""


@dataclass(frozen=True, slots=True)
class PartitionBounds:
    """Where a partition's records start (after retention) and the offset that the next one gets."""

    start_offset: int
    next_offset: int


@contextmanager
def transaction(database: Database) -> Iterator[Connection]:
    """One transaction on the log; Unreachable when the server does not answer, Overloaded when the pool is in use."""
    try:
        with database.begin() as connection:
            yield connection
    except (DBAPIError, psycopg.Error) as error:
        raise _translated(database, error) from error


def _translated(database: Database, error: DBAPIError | psycopg.Error) -> Exception:
    cause = error.orig if isinstance(error, DBAPIError) else error
    if isinstance(cause, pg.UndefinedTable | pg.UndefinedColumn):
        return Misconfigured("the database has no tables for this version's log", remedy="run `longtail migrate`")
    if not isinstance(cause, psycopg.OperationalError | psycopg.InterfaceError):
        return error  # a mistake of this code, not of the server
    reason = (str(cause).strip() or "no answer").splitlines()[0]
    return Unreachable(
        f"the log in the database at {shown_url(database.url)} does not answer ({reason})",
        remedy="check LONGTAIL_LOG_URL and LONGTAIL_DATABASE_URL, or start a database with `longtail up`",
    )


def put_partitions(connection: Connection, topic: str, *, partitions: int, retention_s: int) -> None:
    """Add the topic's missing partitions, and set the retention of all."""
    rows = [{"topic": topic, "partition": number, "retention_s": retention_s} for number in range(partitions)]
    statement = insert(log_partitions)
    connection.execute(statement.on_conflict_do_nothing(), rows)
    connection.execute(
        log_partitions.update()
        .where(log_partitions.c.topic == topic, log_partitions.c.retention_s != retention_s)
        .values(retention_s=retention_s)
    )


def count_partitions(connection: Connection, topic: str) -> int:
    """How many partitions the topic has; NotFound when there is no such topic."""
    count = connection.execute(select(func.count()).where(log_partitions.c.topic == topic)).scalar_one()
    if not count:
        raise NotFound(f"the log has no topic {topic!r}", remedy="`longtail up` or `longtail ingest` creates it")
    return count


def bounds(connection: Connection, topic: str) -> dict[int, PartitionBounds]:
    """First and next offset of every partition of the topic; empty when there is no such topic."""
    rows = connection.execute(
        select(log_partitions.c.partition, log_partitions.c.start_offset, log_partitions.c.next_offset).where(
            log_partitions.c.topic == topic
        )
    )
    return {partition: PartitionBounds(start, following) for partition, start, following in rows}


def append(connection: Connection, topic: str, partition: int, records: Sequence[tuple[bytes, bytes]]) -> list[int]:
    """Append (key, value) pairs; returns their offsets, which hold once the transaction is committed.

    NotFound when there is no such partition. All statements travel in one round trip, so that the partition's
    row is locked no longer than the insert takes. The commit waits for the disk even where the server would not.
    """
    where = {"topic": topic, "partition": partition}
    cursor = _driver(connection).cursor(binary=True)
    with _driver(connection).pipeline():
        cursor.execute(_DURABLE)
        taken = _driver(connection).execute(_TAKE_OFFSETS, {**where, "count": len(records)})
        remaining = len(records)
        for batch in _batches(records):
            keys, values = [key for key, _ in batch], [value for _, value in batch]
            cursor.execute(_INSERT, {**where, "remaining": remaining, "keys": keys, "values": values})
            remaining -= len(batch)
    row = taken.fetchone()
    if row is None:
        raise NotFound(f"the log has no partition {partition} of topic {topic!r}")
    next_offset = cast("int", row[0])
    return list(range(next_offset - len(records), next_offset))


def _batches(records: Sequence[tuple[bytes, bytes]]) -> Iterator[list[tuple[bytes, bytes]]]:
    batch: list[tuple[bytes, bytes]] = []
    size_bytes = 0
    for key, value in records:
        size_bytes += len(key) + len(value)
        if batch and (size_bytes > _INSERT_BYTES or len(batch) == _INSERT_RECORDS):
            yield batch
            batch, size_bytes = [], len(key) + len(value)
        batch.append((key, value))
    if batch:
        yield batch


def read(
    connection: Connection,
    topic: str,
    *,
    segment: int,
    offsets: Mapping[int, int],
    max_records: int,
    max_bytes: int,
) -> list[tuple[int, int, bytes, bytes]]:
    """(partition, offset, key, value) of records in one segment, from a given offset on in each partition.

    Every partition's first record comes before any second one, and so on; within a partition offsets rise. Stops
    at `max_records`, and after the record that reaches `max_bytes`. Values come in binary, not as hex digits. The
    segment stands in the statement itself, so that the server plans for (and locks) this one table only.
    """
    arguments = {
        "topic": topic,
        "partitions": list(offsets),
        "offsets": list(offsets.values()),
        "max_records": max_records,
        "max_bytes": max_bytes,
    }
    cursor = _driver(connection).cursor(binary=True)
    cursor.execute(_READ.format(segment=int(segment)).encode(), arguments)
    return cursor.fetchall()


def describe(connection: Connection) -> tuple[int, int]:
    """How many topics and segments there are."""
    counts = text("SELECT (SELECT count(DISTINCT topic) FROM log_partitions), (SELECT count(*) FROM log_segments)")
    topics, segments = connection.execute(counts).one()
    return topics, segments


def _driver(connection: Connection) -> psycopg.Connection[tuple[Any, ...]]:
    """psycopg's own connection: SQLAlchemy offers neither binary results nor pipelines."""
    return cast("psycopg.Connection[tuple[Any, ...]]", connection.connection.driver_connection)
