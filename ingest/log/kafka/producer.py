"""Appends to Kafka: in order, acknowledged by all in-sync replicas, with a limit on bytes in flight.

kafka-python has no such limit, and reports failed deliveries only through futures, so every future is waited for.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from kafka import KafkaProducer
from kafka.errors import KafkaError, KafkaTimeoutError

from ingest.log.kafka.clients import METADATA_TIMEOUT_S, MIB, KafkaClients
from ingest.log.kafka.errors import translated
from ingest.log.kafka.internals import knows, request_metadata
from triggers.errors import Overloaded

IN_FLIGHT_BYTES = 64 * MIB
PART_BYTES = 16 * MIB
"""A larger append is sent in parts of this size, one after the other."""
_MARGIN_S = 5.0
"""kafka-python ends every future within the delivery timeout; this is extra time for a slow machine."""
_METADATA_PAUSE_S = 0.05

Pairs = Sequence[tuple[bytes, bytes]]


class Appender:
    """Appends for all threads of a process, through one idempotent producer.

    After any failure the producer is replaced. One whose records have expired stays without an identity for ever
    (kafka-python 3.0.12), so that every later append would expire too; and appends are rare enough to connect again.
    """

    def __init__(self, clients: KafkaClients, *, in_flight_bytes: int = IN_FLIGHT_BYTES) -> None:
        self._clients = clients
        self._room = _Room(in_flight_bytes)

    def append(self, topic: str, partition: int, records: Pairs) -> list[int]:
        """Append to an existing partition; returns offsets once the records are durable. Unreachable or Overloaded."""
        offsets: list[int] = []
        for part, size_bytes in parts(records, PART_BYTES):
            with self._room.taken(size_bytes, timeout_s=self._clients.delivery_timeout_s):
                offsets += self._append_part(topic, partition, part)
        return offsets

    def _append_part(self, topic: str, partition: int, records: Pairs) -> list[int]:
        with self._clients.producing() as producer:
            try:
                return self._deliver(producer, self._clients.location.topic(topic), partition, records)
            except KafkaError as failure:
                self._clients.discard_producer(producer)
                raise translated(failure, self._clients.location, f"append to topic {topic!r}") from failure

    def _deliver(self, producer: KafkaProducer, name: str, partition: int, records: Pairs) -> list[int]:
        """Send the records and wait for all of them, as their bytes are in flight until then, even after a failure."""
        futures, offsets = [], []
        failure: KafkaError | None = None
        try:
            _require_known(producer, name, partition)
            for key, value in records:
                futures.append(producer.send(name, key=key, value=value, partition=partition))
        except KafkaError as error:
            failure = error
        deadline_s = time.monotonic() + self._clients.delivery_timeout_s + _MARGIN_S
        for future in futures:
            try:
                offsets.append(future.get(timeout=max(0.0, deadline_s - time.monotonic())).offset)
            except KafkaError as error:
                failure = failure or error
        if failure is not None:
            raise failure
        return offsets


def _require_known(producer: KafkaProducer, topic: str, partition: int) -> None:
    """Wait until the producer knows a partition, which may be new."""
    deadline_s = time.monotonic() + METADATA_TIMEOUT_S
    producer.partitions_for(topic)
    while not knows(producer, topic, partition):
        if time.monotonic() > deadline_s:
            raise KafkaTimeoutError(f"partition {partition} of topic {topic} is not known after {METADATA_TIMEOUT_S} s")
        request_metadata(producer)
        time.sleep(_METADATA_PAUSE_S)


def parts(records: Pairs, part_bytes: int) -> Iterator[tuple[Pairs, int]]:
    """The records in parts of at most `part_bytes` (or one record), each with its size."""
    part: list[tuple[bytes, bytes]] = []
    size_bytes = 0
    for record in records:
        record_bytes = len(record[0]) + len(record[1])
        if part and size_bytes + record_bytes > part_bytes:
            yield part, size_bytes
            part, size_bytes = [], 0
        part.append(record)
        size_bytes += record_bytes
    if part:
        yield part, size_bytes


class _Room:
    """A limit on the bytes in flight."""

    def __init__(self, limit_bytes: int) -> None:
        self._free_bytes = limit_bytes
        self._limit_bytes = limit_bytes
        self._changed = threading.Condition()

    @contextmanager
    def taken(self, size_bytes: int, *, timeout_s: float) -> Iterator[None]:
        """Reserve `size_bytes` (at most the limit) for the block; Overloaded when they do not become free in time."""
        needed_bytes = min(size_bytes, self._limit_bytes)
        with self._changed:
            if not self._changed.wait_for(lambda: self._free_bytes >= needed_bytes, timeout_s):
                raise Overloaded(
                    f"{self._limit_bytes} bytes may be in flight to Kafka, and there was no room for yours in time",
                    retry_after_s=5,
                    remedy="try again",
                )
            self._free_bytes -= needed_bytes
        try:
            yield
        finally:
            with self._changed:
                self._free_bytes += needed_bytes
                self._changed.notify_all()
