"""The log in Apache Kafka, for fleets that outgrow one machine. See consumer.py for reading.

Topics are created explicitly, with the settings they need; an append returns when all in-sync replicas have it.
Retention is left to the brokers.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence

from ingest.log.contract import MAX_RECORD_BYTES, PartitionsCallback, checked_name, checked_records
from ingest.log.kafka.check import check
from ingest.log.kafka.clients import KafkaClients
from ingest.log.kafka.consumer import KafkaLogConsumer
from ingest.log.kafka.location import CONNECT_TIMEOUT_S, parse_location, require_fast_checksums
from ingest.log.kafka.producer import Appender
from ingest.log.kafka.session import GroupMember
from ingest.log.kafka.topics import KafkaTopics
from storage.settings import Settings
from triggers.errors import NotFound, Unreachable

__all__ = ["MAX_RECORD_BYTES", "KafkaLog"]


class KafkaLog:
    """A Log in the cluster that LONGTAIL_LOG_URL names; see the contract. It connects when first used.

    Misconfigured, before anything is sent, when the settings cannot work. A client that cannot connect gives up after
    `connect_timeout_s`.
    """

    def __init__(self, settings: Settings, *, connect_timeout_s: float = CONNECT_TIMEOUT_S) -> None:
        require_fast_checksums()
        self._settings = settings
        self._clients = KafkaClients(settings, parse_location(settings.log_url), connect_timeout_s=connect_timeout_s)
        self._topics = KafkaTopics(self._clients, settings)
        self._appender = Appender(self._clients)
        self._known_partitions: dict[str, int] = {}
        self._lock = threading.Lock()
        self._consumers: set[KafkaLogConsumer] = set()

    def ensure_topic(self, topic: str, *, partitions: int, retention_s: int) -> None:
        """Create the topic, or add partitions to it and set its retention; see Log."""
        self._topics.ensure(topic, partitions=partitions, retention_s=retention_s)

    def partitions(self, topic: str) -> int:
        """How many partitions the topic has; see Log."""
        self._known_partitions[topic] = self._topics.count_partitions(topic)
        return self._known_partitions[topic]

    def append(self, topic: str, partition: int, records: Sequence[tuple[bytes, bytes]]) -> list[int]:
        """Append (key, value) pairs in order; see Log."""
        checked_records(records)
        if not records:
            return []
        if not 0 <= partition < self._known_partitions.get(topic, 0) and not 0 <= partition < self.partitions(topic):
            raise NotFound(f"topic {topic!r} has no partition {partition}")
        try:
            return self._appender.append(topic, partition, records)
        except Unreachable:
            self._known_partitions.pop(topic, None)  # the topic may have been deleted: the next append asks
            raise

    def consumer(
        self,
        topic: str,
        *,
        group: str,
        member: str,
        on_assigned: PartitionsCallback | None = None,
        on_revoked: PartitionsCallback | None = None,
    ) -> KafkaLogConsumer:
        """A reader of the topic that joins `group` as `member` at its first poll; see Log."""
        group_member = GroupMember(
            topic, checked_name("consumer group", group), checked_name("member", member), self._settings.log_lease_s
        )
        self.partitions(topic)
        consumer = KafkaLogConsumer(
            self._clients, group_member, on_assigned=on_assigned, on_revoked=on_revoked, on_closed=self._forget
        )
        with self._lock:
            self._consumers.add(consumer)
        return consumer

    def end_offsets(self, topic: str) -> dict[int, int]:
        """By partition, the offset of the next record; see Log."""
        return self._topics.end_offsets(topic)

    def committed_offsets(self, topic: str, group: str) -> dict[int, int]:
        """By partition, the committed offset of the group; see Log."""
        return self._topics.committed_offsets(topic, group)

    def enforce_retention(self) -> int:
        """Returns 0: the brokers enforce it."""
        return 0

    def check(self) -> str:
        """One line on brokers and topics; see Log."""
        return check(self._clients, self._topics, self._settings)

    def close(self) -> None:
        """Release connections and threads; open consumers stay members until their leases end."""
        with self._lock:
            consumers = list(self._consumers)
        for consumer in consumers:
            consumer.abandon()
        self._clients.close()

    def _forget(self, consumer: KafkaLogConsumer) -> None:
        with self._lock:
            self._consumers.discard(consumer)
