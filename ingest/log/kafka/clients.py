"""The kafka-python clients of one KafkaLog: opened when first needed, shared by its threads, closed with it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer
from kafka.errors import KafkaError, KafkaTimeoutError

from ingest.log.contract import MAX_RECORD_BYTES
from ingest.log.kafka.errors import require_advertised, require_listener, translated, why_not_connected
from ingest.log.kafka.internals import abandon_producer, broker_addresses, broker_version
from ingest.log.kafka.location import REQUEST_TIMEOUT_S, KafkaLocation, client_arguments
from ingest.log.kafka.shared_client import SharedClient
from storage.settings import Settings
from triggers.errors import LongtailError, Unreachable

MIB = 1024**2
METADATA_TIMEOUT_S = 5.0
"""How long an append may wait for the producer to learn of its topic and partition."""
METADATA_AGE_S = 10.0
"""New partitions are noticed within this time."""
_COMMON = {"metadata_max_age_ms": int(METADATA_AGE_S * 1000)}
_NO_TOPICS = {"allow_auto_create_topics": False}


class _ClosesAfterFailure:
    """Closes what kafka-python leaves open (a thread and sockets) when the constructor of a client fails."""

    def __init__(self, **arguments: Any) -> None:
        try:
            super().__init__(**arguments)
        except BaseException:
            client = getattr(self, "_client", None)
            if client is not None:
                client.close()
            raise


class _Admin(_ClosesAfterFailure, KafkaAdminClient):  # type: ignore[misc]
    """A KafkaAdminClient that leaves nothing open."""


class _Consumer(_ClosesAfterFailure, KafkaConsumer):  # type: ignore[misc]
    """A KafkaConsumer that leaves nothing open."""


class KafkaClients:
    """Creates clients from settings; admin and producer are shared. Misconfigured or Unreachable when it cannot."""

    def __init__(self, settings: Settings, location: KafkaLocation, *, connect_timeout_s: float) -> None:
        self.location = location
        self.delivery_timeout_s = settings.kafka_delivery_timeout_s
        """How long an append may take, retries included."""
        self._settings = settings
        self._arguments = client_arguments(settings, location, connect_timeout_s=connect_timeout_s)
        self._admin = SharedClient(lambda: self._opened(_Admin, {}), lambda client: client.close())
        self._producer = SharedClient(self._new_producer, abandon_producer)

    @contextmanager
    def asking(self, what: str) -> Iterator[KafkaAdminClient]:
        """The client for topics, offsets and groups, while it is asked to do `what`. Its errors are translated.

        A client that did not get an answer is replaced at the next use.
        """
        with self._admin.using() as admin:
            try:
                yield admin
            except KafkaError as error:
                problem = translated(error, self.location, what)
                if isinstance(problem, Unreachable):
                    self._admin.discard(admin)
                raise problem from error

    @contextmanager
    def producing(self) -> Iterator[KafkaProducer]:
        """The client for appends."""
        with self._producer.using() as producer:
            yield producer

    def discard_producer(self, broken: KafkaProducer) -> None:
        """Let the next append use a new producer; appends of other threads with this one fail at once."""
        self._producer.discard(broken, at_once=True)

    def consumer(self, **arguments: Any) -> KafkaConsumer:
        """A new consumer; the caller closes it."""
        defaults = {
            **_COMMON,
            **_NO_TOPICS,
            "enable_auto_commit": False,
            "auto_offset_reset": "earliest",
            "max_partition_fetch_bytes": 8 * MIB,
            "fetch_max_bytes": 16 * MIB,  # one such answer is held while the next one is on its way
            "fetch_max_wait_ms": 100,  # the longest wait after a seek or when a partition is resumed
        }
        return self._opened(_Consumer, defaults | arguments)

    def close(self) -> None:
        """Close both shared clients; waits for appends in progress, as long as an append may take."""
        producer, admin = self._producer.take_away(), self._admin.take_away()
        if producer is not None:
            producer.close(timeout=self.delivery_timeout_s)
        if admin is not None:
            admin.close()

    def _new_producer(self) -> KafkaProducer:
        timeout_ms = int(self.delivery_timeout_s * 1000)
        arguments = {
            **_COMMON,
            **_NO_TOPICS,
            "acks": "all",
            "enable_idempotence": True,  # retries neither double records nor change their order
            "max_request_size": 4 * MAX_RECORD_BYTES,
            "max_block_ms": min(timeout_ms, int(METADATA_TIMEOUT_S * 1000)),
            "delivery_timeout_ms": timeout_ms,
            "request_timeout_ms": min(timeout_ms, int(REQUEST_TIMEOUT_S * 1000)),
        }
        return self._opened(KafkaProducer, arguments)

    def _opened(self, kind: type[Any], arguments: dict[str, Any]) -> Any:
        require_listener(self.location)
        try:
            return kind(**(self._arguments | arguments))
        except KafkaTimeoutError as error:
            raise self._why_not() from error
        except KafkaError as error:
            raise translated(error, self.location, "let us connect") from error

    def _why_not(self) -> LongtailError:
        return why_not_connected(self._settings, self.location)

    def broker_version(self) -> tuple[int, ...]:
        """Major and minor version of the brokers."""
        with self.asking("tell its version") as admin:
            return broker_version(admin)

    def require_advertised_addresses(self) -> None:
        """Unreachable when the brokers advertise addresses that do not answer."""
        with self.asking("name its brokers") as admin:
            addresses = broker_addresses(admin)
        require_advertised(self.location, addresses)
