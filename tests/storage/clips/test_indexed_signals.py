"""Signals that are declared `indexed` are so of all clips, those included that were extracted before."""

from __future__ import annotations

from sqlalchemy import insert, select, update

from storage.clips.properties import indexed_signals
from storage.database import Database
from storage.tables import campaign_versions, signal_statistics
from storage.tables import indexed_signals as table
from tests.storage.clips.catalog_support import add_clip
from tests.support.fleet import add_version

CATALOG = "signals:\n  ego.speed: {unit: m/s, rate: 10, indexed: true}\n  ego.jerk: {rate: 10}\n"


def declared(database: Database, catalog: str = CATALOG) -> int:
    with database.begin() as connection:
        add_version(connection, "braking")
        connection.execute(update(campaign_versions).values(signal_catalog=catalog))
        return indexed_signals.declare(connection)


def test_what_a_campaigns_catalog_declares_is_written_down_once(database: Database) -> None:
    assert declared(database) == 1
    with database.begin() as connection:
        assert indexed_signals.declare(connection) == 0
        assert connection.execute(select(table.c.signal, table.c.complete)).all() == [("ego.speed", False)]
        assert indexed_signals.of_these(connection, {"ego.speed", "ego.jerk"}) == {"ego.speed"}


def test_statistics_of_earlier_clips_are_indexed_in_batches_before_searches_rely_on_it(database: Database) -> None:
    with database.begin() as connection:
        for _ in range(5):
            add_clip(connection, statistics={"ego.speed": (0.0, 2.0, 1.0), "ego.jerk": (0.0, 1.0, 0.5)})
    declared(database)
    marked = []
    for _ in range(3):
        with database.begin() as connection:
            marked.append(indexed_signals.complete(connection, batch=2))
            complete = connection.execute(select(table.c.complete)).scalar_one()
        assert complete is (len(marked) == 3)
    assert marked == [2, 2, 1]
    with database.begin() as connection:
        flags = connection.execute(select(signal_statistics.c.signal, signal_statistics.c.indexed).distinct()).all()
        assert sorted(flags) == [("ego.jerk", False), ("ego.speed", True)]
        assert indexed_signals.complete(connection) == 0


def test_a_declaration_waits_for_those_who_write_statistics_without_knowing_of_it(database: Database) -> None:
    with database.begin() as writer:
        assert indexed_signals.of_these(writer, {"ego.speed"}) == set()
        with database.begin() as other:
            add_version(other, "braking")
            other.execute(update(campaign_versions).values(signal_catalog=CATALOG))
        with database.begin() as declaring:
            declaring.exec_driver_sql("SET LOCAL lock_timeout = '50ms'")
            try:
                indexed_signals.declare(declaring)
            except Exception as error:  # noqa: BLE001
                assert "lock timeout" in str(error)
                declaring.rollback()
            else:
                raise AssertionError("the declaration did not wait")
    with database.begin() as connection:
        assert indexed_signals.declare(connection) == 1


def test_a_signal_stays_indexed_when_it_is_declared_again(database: Database) -> None:
    with database.begin() as connection:
        connection.execute(insert(table).values(signal="ego.speed", complete=True))
    declared(database)
    with database.begin() as connection:
        assert connection.execute(select(table.c.complete)).scalar_one() is True
