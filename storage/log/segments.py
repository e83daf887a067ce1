"""Segments of the log in PostgreSQL: tables of records, begun one after the other and dropped whole.

Appends go to the newest segment. A new one is begun while the rows of all partitions are locked: when it is seen, every
append to the one before is committed. A segment goes when the newest record of each topic in it is older than that
topic's retention. One advisory lock keeps maintainers of several processes apart. Functions of the schema make and drop
the tables, since the roles of processes may not (storage/roles).
"""

from __future__ import annotations

from dataclasses import dataclass

from psycopg.errors import LockNotAvailable
from sqlalchemy import Connection, exists, func, literal, select, text, update
from sqlalchemy.exc import OperationalError

from storage.tables.log import log_partitions, log_records, log_segments
from triggers.errors import Conflict

SEGMENT_BYTES = 1024**3
SEGMENTS_PER_RETENTION = 8
"""A segment is closed after this fraction of the shortest retention, so that it can be dropped soon after its time."""
MAINTENANCE_LOCK = 0x6C6F6773  # "logs"
_DROP_LOCK_TIMEOUT_MS = 500


class SegmentInUse(Conflict):
    """A long transaction (such as a backup) reads the log; the segment can be dropped when it has ended."""


@dataclass(frozen=True, slots=True)
class OpenSegment:
    """The segment that appends go to, its size on disk, and whether it is old enough to be closed."""

    segment: int
    size_bytes: int
    aged: bool


def lock(connection: Connection) -> None:
    """Wait until no other transaction begins or drops segments; held until the transaction ends."""
    connection.execute(select(func.pg_advisory_xact_lock(MAINTENANCE_LOCK)))


def try_lock(connection: Connection) -> bool:
    """Take the maintainers' lock if it is free, and say whether it was; held until the transaction ends."""
    return bool(connection.execute(select(func.pg_try_advisory_xact_lock(MAINTENANCE_LOCK))).scalar_one())


def segments(connection: Connection) -> list[int]:
    """All segments, oldest first; appends go to the last."""
    return list(connection.execute(select(log_segments.c.segment).order_by(log_segments.c.segment)).scalars())


def open_segment(connection: Connection) -> OpenSegment | None:
    """The segment that appends go to; None before the first topic."""
    newest = connection.execute(
        text("""
            SELECT segment, created_at < clock_timestamp()
                     - make_interval(secs => (SELECT min(retention_s) FROM log_partitions)) / :fraction
            FROM log_segments ORDER BY segment DESC LIMIT 1
        """),
        {"fraction": SEGMENTS_PER_RETENTION},
    ).first()
    if newest is None:
        return None
    segment, aged = newest
    size_bytes = connection.execute(select(func.pg_total_relation_size(_table(segment)))).scalar_one()
    return OpenSegment(segment, size_bytes, bool(aged))


def is_empty(connection: Connection, segment: int) -> bool:
    """Whether nothing was appended to the segment."""
    return not connection.execute(
        select(exists().where(log_records.c.segment == literal(segment, literal_execute=True)))
    ).scalar_one()


def begin(connection: Connection) -> int:
    """Close the open segment and begin the next; returns its number. The maintainers' lock must be held."""
    segment = int(connection.execute(select(func.coalesce(func.max(log_segments.c.segment), 0))).scalar_one()) + 1
    connection.execute(select(func.begin_log_segment(segment)))
    in_order = log_partitions.c.topic, log_partitions.c.partition
    connection.execute(select(log_partitions.c.partition).order_by(*in_order).with_for_update())
    now = func.clock_timestamp()
    connection.execute(update(log_segments).where(log_segments.c.closed_at.is_(None)).values(closed_at=now))
    connection.execute(log_segments.insert().values(segment=segment, created_at=now))
    return segment


def oldest_closed(connection: Connection) -> int | None:
    """The oldest closed segment, if it is old enough to be examined; otherwise None."""
    return connection.execute(
        text("""
            SELECT segment FROM log_segments
            WHERE closed_at IS NOT NULL AND segment = (SELECT min(segment) FROM log_segments)
              AND created_at < clock_timestamp()
                               - make_interval(secs => (SELECT min(retention_s) FROM log_partitions))
        """)
    ).scalar_one_or_none()


@dataclass(frozen=True, slots=True)
class SegmentPart:
    """What a segment has of one partition: the offset after its last record, and whether that may go."""

    topic: str
    partition: int
    end_offset: int
    expired: bool


def parts(connection: Connection, segment: int) -> list[SegmentPart]:
    """What the segment has, by partition."""
    part = (
        select(
            log_records.c.topic,
            log_records.c.partition,
            (func.max(log_records.c.log_offset) + 1).label("end_offset"),
            func.max(log_records.c.appended_at).label("newest_at"),
        )
        .where(log_records.c.segment == literal(segment, literal_execute=True))
        .group_by(log_records.c.topic, log_records.c.partition)
        .subquery()
    )
    retention = func.make_interval(0, 0, 0, 0, 0, 0, log_partitions.c.retention_s)
    same = (log_partitions.c.topic == part.c.topic) & (log_partitions.c.partition == part.c.partition)
    expired = part.c.newest_at < func.clock_timestamp() - retention
    rows = connection.execute(
        select(part.c.topic, part.c.partition, part.c.end_offset, expired).join_from(part, log_partitions, same)
    )
    return [SegmentPart(*row) for row in rows]


def drop(connection: Connection, segment: int, held: list[SegmentPart]) -> None:
    """Drop a closed segment and move the starts of its partitions past it.

    The maintainers' lock must be held. Partition rows are locked before the table, in the order in which an append
    locks them. Waits at most half a second for appends and readers that use the log (SegmentInUse afterwards),
    because every later transaction waits for this one.
    """
    for part in sorted(held, key=lambda part: (part.topic, part.partition)):
        connection.execute(
            update(log_partitions)
            .where(log_partitions.c.topic == part.topic, log_partitions.c.partition == part.partition)
            .values(start_offset=func.greatest(log_partitions.c.start_offset, part.end_offset))
        )
    connection.execute(text(f"SET LOCAL lock_timeout = {_DROP_LOCK_TIMEOUT_MS}"))
    try:
        connection.execute(select(func.drop_log_segment(segment)))
    except OperationalError as error:
        if isinstance(error.orig, LockNotAvailable):
            raise SegmentInUse(f"segment {segment} of the log is being read", remedy="try again later") from error
        raise
    connection.execute(log_segments.delete().where(log_segments.c.segment == segment))


def _table(segment: int) -> str:
    """The table of a segment; migrations leave tables of this name alone."""
    return f"log_records_{segment:d}"
