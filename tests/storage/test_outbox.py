"""The outbox: events are written once, handled with the mark in one transaction, and never skipped."""

from __future__ import annotations

import pytest
from sqlalchemy import Connection

from storage import outbox
from storage.database import Database
from storage.outbox import OutboxEvent

pytestmark = pytest.mark.integration


def test_an_event_is_written_once_under_its_key(database: Database) -> None:
    with database.begin() as connection:
        written = [outbox.add(connection, "clips", "k", {"event": "e"}) for _ in range(2)]
        assert (written, outbox.unsent(connection)) == ([True, False], 1)


def test_an_event_is_handled_in_the_transaction_that_marks_it(database: Database) -> None:
    handled: list[str] = []

    def fails(connection: Connection, event: OutboxEvent) -> None:
        handled.append(event.key)
        raise RuntimeError("not now")

    with database.begin() as connection:
        outbox.add(connection, "clips", "k", {"event": "e"})
    with pytest.raises(RuntimeError), database.begin() as connection:
        outbox.dispatch(connection, {"e": fails})
    with database.begin() as connection:
        assert outbox.dispatch(connection, {"e": lambda _, event: handled.append(event.key)}) == 1
        assert outbox.dispatch(connection, {}) == 0
    assert handled == ["k", "k"]


def test_an_event_that_commits_late_is_not_skipped(database: Database) -> None:
    seen: list[str] = []
    handlers = {"e": lambda _, event: seen.append(event.key)}
    with database.begin() as slow:
        outbox.add(slow, "clips", "first", {"event": "e"})
        with database.begin() as connection:
            outbox.add(connection, "clips", "second", {"event": "e"})
        with database.begin() as connection:
            outbox.dispatch(connection, handlers)
    with database.begin() as connection:
        outbox.dispatch(connection, handlers)
    assert seen == ["second", "first"]


def test_two_dispatchers_share_the_events(database: Database) -> None:
    with database.begin() as connection:
        for number in range(4):
            outbox.add(connection, "clips", str(number), {"event": "e"})
    seen: list[str] = []
    handlers = {"e": lambda _, event: seen.append(event.key)}
    with database.begin() as one, database.begin() as other:
        assert outbox.dispatch(one, handlers, limit=2) == 2
        assert outbox.dispatch(other, handlers) == 2
    assert sorted(seen) == ["0", "1", "2", "3"]
