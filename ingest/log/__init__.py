"""The log between gateway and assembler: one contract, and an implementation per folder.

contract.py     what every log promises                  shares.py  which member gets which partition
trials.py       which partitions take no appends at the moment
postgres/       the log in PostgreSQL: appends, readers, their places in a group
kafka/          the log in Apache Kafka: clients, topics, groups, errors
"""

from __future__ import annotations

from ingest.log.contract import CELLS_TOPIC, Log, LogConsumer, LogRecord, NotOwner
from ingest.log.postgres.log import PostgresLog
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
        from ingest.log.kafka.log import KafkaLog  # noqa: PLC0415  importing it takes half a second

        return KafkaLog(settings)
    raise Misconfigured(
        f"LONGTAIL_LOG_URL: no log for {shown_url(settings.log_url)!r}",
        remedy="set LONGTAIL_LOG_URL=postgresql: (the log in the database) or kafka://HOST:PORT (in Apache Kafka)",
    )


def ensure_cells_topic(log: Log, settings: Settings) -> None:
    """Create the topic of cells, or add the partitions that the settings ask for."""
    log.ensure_topic(CELLS_TOPIC, partitions=settings.log_partitions, retention_s=settings.log_retention_s)
