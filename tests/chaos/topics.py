"""What happens to the topic of cells behind the product's back: deleted, made again, widened, repeated."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import NewPartitions, NewTopic
from kafka.errors import TopicAlreadyExistsError, UnknownTopicOrPartitionError

from ingest.log.contract import CELLS_TOPIC
from tests.chaos.stage import CELLS_TOPIC_PREFIX, Stage
from tests.support.waiting import wait_for

REPEATED_RECORDS = 60
_WITHIN_S = 30.0
_POLL_MS = 1000


def topic() -> str:
    """The name of the topic of cells at the broker."""
    return f"{CELLS_TOPIC_PREFIX}.{CELLS_TOPIC}"


def delete(stage: Stage) -> None:
    """Delete the topic with all that is in it; returns when it is gone."""
    with _admin(stage) as admin:
        try:
            admin.delete_topics([topic()])
        except UnknownTopicOrPartitionError:
            return
        wait_for(lambda: topic() not in admin.list_topics(), within_s=_WITHIN_S, what="the end of the topic")


def create(stage: Stage) -> None:
    """Make the topic again, unless the product has done so already."""
    with _admin(stage) as admin:
        try:
            admin.create_topics([NewTopic(topic(), num_partitions=4, replication_factor=1)])
        except TopicAlreadyExistsError:
            return


def add_partitions(stage: Stage) -> None:
    """One partition more than there are."""
    with _admin(stage) as admin:
        (described,) = admin.describe_topics([topic()])
        admin.create_partitions({topic(): NewPartitions(len(described["partitions"]) + 1)})


def repeat_records(stage: Stage) -> None:
    """Append the newest records of every partition once more, as a producer does whose answers were lost."""
    consumer = KafkaConsumer(**stage.kafka.client_settings | _behind_the_wire(stage), enable_auto_commit=False)
    producer = KafkaProducer(**stage.kafka.client_settings | _behind_the_wire(stage), max_request_size=8 * 1024**2)
    try:
        partitions = [TopicPartition(topic(), number) for number in consumer.partitions_for_topic(topic()) or ()]
        consumer.assign(partitions)
        ends = consumer.end_offsets(partitions)
        begins = consumer.beginning_offsets(partitions)
        for partition in partitions:
            begin = max(begins[partition], ends[partition] - REPEATED_RECORDS)
            consumer.assign([partition])
            consumer.seek(partition, begin)
            while consumer.position(partition) < ends[partition]:
                for records in consumer.poll(timeout_ms=_POLL_MS).values():
                    for record in records:
                        if record.offset < ends[partition]:
                            producer.send(
                                topic(),
                                record.value,
                                key=record.key,
                                headers=record.headers,
                                partition=record.partition,
                            )
        producer.flush(_WITHIN_S)
    finally:
        producer.close()
        consumer.close()


@contextmanager
def _admin(stage: Stage) -> Iterator[KafkaAdminClient]:
    admin = KafkaAdminClient(**stage.kafka.client_settings | _behind_the_wire(stage))
    try:
        yield admin
    finally:
        admin.close()


def _behind_the_wire(stage: Stage) -> dict[str, object]:
    """The listener among brokers is the one that does not lead back to the wire."""
    return {"bootstrap_servers": f"127.0.0.1:{stage.kafka.broker_port}"}
