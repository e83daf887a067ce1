"""One member's session in a Kafka consumer group: joins, polls, commits and leaves; decisions are the consumer's."""

from __future__ import annotations

import logging
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

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

from ingest.log.contract import LogRecord, NotOwner
from ingest.log.kafka.clients import KafkaClients
from ingest.log.kafka.contact import REPLACE_S, Contact
from ingest.log.kafka.errors import translated
from ingest.log.kafka.group import Changes, FairAssignor
from ingest.log.kafka.internals import (
    PatientJoin,
    answered_s,
    drop_unreadable,
    is_fenced,
    is_joining,
    known_partitions,
    request_newer_metadata,
    request_rejoin,
    topic_identity,
)
from ingest.log.kafka.location import REQUEST_TIMEOUT_S
from triggers.errors import Unreachable

LOGGER = logging.getLogger(__name__)
_HEARTBEAT_S = 1.0
"""The longest time between two heartbeats; a third of the lease where that is less."""
_JOIN_S = 0.03
"""How long a poll waits for its group; it never waits for records."""
_PARTITIONS_PAUSE_S = 1.0
"""How long a member waits before it joins again, or asks again, for another number of partitions."""
_NOT_A_MEMBER = (CommitFailedError, IllegalGenerationError, FencedInstanceIdError, UnknownMemberIdError)


class NameTaken(Exception):
    """Another process joined the group as this member, and has the partitions now."""


@dataclass(frozen=True, slots=True)
class GroupMember:
    """A member of a consumer group: the log's names of topic and group, the member's name, and the lease.

    The lease is both Kafka's session timeout and its longest interval between polls. Kafka notices a dead process after
    the former, and a live process that does not poll after the latter and then the former: up to twice the lease.
    """

    topic: str
    group: str
    member: str
    lease_s: float

    def arguments(self) -> dict[str, Any]:
        """The member as arguments of kafka-python, without topic and group."""
        lease_ms = int(self.lease_s * 1000)
        return {
            "group_instance_id": self.member,
            "session_timeout_ms": lease_ms,
            "max_poll_interval_ms": lease_ms,
            "heartbeat_interval_ms": int(min(_HEARTBEAT_S, self.lease_s / 3) * 1000),
        }


class GroupSession:
    """A KafkaConsumer that joins its group at the first poll. Rebalances are recorded in `changes`."""

    def __init__(self, clients: KafkaClients, member: GroupMember, changes: Changes) -> None:
        self._clients = clients
        self._member = member
        self._changes = changes
        self._topic = clients.location.topic(member.topic)
        self._group = clients.location.group(member.group, member.topic)
        self._assignor = FairAssignor(self._topic, changes)
        self._kafka: KafkaConsumer | None = None
        self._next_joining_s = 0.0
        self._asked_about: int | None = None
        self._contact = Contact(f"the consumer {member.member!r} of {member.topic!r}")
        self._silent = False
        self._identity: object | None = None

    @property
    def is_open(self) -> bool:
        """Whether there is a consumer: not before the first poll, and not once a silent one was dropped."""
        return self._kafka is not None

    def poll(self, *, max_records: int) -> dict[int, list[LogRecord]]:
        """One poll of kafka-python: heartbeats, at most one round of a rebalance, and records by partition.

        NameTaken when another process has this member's name. Unreachable while no broker has answered for CONTACT_S:
        kafka-python returns nothing then, as if there were no records. A consumer that is silent for REPLACE_S is
        replaced by one that joins under the same name, and its partitions are lost until then. So is one whose topic
        was deleted and created again.
        """
        kafka = self._joined()
        wait_s = _JOIN_S if is_joining(kafka) else 0.0
        self._changes.poll_until_s = time.monotonic() + wait_s
        try:
            batches = kafka.poll(timeout_ms=wait_s * 1000, max_records=max_records)
        except FencedInstanceIdError as error:
            raise NameTaken from error
        except KafkaError as error:
            drop_unreadable(kafka)
            raise translated(error, self._clients.location, f"give records of {self._member.topic!r}") from error
        if is_fenced(kafka):
            raise NameTaken
        self._look_for_another_topic(kafka)
        self._look_for_other_partitions(kafka)
        if not batches:
            self._require_contact(kafka)
        return {
            at.partition: [LogRecord(at.partition, row.offset, row.key or b"", row.value or b"") for row in rows]
            for at, rows in batches.items()
        }

    def commit(self, next_offsets: Mapping[int, int]) -> bool:
        """Whether the offsets are stored; False while the group rebalances. NotOwner for a former member."""
        if not next_offsets:
            return True
        if self._kafka is None:
            raise NotOwner(f"the consumer {self._member.member!r} of topic {self._member.topic!r} is being replaced")
        offsets = {self._at(number): OffsetAndMetadata(offset, "", -1) for number, offset in next_offsets.items()}
        try:
            self._kafka.commit(offsets, timeout_ms=REQUEST_TIMEOUT_S * 1000)
        except RebalanceInProgressError:
            return False
        except _NOT_A_MEMBER as error:
            if error.args and isinstance(error.args[0], RebalanceInProgressError):
                return False
            raise NotOwner(
                f"partitions {sorted(next_offsets)} of topic {self._member.topic!r} are no longer held by "
                f"{self._member.member!r}"
            ) from error
        except KafkaError as error:
            self._contact.failed()
            raise translated(error, self._clients.location, f"store offsets of {self._member.group!r}") from error
        return True

    def pause(self, partitions: Sequence[int]) -> None:
        """Stop fetching these partitions, as far as kafka-python (still) has them."""
        if self._kafka is not None:
            self._kafka.pause(*self._assigned(self._kafka, partitions))

    def resume(self, partitions: Sequence[int]) -> None:
        """Fetch from these partitions again, as far as kafka-python (still) has them."""
        if self._kafka is not None:
            self._kafka.resume(*self._assigned(self._kafka, partitions))

    def seek(self, partition: int, offset: int) -> None:
        """Fetch a partition from `offset` on, if kafka-python (still) has it."""
        if self._kafka is not None:
            for at in self._assigned(self._kafka, [partition]):
                self._kafka.seek(at, offset)

    def gone(self, partitions: Collection[int]) -> frozenset[int]:
        """Those of `partitions` that the topic does not have any more: nothing can be committed for them."""
        if self._kafka is None:
            return frozenset()
        return frozenset(at.partition for at in self._gone(self._kafka, [self._at(number) for number in partitions]))

    def rejoin(self) -> None:
        """Join the group again at the next poll."""
        if self._kafka is not None:
            request_rejoin(self._kafka)

    def end(self, *, leave: bool) -> None:
        """Release connections and threads. With `leave` the group is told if Kafka answers; else the lease expires."""
        kafka, self._kafka = self._kafka, None
        if kafka is None:
            return
        member_id = kafka.group_metadata().member_id
        kafka.close(autocommit=False, timeout_ms=int(self._member.lease_s * 1000))
        if leave and member_id:
            # kafka-python never lets a static member leave. With both ids, only this process is removed, no successor.
            me = MemberToRemove(member_id=member_id, group_instance_id=self._member.member)
            try:
                with self._clients.asking(f"let {self._member.member!r} leave {self._member.group!r}") as admin:
                    admin.remove_group_members(self._group, [me])
            except Unreachable as error:
                LOGGER.warning("%s; its lease expires in %g s", error.message, self._member.lease_s)

    def _require_contact(self, kafka: KafkaConsumer) -> None:
        """Unreachable when nothing has come from any broker for too long; the first time, and when it ends, logged."""
        last_s = answered_s(kafka)
        silence_s = self._contact.silence_s(last_s)
        lost = self._contact.problem(last_s, silence_s)
        if lost is None:
            if self._silent:
                LOGGER.info("a broker answers the consumer %r again", self._member.member)
            self._silent = False
            return
        if not self._silent:
            LOGGER.warning("%s", lost)
        self._silent = True
        if silence_s > REPLACE_S:
            LOGGER.warning("the consumer %r is replaced", self._member.member)
            self._replace(kafka)
        raise lost

    def _look_for_another_topic(self, kafka: KafkaConsumer) -> None:
        """Read a topic that was deleted and created again from its beginning; Unreachable while that begins.

        kafka-python (3.0.12) takes the new topic for the old one, truncated: it skips what was appended meanwhile. And
        an offset of the old topic that was committed late would skip as much of the new one.
        """
        identity = topic_identity(kafka, self._topic)
        held = kafka.assignment()
        if identity is None or (self._identity not in (None, identity) and not held):
            return
        if self._identity not in (None, identity):
            LOGGER.warning("the topic %s was deleted and created again: it is read from its beginning", self._topic)
            try:
                there = held - self._gone(kafka, held)
                beginning = {at: OffsetAndMetadata(0, "", -1) for at in there}
                if beginning:
                    kafka.commit(beginning, timeout_ms=REQUEST_TIMEOUT_S * 1000)
            except KafkaError as error:
                raise translated(error, self._clients.location, f"go back to the start of {self._topic!r}") from error
            self._replace(kafka)
            self._identity = identity
            raise Unreachable(f"the topic {self._topic!r} was created again, and is read from its beginning")
        self._identity = identity

    def _replace(self, silent: KafkaConsumer) -> None:
        """Drop the consumer; the next poll opens another, which is given the same partitions."""
        claimed = self._changes.claimed
        self._kafka = None
        try:
            silent.close(autocommit=False, timeout_ms=0)
        finally:
            self._changes.start_over(claimed)

    def _joined(self) -> KafkaConsumer:
        if self._kafka is None:
            self._contact.renew()
            self._kafka = self._clients.consumer(
                group_id=self._group, partition_assignment_strategy=[self._assignor], **self._member.arguments()
            )
            PatientJoin(self._kafka, self._member.lease_s)
            self._kafka.subscribe([self._topic], listener=self._changes)
        return self._kafka

    def _look_for_other_partitions(self, kafka: KafkaConsumer) -> None:
        """Join again when the topic has more or fewer partitions than were assigned: it may be that nobody else does.

        A topic has fewer when it was created again, and a static member that returns is given its old share of the old
        one. Or this member has not heard of new ones yet: so it asks, and joins when it still knows of fewer.
        """
        seen = self._assignor.seen = known_partitions(kafka, self._topic)
        covered = self._assignor.covered
        if covered is None or seen in (0, covered) or time.monotonic() < self._next_joining_s:
            return
        self._next_joining_s = time.monotonic() + _PARTITIONS_PAUSE_S
        if seen > covered or self._asked_about == covered:
            self._asked_about = None
            request_rejoin(kafka)
        else:
            self._asked_about = covered
            request_newer_metadata(kafka)

    def _gone(self, kafka: KafkaConsumer, partitions: Collection[TopicPartition]) -> set[TopicPartition]:
        """Those of `partitions` that the topic does not have any more; none before anything is known of it."""
        count = known_partitions(kafka, self._topic)
        return {at for at in partitions if 0 < count <= at.partition}

    def _assigned(self, kafka: KafkaConsumer, partitions: Sequence[int]) -> list[TopicPartition]:
        assigned = kafka.assignment()
        return [at for at in map(self._at, partitions) if at in assigned]

    def _at(self, partition: int) -> TopicPartition:
        return TopicPartition(self._topic, partition)
