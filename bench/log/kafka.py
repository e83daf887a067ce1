"""KafkaLog as it is measured, and kafka-python used directly with the same guarantees."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing
from typing import Any, Self

from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import NewTopic
from kafka.structs import OffsetAndMetadata

from ingest.log.kafka.log import MAX_RECORD_BYTES, KafkaLog
from storage.settings import Settings
from tests.support.servers.kafka_server import KafkaServer

Record = tuple[bytes, bytes]
LEASE_S = 120.0
"""Readers take turns, and a member that waits for the other must not be removed from its group."""
RETENTION_S = 86400
_MIB = 1024**2
_READ_S = 60.0


class _MeasuredKafka:
    """Base of both: closing, and reading back with a consumer without a group."""

    def __init__(self, server: KafkaServer, partitions: int) -> None:
        self.server = server
        self.partitions = partitions
        self.stack = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stack.close()

    def stored(self, topic: str) -> Iterator[Record]:
        """Every record, partition after partition."""
        with closing(KafkaConsumer(**self.server.client_settings, max_partition_fetch_bytes=8 * _MIB)) as consumer:
            for partition in range(self.partitions):
                at = TopicPartition(topic, partition)
                consumer.assign([at])
                consumer.seek_to_beginning(at)
                end_offset = consumer.end_offsets([at])[at]
                while consumer.position(at) < end_offset:
                    for record in consumer.poll(timeout_ms=1000).get(at, ()):
                        yield record.key, record.value


class OwnKafka(_MeasuredKafka):
    """KafkaLog with default settings, but a long lease."""

    name = "KafkaLog"

    def __init__(self, server: KafkaServer, partitions: int) -> None:
        super().__init__(server, partitions)
        self._log = KafkaLog(Settings(log_url=f"kafka://{server.bootstrap}", log_lease_s=LEASE_S))
        self.stack.callback(self._log.close)

    def create(self, topic: str) -> None:
        """A new topic, known to the log."""
        self._log.ensure_topic(topic, partitions=self.partitions, retention_s=RETENTION_S)
        self._log.partitions(topic)

    def append(self, topic: str, partition: int, records: Sequence[Record]) -> None:
        """Append through the contract."""
        self._log.append(topic, partition, records)

    def reader(self, topic: str) -> OwnReader:
        """A consumer of the log that has joined its group."""
        consumer = self.stack.enter_context(self._log.consumer(topic, group="own", member="bench"))
        return OwnReader(self.name, consumer, self.partitions)


class OwnReader:
    """A LogConsumer, of any log, that reads a topic repeatedly."""

    def __init__(self, name: str, consumer: Any, partitions: int) -> None:
        self.name = name
        self._consumer = consumer
        self._partitions = partitions
        deadline_s = time.monotonic() + _READ_S
        while len(consumer.assignment()) < partitions:
            if time.monotonic() > deadline_s:
                raise TimeoutError(f"{name}: not all partitions were assigned within {_READ_S} s")
            consumer.poll(max_records=1, timeout_s=0.1)

    def read(self, count: int) -> list[tuple[int, Record]]:
        """From the beginning; offsets are committed after each poll."""
        for partition in range(self._partitions):
            self._consumer.seek(partition, 0)
        read: list[tuple[int, Record]] = []
        deadline_s = time.monotonic() + _READ_S
        while len(read) < count:
            if time.monotonic() > deadline_s:
                raise TimeoutError(f"{self.name}: {len(read)} of {count} records within {_READ_S} s")
            records = self._consumer.poll(max_records=count, timeout_s=1.0)
            read += [(record.partition, (record.key, record.value)) for record in records]
            if records:
                self._consumer.commit({record.partition: record.offset + 1 for record in records})
        return read


class BareKafka(_MeasuredKafka):
    """kafka-python's producer, idempotent, acks=all, every future waited for."""

    name = "kafka-python alone"

    def __init__(self, server: KafkaServer, partitions: int) -> None:
        super().__init__(server, partitions)
        self._admin = KafkaAdminClient(**server.client_settings)
        self.stack.callback(self._admin.close)
        self._producer = KafkaProducer(
            **server.client_settings,
            acks="all",
            enable_idempotence=True,
            max_request_size=4 * MAX_RECORD_BYTES,
            allow_auto_create_topics=False,
        )
        self.stack.callback(self._producer.close)

    def create(self, topic: str) -> None:
        """A new topic, known to the producer."""
        self._admin.create_topics([NewTopic(topic, self.partitions, 1)])
        deadline_s = time.monotonic() + _READ_S
        while len(self._producer.partitions_for(topic) or ()) < self.partitions:
            if time.monotonic() > deadline_s:
                raise TimeoutError(f"topic {topic!r} did not come within {_READ_S} s")

    def append(self, topic: str, partition: int, records: Sequence[Record]) -> None:
        """Send all, then wait for every future."""
        futures = [self._producer.send(topic, key=key, value=value, partition=partition) for key, value in records]
        for future in futures:
            future.get(timeout=_READ_S)

    def reader(self, topic: str) -> BareReader:
        """A consumer that has joined its own group."""
        return self.stack.enter_context(closing(BareReader(self.server, topic, self.partitions)))


class BareReader:
    """kafka-python's consumer with the fetch sizes that KafkaLog uses, committing by hand."""

    name = BareKafka.name

    def __init__(self, server: KafkaServer, topic: str, partitions: int) -> None:
        self._consumer = KafkaConsumer(
            topic,
            **server.client_settings,
            group_id="bare",
            group_instance_id="bench",
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            session_timeout_ms=int(LEASE_S * 1000),
            max_poll_interval_ms=int(LEASE_S * 1000),
            max_partition_fetch_bytes=8 * _MIB,
            fetch_max_bytes=32 * _MIB,
        )
        deadline_s = time.monotonic() + _READ_S
        while len(self._consumer.assignment()) < partitions:
            if time.monotonic() > deadline_s:
                raise TimeoutError(f"{self.name}: not all partitions came within {_READ_S} s")
            self._consumer.poll(timeout_ms=100)

    def read(self, count: int) -> list[tuple[int, Record]]:
        """From the beginning; offsets are committed after each poll."""
        self._consumer.seek_to_beginning()
        read: list[tuple[int, Record]] = []
        deadline_s = time.monotonic() + _READ_S
        while len(read) < count:
            if time.monotonic() > deadline_s:
                raise TimeoutError(f"{self.name}: {len(read)} of {count} records within {_READ_S} s")
            batches = self._consumer.poll(timeout_ms=1000, max_records=count)
            for at, records in batches.items():
                read += [(at.partition, (record.key, record.value)) for record in records]
            if batches:
                ends = {at: OffsetAndMetadata(records[-1].offset + 1, "", -1) for at, records in batches.items()}
                self._consumer.commit(ends)
        return read

    def close(self) -> None:
        """Leave without a commit."""
        self._consumer.close(autocommit=False)
