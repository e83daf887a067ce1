"""Checks whether Kafka can carry the log: its advertised addresses answer, and its topic fits the settings."""

from __future__ import annotations

from ingest.log.contract import CELLS_TOPIC
from ingest.log.kafka.clients import KafkaClients
from ingest.log.kafka.topics import NEEDED_MESSAGE_BYTES, KafkaTopics, TopicState
from storage.settings import Settings
from triggers.errors import Misconfigured, NotFound


def check(clients: KafkaClients, topics: KafkaTopics, settings: Settings) -> str:
    """One line on brokers and topics; Unreachable or Misconfigured, naming the setting, when something cannot work."""
    clients.require_advertised_addresses()
    with clients.asking("describe itself") as admin:
        brokers = admin.describe_cluster()["brokers"]
    version = ".".join(map(str, clients.broker_version()))
    line = f"the log is in Kafka {version} at {clients.location.shown}: {_counted(len(brokers), 'broker')}"
    try:
        state = topics.state(CELLS_TOPIC)
    except NotFound:
        return f"{line}, topic {clients.location.topic(CELLS_TOPIC)} does not exist yet"
    name = clients.location.topic(CELLS_TOPIC)
    require_fit(name, state, settings)
    described = f"{line}, topic {name} with {_counted(state.partitions, 'partition')}, {_kept(state)}"
    return f"{described}, {_replication(state)}"


def require_fit(name: str, state: TopicState, settings: Settings) -> None:
    """Misconfigured for a topic that cannot carry the log."""
    where = f"LONGTAIL_LOG_URL: topic {name}"
    alter = f"kafka-configs.sh --alter --entity-type topics --entity-name {name} --add-config"
    if state.max_message_bytes < NEEDED_MESSAGE_BYTES:
        raise Misconfigured(
            f"{where} has max.message.bytes={state.max_message_bytes}, too small for a record",
            remedy=f"{alter} max.message.bytes={2 * NEEDED_MESSAGE_BYTES}",
        )
    if state.cleanup_policy != "delete":
        raise Misconfigured(
            f"{where} has cleanup.policy={state.cleanup_policy}, which drops records that are still needed",
            remedy=f"{alter} cleanup.policy=delete",
        )
    if 0 <= state.retention_ms <= settings.upload_expiry_s * 1000:
        raise Misconfigured(
            f"{where} has retention.ms={state.retention_ms}, but an upload may take {settings.upload_expiry_s} s",
            remedy=f"{alter} retention.ms={settings.log_retention_s * 1000}, or lower LONGTAIL_UPLOAD_EXPIRY_S",
        )
    if state.retention_bytes >= 0:
        raise Misconfigured(
            f"{where} has retention.bytes={state.retention_bytes}, so records may be deleted before uploads end",
            remedy=f"{alter} retention.bytes=-1",
        )
    if state.partitions < settings.log_partitions:
        raise Misconfigured(
            f"{where} has {state.partitions} partitions, LONGTAIL_LOG_PARTITIONS asks for {settings.log_partitions}",
            remedy="start `longtail ingest`, which adds them, or lower LONGTAIL_LOG_PARTITIONS",
        )
    if state.min_insync_replicas > state.replicas:
        raise Misconfigured(
            f"{where} has min.insync.replicas={state.min_insync_replicas} but {state.replicas} replicas: writes fail",
            remedy=f"{alter} min.insync.replicas={max(1, state.replicas - 1)}",
        )


def _kept(state: TopicState) -> str:
    return "kept forever" if state.retention_ms < 0 else f"kept {state.retention_ms // 1000} s"


def _replication(state: TopicState) -> str:
    text = f"{_counted(state.replicas, 'replica')}, min.insync.replicas={state.min_insync_replicas}"
    if min(state.replicas, state.min_insync_replicas) < 2:
        return f"{text} (warning: one machine's loss can lose records; 3 and 2 are usual)"
    return text


def _counted(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
