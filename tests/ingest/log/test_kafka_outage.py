"""Every Kafka client after an outage longer than an append may take: producer, consumer, offset commits, admin."""

from __future__ import annotations

import itertools
import os
import signal
import threading
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, suppress

import pytest
from kafka import KafkaAdminClient
from kafka.net.connection import KafkaConnection

from ingest.log.contract import NotOwner
from ingest.log.kafka.log import KafkaLog
from storage.settings import Settings
from tests.ingest.log.support import TOPIC, wait_until
from tests.support.servers.kafka_server import KafkaServer
from triggers.errors import NotFound, Overloaded, Unreachable

pytestmark = pytest.mark.integration

PARTITIONS = 6
RECOVERY_S = 60


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KafkaServer]:
    with KafkaServer(tmp_path_factory.mktemp("outage") / "kafka") as server:
        yield server


def stop(broker: KafkaServer) -> None:
    broker.stop()


def kill(broker: KafkaServer) -> None:
    broker.kill()


def freeze(broker: KafkaServer) -> None:
    """The broker keeps its connections, and answers nothing."""
    os.kill(broker.pids()[1], signal.SIGSTOP)


def end_outage(broker: KafkaServer) -> None:
    if broker.is_running():
        os.kill(broker.pids()[1], signal.SIGCONT)
    else:
        broker.start()


class Writers:
    """A thread per partition that appends without pause, and notes what was acknowledged and what was refused."""

    def __init__(self, log: KafkaLog) -> None:
        self.acknowledged: set[bytes] = set()
        self.since_mark: Counter[int] = Counter()
        self.refused: Counter[int] = Counter()
        self._log = log
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._write, args=[number]) for number in range(PARTITIONS)]

    def __enter__(self) -> Writers:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(60)
            assert not thread.is_alive(), "an append never returned"

    def _write(self, partition: int) -> None:
        for number in itertools.count():
            if self._stop.is_set():
                return
            values = [b"%d.%d.%d" % (partition, number, part) + b" " * 100_000 for part in range(3)]
            try:
                self._log.append(TOPIC, partition, [(b"", value) for value in values])
            except (Unreachable, Overloaded):
                self.refused[partition] += 1
                self._stop.wait(0.05)
            else:
                self.acknowledged.update(value.strip() for value in values)
                self.since_mark[partition] += 1

    def all_append(self) -> bool:
        return all(self.since_mark[number] for number in range(PARTITIONS))

    def all_refused(self) -> bool:
        return all(self.refused[number] >= 2 for number in range(PARTITIONS))


@pytest.mark.parametrize("begin_outage", [stop, kill, freeze])
def test_appends_reads_commits_and_questions_work_again_after_an_outage_with_all_partitions_in_flight(
    broker: KafkaServer, begin_outage: Callable[[KafkaServer], None]
) -> None:
    settings = Settings(
        log_url=f"kafka://{broker.bootstrap}/{uuid.uuid4().hex[:12]}", log_lease_s=4, kafka_delivery_timeout_s=3
    )
    read: list[bytes] = []
    with closing(KafkaLog(settings)) as log:
        log.ensure_topic(TOPIC, partitions=PARTITIONS, retention_s=3600)
        with log.consumer(TOPIC, group="g", member="a") as consumer, Writers(log) as writers:

            def read_on() -> None:
                try:
                    records = consumer.poll(max_records=100, timeout_s=0.1)
                    read.extend(record.value.strip() for record in records)
                    held = {r.partition: r.offset + 1 for r in records if r.partition in consumer.assignment()}
                    consumer.commit(held)
                except (Unreachable, NotOwner):
                    pass  # what is read and not committed may come again

            def reading(condition: Callable[[], bool]) -> bool:
                read_on()
                return condition()

            wait_until(lambda: reading(writers.all_append), RECOVERY_S)
            begin_outage(broker)
            wait_until(lambda: reading(writers.all_refused), RECOVERY_S)
            end_outage(broker)
            writers.since_mark.clear()
            wait_until(lambda: reading(writers.all_append), RECOVERY_S)
            assert log.partitions(TOPIC) == PARTITIONS
            log.check()
            wait_until(lambda: reading(lambda: bool(writers.acknowledged) and len(read) > 0), RECOVERY_S)
            target = frozenset(writers.acknowledged)
            wait_until(lambda: reading(lambda: target <= set(read)), RECOVERY_S)
            wait_until(lambda: reading(lambda: sum(log.committed_offsets(TOPIC, "g").values()) > 0), RECOVERY_S)


def test_an_idle_consumer_tells_a_silent_broker_is_replaced_and_reads_on(
    broker: KafkaServer, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    settings = Settings(log_url=f"kafka://{broker.bootstrap}/{uuid.uuid4().hex[:12]}", log_lease_s=4)
    changes: list[str] = []
    with closing(KafkaLog(settings)) as log:
        log.ensure_topic(TOPIC, partitions=1, retention_s=3600)
        with log.consumer(
            TOPIC,
            group="g",
            member="a",
            on_assigned=lambda _: changes.append("assigned"),
            on_revoked=lambda _: changes.append("gone"),
        ) as consumer:

            def state() -> str:
                try:
                    return "".join(record.value.decode() for record in consumer.poll(max_records=9, timeout_s=0.2))
                except Unreachable as error:
                    return error.message

            log.append(TOPIC, 0, [(b"", b"before")])
            wait_until(lambda: state() == "before", RECOVERY_S)
            consumer.commit({0: 1})
            freeze(broker)
            try:
                with monkeypatch.context() as impatient:  # for the outage alone: a busy broker is not silent
                    impatient.setattr("ingest.log.kafka.contact.CONTACT_S", 2.0)
                    impatient.setattr("ingest.log.kafka.session.REPLACE_S", 4.0)
                    wait_until(lambda: "no broker has answered the consumer 'a'" in state(), RECOVERY_S)
                    wait_until(lambda: bool(state()) and changes == ["assigned", "gone"], RECOVERY_S)
                assert consumer.assignment() == frozenset()
                assert caplog.text.count("no broker has answered") == 1
                assert caplog.text.count("is replaced") == 1
            finally:
                end_outage(broker)
            log.append(TOPIC, 0, [(b"", b"after")])
            wait_until(lambda: state() == "after", RECOVERY_S)
            assert changes == ["assigned", "gone", "assigned"]


def test_a_record_that_was_damaged_on_its_way_is_fetched_again(
    broker: KafkaServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    receive, damaged = KafkaConnection.data_received, []

    def received(connection: KafkaConnection, data: bytes) -> None:
        at = data.find(b"fragile")
        if at >= 0 and not damaged:
            damaged.append(at)
            data = data[:at] + b"F" + data[at + 1 :]
        receive(connection, data)

    monkeypatch.setattr(KafkaConnection, "data_received", received)
    settings = Settings(log_url=f"kafka://{broker.bootstrap}/{uuid.uuid4().hex[:12]}", log_lease_s=4)
    with closing(KafkaLog(settings)) as log:
        log.ensure_topic(TOPIC, partitions=1, retention_s=3600)
        log.append(TOPIC, 0, [(b"", b"first"), (b"", b"fragile"), (b"", b"last")])
        with log.consumer(TOPIC, group="g", member="a") as consumer:
            read: list[bytes] = []
            problems: list[str] = []

            def reads() -> bool:
                try:
                    read.extend(record.value for record in consumer.poll(max_records=1, timeout_s=0.2))
                except Unreachable as error:
                    problems.append(error.message)
                return len(read) >= 3

            wait_until(reads, RECOVERY_S)
    assert damaged and read == [b"first", b"fragile", b"last"]
    assert len(problems) == 1 and "failed crc check" in problems[0]


@pytest.mark.parametrize(("before", "after"), [(2, 2), (3, 2), (2, 3)])
@pytest.mark.parametrize("is_restarted", [False, True])
def test_a_consumer_reads_on_when_its_topic_was_deleted_and_created_again(
    broker: KafkaServer, before: int, after: int, *, is_restarted: bool
) -> None:
    prefix = uuid.uuid4().hex[:12]
    settings = Settings(log_url=f"kafka://{broker.bootstrap}/{prefix}", log_lease_s=4)
    with closing(KafkaLog(settings)) as log:
        log.ensure_topic(TOPIC, partitions=before, retention_s=3600)
        if is_restarted:  # and within its lease: Kafka gives its successor the same partitions, without a round
            ended = log.consumer(TOPIC, group="g", member="a")
            wait_until(lambda: bool(ended.poll(max_records=1, timeout_s=0.2) or ended.assignment()), RECOVERY_S)
            ended.abandon()
        with log.consumer(TOPIC, group="g", member="a") as consumer:
            read: set[bytes] = set()

            def reads(wanted: set[bytes]) -> bool:
                with suppress(Unreachable, NotOwner):
                    records = consumer.poll(max_records=100, timeout_s=0.2)
                    read.update(record.value for record in records)
                    consumer.commit({record.partition: record.offset + 1 for record in records})
                return wanted <= read

            old = {b"old %d" % number for number in range(5)}
            log.append(TOPIC, 0, [(b"", value) for value in sorted(old)])
            wait_until(lambda: reads(old), RECOVERY_S)
            delete_topic(broker, f"{prefix}.{TOPIC}")
            log.ensure_topic(TOPIC, partitions=after, retention_s=3600)
            new = {b"new %d" % number for number in range(after)}  # at offsets that were read before
            for number, value in enumerate(sorted(new)):
                append_when_taken(log, number, value)
            wait_until(lambda: reads(new) and consumer.assignment() == frozenset(range(after)), RECOVERY_S)


def test_a_worker_that_starts_soon_after_its_topic_was_gone_reads_the_new_one(broker: KafkaServer) -> None:
    prefix = uuid.uuid4().hex[:12]
    settings = Settings(log_url=f"kafka://{broker.bootstrap}/{prefix}", log_lease_s=8)
    with closing(KafkaLog(settings)) as log:
        log.ensure_topic(TOPIC, partitions=2, retention_s=3600)
        ended = log.consumer(TOPIC, group="g", member="a")

        def holds(count: int) -> bool:
            with suppress(Unreachable, NotOwner):
                ended.poll(max_records=1, timeout_s=0.2)
            return len(ended.assignment()) == count

        wait_until(lambda: holds(2), RECOVERY_S)
        delete_topic(broker, f"{prefix}.{TOPIC}")
        wait_until(lambda: holds(0), RECOVERY_S)
        ended.abandon()  # within the lease, Kafka gives its successor the same partitions: none
        log.ensure_topic(TOPIC, partitions=2, retention_s=3600)
        append_when_taken(log, 1, b"new")
        with log.consumer(TOPIC, group="g", member="a") as consumer:
            read: list[bytes] = []

            def reads() -> bool:
                with suppress(Unreachable, NotOwner):
                    read.extend(record.value for record in consumer.poll(max_records=1, timeout_s=0.2))
                return read == [b"new"]

            wait_until(reads, RECOVERY_S)


def delete_topic(broker: KafkaServer, name: str) -> None:
    """Returns when the topic is gone."""
    with KafkaAdminClient(**broker.client_settings) as admin:
        admin.delete_topics([name])
        wait_until(lambda: name not in admin.list_topics(), RECOVERY_S)


def append_when_taken(log: KafkaLog, partition: int, value: bytes) -> None:
    def taken() -> bool:
        try:
            return bool(log.append(TOPIC, partition, [(b"", value)]))
        except (Unreachable, NotFound):
            return False

    wait_until(taken, RECOVERY_S)
