"""A consumer of the log in Kafka: polls, commits, and handles rebalances between polls, on its caller's thread.

Polls of kafka-python are so short that each is at most one round of a rebalance: partitions that a round takes away
are handed over (and committed) before the next round can give them to another member. Records are fetched in bulk and
returned from each partition in turn.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Collection, Mapping, Sequence
from types import TracebackType
from typing import NoReturn, Self

from ingest.log.contract import (
    LogRecord,
    NotOwner,
    PartitionsCallback,
    check_max_records,
    check_offsets,
)
from ingest.log.kafka.clients import MIB, KafkaClients
from ingest.log.kafka.group import Change, Changes
from ingest.log.kafka.session import GroupMember, GroupSession, NameTaken
from triggers.errors import Unreachable

MAX_POLL_BYTES = 8 * MIB
"""A poll ends with the record that reaches this size."""
_MAX_FETCHED_RECORDS = 10_000
_SHORTEST_WAIT_S = 0.002
_LONGEST_WAIT_S = 0.05


class KafkaLogConsumer:
    """A LogConsumer on one topic for one static group member; see the contract."""

    def __init__(
        self,
        clients: KafkaClients,
        member: GroupMember,
        *,
        on_assigned: PartitionsCallback | None,
        on_revoked: PartitionsCallback | None,
        on_closed: Callable[[KafkaLogConsumer], None] = lambda _: None,
    ) -> None:
        self._member = member
        self._on_assigned = on_assigned
        self._on_revoked = on_revoked
        self._on_closed = on_closed
        self._changes = Changes()
        self._session = GroupSession(clients, member, self._changes)
        self._held: set[int] = set()
        self._lost: frozenset[int] = frozenset()
        self._paused: set[int] = set()
        self._fetched: dict[int, deque[LogRecord]] = {}
        self._closed = False

    def poll(self, *, max_records: int, timeout_s: float) -> list[LogRecord]:
        """The next records of the partitions held; see LogConsumer. Stops at the record that reaches MAX_POLL_BYTES."""
        self._require_open()
        check_max_records(max_records)
        deadline_s = time.monotonic() + timeout_s
        wait_s = _SHORTEST_WAIT_S
        while True:
            self._hand_over()
            self._fetch()
            self._hand_over()
            records = self._take(max_records)
            left_s = deadline_s - time.monotonic()
            if records or left_s <= 0:
                return records
            time.sleep(min(wait_s, left_s))
            wait_s = min(2 * wait_s, _LONGEST_WAIT_S)

    def commit(self, next_offsets: Mapping[int, int]) -> None:
        """Store, by partition, the offset to restart at; see LogConsumer.

        Kafka takes no commits while the group rebalances: this keeps polling until it does.
        """
        self._require_open()
        check_offsets(next_offsets)
        deadline_s = time.monotonic() + self._member.lease_s
        while not self._committed(next_offsets):
            if time.monotonic() > deadline_s:
                raise Unreachable(f"the group {self._member.group!r} did not settle within {self._member.lease_s} s")
            self._fetch()
            time.sleep(_SHORTEST_WAIT_S)

    def _committed(self, next_offsets: Mapping[int, int]) -> bool:
        """Whether the offsets are stored; False while the group rebalances."""
        self._require_held(*next_offsets)
        return self._session.commit(next_offsets)

    def pause(self, partitions: Sequence[int]) -> None:
        """Stop returning records of these partitions; see LogConsumer."""
        self._require_held(*partitions)
        self._paused.update(partitions)
        self._session.pause(partitions)

    def resume(self, partitions: Sequence[int]) -> None:
        """Return records of these partitions again; see LogConsumer."""
        self._require_held(*partitions)
        self._paused.difference_update(partitions)
        self._session.resume(partitions)

    def seek(self, partition: int, offset: int) -> None:
        """Continue a held partition at `offset`; see LogConsumer."""
        check_offsets({partition: offset})
        self._require_held(partition)
        self._fetched.pop(partition, None)
        self._session.seek(partition, offset)

    def assignment(self) -> frozenset[int]:
        """The partitions held now."""
        return frozenset(self._held)

    def close(self) -> None:
        """Call `on_revoked` for all partitions, then leave the group. Leaves even when the callback raises."""
        if self._closed:
            return
        try:
            self._revoke(sorted(self._held))
        finally:
            self._end(leave=True)

    def abandon(self) -> None:
        """Release connections and threads, as the end of the process would: no callback, and the lease runs out."""
        if not self._closed:
            self._end(leave=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _fetch(self) -> None:
        """Let the group make progress, and fetch records if there are none."""
        known_changes = len(self._changes.pending)
        try:
            batches = self._session.poll(max_records=1 if any(self._fetched.values()) else _MAX_FETCHED_RECORDS)
        except NameTaken:
            self._superseded()
        except Unreachable:
            if not self._session.is_open:
                self._fetched.clear()  # the next consumer begins at the committed offsets
            raise
        # Records left of partitions that changed in this poll are stale; those the poll returned came after the change.
        for change in list(self._changes.pending)[known_changes:]:
            for number in change.partitions:
                self._fetched.pop(number, None)
        for number, records in batches.items():
            self._fetched.setdefault(number, deque()).extend(records)

    def _superseded(self) -> NoReturn:
        """Give up: another process has this member's name, and its partitions. Joining again would take them back."""
        self._lost = frozenset(self._held)
        try:
            self._revoke(sorted(self._held))
        finally:
            self._end(leave=False)
        raise NotOwner(
            f"another process joined the group {self._member.group!r} as {self._member.member!r}",
            remedy="give every worker its own name (LONGTAIL_WORKER_ID)",
        )

    def _end(self, *, leave: bool) -> None:
        self._closed = True
        self._held.clear()
        self._fetched.clear()
        self._changes.close()
        self._on_closed(self)
        self._session.end(leave=leave)

    # Partitions that come and go

    def _hand_over(self) -> None:
        """Handle what rebalances changed, in order. When a callback raises, the next poll calls it again."""
        while self._changes.pending:
            change = self._changes.pending[0]
            if change.kind == "assigned":
                self._take_over(change)
            else:
                self._let_go(change)
            self._changes.pending.popleft()

    def _take_over(self, change: Change) -> None:
        self._held.update(change.partitions)
        try:
            if self._on_assigned is not None:
                self._on_assigned(list(change.partitions))
        except BaseException:
            self._held.difference_update(change.partitions)
            raise

    def _let_go(self, change: Change) -> None:
        leaving = [number for number in change.partitions if number in self._held]
        self._lost = frozenset(leaving) if change.kind == "lost" else self._session.gone(leaving)
        self._revoke(leaving)
        self._lost = frozenset()
        self._held.difference_update(leaving)
        self._paused.difference_update(leaving)
        if change.kind == "revoked":
            self._changes.gave_up(change.partitions)
            self._session.rejoin()

    def _revoke(self, partitions: Collection[int]) -> None:
        if partitions and self._on_revoked is not None:
            self._on_revoked(list(partitions))

    # Records

    def _take(self, max_records: int) -> list[LogRecord]:
        """Records from each readable partition in turn, starting with those that have waited longest."""
        taken: list[LogRecord] = []
        taken_bytes = 0
        ready = deque(number for number in self._fetched if number in self._held and number not in self._paused)
        while ready and len(taken) < max_records and taken_bytes < MAX_POLL_BYTES:
            number = ready.popleft()
            queue = self._fetched.pop(number)
            if queue:
                record = queue.popleft()
                taken.append(record)
                taken_bytes += len(record.key) + len(record.value)
            if queue:
                self._fetched[number] = queue  # after the others
                ready.append(number)
        return taken

    def _require_held(self, *partitions: int) -> None:
        for partition in partitions:
            if partition not in self._held or partition in self._lost:
                raise NotOwner(
                    f"partition {partition} of topic {self._member.topic!r} is not held by {self._member.member!r}"
                )

    def _require_open(self) -> None:
        if self._closed:
            raise NotOwner(f"the consumer {self._member.member!r} of topic {self._member.topic!r} is closed")
