"""The log in PostgreSQL, for one machine and small fleets: appends, topics, retention. See consumer.py for reading.

Gateway and assembler share the database; a record is durable when its transaction is committed. Why the log keeps its
promises is explained beside the SQL: storage/log/records.py, segments.py and groups.py.
"""

from __future__ import annotations

from collections.abc import Sequence

from ingest.log.contract import MAX_PARTITIONS, PartitionsCallback, checked_name, checked_records
from ingest.log.postgres.consumer import PostgresConsumer
from storage.database import Database
from storage.log import groups as log_groups
from storage.log import records as log_store
from storage.log import segments as log_segments
from storage.log.groups import GroupKey
from storage.settings import shown_url
from triggers.errors import InvalidInput, NotFound


class PostgresLog:
    """A Log in the tables of `database`, which the caller opens and closes; see the contract."""

    def __init__(self, database: Database, *, lease_s: float, segment_bytes: int = log_segments.SEGMENT_BYTES) -> None:
        self._database = database
        self._lease_s = lease_s
        self._segment_bytes = segment_bytes

    def ensure_topic(self, topic: str, *, partitions: int, retention_s: int) -> None:
        """Create the topic, or add partitions to it and set its retention; see Log."""
        checked_name("topic", topic)
        if not 1 <= partitions <= MAX_PARTITIONS or retention_s < 1:
            raise InvalidInput(
                f"topic {topic!r} cannot have {partitions} partitions and {retention_s} s retention",
                remedy=f"use 1 to {MAX_PARTITIONS} partitions (LONGTAIL_LOG_PARTITIONS) and 1 s or more",
            )
        with log_store.transaction(self._database) as connection:
            log_segments.lock(connection)
            log_store.put_partitions(connection, topic, partitions=partitions, retention_s=retention_s)
            if not log_segments.segments(connection):
                log_segments.begin(connection)

    def partitions(self, topic: str) -> int:
        """How many partitions the topic has; see Log."""
        with log_store.transaction(self._database) as connection:
            return log_store.count_partitions(connection, topic)

    def append(self, topic: str, partition: int, records: Sequence[tuple[bytes, bytes]]) -> list[int]:
        """Append (key, value) pairs in one transaction; see Log."""
        checked_records(records)
        if not records:
            return []
        with log_store.transaction(self._database) as connection:
            return log_store.append(connection, topic, partition, records)

    def consumer(
        self,
        topic: str,
        *,
        group: str,
        member: str,
        on_assigned: PartitionsCallback | None = None,
        on_revoked: PartitionsCallback | None = None,
    ) -> PostgresConsumer:
        """A reader of the topic that joins `group` as `member` at its first poll; see Log."""
        checked_name("member", member)
        self.partitions(topic)
        return PostgresConsumer(
            self._database,
            GroupKey(checked_name("consumer group", group), topic),
            member=member,
            lease_s=self._lease_s,
            on_assigned=on_assigned,
            on_revoked=on_revoked,
        )

    def end_offsets(self, topic: str) -> dict[int, int]:
        """By partition, the offset of the next record; see Log."""
        with log_store.transaction(self._database) as connection:
            bounds = log_store.bounds(connection, topic)
        if not bounds:
            raise NotFound(f"the log has no topic {topic!r}")
        return {partition: bound.next_offset for partition, bound in bounds.items()}

    def committed_offsets(self, topic: str, group: str) -> dict[int, int]:
        """By partition, the committed offset of the group; see Log."""
        with log_store.transaction(self._database) as connection:
            count = log_store.count_partitions(connection, topic)
            committed = log_groups.committed_offsets(connection, GroupKey(group, topic))
        return {partition: committed.get(partition, 0) for partition in range(count)}

    def enforce_retention(self) -> int:
        """Begin a new segment when one is due, and drop old ones; see Log.

        Returns at once when another process is doing the same. A segment that a long transaction reads is kept until
        a later call.
        """
        self._begin_segment_when_due()
        dropped = 0
        while self._drop_oldest_segment():
            dropped += 1
        return dropped

    def check(self) -> str:
        """Which database the log is in, and how much of it there is; see Log."""
        with log_store.transaction(self._database) as connection:
            topics, segments = log_store.describe(connection)
        where = shown_url(self._database.url)
        return f"the log is in the database at {where}: {topics} topics, {segments} segments"

    def close(self) -> None:
        """Does nothing: the connections belong to the database."""

    def _begin_segment_when_due(self) -> None:
        with log_store.transaction(self._database) as connection:
            if not log_segments.try_lock(connection):
                return
            current = log_segments.open_segment(connection)
            if current is None or not (current.aged or current.size_bytes >= self._segment_bytes):
                return
            if not log_segments.is_empty(connection, current.segment):
                log_segments.begin(connection)

    def _drop_oldest_segment(self) -> bool:
        """Whether a segment was dropped. Each is dropped in its own transaction, so that locks are held briefly."""
        try:
            with log_store.transaction(self._database) as connection:
                if not log_segments.try_lock(connection):
                    return False
                segment = log_segments.oldest_closed(connection)
                if segment is None:
                    return False
                parts = log_segments.parts(connection, segment)
                if not all(part.expired for part in parts):
                    return False
                log_segments.drop(connection, segment, parts)
                return True
        except log_segments.SegmentInUse:
            return False
