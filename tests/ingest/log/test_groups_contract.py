"""What every log promises about consumer groups: even shares, hand-over, fencing, static membership."""

from __future__ import annotations

import random
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

from ingest.log import Log, LogConsumer, NotOwner
from storage.settings import Settings
from tests.ingest.log.support import TOPIC, OpenLog, child, drain, poll_until, polled, values, wait_until
from tests.support.waiting import let_pass
from triggers.errors import Unreachable

pytestmark = pytest.mark.integration

PARTITIONS = 4


@pytest.fixture(autouse=True)
def _topic(log: Log) -> None:
    log.ensure_topic(TOPIC, partitions=PARTITIONS, retention_s=3600)


def held(consumers: Sequence[LogConsumer]) -> list[int]:
    """How many partitions each holds, once every partition is held by one; empty before."""
    every = [partition for consumer in consumers for partition in consumer.assignment()]
    return [len(consumer.assignment()) for consumer in consumers] if sorted(every) == list(range(PARTITIONS)) else []


def balance(consumers: Sequence[LogConsumer], expected: list[int]) -> None:
    """Poll until the partitions are spread as expected (in any order of the consumers)."""
    poll_until(lambda: sorted(held(consumers)) == sorted(expected), consumers)


def commit_once_held(consumer: LogConsumer, next_offsets: dict[int, int]) -> None:
    """Commit as the holder of these partitions, which a member with a short lease may have lost on a busy machine: it
    polls until it has them again."""

    def stored() -> bool:
        try:
            consumer.commit(next_offsets)
        except (NotOwner, Unreachable):  # the latter while the group does not settle within the lease
            consumer.poll(max_records=1, timeout_s=0)
            return False
        return True

    wait_until(stored)


def test_partitions_are_shared_evenly_as_members_come_and_go(log: Log) -> None:
    consumers = [log.consumer(TOPIC, group="g", member=name) for name in "abcde"]
    balance(consumers[:1], [4])
    balance(consumers[:2], [2, 2])
    balance(consumers[:3], [2, 1, 1])
    balance(consumers, [1, 1, 1, 1, 0])
    for consumer in consumers[:3]:
        consumer.close()
    balance(consumers[3:], [2, 2])
    for consumer in consumers[3:]:
        consumer.close()


def test_new_partitions_of_a_topic_find_their_readers(log: Log) -> None:
    with log.consumer(TOPIC, group="g", member="a") as a, log.consumer(TOPIC, group="g", member="b") as b:
        balance([a, b], [2, 2])
        log.ensure_topic(TOPIC, partitions=6, retention_s=3600)
        poll_until(lambda: len(a.assignment()) == len(b.assignment()) == 3, [a, b])


def test_callbacks_name_what_comes_and_what_goes(log: Log) -> None:
    seen: list[tuple[str, list[int]]] = []
    first = log.consumer(
        TOPIC,
        group="g",
        member="a",
        on_assigned=lambda partitions: seen.append(("assigned", sorted(partitions))),
        on_revoked=lambda partitions: seen.append(("revoked", sorted(partitions))),
    )
    balance([first], [4])
    assert seen == [("assigned", [0, 1, 2, 3])]
    with log.consumer(TOPIC, group="g", member="b") as second:
        balance([first, second], [2, 2])
        kept, gone = sorted(first.assignment()), sorted(second.assignment())
        assert seen[1:] == [("revoked", gone)]
    balance([first], [4])
    assert seen[2:] == [("assigned", gone)]
    first.close()
    assert seen[3:] == [("revoked", sorted(kept + gone))]


def test_a_commit_while_partitions_leave_is_where_the_next_holder_starts(log: Log) -> None:
    for partition in range(PARTITIONS):
        log.append(TOPIC, partition, [(b"", b"%d" % number) for number in range(10)])
    done: dict[int, int] = {}

    def finish(partitions: Sequence[int]) -> None:
        first.commit({partition: done[partition] for partition in partitions})

    first = log.consumer(TOPIC, group="g", member="a", on_revoked=finish)
    for record in drain(first, 4 * 10, at_once=5):
        done[record.partition] = min(record.offset + 1, 6)
    with first, log.consumer(TOPIC, group="g", member="b") as second, ThreadPoolExecutor(1) as pool:
        stop = threading.Event()
        polling = pool.submit(lambda: [first.poll(max_records=1, timeout_s=0.01) for _ in iter(stop.is_set, True)])
        records = drain(second, 2 * 4)
        stop.set()
        polling.result()
        for partition in second.assignment():
            assert values(records, partition) == [b"6", b"7", b"8", b"9"]


def test_members_of_the_same_group_on_other_topics_do_not_count(log: Log) -> None:
    log.ensure_topic("other", partitions=1, retention_s=60)
    with log.consumer(TOPIC, group="g", member="a") as here, log.consumer("other", group="g", member="b") as there:
        poll_until(lambda: len(here.assignment()) == 4 and len(there.assignment()) == 1, [here, there])


def test_a_killed_member_of_the_same_name_has_its_partitions_back_at_once(log: Log, log_settings: Settings) -> None:
    """The lease is 30 s; the restarted member must not wait for its end, nor may another member take anything."""
    with log.consumer(TOPIC, group="g", member="stays") as other:
        with child(log_settings, "consume", "g", "worker") as process:
            poll_until(lambda: len(other.assignment()) == 2, [other])
            assert process.stdout is not None
            with polled(other):
                wait_until(lambda: process.stdout.readline().strip() == "assigned 2")
            process.kill()
        before = other.assignment()
        with log.consumer(TOPIC, group="g", member="worker") as again:
            again.poll(max_records=1, timeout_s=0)
            poll_until(lambda: len(again.assignment()) == 2, [again, other], deadline_s=15)
            assert other.assignment() == before


def test_partitions_of_a_silent_member_go_to_others_and_its_commits_are_refused(open_client: OpenLog) -> None:
    log = open_client(log_lease_s=0.6)
    lost: list[int] = []

    def give_up(partitions: Sequence[int]) -> None:
        lost.extend(partitions)
        with pytest.raises(NotOwner):
            silent.commit(dict.fromkeys(partitions, 1))

    silent = log.consumer(TOPIC, group="g", member="silent", on_revoked=give_up)
    first, second = log.append(TOPIC, 0, [(b"", b"0"), (b"", b"1")])
    assert drain(silent, 1)[0].offset == first
    balance([silent], [4])
    lost.clear()  # a busy machine may have made it late before
    with log.consumer(TOPIC, group="g", member="eager") as eager:
        poll_until(lambda: len(eager.assignment()) == 4, [eager])
        commit_once_held(eager, {0: second})
        with pytest.raises(NotOwner):
            silent.commit({0: second + 1})
        with pytest.raises(NotOwner):
            silent.commit({1: 0, 0: second + 1})
        assert log.committed_offsets(TOPIC, "g")[0] == second
        assert lost == []
        silent.poll(max_records=1, timeout_s=0)
        assert sorted(lost) == [0, 1, 2, 3]
    silent.close()


def test_a_refused_commit_stores_nothing_of_it(open_client: OpenLog) -> None:
    log = open_client(log_lease_s=0.6)
    silent = log.consumer(TOPIC, group="g", member="silent")
    balance([silent], [4])
    with log.consumer(TOPIC, group="g", member="eager") as eager:
        poll_until(lambda: len(eager.assignment()) == 4, [eager])
        poll_until(lambda: len(silent.assignment()) == 2, [silent, eager])
        mine = min(silent.assignment())
    stale = {mine: 5, **dict.fromkeys(set(range(4)) - silent.assignment(), 7)}
    with pytest.raises(NotOwner):
        silent.commit(stale)
    assert log.committed_offsets(TOPIC, "g") == dict.fromkeys(range(4), 0)
    commit_once_held(silent, {mine: 5})
    assert log.committed_offsets(TOPIC, "g")[mine] == 5
    silent.close()


def test_a_silent_member_whose_partitions_nobody_took_goes_on(open_client: OpenLog) -> None:
    """It may be told that it lost them, but then of all; they come back."""
    log = open_client(log_lease_s=1.0)
    revoked: list[int] = []
    with log.consumer(TOPIC, group="g", member="a", on_revoked=revoked.extend) as consumer:
        balance([consumer], [4])
        let_pass(2.2, why="two leases of silence")
        offset = log.append(TOPIC, 2, [(b"", b"later")])[0]
        assert drain(consumer, 1)[0].offset == offset
        commit_once_held(consumer, {2: offset + 1})
        assert sorted(revoked) == sorted([0, 1, 2, 3] * revoked.count(0))
        balance([consumer], [4])


def test_a_second_process_of_the_same_name_fences_the_first(log: Log) -> None:
    revoked: list[int] = []
    first = log.consumer(TOPIC, group="g", member="a", on_revoked=revoked.extend)
    balance([first], [4])
    with log.consumer(TOPIC, group="g", member="a") as second:
        balance([second], [4])
        with pytest.raises(NotOwner):
            first.commit({0: 1})
        with pytest.raises(NotOwner, match="another process"):
            wait_until(lambda: first.poll(max_records=1, timeout_s=0.05))
        assert sorted(revoked) == [0, 1, 2, 3]
        first.close()
        balance([second], [4])
        second.commit({0: 1})
    assert log.committed_offsets(TOPIC, "g")[0] == 1


def test_a_callback_that_fails_is_called_again_for_the_same_partitions(log: Log) -> None:
    calls: list[tuple[str, list[int]]] = []

    def failing_first(what: str, partitions: Sequence[int]) -> None:
        calls.append((what, sorted(partitions)))
        if [name for name, _ in calls].count(what) == 1:
            raise RuntimeError(what)

    first = log.consumer(
        TOPIC,
        group="g",
        member="a",
        on_assigned=lambda partitions: failing_first("assigned", partitions),
        on_revoked=lambda partitions: failing_first("revoked", partitions),
    )
    with pytest.raises(RuntimeError, match="assigned"):
        wait_until(lambda: first.poll(max_records=1, timeout_s=0.05))
    balance([first], [4])
    assert calls == [("assigned", [0, 1, 2, 3])] * 2
    with log.consumer(TOPIC, group="g", member="b") as second:
        second.poll(max_records=1, timeout_s=0)
        with pytest.raises(RuntimeError, match="revoked"):
            poll_until(lambda: False, [first, second])
        balance([first, second], [2, 2])
        assert calls[2] == calls[3] == ("revoked", sorted(second.assignment()))
    first.close()


def test_closing_leaves_the_group_even_when_the_callback_fails(log: Log) -> None:
    def fail(partitions: Sequence[int]) -> None:
        raise RuntimeError("no room to park")

    first = log.consumer(TOPIC, group="g", member="a", on_revoked=fail)
    balance([first], [4])
    with pytest.raises(RuntimeError, match="no room"):
        first.close()
    assert first.assignment() == frozenset()
    with log.consumer(TOPIC, group="g", member="b") as second:
        poll_until(lambda: len(second.assignment()) == 4, [second], deadline_s=10)


def test_members_that_come_go_and_fall_silent_leave_no_record_out(open_client: OpenLog) -> None:
    """Workers process, then commit; they close, or just stop, at random. Every record is processed, and each worker
    processes a partition's records in their order."""
    log = open_client(log_lease_s=0.5)
    count = 300
    processed: list[tuple[int, int]] = []

    def work(worker: int) -> None:
        chance = random.Random(worker)
        while len(set(processed)) < count:
            consumer = log.consumer(TOPIC, group="g", member=f"w{worker}-{chance.randrange(100)}")
            for _ in range(chance.randrange(5, 40)):
                records = consumer.poll(max_records=chance.randrange(1, 20), timeout_s=0.05)
                processed.extend((record.partition, record.offset) for record in records)
                try:
                    consumer.commit({record.partition: record.offset + 1 for record in records})
                except NotOwner:
                    break
            if chance.random() < 0.5:
                consumer.close()

    expected = set()
    with ThreadPoolExecutor(3) as pool:
        running = [pool.submit(work, worker) for worker in range(3)]
        for number in range(count):
            partition = number % PARTITIONS
            expected.add((partition, log.append(TOPIC, partition, [(b"", b"%d" % number)])[0]))
        for future in running:
            future.result(timeout=120)
    assert set(processed) == expected
