"""What every log promises about records: order, durability, replay, bounds, retention."""

from __future__ import annotations

import random
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from ingest.log import Log, LogConsumer, NotOwner
from ingest.log.contract import MAX_RECORD_BYTES
from storage.settings import Settings
from tests.ingest.log.support import DEADLINE_S, TOPIC, OpenLog, child, drain, poll_until, values, wait_until
from tests.support.waiting import Deadline
from triggers.errors import InvalidInput, NotFound

pytestmark = pytest.mark.integration


@pytest.fixture(autouse=True)
def _topic(log: Log) -> None:
    log.ensure_topic(TOPIC, partitions=2, retention_s=3600)


def numbered(first: int, count: int) -> list[tuple[bytes, bytes]]:
    return [(b"key", b"%d" % number) for number in range(first, first + count)]


def test_records_come_back_unchanged_and_in_the_order_of_their_partition(log: Log) -> None:
    offsets: dict[int, list[int]] = {0: [], 1: []}
    for batch in range(20):
        partition = batch % 2
        offsets[partition] += log.append(TOPIC, partition, numbered(10 * batch, 10))
    with log.consumer(TOPIC, group="g", member="a") as consumer:
        records = drain(consumer, 200, at_once=7)
    for partition in (0, 1):
        assert [record.offset for record in records if record.partition == partition] == offsets[partition]
        assert offsets[partition] == sorted(set(offsets[partition]))
        expected = [b"%d" % (10 * batch + n) for batch in range(partition, 20, 2) for n in range(10)]
        assert values(records, partition) == expected
    assert {record.key for record in records} == {b"key"}


def test_end_offsets_are_after_every_record(log: Log) -> None:
    last = log.append(TOPIC, 1, numbered(0, 5))[-1]
    ends = log.end_offsets(TOPIC)
    assert ends.keys() == {0, 1}
    assert ends[1] == last + 1
    assert log.append(TOPIC, 1, numbered(0, 1))[0] >= ends[1]


def test_appending_nothing_appends_nothing(log: Log) -> None:
    before = log.end_offsets(TOPIC)
    assert log.append(TOPIC, 0, []) == []
    assert log.end_offsets(TOPIC) == before


def test_empty_binary_and_largest_records_come_back_unchanged(log: Log) -> None:
    every_byte = bytes(range(256))
    records = [(b"", b""), (b"", every_byte), (every_byte, b""), (b"k" * 24, random.randbytes(MAX_RECORD_BYTES - 24))]
    log.append(TOPIC, 0, records)
    with log.consumer(TOPIC, group="g", member="a") as consumer:
        assert [(record.key, record.value) for record in drain(consumer, 4)] == records


def test_an_append_of_many_large_records_is_read_back_over_several_polls(log: Log) -> None:
    cells = [(b"%d" % number, bytes([number]) * 512 * 1024) for number in range(48)]
    log.append(TOPIC, 0, cells)
    with log.consumer(TOPIC, group="g", member="a") as consumer:
        first = consumer.poll(max_records=1000, timeout_s=DEADLINE_S)
        assert 0 < len(first) < 48, "a poll has a bound of bytes"
        rest = drain(consumer, 48 - len(first))
    assert [(record.key, record.value) for record in first + rest] == cells


def test_an_append_with_one_record_too_large_appends_nothing(log: Log) -> None:
    before = log.end_offsets(TOPIC)
    with pytest.raises(InvalidInput, match="1048577"):
        log.append(TOPIC, 0, [(b"", b"small"), (b"k", b"x" * MAX_RECORD_BYTES)])
    assert log.end_offsets(TOPIC) == before


def test_unknown_topics_and_partitions_are_not_found(log: Log) -> None:
    for ask in (
        lambda: log.append("nowhere", 0, numbered(0, 1)),
        lambda: log.append(TOPIC, 2, numbered(0, 1)),
        lambda: log.partitions("nowhere"),
        lambda: log.end_offsets("nowhere"),
        lambda: log.committed_offsets("nowhere", "g"),
        lambda: log.consumer("nowhere", group="g", member="a"),
    ):
        with pytest.raises(NotFound):
            ask()


@pytest.mark.parametrize("name", ["", "a/b", "a b", "x" * 201, "ä", "a\0"])
def test_names_outside_the_rules_are_refused(log: Log, name: str) -> None:
    with pytest.raises(InvalidInput):
        log.ensure_topic(name, partitions=1, retention_s=60)
    with pytest.raises(InvalidInput):
        log.consumer(TOPIC, group=name, member="a")
    with pytest.raises(InvalidInput):
        log.consumer(TOPIC, group="g", member=name)


def test_a_topic_gains_partitions_and_never_loses_any(log: Log) -> None:
    log.append(TOPIC, 1, numbered(0, 3))
    log.ensure_topic(TOPIC, partitions=4, retention_s=3600)
    log.ensure_topic(TOPIC, partitions=1, retention_s=3600)
    assert log.partitions(TOPIC) == 4
    log.append(TOPIC, 3, numbered(0, 1))
    with log.consumer(TOPIC, group="g", member="a") as consumer:
        assert len(drain(consumer, 4)) == 4
    for partitions, retention_s in ((0, 60), (1025, 60), (1, 0)):
        with pytest.raises(InvalidInput):
            log.ensure_topic(TOPIC, partitions=partitions, retention_s=retention_s)


def test_topics_do_not_mix(log: Log) -> None:
    log.ensure_topic("other", partitions=1, retention_s=60)
    log.append("other", 0, [(b"", b"there")])
    log.append(TOPIC, 0, [(b"", b"here")])
    with log.consumer(TOPIC, group="g", member="a") as here, log.consumer("other", group="g", member="a") as there:
        assert [record.value for record in drain(here, 1)] == [b"here"]
        assert [record.value for record in drain(there, 1)] == [b"there"]


def test_a_consumer_restarts_at_the_committed_offset(log: Log) -> None:
    log.append(TOPIC, 0, numbered(0, 10))
    with log.consumer(TOPIC, group="g", member="a") as consumer:
        records = drain(consumer, 10)
        consumer.commit({0: records[4].offset})
    assert log.committed_offsets(TOPIC, "g")[0] == records[4].offset
    with log.consumer(TOPIC, group="g", member="a") as consumer:
        assert drain(consumer, 6) == records[4:]
    with log.consumer(TOPIC, group="another", member="a") as consumer:
        assert drain(consumer, 10) == records
    assert log.committed_offsets(TOPIC, "another") == {0: 0, 1: 0}


def test_a_poll_returns_at_most_what_was_asked_for_and_waits_only_for_the_first(log: Log) -> None:
    log.append(TOPIC, 0, numbered(0, 5))
    with log.consumer(TOPIC, group="g", member="a") as consumer:
        assert len(drain(consumer, 3, at_once=3)) == 3
        assert len(consumer.poll(max_records=100, timeout_s=DEADLINE_S)) == 2
        waited = Deadline(0.3)
        assert consumer.poll(max_records=100, timeout_s=0.3) == []
        assert waited.passed()
        with pytest.raises(InvalidInput):
            consumer.poll(max_records=0, timeout_s=0)


def test_a_waiting_poll_returns_soon_after_an_append(log: Log) -> None:
    with log.consumer(TOPIC, group="g", member="a") as consumer, ThreadPoolExecutor(1) as pool:
        consumer.poll(max_records=1, timeout_s=0.5)
        waiting = pool.submit(consumer.poll, max_records=1, timeout_s=4 * DEADLINE_S)
        log.append(TOPIC, 1, [(b"", b"news")])
        assert [record.value for record in waiting.result(timeout=DEADLINE_S)] == [b"news"]


def test_no_partition_waits_for_a_busy_one(log: Log) -> None:
    log.append(TOPIC, 0, numbered(0, 1000))
    log.append(TOPIC, 1, [(b"", b"alone")])
    with log.consumer(TOPIC, group="g", member="a") as consumer:
        assert values(drain(consumer, 500, at_once=50), 1) == [b"alone"]


def test_paused_partitions_are_kept_and_resume_where_they_stopped(log: Log) -> None:
    with log.consumer(TOPIC, group="g", member="a") as consumer:
        log.append(TOPIC, 0, numbered(0, 4))
        drain(consumer, 2, at_once=2)
        consumer.pause([0])
        log.append(TOPIC, 1, numbered(100, 3))
        assert values(drain(consumer, 3), 1) == [b"100", b"101", b"102"]
        assert consumer.poll(max_records=10, timeout_s=0.2) == []
        assert consumer.assignment() == {0, 1}
        consumer.resume([0])
        assert values(drain(consumer, 2), 0) == [b"2", b"3"]


def test_seek_goes_back_and_forth(log: Log) -> None:
    offsets = log.append(TOPIC, 0, numbered(0, 10))
    with log.consumer(TOPIC, group="g", member="a") as consumer:
        drain(consumer, 10)
        consumer.seek(0, offsets[7])
        assert values(drain(consumer, 3), 0) == [b"7", b"8", b"9"]
        consumer.seek(0, offsets[2])
        assert values(drain(consumer, 8), 0)[0] == b"2"
        consumer.seek(0, log.end_offsets(TOPIC)[0])
        log.append(TOPIC, 0, [(b"", b"new")])
        assert values(drain(consumer, 1), 0) == [b"new"]


def test_what_is_not_held_cannot_be_committed_paused_or_sought(log: Log) -> None:
    consumer = log.consumer(TOPIC, group="g", member="a")
    for act in (
        lambda: consumer.commit({0: 1}),
        lambda: consumer.pause([0]),
        lambda: consumer.resume([0]),
        lambda: consumer.seek(0, 0),
    ):
        with pytest.raises(NotOwner):
            act()
    consumer.poll(max_records=1, timeout_s=1)
    for act in (lambda: consumer.commit({0: -1}), lambda: consumer.seek(0, -1)):
        with pytest.raises(InvalidInput):
            act()
    consumer.close()
    consumer.close()
    with pytest.raises(NotOwner):
        consumer.poll(max_records=1, timeout_s=0)


def test_what_was_acknowledged_survives_kill_9_of_the_writer(log: Log, log_settings: Settings) -> None:
    acknowledged: list[tuple[int, int, bytes]] = []
    with child(log_settings, "append") as writer:
        assert writer.stdout is not None
        for line in writer.stdout:
            partition, offset, value = line.split()
            acknowledged.append((int(partition), int(offset), value.encode()))
            if len(acknowledged) == 40:
                writer.kill()
    log.append(TOPIC, 0, [(b"", b"end")])
    log.append(TOPIC, 1, [(b"", b"end")])
    with log.consumer(TOPIC, group="g", member="a") as consumer:
        read = []
        while [value for _, _, value in read].count(b"end") < 2:
            read += [(record.partition, record.offset, record.value.strip()) for record in drain(consumer, 1)]
    assert set(acknowledged) <= set(read)


def test_a_reader_skips_no_record_of_concurrent_writers(open_client: OpenLog) -> None:
    """Many small appends and some large ones race; a reader at their heels sees every one, in its writer's order."""
    writers, appends = 6, 60
    log = open_client()

    def write(writer: int) -> None:
        chance = random.Random(writer)
        for number in range(appends):
            padding = b"." * chance.choice([0, 10, 1000, 300_000])
            log.append(TOPIC, number % 2, [(b"%d" % writer, b"%d %b" % (number, padding))])

    with log.consumer(TOPIC, group="g", member="a") as consumer, ThreadPoolExecutor(writers) as pool:
        running = [pool.submit(write, writer) for writer in range(writers)]
        records = drain(consumer, writers * appends, deadline_s=120)
        for future in running:
            future.result()
        assert consumer.poll(max_records=1, timeout_s=0.2) == []
    for partition in (0, 1):
        offsets = [record.offset for record in records if record.partition == partition]
        assert offsets == sorted(set(offsets))
        for writer in range(writers):
            mine = [r for r in records if r.partition == partition and r.key == b"%d" % writer]
            assert [int(record.value.split()[0]) for record in mine] == list(range(partition, appends, 2))


def test_retention_drops_what_is_old_and_nothing_else(log: Log) -> None:
    log.append(TOPIC, 0, [(b"", b"old")])
    with log.consumer(TOPIC, group="kept", member="a") as early:
        old = drain(early, 1)[0]
        log.ensure_topic(TOPIC, partitions=2, retention_s=2)

        def is_gone() -> bool:
            """Only this maintainer drops it, or the log's own server. A poll that gives nothing may have been slow."""
            log.enforce_retention()
            early.seek(0, old.offset)
            if early.poll(max_records=1, timeout_s=1):
                return False
            log.append(TOPIC, 0, [(b"", b"young")])
            early.seek(0, old.offset)
            return values(drain(early, 1), 0) == [b"young"]

        wait_until(is_gone)
        log.ensure_topic(TOPIC, partitions=2, retention_s=3600)
        new = log.append(TOPIC, 0, [(b"", b"new")])[0]
        assert log.enforce_retention() == 0
        early.seek(0, old.offset)
        require_young(early, old.offset, new)  # a consumer below the start continues at the start
    with log.consumer(TOPIC, group="late", member="a") as late:
        require_young(late, old.offset, new)


def require_young(consumer: LogConsumer, old: int, new: int) -> None:
    """What it reads up to the record `new` came after `old`."""
    read = drain(consumer, 1)
    while read[-1].offset < new:
        read += drain(consumer, 1)
    assert read[0].offset > old
    assert values(read, 0) == [b"young"] * (len(read) - 1) + [b"new"]


def test_records_are_kept_while_they_are_younger_than_the_retention(log: Log) -> None:
    log.append(TOPIC, 0, numbered(0, 3))
    for _ in range(3):
        assert log.enforce_retention() == 0
    with log.consumer(TOPIC, group="g", member="a") as consumer:
        assert len(drain(consumer, 3)) == 3


def test_appends_reads_and_several_maintainers_do_not_disturb_each_other(open_client: OpenLog) -> None:
    """With two maintainers beginning and dropping segments all the time, a reader at the end still skips nothing.

    A log whose server does this alone gets the time to.
    """
    log = open_client()
    enough = Deadline(6)  # the server of a log that does it alone has dropped something by then
    log.ensure_topic(TOPIC, partitions=2, retention_s=4)
    stop = threading.Event()
    appended: list[int] = []
    dropped: list[int] = []

    def maintain() -> None:
        own = open_client()
        while not stop.wait(0.02):
            dropped.append(own.enforce_retention())

    def write() -> None:
        while not stop.is_set():
            appended.extend(log.append(TOPIC, 0, [(b"", b"x" * 1000)]))

    read: list[int] = []
    with log.consumer(TOPIC, group="g", member="a") as consumer, ThreadPoolExecutor(4) as pool:
        poll_until(lambda: len(consumer.assignment()) == 2, [consumer])  # to join may take longer than the retention
        running = [pool.submit(task) for task in (maintain, maintain, write)]
        try:
            wait_until(
                lambda: (
                    read.extend(r.offset for r in consumer.poll(max_records=500, timeout_s=0))
                    or sum(dropped)
                    or enough.passed()
                )
            )
        finally:
            stop.set()
        for future in running:
            future.result()
        read += [record.offset for record in drain(consumer, len(appended) - len(read))]
    assert read == appended
