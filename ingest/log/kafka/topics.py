"""Topics of the log in Kafka: creates them with the settings the log needs, adds partitions, and describes them."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from kafka import KafkaAdminClient, TopicPartition
from kafka.admin import ConfigResource, ConfigResourceType, OffsetSpec
from kafka.errors import (
    GroupIdNotFoundError,
    InvalidPartitionsError,
    TopicAlreadyExistsError,
    UnknownTopicOrPartitionError,
)

from ingest.log.contract import MAX_PARTITIONS, MAX_RECORD_BYTES, checked_name
from ingest.log.kafka.clients import KafkaClients
from storage.settings import Settings
from triggers.errors import InvalidInput, NotFound, Unreachable

NEEDED_MESSAGE_BYTES = MAX_RECORD_BYTES + 1024
"""The largest record with the headers of its batch."""
_CREATED_MESSAGE_BYTES = 2 * MAX_RECORD_BYTES
_BROKERS_DEFAULT = -1


_WIDENED_S = 10.0
_WIDENED_PAUSE_S = 0.05


@dataclass(frozen=True, slots=True)
class TopicState:
    """The state of a topic. `replicas` is the lowest number that a partition has; times are in ms, -1 is unlimited."""

    partitions: int
    replicas: int
    retention_ms: int
    retention_bytes: int
    max_message_bytes: int
    min_insync_replicas: int
    cleanup_policy: str


class KafkaTopics:
    """Administration of topics in Kafka. Names are the log's, without the prefix."""

    def __init__(self, clients: KafkaClients, settings: Settings) -> None:
        self._clients = clients
        self._location = clients.location
        self._replication_factor = settings.kafka_replication_factor or _BROKERS_DEFAULT
        self._min_insync = settings.kafka_min_insync_replicas

    def ensure(self, topic: str, *, partitions: int, retention_s: int) -> None:
        """Create the topic, or give it more partitions and this retention; see Log."""
        checked_name("topic", topic)
        if not 1 <= partitions <= MAX_PARTITIONS or retention_s < 1:
            raise InvalidInput(
                f"topic {topic!r} cannot have {partitions} partitions and {retention_s} s retention",
                remedy=f"use 1 to {MAX_PARTITIONS} partitions (LONGTAIL_LOG_PARTITIONS) and 1 s or more",
            )
        with self._clients.asking(f"create topic {topic!r}") as admin:
            existing = self._partitions(admin, topic)
            if not existing:
                self._create(admin, topic, partitions, retention_s)
                return
            if len(existing) < partitions:
                self._widen(admin, topic, partitions)
            if self._settings_of(admin, topic)["retention.ms"] != str(retention_s * 1000):
                changed = self._resource(topic, {"retention.ms": str(retention_s * 1000)})
                admin.alter_configs([changed])

    def _create(self, admin: KafkaAdminClient, topic: str, partitions: int, retention_s: int) -> None:
        settings = {
            "retention.ms": str(retention_s * 1000),
            "retention.bytes": "-1",
            "cleanup.policy": "delete",
            "max.message.bytes": str(_CREATED_MESSAGE_BYTES),
        }
        if self._min_insync is not None:
            settings["min.insync.replicas"] = str(self._min_insync)
        specification = {
            "num_partitions": partitions,
            "replication_factor": self._replication_factor,
            "configs": settings,
        }
        try:
            admin.create_topics({self._location.topic(topic): specification}, wait_for_metadata=True)
        except TopicAlreadyExistsError as error:  # another process was faster
            if not self._partitions(admin, topic):
                raise Unreachable(f"Kafka still deletes the topic {topic!r}", remedy="it is created then") from error
            self.ensure(topic, partitions=partitions, retention_s=retention_s)

    def _widen(self, admin: KafkaAdminClient, topic: str, partitions: int) -> None:
        try:
            admin.create_partitions({self._location.topic(topic): partitions})
        except InvalidPartitionsError:
            if len(self._partitions(admin, topic)) < partitions:  # else another process was faster
                raise
        deadline_s = time.monotonic() + _WIDENED_S
        while len(self._partitions(admin, topic)) < partitions and time.monotonic() < deadline_s:
            time.sleep(_WIDENED_PAUSE_S)  # brokers report new partitions only a moment after creating them

    def count_partitions(self, topic: str) -> int:
        """How many partitions the topic has; NotFound."""
        with self._clients.asking(f"describe topic {topic!r}") as admin:
            described = self._partitions(admin, topic)
        if not described:
            raise NotFound(f"the log has no topic {topic!r}")
        return len(described)

    def state(self, topic: str) -> TopicState:
        """The state of the topic; NotFound."""
        with self._clients.asking(f"describe topic {topic!r}") as admin:
            partitions = self._partitions(admin, topic)
            if not partitions:
                raise NotFound(f"the log has no topic {topic!r}")
            settings = self._settings_of(admin, topic)
        return TopicState(
            partitions=len(partitions),
            replicas=min(len(partition["replica_nodes"]) for partition in partitions),
            retention_ms=int(settings["retention.ms"]),
            retention_bytes=int(settings["retention.bytes"]),
            max_message_bytes=int(settings["max.message.bytes"]),
            min_insync_replicas=int(settings["min.insync.replicas"]),
            cleanup_policy=settings["cleanup.policy"],
        )

    def end_offsets(self, topic: str) -> dict[int, int]:
        """By partition, the offset of the next record; NotFound."""
        count = self.count_partitions(topic)
        name = self._location.topic(topic)
        asked = {TopicPartition(name, number): OffsetSpec.LATEST for number in range(count)}
        with self._clients.asking(f"tell the offsets of topic {topic!r}") as admin:
            offsets = admin.list_partition_offsets(asked)
        return {partition.partition: at.offset for partition, at in offsets.items()}

    def committed_offsets(self, topic: str, group: str) -> dict[int, int]:
        """By partition, the group's committed offset, 0 where there is none; NotFound."""
        count = self.count_partitions(topic)
        name = self._location.group(group, topic)
        with self._clients.asking(f"tell the offsets of group {group!r}") as admin:
            try:
                offsets = admin.list_group_offsets({name: None})[name]
            except GroupIdNotFoundError:
                offsets = {}
        committed = {partition.partition: at.offset for partition, at in offsets.items()}
        return {number: max(0, committed.get(number, 0)) for number in range(count)}

    def _partitions(self, admin: KafkaAdminClient, topic: str) -> list[dict[str, Any]]:
        """The topic's partitions as Kafka describes them; empty when there is no such topic."""
        try:
            (description,) = admin.describe_topics([self._location.topic(topic)])
        except UnknownTopicOrPartitionError:
            return []
        if description["error_code"] == UnknownTopicOrPartitionError.errno:
            return []
        if description["error_code"]:
            raise Unreachable(
                f"LONGTAIL_LOG_URL: Kafka cannot describe topic {topic!r}: error {description['error_code']}"
            )
        return list(description["partitions"])

    def _settings_of(self, admin: KafkaAdminClient, topic: str) -> dict[str, str]:
        described = admin.describe_configs([self._resource(topic, None)], config_filter="all")
        entries = described["topic"][self._location.topic(topic)]
        return {name: str(entry["value"]) for name, entry in entries.items()}

    def _resource(self, topic: str, settings: dict[str, str] | None) -> ConfigResource:
        return ConfigResource(ConfigResourceType.TOPIC, self._location.topic(topic), configs=settings)
