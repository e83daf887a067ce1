"""The signals that campaigns declare as positions, as threads find them together."""

from __future__ import annotations

import threading
from collections.abc import Iterable

import pytest
from sqlalchemy import update

from storage.clips import catalogs
from storage.clips.positions import signals
from storage.clips.positions.signals import PositionSignals
from storage.database import Database
from storage.tables import campaign_versions
from tests.support.fleet import add_version
from triggers.signals.catalog import SignalCatalog


def add_campaign(database: Database, name: str) -> None:
    """A campaign whose catalog declares the signals `north.NAME` and `east.NAME` as the position."""
    north, east = f"north.{name}", f"east.{name}"
    of_signals = "".join(f"  {signal}: {{unit: deg, rate: 10}}\n" for signal in (north, east))
    text = f"signals:\n{of_signals}position: {{latitude: {north}, longitude: {east}}}\n"
    with database.begin() as connection:
        add_version(connection, name)
        ours = campaign_versions.c.campaign == name
        connection.execute(update(campaign_versions).where(ours).values(signal_catalog=text))


def declared(known: PositionSignals, database: Database) -> frozenset[str]:
    with database.snapshot() as connection:
        return known.declared(connection)


def test_a_campaign_that_is_new_is_known_from_the_next_question_on(database: Database) -> None:
    known = PositionSignals()
    assert declared(known, database) == frozenset()
    add_campaign(database, "braking")
    assert declared(known, database) == {"north.braking", "east.braking"}
    add_campaign(database, "merging")
    assert declared(known, database) == {"north.braking", "east.braking", "north.merging", "east.merging"}


def test_each_catalog_is_read_once(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []

    def counted(texts: Iterable[str]) -> list[SignalCatalog]:
        read.extend(given := list(texts))
        return catalogs.parsed(given)

    monkeypatch.setattr(signals, "parsed", counted)
    known = PositionSignals()
    for name in ("braking", "merging"):
        add_campaign(database, name)
        declared(known, database)
        declared(known, database)
    assert len(read) == len(set(read)) == 2


def test_what_one_thread_finds_while_another_reads_is_not_lost(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = PositionSignals()
    found: list[frozenset[str]] = []

    def overtaken(texts: Iterable[str]) -> list[SignalCatalog]:
        """The first thread reads a catalog; meanwhile there is another campaign, and a second thread finds both."""
        monkeypatch.setattr(signals, "parsed", catalogs.parsed)
        add_campaign(database, "merging")
        second = threading.Thread(target=lambda: found.append(declared(known, database)))
        second.start()
        second.join()
        return catalogs.parsed(texts)

    add_campaign(database, "braking")
    monkeypatch.setattr(signals, "parsed", overtaken)
    found.append(declared(known, database))
    both = {"north.braking", "east.braking", "north.merging", "east.merging"}
    assert found == [both, both]
    assert declared(known, database) == both
