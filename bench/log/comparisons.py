"""The log with 512 KiB records: KafkaLog against kafka-python alone, PostgresLog against psycopg alone and the disk.

The peers give the same guarantees: from Kafka every record's acknowledgement by all replicas in sync is waited for,
into PostgreSQL and onto the disk every append is synced; readers commit their offsets after each batch.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from bench.engines import Engines
from bench.log.disk import DiskLog
from bench.log.kafka import BareKafka, OwnKafka
from bench.log.postgres import BarePostgres, OwnPostgres
from bench.measure import Comparison, Contender, Role, compare
from triggers.contracts.clip import CELL_BYTES

Record = tuple[bytes, bytes]
PARTITIONS = 4
MB = 1e6


class MeasuredLog(Protocol):
    """A log as it is measured: made for a topic of PARTITIONS partitions, written, read back by other means."""

    @property
    def name(self) -> str: ...

    def create(self, topic: str) -> None:
        """Make an empty topic."""
        ...

    def append(self, topic: str, partition: int, records: Sequence[Record]) -> None:
        """Append; durable on return. Called by one thread per partition."""
        ...

    def stored(self, topic: str) -> Iterator[Record]:
        """Every record of the topic, partition after partition, in order."""
        ...


class MeasuredReader(Protocol):
    """A member of a group that holds every partition of one topic."""

    @property
    def name(self) -> str: ...

    def read(self, count: int) -> list[tuple[int, Record]]:
        """Read `count` records (with their partitions) from the beginning, committing as they come."""
        ...


OpenReader = Callable[[str], MeasuredReader]


@dataclass(frozen=True)
class Writing:
    """How appends are made: `records` in all, `batch` per append, by `writers` threads, each on its own partition."""

    records: int
    batch: int
    writers: int

    def __str__(self) -> str:
        batches = "one record" if self.batch == 1 else f"{self.batch} records"
        writers = "one writer" if self.writers == 1 else f"{self.writers} writers"
        return f"append 512 KiB records, {batches} at a time, {writers}"


def run(engines: Engines, *, quick: bool) -> Iterator[Comparison]:
    """Every comparison of the two logs."""
    count, rounds = (16, 2) if quick else (128, 5)
    writings = [Writing(count, 1, 1), Writing(count, 1, PARTITIONS), Writing(count, count // 8, 1)]
    records = make_records(count)
    with kafka_logs(engines) as (own, bare):
        for writing in writings:
            yield compare_appends("Kafka", [(own, Role.OWN), (bare, Role.PEER)], records, writing, rounds)
        yield compare_reads("Kafka", [own.reader, bare.reader], own, records, rounds)
    with postgres_logs(engines) as (own_postgres, bare_postgres, disk):
        contenders: list[tuple[MeasuredLog, Role]] = [
            (own_postgres, Role.OWN),
            (bare_postgres, Role.PEER),
            (disk, Role.LIMIT),
        ]
        for writing in writings:
            yield compare_appends("PostgreSQL", contenders, records, writing, rounds)
        readers: list[OpenReader] = [own_postgres.reader, bare_postgres.reader]
        yield compare_reads("PostgreSQL", readers, own_postgres, records, rounds)


@contextmanager
def kafka_logs(engines: Engines) -> Iterator[tuple[OwnKafka, BareKafka]]:
    """Both clients of one broker."""
    with ExitStack() as stack:
        own = stack.enter_context(OwnKafka(engines.kafka, PARTITIONS))
        yield own, stack.enter_context(BareKafka(engines.kafka, PARTITIONS))


@contextmanager
def postgres_logs(engines: Engines) -> Iterator[tuple[OwnPostgres, BarePostgres, DiskLog]]:
    """Both clients of one database, and files on the same disk."""
    with ExitStack() as stack:
        own = stack.enter_context(OwnPostgres(engines.postgres_url, PARTITIONS))
        bare = stack.enter_context(BarePostgres(engines.postgres_url, PARTITIONS))
        folder = stack.enter_context(engines.scratch("disk-log"))
        yield own, bare, stack.enter_context(DiskLog(folder, PARTITIONS))


def make_records(count: int, *, value_bytes: int = CELL_BYTES, seed: int = 1) -> list[Record]:
    """Records that nothing can compress, the same for the same seed."""
    rng = random.Random(seed)
    return [(f"record-{number:08d}".encode(), rng.randbytes(value_bytes)) for number in range(count)]


def compare_appends(
    engine: str,
    logs: Sequence[tuple[MeasuredLog, Role]],
    records: Sequence[Record],
    writing: Writing,
    rounds: int,
) -> Comparison:
    """The same records into a new topic of each log, each round."""
    contenders = [_appending(log, role, records, writing) for log, role in logs]
    amount_mb = sum(len(value) for _, value in records) / MB
    return compare(f"{engine}: {writing}", contenders, amount=amount_mb, unit="MB", rounds=rounds)


def _appending(log: MeasuredLog, role: Role, records: Sequence[Record], writing: Writing) -> Contender:
    def topic(number: int) -> str:
        return f"bench.{log.name.split()[0].lower()}.{writing.batch}.{writing.writers}.{number}"

    return Contender(
        name=log.name,
        role=role,
        prepare=lambda number: log.create(topic(number)),
        run=lambda number: append_all(partial(log.append, topic(number)), records, writing),
        result=lambda: digest(log.stored(topic(0))),
    )


def append_all(append: Callable[[int, Sequence[Record]], None], records: Sequence[Record], writing: Writing) -> None:
    """Each writer appends its share to its partition; the first error of any is raised."""
    share = -(-len(records) // writing.writers)

    def write(writer: int) -> None:
        own = records[writer * share : (writer + 1) * share]
        for start in range(0, len(own), writing.batch):
            append(writer, own[start : start + writing.batch])

    if writing.writers == 1:
        write(0)
        return
    with ThreadPoolExecutor(writing.writers) as threads:
        list(threads.map(write, range(writing.writers)))


def compare_reads(
    engine: str,
    open_readers: Sequence[OpenReader],
    log: MeasuredLog,
    records: Sequence[Record],
    rounds: int,
) -> Comparison:
    """Both readers read the same topic from its beginning, each round; joining the group is not timed."""
    topic = f"bench.read.{engine.lower()}"
    log.create(topic)
    append_all(partial(log.append, topic), records, Writing(len(records), 1, PARTITIONS))
    readers = [open_reader(topic) for open_reader in open_readers]
    roles = [Role.OWN, Role.PEER]
    contenders = [_reading(reader, role, len(records)) for reader, role in zip(readers, roles, strict=True)]
    amount_mb = sum(len(value) for _, value in records) / MB
    name = f"{engine}: read 512 KiB records, {PARTITIONS} partitions, one reader"
    return compare(name, contenders, amount=amount_mb, unit="MB", rounds=rounds)


def _reading(reader: MeasuredReader, role: Role, count: int) -> Contender:
    latest: list[tuple[int, Record]] = []

    def read(_: int) -> None:
        latest[:] = reader.read(count)

    return Contender(name=reader.name, role=role, run=read, result=lambda: digest(in_order(latest)))


def in_order(read: Sequence[tuple[int, Record]]) -> Iterator[Record]:
    """Records by partition; within one as they came."""
    return (record for _, record in sorted(read, key=lambda each: each[0]))


def digest(records: Iterator[Record]) -> str:
    """SHA-256 over keys and values, and their lengths, in order."""
    seen = hashlib.sha256()
    for key, value in records:
        seen.update(b"%d %d " % (len(key), len(value)))
        seen.update(key)
        seen.update(value)
    return seen.hexdigest()
