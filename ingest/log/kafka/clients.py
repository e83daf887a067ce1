"""The kafka-python clients of one KafkaLog: opened when first needed, shared by its threads, closed with it."""

from __future__ import annotations

import threading
from typing import Any

from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer
from kafka.errors import KafkaError, KafkaTimeoutError

from ingest.log.contract import MAX_RECORD_BYTES
from ingest.log.kafka.errors import require_advertised, require_listener, translated, why_not_connected
from ingest.log.kafka.internals import broker_addresses, broker_version
from ingest.log.kafka.location import KafkaLocation, client_arguments
from storage.settings import Settings
from triggers.errors import LongtailError

MIB = 1024**2
DELIVERY_TIMEOUT_S = 30.0
"""How long an append may take, retries included."""
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
    """Creates clients from settings; `admin` and `producer` are shared. Misconfigured or Unreachable when it cannot."""

    def __init__(self, settings: Settings, location: KafkaLocation, *, connect_timeout_s: float) -> None:
        self.location = location
        self._settings = settings
        self._arguments = client_arguments(settings, location, connect_timeout_s=connect_timeout_s)
        self._lock = threading.Lock()
        self._admin: KafkaAdminClient | None = None
        self._producer: KafkaProducer | None = None

    def admin(self) -> KafkaAdminClient:
        """The client for topics, offsets and groups. Thread-safe."""
        with self._lock:
            if self._admin is None:
                self._admin = self._opened(_Admin, {})
            return self._admin

    def producer(self) -> KafkaProducer:
        """The client for appends. Thread-safe."""
        with self._lock:
            if self._producer is None:
                self._producer = self._opened(
                    KafkaProducer,
                    {
                        **_COMMON,
                        **_NO_TOPICS,
                        "acks": "all",
                        "enable_idempotence": True,  # retries neither double records nor change their order
                        "max_request_size": 4 * MAX_RECORD_BYTES,
                        "max_block_ms": int(DELIVERY_TIMEOUT_S * 1000),
                        "delivery_timeout_ms": int(DELIVERY_TIMEOUT_S * 1000),
                    },
                )
            return self._producer

    def discard_producer(self, broken: KafkaProducer) -> None:
        """Let the next append use a new producer; appends of other threads with this one fail."""
        with self._lock:
            current = self._producer
            if current is None or current is not broken:
                return
            self._producer = None
        current.close(timeout=0)

    def consumer(self, **arguments: Any) -> KafkaConsumer:
        """A new consumer; the caller closes it."""
        defaults = {
            **_COMMON,
            **_NO_TOPICS,
            "enable_auto_commit": False,
            "auto_offset_reset": "earliest",
            "max_partition_fetch_bytes": 8 * MIB,
            "fetch_max_bytes": 32 * MIB,
            "fetch_max_wait_ms": 100,  # the longest wait after a seek or when a partition is resumed
        }
        return self._opened(_Consumer, defaults | arguments)

    def close(self) -> None:
        """Close both shared clients; waits for appends in progress, as long as an append may take."""
        with self._lock:
            admin, producer, self._admin, self._producer = self._admin, self._producer, None, None
        if producer is not None:
            producer.close(timeout=DELIVERY_TIMEOUT_S)
        if admin is not None:
            admin.close()

    def _opened(self, kind: type[Any], arguments: dict[str, Any]) -> Any:
        require_listener(self.location)
        try:
            return kind(**self._arguments, **arguments)
        except KafkaTimeoutError as error:
            raise self._why_not() from error
        except KafkaError as error:
            raise translated(error, self.location, "let us connect") from error

    def _why_not(self) -> LongtailError:
        return why_not_connected(self._settings, self.location)

    def broker_version(self) -> tuple[int, ...]:
        """Major and minor version of the brokers."""
        return broker_version(self.admin())

    def require_advertised_addresses(self) -> None:
        """Unreachable when the brokers advertise addresses that do not answer."""
        require_advertised(self.location, broker_addresses(self.admin()))
