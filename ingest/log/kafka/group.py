"""Kafka's consumer groups as the log uses them: which member gets which partition, and what a rebalance changes.

Rebalances are cooperative (KIP-429): members keep what they may keep, and a partition moves in two rounds, first away
from its holder, then to the next member. A member claims a partition until its own hand-over is done, so that no other
member has it earlier.
"""

from __future__ import annotations

import struct
import time
from collections import Counter, deque
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from kafka import ConsumerRebalanceListener, TopicPartition
from kafka.coordinator.assignors.abstract import AbstractPartitionAssignor, RebalanceProtocol
from kafka.protocol.consumer.metadata import ConsumerProtocolAssignment, ConsumerProtocolSubscription

from ingest.log.shares import fair_shares

_VERSION = 1
_COUNT = struct.Struct(">I")


@dataclass(frozen=True, slots=True)
class Change:
    """Partitions that were assigned, that must be given up, or that were lost before they could be given up."""

    kind: Literal["assigned", "revoked", "lost"]
    partitions: tuple[int, ...]


class Changes(ConsumerRebalanceListener):  # type: ignore[misc]
    """What rebalances changed, recorded on kafka-python's thread while a poll runs, and handled after it."""

    def __init__(self) -> None:
        self.pending: deque[Change] = deque()
        self.claimed: frozenset[int] = frozenset()
        """The partitions that this member claims to hold when it joins."""
        self.poll_until_s = 0.0
        """When the current poll ends (monotonic clock)."""
        self._closed = False

    def on_partitions_assigned(self, assigned: Collection[TopicPartition]) -> None:
        """Partitions were assigned that have no other holder."""
        self.claimed |= self._note("assigned", assigned)

    def on_partitions_revoked(self, revoked: Collection[TopicPartition]) -> None:
        """Partitions must go to other members; they stay claimed until `gave_up`.

        Waits for the end of the poll, a few ms: otherwise the poll would begin the next round at once, in which no
        offset can be committed.
        """
        self._note("revoked", revoked)
        if not self._closed:
            time.sleep(max(0.0, self.poll_until_s - time.monotonic()))

    def on_partitions_lost(self, lost: Collection[TopicPartition]) -> None:
        """The group continued without this member, which lost these partitions."""
        self.claimed -= self._note("lost", lost)

    def gave_up(self, partitions: Collection[int]) -> None:
        """Stop claiming revoked partitions, whose hand-over is done."""
        self.claimed -= frozenset(partitions)

    def start_over(self, claimed: Collection[int]) -> None:
        """The consumer was replaced: all it had claimed is lost, whatever else was recorded and not yet handled."""
        self.pending.clear()
        self.pending.append(Change("lost", tuple(sorted(claimed))))
        self.claimed = frozenset()

    def close(self) -> None:
        """Stop recording: the consumer is closing and handles all partitions itself."""
        self._closed = True

    def _note(
        self, kind: Literal["assigned", "revoked", "lost"], changed: Collection[TopicPartition]
    ) -> frozenset[int]:
        numbers = frozenset(partition.partition for partition in changed)
        if numbers and not self._closed:
            self.pending.append(Change(kind, tuple(sorted(numbers))))
        return numbers


class FairAssignor(AbstractPartitionAssignor):  # type: ignore[misc]
    """Even shares of one topic, from which no member loses what it may keep (ingest/log/shares.py).

    kafka-python's own cooperative assignor keeps claiming partitions that its member has lost (3.0.12). The user data
    carry the number of partitions, because a static member that returns is given its old share, and no member looks
    for new partitions.
    """

    name = "longtail-fair"
    version = _VERSION

    def __init__(self, topic: str, changes: Changes) -> None:
        self._topic = topic
        self._changes = changes
        self.covered: int | None = None
        """How many partitions the last assignment covered: none while the topic was gone. None before the first."""
        self.seen = 0
        """How many partitions this member knows of, which it reports when it joins."""

    def supported_protocols(self) -> list[RebalanceProtocol]:
        """Cooperative only."""
        return [RebalanceProtocol.COOPERATIVE]

    def metadata(self, topics: Collection[str]) -> ConsumerProtocolSubscription:
        """What this member reports when it joins."""
        claimed = sorted(self._changes.claimed)
        owned = ConsumerProtocolSubscription.TopicPartition(topic=self._topic, partitions=claimed)
        return ConsumerProtocolSubscription(
            version=_VERSION,
            topics=sorted(topics),
            user_data=_COUNT.pack(self.seen),
            owned_partitions=[owned] if claimed else [],
        )

    def assign(self, cluster: Any, members: Sequence[Any]) -> dict[str, ConsumerProtocolAssignment]:
        """The new assignment; partitions that another member still claims follow in the round after it gave them up."""
        count = len(cluster.partitions_for_topic(self._topic) or ())
        claims = {member.member_id: self._claims(member.metadata) for member in members}
        shared = share_out(count, claims)
        return {
            member: ConsumerProtocolAssignment(
                _VERSION, [(self._topic, numbers)] if numbers else [], _COUNT.pack(count)
            )
            for member, numbers in shared.items()
        }

    def on_assignment(self, assignment: ConsumerProtocolAssignment, generation: int) -> None:  # noqa: ARG002
        """Remember how many partitions the assignment covered."""
        data = bytes(assignment.user_data or b"")
        self.covered = _COUNT.unpack(data)[0] if len(data) == _COUNT.size else 0

    def _claims(self, metadata: Any) -> set[int]:
        owned = getattr(metadata, "owned_partitions", None) or ()
        return {number for entry in owned if entry.topic == self._topic for number in entry.partitions}


def share_out(count: int, claims: dict[str, set[int]]) -> dict[str, list[int]]:
    """The partitions that each member may read now. One that two members claim goes to neither, so both give it up."""
    claimants = Counter(number for claimed in claims.values() for number in claimed)
    owners: dict[int, str | None] = dict.fromkeys(range(count))
    for member, claimed in claims.items():
        owners.update({number: member for number in claimed if number < count and claimants[number] == 1})
    shares = fair_shares(owners, claims)
    given: dict[str, list[int]] = {member: [] for member in claims}
    for number, member in sorted(shares.items()):
        if claimants[number] <= 1 and owners[number] in (None, member):
            given[member].append(number)
    return given
