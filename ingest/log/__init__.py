"""The log between gateway and assembler: one contract, an implementation a file.

contract.py    what every log promises
postgres.py    the log in PostgreSQL: appends, topics, retention      consumer.py    its readers
membership.py  a reader's place in its group                          shares.py      who should have which partition

kafka.py            the log in Apache Kafka                           kafka_consumer.py  its readers
kafka_location.py   settings and addresses                            kafka_group.py     shares and rebalances
kafka_clients.py    kafka-python's clients                            kafka_topics.py    topics and offsets
kafka_producer.py   appends                                           kafka_check.py     what `check` looks at
kafka_errors.py     what errors mean, and why nobody gets in      kafka_internals.py  what has no public call
"""

from __future__ import annotations

from ingest.log.contract import CELLS_TOPIC, Log, LogConsumer, LogRecord, NotOwner
from ingest.log.postgres import PostgresLog
from storage.database import Database
from storage.settings import Settings, shown_url
from triggers.errors import Misconfigured

__all__ = [
    "CELLS_TOPIC",
    "Log",
    "LogConsumer",
    "LogRecord",
    "NotOwner",
    "PostgresLog",
    "ensure_cells_topic",
    "open_log",
]


def open_log(settings: Settings, database: Database) -> Log:
    """The log that the settings name; `database` stays the caller's to close.

    Raises Misconfigured, naming LONGTAIL_LOG_URL, for a URL that names no log.
    """
    if settings.log_url == "postgresql:":
        return PostgresLog(database, lease_s=settings.log_lease_s)
    if settings.log_url.startswith("kafka:"):
        from ingest.log.kafka import KafkaLog  # noqa: PLC0415  half a second that only its users spend

        return KafkaLog(settings)
    raise Misconfigured(
        f"LONGTAIL_LOG_URL: no log for {shown_url(settings.log_url)!r}",
        remedy="set LONGTAIL_LOG_URL=postgresql: (the log in the database) or kafka://HOST:PORT (in Apache Kafka)",
    )


def ensure_cells_topic(log: Log, settings: Settings) -> None:
    """Make the topic of cells, or add the partitions that the settings ask for."""
    log.ensure_topic(CELLS_TOPIC, partitions=settings.log_partitions, retention_s=settings.log_retention_s)
