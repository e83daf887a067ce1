"""On tiny sizes every contender leaves the same results as its peers, and one that does not is found."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

import pytest

from bench.language import comparisons as language
from bench.log import comparisons as log
from bench.log.comparisons import Writing
from bench.log.disk import DiskLog
from bench.log.postgres import BarePostgres, OwnPostgres
from bench.loop.comparisons import catalog_digest
from bench.measure import ResultsDiffer, Role
from bench.objects import comparisons as objects
from storage.database import Database
from storage.objects.directory.store import DirectoryStore
from triggers.language.rows import Row
from triggers.signals.catalog import SignalCatalog

RECORDS = log.make_records(8, value_bytes=1000)
PARTITIONS = 2


@pytest.mark.parametrize("writing", [Writing(8, 1, 1), Writing(8, 1, PARTITIONS), Writing(8, 3, 1)], ids=str)
def test_logs_hold_the_same_records_in_the_same_order(database: Database, tmp_path: Path, writing: Writing) -> None:
    with (
        OwnPostgres(database.url, PARTITIONS) as own,
        BarePostgres(database.url, PARTITIONS) as bare,
        DiskLog(tmp_path, PARTITIONS) as disk,
    ):
        logs: list[tuple[log.MeasuredLog, Role]] = [(own, Role.OWN), (bare, Role.PEER), (disk, Role.LIMIT)]
        found = log.compare_appends("PostgreSQL", logs, RECORDS, writing, rounds=1)
        for measured, _ in logs:
            topics = [f"bench.{measured.name.split()[0].lower()}.{writing.batch}.{writing.writers}.1"]
            assert [record for topic in topics for record in measured.stored(topic)] == RECORDS, measured.name
    assert found.amount == 8 * 1000 / 1e6


def test_readers_read_the_same_records(database: Database) -> None:
    with OwnPostgres(database.url, log.PARTITIONS) as own, BarePostgres(database.url, log.PARTITIONS) as bare:
        found = log.compare_reads("PostgreSQL", [own.reader, bare.reader], own, RECORDS, rounds=2)
    assert [timing.name for timing in found.timings] == ["PostgresLog", "psycopg alone"]


class Forgetful(DiskLog):
    """Loses the last record of an append."""

    name = "forgetful"

    def append(self, topic: str, partition: int, records: Sequence[tuple[bytes, bytes]]) -> None:
        super().append(topic, partition, records[:-1])


def test_a_log_that_loses_a_record_is_not_timed(tmp_path: Path) -> None:
    for name in ("whole", "forgetful"):
        (tmp_path / name).mkdir()
    with DiskLog(tmp_path / "whole", 1) as whole, Forgetful(tmp_path / "forgetful", 1) as forgetful:
        logs: list[tuple[log.MeasuredLog, Role]] = [(whole, Role.OWN), (forgetful, Role.PEER)]
        with pytest.raises(ResultsDiffer, match="forgetful"):
            log.compare_appends("disk", logs, RECORDS, Writing(8, 4, 1), rounds=1)


def test_an_append_that_fails_in_one_writer_fails_the_comparison() -> None:
    def fail(partition: int, _: object) -> None:
        if partition == 1:
            raise OSError("the disk is full")

    with pytest.raises(OSError, match="disk is full"):
        log.append_all(fail, RECORDS, Writing(8, 1, 2))


def test_stores_hold_the_same_objects(tmp_path: Path) -> None:
    for name in ("store", "files"):
        (tmp_path / name).mkdir()
    store = objects.OwnStore("DirectoryStore", DirectoryStore(tmp_path / "store", public_url="http://localhost"))
    files = objects.BareFiles(tmp_path / "files")
    data = b"longtail" * 1000
    for measured in (store, files):
        written = objects.transfers(measured, data, 3, large=False)
        writing, reading = written.writing(Role.PEER), written.reading(Role.PEER)
        writing.run(0)
        reading.run(0)
        assert writing.result is not None and reading.result is not None
        assert writing.result() == reading.result() == objects.digests([data] * 3), measured.name


def hand_made_drive() -> Iterator[Row]:
    """60 s at 100 Hz with a speed twice a second that falls by 3 m/s^2 for 3 s, three times."""
    for index in range(6000):
        t_s = index / 100
        braking_s = min(max(t_s % 20 - 10, 0.0), 3.0)
        samples = {"ego.speed": 30.0 - 3.0 * braking_s} if index % 50 == 0 else {}
        yield Row(index * 10_000_000, samples)


def test_the_trigger_written_by_hand_fires_when_the_interpreter_does() -> None:
    catalog = SignalCatalog.load(language.SIGNALS)
    rows = list(hand_made_drive())
    fires = [firing.t_ns for firing in language.evaluator(language.SLOW_SOURCE, catalog).run(rows)]
    assert len(fires) == 3
    assert language.HardBraking("ego.speed").run(rows) == fires


def test_the_dense_program_compiles_and_ticks_with_its_signals() -> None:
    evaluator = language.evaluator(language.DENSE_SOURCE, SignalCatalog.load(language.SIGNALS))
    assert set(evaluator.inputs) == {"ego.accel.longitudinal", "ego.yaw_rate", "ego.speed", "imu.accel.z"}


def test_a_catalog_is_the_same_in_any_order_and_another_with_one_byte_changed() -> None:
    clips: Callable[[bytes], list[tuple[str, bytes]]] = lambda last: [("a", b"1"), ("b", last)]  # noqa: E731
    same = partial(catalog_digest, clips(b"2"))
    assert same() == catalog_digest(reversed(clips(b"2")))
    assert same() != catalog_digest(clips(b"3")) and same() != catalog_digest(clips(b"2")[:1])
