"""The ledger under threads: no interleaving overshoots a limit, and at the end only what arrived is held."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from typing import TypeVar

import pytest
from sqlalchemy import Connection, text

from storage import ledger
from storage.campaigns import life
from storage.database import Database
from storage.ledger import FleetTerms
from tests.storage.ledger.ledger_support import NOON, RolledBackError, account_amounts, add_upload, roll_back
from tests.support.fleet import add_version, charged_manifest, enroll_vehicle
from tests.support.locks import waits_for_a_lock
from tests.support.waiting import wait_for
from triggers.contracts.campaign import BudgetLimits
from triggers.errors import BudgetExhausted

T = TypeVar("T")
THREADS = 8
CAMPAIGNS = ("alpha", "beta", "gamma")


@pytest.fixture
def fleet(database: Database) -> Iterator[Database]:
    with database.begin() as connection:
        for campaign in CAMPAIGNS:
            add_version(connection, campaign, limits=BudgetLimits(total_bytes=500, vehicle_day_bytes=220, clips=40))
        for number in range(THREADS):
            enroll_vehicle(connection, f"car-{number}")
    pool = Database(database.url, pool_size=THREADS + 2)
    yield pool
    pool.close()


def in_threads(work: Callable[[int], T]) -> list[T]:
    with ThreadPoolExecutor(THREADS) as threads:
        return list(threads.map(work, range(THREADS)))


def try_reserve(database: Database, charges: dict[str, int], vehicle: str, *, rolled_back: bool = False) -> str | None:
    """The upload's id, or None when a budget refused it or it was rolled back."""
    manifest = charged_manifest(charges, vehicle_id=vehicle)
    try:
        with database.begin() as connection:
            upload_id = add_upload(connection, manifest)
            ledger.reserve(connection, upload_id, manifest, now=NOON, fleet=FleetTerms(1000))
            if rolled_back:
                roll_back()
    except (BudgetExhausted, RolledBackError):
        return None
    return upload_id


def test_many_at_once_use_a_small_budget_up_exactly(fleet: Database) -> None:
    won: list[str] = []

    def work(number: int) -> None:
        for _ in range(20):
            upload_id = try_reserve(fleet, {"alpha": 10}, f"car-{number}")
            if upload_id is not None:
                won.append(upload_id)

    in_threads(work)
    assert len(won) == 40
    with fleet.begin() as connection:
        assert account_amounts(connection)["campaign_clips", "alpha"] == (40, 0)
        assert account_amounts(connection)["campaign_bytes", "alpha"] == (400, 0)


class Traffic:
    """What vehicles, assembler and maintenance do to the ledger at once, some of it rolled back."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def work(self, number: int) -> None:
        choice = random.Random(number)
        for _ in range(40):
            charges = {name: choice.randint(1, 40) for name in choice.sample(CAMPAIGNS, choice.randint(1, 3))}
            upload_id = try_reserve(self.database, charges, f"car-{number}", rolled_back=choice.random() < 0.2)
            if upload_id is not None and choice.random() < 0.9:
                self._close(upload_id, choice)
            if choice.random() < 0.3:
                with self.database.begin() as connection:
                    ledger.fold(connection, choice.randint(1, 20))

    def _close(self, upload_id: str, choice: random.Random) -> None:
        step = ledger.settle if choice.random() < 0.3 else ledger.release
        try:
            with self.database.begin() as connection:
                assert step(connection, upload_id)
                if choice.random() < 0.2:
                    roll_back()
        except RolledBackError:
            with self.database.begin() as connection:
                assert ledger.release(connection, upload_id)


class Watcher:
    """Reads the usage all the time and notes every account that breaks its bounds."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.overshoots: list[str] = []
        self.readings = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch)

    def __enter__(self) -> Watcher:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._stop.wait(0.005):
            with self.database.begin() as connection:
                accounts = ledger.usage(connection, fleet=FleetTerms(1000))
            self.readings += 1
            self.overshoots += [str(a) for a in accounts if not 0 <= a.settled <= a.held <= (a.limit or 2**63)]


def test_reservations_rollbacks_settlements_releases_and_folding_at_once(fleet: Database) -> None:
    with Watcher(fleet) as watcher:
        in_threads(Traffic(fleet).work)
    assert watcher.overshoots == []
    assert watcher.readings > 0
    with fleet.begin() as connection:
        still_open = text(
            "SELECT id FROM uploads WHERE id NOT IN (SELECT upload_id FROM ledger_entries WHERE kind <> 'reserve')"
        )
        for upload_id in connection.execute(still_open).scalars().all():
            assert ledger.settle(connection, upload_id)
        while ledger.fold(connection):
            pass
        settled = text("SELECT account_id, sum(amount) FROM ledger_entries WHERE kind = 'settle' GROUP BY account_id")
        arrived = {account: int(amount) for account, amount in connection.execute(settled)}
        accounts = connection.execute(text("SELECT id, held, settled FROM ledger_accounts")).all()
    assert arrived
    assert [(row.held, row.settled) for row in accounts] == [(arrived.get(row.id, 0),) * 2 for row in accounts]


def test_settling_and_releasing_the_same_upload_at_once_closes_it_once(fleet: Database) -> None:
    for _ in range(10):
        upload_id = try_reserve(fleet, {"alpha": 10}, "car-0")
        assert upload_id is not None
        barrier = threading.Barrier(THREADS)
        assert in_threads(partial(close_by_turns, fleet, upload_id, barrier)).count(True) == 1
    with fleet.begin() as connection:
        for account in ledger.usage(connection):
            assert account.held == account.settled


def close_by_turns(database: Database, upload_id: str, barrier: threading.Barrier, number: int) -> bool:
    barrier.wait(timeout=60)
    with database.begin() as connection:
        return (ledger.settle if number % 2 else ledger.release)(connection, upload_id)


def test_storing_a_clip_does_not_wait_for_reservations_of_the_same_campaign(fleet: Database) -> None:
    first = try_reserve(fleet, {"alpha": 10}, "car-0")
    assert first is not None
    manifest = charged_manifest({"alpha": 10}, vehicle_id="car-1")
    with fleet.begin() as reserving:
        upload_id = add_upload(reserving, manifest)
        ledger.reserve(reserving, upload_id, manifest, now=NOON, fleet=FleetTerms(1000))
        with fleet.begin() as storing:
            storing.execute(text("SET LOCAL lock_timeout = '2s'"))
            assert ledger.settle(storing, first)


def test_a_reservation_does_not_wait_for_the_transaction_that_stores_a_clip(fleet: Database) -> None:
    first = try_reserve(fleet, {"alpha": 10}, "car-0")
    assert first is not None
    with fleet.begin() as storing:
        assert ledger.settle(storing, first)
        manifest = charged_manifest({"alpha": 10}, vehicle_id="car-1")
        with fleet.begin() as reserving:
            reserving.execute(text("SET LOCAL lock_timeout = '2s'"))
            upload_id = add_upload(reserving, manifest)
            ledger.reserve(reserving, upload_id, manifest, now=NOON + timedelta(seconds=1), fleet=FleetTerms(1000))


def test_a_version_with_a_limit_begins_only_after_the_reservations_that_knew_of_none(database: Database) -> None:
    manifest = charged_manifest({"wide": 90})
    with database.begin() as connection:
        enroll_vehicle(connection)
        add_version(connection, "wide")
        add_version(connection, "wide", 2, state="approved", limits=BudgetLimits(total_bytes=100))
    activation = partial(in_one, database, lambda connection: life.activate(connection, "wide", 2))
    with ThreadPoolExecutor(1) as pool:
        with database.begin() as connection:
            ledger.reserve(connection, add_upload(connection, manifest), manifest, now=NOON)
            activated = pool.submit(activation)
            wait_for(lambda: waits_for_a_lock(database), within_s=20, what="the activation waiting")
        activated.result(60)
    with database.begin() as connection, pytest.raises(BudgetExhausted, match="10 bytes left of 100"):
        ledger.reserve(connection, add_upload(connection, manifest), manifest, now=NOON)


def in_one(database: Database, work: Callable[[Connection], T]) -> T:
    """The result of work in a transaction of its own."""
    with database.begin() as connection:
        return work(connection)
