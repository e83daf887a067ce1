"""The only code that uses private parts of kafka-python 3.0: knowledge without a public call, and workarounds."""

from __future__ import annotations

import time
from typing import Any

from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer
from kafka.errors import KafkaError
from kafka.net.connection import KafkaConnection

from ingest.log.kafka.contact import Answers

_ATTENDED_PAUSE_S = 0.005
MAX_THROTTLE_MS = 15_000
"""Brokers ask for at most as long as their quotas look back, which is 11 s unless configured otherwise."""


class BoundedThrottling:
    """Connections that are silent for at most MAX_THROTTLE_MS, whatever the answer of a broker asks for.

    kafka-python believes any number: an answer of which one bit was turned over on the way silenced a consumer for
    twelve days. It reported no error, so that nothing replaced it.
    """

    def __init__(self) -> None:
        self._throttle = KafkaConnection._maybe_throttle

    def install(self) -> None:
        """For every connection of this process."""
        bounded = self

        def maybe_throttle(connection: KafkaConnection, response: Any) -> None:
            bounded.apply(connection, response)

        KafkaConnection._maybe_throttle = maybe_throttle

    def apply(self, connection: KafkaConnection, response: Any) -> None:
        """What the connection does with an answer."""
        if getattr(response, "throttle_time_ms", 0) > MAX_THROTTLE_MS:
            response.throttle_time_ms = MAX_THROTTLE_MS
        self._throttle(connection, response)


def _note_answers() -> Answers:
    """Let every connection of this process note when bytes of a broker came.

    kafka-python (3.0.12) tells nobody: its public metrics are rates over half a minute, and `last-heartbeat` is when
    one was sent, answered or not.
    """
    answers, received = Answers(), KafkaConnection.data_received

    def data_received(connection: KafkaConnection, data: bytes) -> None:
        answers.note(connection.net)
        received(connection, data)

    KafkaConnection.data_received = data_received
    return answers


BoundedThrottling().install()
_ANSWERS = _note_answers()


def answered_s(consumer: KafkaConsumer) -> float:
    """When a broker last answered this consumer (monotonic clock)."""
    return _ANSWERS.last_s(consumer._net)


def drop_unreadable(consumer: KafkaConsumer) -> None:
    """Let the consumer fetch again what it could not read, such as a batch with one bit turned over on the way.

    kafka-python (3.0.12) keeps the batch after it has raised its error, and the next poll never ends: it takes
    nothing from it again and again.
    """
    records = consumer._fetcher._next_partition_records
    if records:
        records.drain()


def request_rejoin(consumer: KafkaConsumer) -> None:
    """Join the group again at the next poll."""
    consumer._coordinator.request_rejoin()


def is_joining(consumer: KafkaConsumer) -> bool:
    """Whether the member has to join its group, or is about to."""
    return bool(consumer._coordinator.need_rejoin())


def is_fenced(consumer: KafkaConsumer) -> bool:
    """Whether another process joined as the same static member: its heartbeat stops, and polls do not show it."""
    coordinator = consumer._coordinator
    return bool(coordinator.stable() and not coordinator.need_rejoin() and not coordinator._heartbeat_enabled)


def known_partitions(consumer: KafkaConsumer, topic: str) -> int:
    """How many partitions the topic had when metadata last came; sends no request."""
    return len(consumer._cluster.partitions_for_topic(topic) or ())


def topic_identity(consumer: KafkaConsumer, topic: str) -> object | None:
    """What tells a topic from a later one of the same name, as metadata last had it; None when they had none."""
    identity: object | None = consumer._cluster.topic_id(topic)
    return identity


def request_newer_metadata(consumer: KafkaConsumer) -> None:
    """Let the consumer soon look how many partitions its topic has, which it otherwise does from time to time."""
    consumer._cluster.request_update()


def request_metadata(producer: KafkaProducer) -> None:
    """Let the producer soon look for new partitions of its topics, which it otherwise does from time to time."""
    producer._metadata.request_update()


def knows(producer: KafkaProducer, topic: str, partition: int) -> bool:
    """Whether the producer's metadata have this partition; sends no request."""
    return partition in (producer._metadata.partitions_for_topic(topic) or ())


def abandon_producer(producer: KafkaProducer) -> None:
    """End a producer at once; what it has not delivered fails.

    `close(timeout=0)` would first wait for what is on its way, raise because that takes longer, and leave its thread.
    """
    producer._unregister_cleanup()
    producer._sender.force_close()
    producer._closed = True


def broker_addresses(admin: KafkaAdminClient) -> list[tuple[str, int]]:
    """The addresses that the bootstrap server advertises for the brokers; no request is sent to them."""
    return [(broker.host, broker.port) for broker in admin._manager.cluster.brokers()]


def broker_version(admin: KafkaAdminClient) -> tuple[int, ...]:
    """Major and minor version of the brokers, as inferred from the requests that they know."""
    return tuple(admin._manager.broker_version or ())


class PatientJoin:
    """Keeps the outcome of joining a group until a poll can take it, for at most `patience_s`.

    kafka-python (3.0.12) discards an outcome that arrives between two polls, and joins again: two members that are
    polled in turn would rebalance forever. Moreover, a leader that joins for new partitions forgets, once it has
    assigned them, that it has an outcome to take.
    """

    def __init__(self, consumer: KafkaConsumer, patience_s: float) -> None:
        coordinator = self._coordinator = consumer._coordinator
        self._net = consumer._net
        self._patience_s = patience_s
        self._attended = False
        self._join = coordinator._do_join_and_sync_async
        self._ensure = coordinator.ensure_active_group_async
        coordinator._do_join_and_sync_async = self._patient_join
        coordinator.ensure_active_group_async = self._attending

    async def _attending(self, timeout_ms: float | None = None) -> Any:
        self._attended = True
        try:
            return await self._ensure(timeout_ms)
        finally:
            self._attended = False

    async def _patient_join(self) -> Any:
        self._coordinator.request_rejoin()
        failure: KafkaError | None = None
        outcome = None
        try:
            outcome = await self._join()
        except KafkaError as error:
            failure = error
        deadline_s = time.monotonic() + self._patience_s
        while not self._attended and time.monotonic() < deadline_s:
            await self._net.sleep(_ATTENDED_PAUSE_S)
        if failure is not None:
            raise failure
        return outcome
