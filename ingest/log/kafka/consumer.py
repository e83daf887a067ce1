"""A consumer of the log in Kafka: polls, commits, and deals with rebalances between polls, on its caller's thread.

kafka-python is polled so shortly that a poll is at most one round of a rebalance: what a round takes away is handed
over (and committed) before the next round can give it to somebody else. Records are taken up in bulk and
returned from each partition in turn.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from kafka import KafkaConsumer, TopicPartition
from kafka.admin import MemberToRemove
from kafka.errors import (
    CommitFailedError,
    FencedInstanceIdError,
    IllegalGenerationError,
    KafkaError,
    RebalanceInProgressError,
    UnknownMemberIdError,
)
from kafka.structs import OffsetAndMetadata

from ingest.log.contract import LogRecord, NotOwner, PartitionsCallback
from ingest.log.kafka.clients import MIB, KafkaClients
from ingest.log.kafka.errors import reaching, translated
from ingest.log.kafka.group import Change, Changes, FairAssignor
from ingest.log.kafka.internals import PatientJoin, is_fenced, is_joining, known_partitions, request_rejoin
from triggers.errors import InvalidInput, Unreachable

MAX_POLL_BYTES = 16 * MIB
"""A poll ends with the record that reaches this."""
_MAX_FETCHED_RECORDS = 10_000
_SHORTEST_WAIT_S = 0.002
_LONGEST_WAIT_S = 0.05
_HEARTBEAT_S = 1.0
"""The longest time between two heartbeats; a third of the lease where that is less."""
_JOIN_S = 0.03
"""How long a poll waits for its group; nobody waits for records there."""
_WIDEN_PAUSE_S = 1.0
_NOT_A_MEMBER = (CommitFailedError, IllegalGenerationError, FencedInstanceIdError, UnknownMemberIdError)


@dataclass(frozen=True, slots=True)
class GroupMember:
    """A member's place: the log's names of topic and group, and the lease, of which both halves of silence get one.

    Kafka notices a dead process after the session timeout, and one that lives but does not poll after the longest
    interval between polls and then the session timeout: up to twice the lease.
    """

    topic: str
    group: str
    member: str
    lease_s: float

    def arguments(self) -> dict[str, Any]:
        """As kafka-python takes them, but for names."""
        lease_ms = int(self.lease_s * 1000)
        return {
            "group_instance_id": self.member,
            "session_timeout_ms": lease_ms,
            "max_poll_interval_ms": lease_ms,
            "heartbeat_interval_ms": int(min(_HEARTBEAT_S, self.lease_s / 3) * 1000),
        }


class KafkaLogConsumer:
    """A LogConsumer on one topic for one static group member; see the contract."""

    def __init__(
        self,
        clients: KafkaClients,
        place: GroupMember,
        *,
        on_assigned: PartitionsCallback | None,
        on_revoked: PartitionsCallback | None,
        on_closed: Callable[[KafkaLogConsumer], None] = lambda _: None,
    ) -> None:
        self._clients = clients
        self._place = place
        self._name = clients.location.topic(place.topic)
        self._group = clients.location.group(place.group, place.topic)
        self._on_assigned = on_assigned
        self._on_revoked = on_revoked
        self._on_closed = on_closed
        self._changes = Changes()
        self._assignor = FairAssignor(self._name, self._changes)
        self._kafka: KafkaConsumer | None = None
        self._held: set[int] = set()
        self._lost: frozenset[int] = frozenset()
        self._paused: set[int] = set()
        self._fetched: dict[int, deque[LogRecord]] = {}
        self._next_widening_s = 0.0
        self._closed = False

    def poll(self, *, max_records: int, timeout_s: float) -> list[LogRecord]:
        """The next records of the partitions held; see LogConsumer. At most MAX_POLL_BYTES and a record."""
        self._require_open()
        if max_records < 1:
            raise InvalidInput(f"not a number of records to poll: {max_records}")
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

        While the group shares out its partitions Kafka takes no commits: this goes on joining until it does.
        """
        self._require_open()
        for partition, offset in next_offsets.items():
            _require_offset(partition, offset)
        deadline_s = time.monotonic() + self._place.lease_s
        while not self._committed(next_offsets):
            if time.monotonic() > deadline_s:
                raise Unreachable(f"the group {self._place.group!r} did not settle within {self._place.lease_s} s")
            self._fetch()
            time.sleep(_SHORTEST_WAIT_S)

    def _committed(self, next_offsets: Mapping[int, int]) -> bool:
        """Whether the offsets are stored; False while the group rebalances."""
        for partition in next_offsets:
            self._require_held(partition)
        if self._kafka is None or not next_offsets:
            return True
        wanted = {self._at(number): OffsetAndMetadata(offset, "", -1) for number, offset in next_offsets.items()}
        try:
            self._kafka.commit(wanted)
        except RebalanceInProgressError:
            return False
        except _NOT_A_MEMBER as error:
            if error.args and isinstance(error.args[0], RebalanceInProgressError):
                return False
            raise NotOwner(
                f"partitions {sorted(next_offsets)} of topic {self._place.topic!r} are not held by "
                f"{self._place.member!r} any more"
            ) from error
        except KafkaError as error:
            raise translated(error, self._clients.location, f"store offsets of {self._place.group!r}") from error
        return True

    def pause(self, partitions: Sequence[int]) -> None:
        """Stop returning records of these partitions; see LogConsumer."""
        self._require_all_held(partitions)
        self._paused.update(partitions)
        self._kafka_assigned(partitions, "pause")

    def resume(self, partitions: Sequence[int]) -> None:
        """Return records of these partitions again; see LogConsumer."""
        self._require_all_held(partitions)
        self._paused.difference_update(partitions)
        self._kafka_assigned(partitions, "resume")

    def seek(self, partition: int, offset: int) -> None:
        """Continue a held partition at `offset`; see LogConsumer."""
        _require_offset(partition, offset)
        self._require_held(partition)
        self._fetched.pop(partition, None)
        if self._kafka is not None and self._at(partition) in self._kafka.assignment():
            self._kafka.seek(self._at(partition), offset)

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

    # Talking to Kafka

    def _fetch(self) -> None:
        """One poll of kafka-python: heartbeats, at most one round of a rebalance, and records if there are none."""
        kafka = self._joined()
        fetched_records = 1 if any(self._fetched.values()) else _MAX_FETCHED_RECORDS
        wait_s = _JOIN_S if is_joining(kafka) else 0.0
        self._changes.poll_until_s = time.monotonic() + wait_s
        known_changes = len(self._changes.pending)
        try:
            batches = kafka.poll(timeout_ms=wait_s * 1000, max_records=fetched_records)
        except FencedInstanceIdError:
            self._superseded()
        except KafkaError as error:
            raise translated(error, self._clients.location, f"give records of {self._place.topic!r}") from error
        if is_fenced(kafka):
            self._superseded()
        self._drop_fetched(list(self._changes.pending)[known_changes:])
        for at, records in batches.items():
            queue = self._fetched.setdefault(at.partition, deque())
            queue.extend(LogRecord(at.partition, each.offset, each.key or b"", each.value or b"") for each in records)
        self._look_for_new_partitions(kafka)

    def _drop_fetched(self, changes: Collection[Change]) -> None:
        """Drop what is left of partitions that went in this poll; what it returned of them came after their return."""
        for change in changes:
            for number in change.partitions:
                self._fetched.pop(number, None)

    def _joined(self) -> KafkaConsumer:
        if self._kafka is None:
            self._kafka = self._clients.consumer(
                group_id=self._group, partition_assignment_strategy=[self._assignor], **self._place.arguments()
            )
            PatientJoin(self._kafka, self._place.lease_s)
            self._kafka.subscribe([self._name], listener=self._changes)
        return self._kafka

    def _look_for_new_partitions(self, kafka: KafkaConsumer) -> None:
        """Join anew when the topic has more partitions than were shared out: perhaps nobody else looks."""
        self._assignor.seen = known_partitions(kafka, self._name)
        if 0 < self._assignor.covered < self._assignor.seen and time.monotonic() > self._next_widening_s:
            self._next_widening_s = time.monotonic() + _WIDEN_PAUSE_S
            request_rejoin(kafka)

    def _superseded(self) -> None:
        """Another process has this member's name, and with it the partitions. For good: to join would take it back."""
        self._lost = frozenset(self._held)
        try:
            self._revoke(sorted(self._held))
        finally:
            self._end(leave=False)
        raise NotOwner(
            f"another process joined the group {self._place.group!r} as {self._place.member!r}",
            remedy="give every worker a name of its own (LONGTAIL_WORKER_ID)",
        )

    def _end(self, *, leave: bool) -> None:
        self._closed = True
        self._held.clear()
        self._fetched.clear()
        self._changes.close()
        kafka, self._kafka = self._kafka, None
        self._on_closed(self)
        if kafka is None:
            return
        member_id = kafka.group_metadata().member_id
        kafka.close(autocommit=False, timeout_ms=int(self._place.lease_s * 1000))
        if leave and member_id:
            # kafka-python never lets a static member leave. With both names, only this process's place is given up.
            me = MemberToRemove(member_id=member_id, group_instance_id=self._place.member)
            with reaching(self._clients.location, f"let {self._place.member!r} leave {self._place.group!r}"):
                self._clients.admin().remove_group_members(self._group, [me])

    def _kafka_assigned(self, partitions: Sequence[int], act: str) -> None:
        """Pause or resume in kafka-python what it (still) has."""
        if self._kafka is not None:
            assigned = self._kafka.assignment()
            getattr(self._kafka, act)(*(at for at in map(self._at, partitions) if at in assigned))

    def _at(self, partition: int) -> TopicPartition:
        return TopicPartition(self._name, partition)

    # Partitions that come and go

    def _hand_over(self) -> None:
        """Deal with what rebalances changed, in order. When a callback raises, the next poll calls it again."""
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
        self._lost = frozenset(leaving) if change.kind == "lost" else frozenset()
        self._revoke(leaving)
        self._lost = frozenset()
        self._held.difference_update(leaving)
        self._paused.difference_update(leaving)
        if change.kind == "revoked":
            self._changes.gave_up(change.partitions)
            if self._kafka is not None:
                request_rejoin(self._kafka)

    def _revoke(self, partitions: Collection[int]) -> None:
        if partitions and self._on_revoked is not None:
            self._on_revoked(list(partitions))

    # Records

    def _take(self, max_records: int) -> list[LogRecord]:
        """Records from each readable partition in turn, those that had to wait longest first."""
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
                self._fetched[number] = queue  # behind the others
                ready.append(number)
        return taken

    def _require_held(self, partition: int) -> None:
        if partition not in self._held or partition in self._lost:
            raise NotOwner(
                f"partition {partition} of topic {self._place.topic!r} is not held by {self._place.member!r}"
            )

    def _require_all_held(self, partitions: Sequence[int]) -> None:
        for partition in partitions:
            self._require_held(partition)

    def _require_open(self) -> None:
        if self._closed:
            raise NotOwner(f"the consumer {self._place.member!r} of topic {self._place.topic!r} is closed")


def _require_offset(partition: int, offset: int) -> None:
    if offset < 0:
        raise InvalidInput(f"not an offset of partition {partition}: {offset}")
