"""A consumer of the log in PostgreSQL: polls its partitions in turn, which also keeps its place in the group.

New records are found by polling a few rows, at intervals that grow to 100 ms while there are none. NOTIFY would wake
the consumer sooner, but makes the server commit all appends one after the other (its queue is locked over the sync).
"""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from ingest.log.contract import (
    LogRecord,
    NotOwner,
    PartitionsCallback,
    check_max_records,
    check_offsets,
)
from ingest.log.postgres.membership import GroupState, Membership
from storage.database import Database
from storage.log import records as log_store
from storage.log import segments as log_segments
from storage.log.groups import Claim, GroupKey
from storage.log.records import PartitionBounds

MAX_POLL_BYTES = 16 * 1024**2
"""A poll ends with the record that reaches this size."""
MAX_POLL_RECORDS = 10_000
_SHORTEST_WAIT_S = 0.005
_LONGEST_WAIT_S = 0.1
_HEARTBEAT_S = 1.0
"""The longest time between two synchronisations with the group; a third of the lease where that is less."""
_UNSETTLED_S = 0.1
"""The same, while partitions are moving from one member to another."""


@dataclass(slots=True)
class _Position:
    """Where to continue reading a held partition. `segment`: no earlier segment has a record at or after `offset`."""

    epoch: int
    offset: int
    segment: int = 0
    paused: bool = False


class PostgresConsumer:
    """A LogConsumer on one topic for one group member; see the contract."""

    def __init__(
        self,
        database: Database,
        key: GroupKey,
        *,
        member: str,
        lease_s: float,
        on_assigned: PartitionsCallback | None,
        on_revoked: PartitionsCallback | None,
    ) -> None:
        self._database = database
        self._topic = key.topic
        self._membership = Membership(database, key, member, lease_s)
        self._heartbeat_s = min(_HEARTBEAT_S, lease_s / 3)
        self._next_heartbeat_s = 0.0
        self._on_assigned = on_assigned
        self._on_revoked = on_revoked
        self._positions: dict[int, _Position] = {}
        self._closed = False

    def poll(self, *, max_records: int, timeout_s: float) -> list[LogRecord]:
        """The next records of the partitions held; see LogConsumer. Stops at the record that reaches MAX_POLL_BYTES."""
        self._require_open()
        check_max_records(max_records)
        deadline_s = time.monotonic() + timeout_s
        wait_s = _SHORTEST_WAIT_S
        while True:
            self._keep_place()
            records = self._fetch(min(max_records, MAX_POLL_RECORDS))
            left_s = deadline_s - time.monotonic()
            if records or left_s <= 0:
                return records
            time.sleep(min(wait_s, left_s))
            wait_s = min(2 * wait_s, _LONGEST_WAIT_S)

    def commit(self, next_offsets: Mapping[int, int]) -> None:
        """Store, by partition, the offset to restart at; see LogConsumer."""
        self._require_open()
        check_offsets(next_offsets)
        self._membership.commit(
            {partition: (self._held(partition).epoch, offset) for partition, offset in next_offsets.items()}
        )

    def pause(self, partitions: Sequence[int]) -> None:
        """Stop returning records of these partitions; see LogConsumer."""
        for position in [self._held(partition) for partition in partitions]:
            position.paused = True

    def resume(self, partitions: Sequence[int]) -> None:
        """Return records of these partitions again; see LogConsumer."""
        for position in [self._held(partition) for partition in partitions]:
            position.paused = False

    def seek(self, partition: int, offset: int) -> None:
        """Continue a held partition at `offset`; see LogConsumer."""
        check_offsets({partition: offset})
        position = self._held(partition)
        position.offset = offset
        position.segment = 0

    def assignment(self) -> frozenset[int]:
        """The partitions held now."""
        return frozenset(self._positions)

    def close(self) -> None:
        """Call `on_revoked` for all partitions, then leave the group. Leaves even when the callback raises."""
        if self._closed:
            return
        try:
            self._revoke(sorted(self._positions))
        finally:
            self._closed = True
            self._positions.clear()
            self._membership.leave()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _keep_place(self) -> None:
        """Renew the lease when that is due, and handle changes of the assignment.

        1. Synchronise with the group. 2. Drop lost partitions. 3. Hand over leaving partitions, then free them.
        4. Take over new partitions. When a callback raises, the next poll starts again at 1 and finds the same state.
        """
        if time.monotonic() < self._next_heartbeat_s:
            return
        self._next_heartbeat_s = 0.0
        try:
            state = self._membership.synchronise()
        except NotOwner:
            self._closed = True  # do not join again: that would take the name back from the other process
            self._let_go(sorted(self._positions))
            raise
        self._let_go(self._lost(state))
        leaving = sorted(state.leaving)
        if leaving:
            self._revoke([partition for partition in leaving if partition in self._positions])
            self._membership.give_up(leaving)
            self._forget(leaving)
        self._assign({number: claim for number, claim in state.held.items() if number not in state.leaving})
        self._next_heartbeat_s = time.monotonic() + (self._heartbeat_s if state.settled else _UNSETTLED_S)

    def _lost(self, state: GroupState) -> list[int]:
        """Partitions that went to another member, even if they have come back: what was read from them is stale."""
        return sorted(
            partition
            for partition, position in self._positions.items()
            if partition not in state.held or state.held[partition].epoch != position.epoch
        )

    def _let_go(self, partitions: Collection[int]) -> None:
        self._revoke(partitions)
        self._forget(partitions)

    def _revoke(self, partitions: Collection[int]) -> None:
        if partitions and self._on_revoked is not None:
            self._on_revoked(list(partitions))

    def _forget(self, partitions: Collection[int]) -> None:
        for partition in partitions:
            self._positions.pop(partition, None)

    def _assign(self, claims: Mapping[int, Claim]) -> None:
        """Start reading newly claimed partitions. A callback that raises gets these partitions again."""
        gained = [number for number in claims if number not in self._positions]
        for number in gained:
            self._positions[number] = _Position(claims[number].epoch, claims[number].committed_offset)
        try:
            if gained and self._on_assigned is not None:
                self._on_assigned(gained)
        except BaseException:
            self._forget(gained)
            raise

    def _fetch(self, max_records: int) -> list[LogRecord]:
        """Records of the oldest segment in which a partition has any left."""
        reading = {number: position for number, position in self._positions.items() if not position.paused}
        if not reading:
            return []
        with log_store.transaction(self._database) as connection:
            unread = _unread(reading, log_store.bounds(connection, self._topic))
            if not unread:
                return []
            segments = log_segments.segments(connection)
            for segment, following in zip(segments, [*segments[1:], segments[-1]], strict=True):
                offsets = {number: at.offset for number, at in unread.items() if at.segment <= segment}
                if not offsets:
                    continue
                rows = log_store.read(
                    connection,
                    self._topic,
                    segment=segment,
                    offsets=offsets,
                    max_records=max_records,
                    max_bytes=MAX_POLL_BYTES,
                )
                _advance(unread, offsets, rows, segment, following)
                if rows:
                    return [LogRecord(*row) for row in rows]
        return []

    def _held(self, partition: int) -> _Position:
        position = self._positions.get(partition)
        if position is None:
            raise NotOwner(f"partition {partition} of topic {self._topic!r} is not held by {self._membership.member!r}")
        return position

    def _require_open(self) -> None:
        if self._closed:
            raise NotOwner(f"the consumer {self._membership.member!r} of topic {self._topic!r} is closed")


def _unread(reading: Mapping[int, _Position], bounds: Mapping[int, PartitionBounds]) -> dict[int, _Position]:
    """Positions with unread records, moved past records that retention dropped."""
    for number, position in reading.items():
        position.offset = max(position.offset, bounds[number].start_offset)
    return {number: position for number, position in reading.items() if position.offset < bounds[number].next_offset}


def _advance(
    unread: Mapping[int, _Position],
    offsets: Mapping[int, int],
    rows: Sequence[tuple[int, int, bytes, bytes]],
    segment: int,
    following: int,
) -> None:
    """Move the positions past the rows read, and past the segment where it had nothing.

    A read returns the first record of every partition before any second one. So a partition without a row has none in
    this segment if another partition returned a second row, or if everything was read. For the newest segment,
    `following` is the segment itself, as further appends go there.
    """
    for number, offset, _, _ in rows:
        unread[number].offset = offset + 1
    seen = {row[0] for row in rows}
    all_first_rows_came = len(rows) > len(seen) or not rows or len(seen) == len(offsets)
    for number in offsets:
        if number in seen or not all_first_rows_came:
            unread[number].segment = segment
        else:
            unread[number].segment = following
