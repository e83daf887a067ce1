"""The count of everything for metrics, once a minute: the end of the process ends it, too."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import text

from fleet_api.watching import source
from fleet_api.watching.source import WatchSource
from storage.database import Database
from storage.ledger import FleetTerms
from storage.statements.time_limit import time_limit
from storage.watching.cancelling import canceller
from tests.support.waiting import wait_for
from triggers.errors import Overloaded

GIVE_UP_S = 20.0
"""Less than the count's statement may take (30 s), and more than its end."""


def waiting(database: Database) -> int:
    """How many statements wait for a lock."""
    asked = text(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )
    with database.begin() as connection:
        return int(connection.execute(asked).scalar_one())


def test_the_end_of_the_process_cancels_a_count_that_hangs(
    database: Database, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(source, "FIRST_WAIT_S", 0.1)
    watching = WatchSource(Database(database.url, pool_size=2), FleetTerms())
    with ThreadPoolExecutor(1) as threads, database.begin() as connection:
        connection.execute(text("LOCK TABLE vehicles IN ACCESS EXCLUSIVE MODE"))
        first = {family.metric.name for family in watching.families()}
        assert "longtail_budget_settled_bytes" in first and "longtail_vehicles" not in first
        wait_for(lambda: waiting(database) == 1, within_s=10, what="the count's wait for the lock")
        threads.submit(watching.close).result(GIVE_UP_S)
        wait_for(lambda: waiting(database) == 0, within_s=10, what="the end of the statement")
    assert "could not be counted" not in caplog.text, "nobody is to look for a fault"


def test_a_statement_is_cancelled_from_another_thread_and_fails_as_one_that_took_too_long(database: Database) -> None:
    def slow() -> None:
        with database.begin() as connection, time_limit(connection, 60, what="this", remedy="none"):
            cancels.append(canceller(connection))
            connection.execute(text("SELECT pg_sleep(50)"))

    cancels = []
    with ThreadPoolExecutor(1) as threads:
        running = threads.submit(slow)
        wait_for(lambda: cancels, within_s=10, what="the connection")

        def is_cancelled() -> bool:
            cancels[0]()
            return running.done()

        wait_for(is_cancelled, within_s=GIVE_UP_S, what="the end of the statement")
        with pytest.raises(Overloaded, match="this may take 60 s"):
            running.result(0)
