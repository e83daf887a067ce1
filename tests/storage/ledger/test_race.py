"""Sixty-four writers race for the last bytes of an account over eight connections, some of which break."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest
from sqlalchemy import text

from storage import ledger
from storage.database import Database
from storage.diagnosis import books
from storage.diagnosis.ledger import accounts_that_differ, entries_that_differ
from storage.ledger import FleetTerms
from storage.ledger.limits import set_limit
from tests.storage.ledger.ledger_support import NOON, RolledBackError, add_upload, roll_back
from tests.support.fleet import add_version, charged_manifest, enroll_vehicle
from triggers.contracts.campaign import BudgetLimits
from triggers.contracts.clip import ClipManifest
from triggers.errors import BudgetExhausted, Unreachable

WRITERS = 64
CONNECTIONS = 8
LIMIT_BYTES = 409
FLEETS = {
    "campaign_bytes": FleetTerms(),
    "fleet": FleetTerms(total_bytes=LIMIT_BYTES),
    "fleet_month": FleetTerms(month_bytes=LIMIT_BYTES),
}


def write(database: Database, fleet: FleetTerms, seed: int) -> int:
    """Reserve clips, ever smaller ones, until not even a byte is left; how many bytes it got."""
    choice = random.Random(seed)
    got, size = 0, choice.randint(1, 30)
    while True:
        manifest = charged_manifest({"alpha": size}, vehicle_id=f"car-{seed % 4}")
        try:
            got += reserve(database, fleet, manifest, choice)
        except BudgetExhausted:
            if size == 1:
                return got
            size = max(1, size // 2)


def reserve(database: Database, fleet: FleetTerms, manifest: ClipManifest, choice: random.Random) -> int:
    """One clip, as often as it takes; some attempts end before their commit, by a roll-back or a broken connection."""
    while True:
        try:
            with database.begin() as connection:
                upload_id = add_upload(connection, manifest)
                ledger.reserve(connection, upload_id, manifest, now=NOON, fleet=fleet)
                fate = choice.random()
                if fate < 0.1:
                    roll_back()
                if fate < 0.2:
                    connection.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))
        except (RolledBackError, Unreachable):
            continue
        if choice.random() < 0.3:
            with database.begin() as connection:
                ledger.settle(connection, upload_id)
        if choice.random() < 0.2:
            with database.begin() as connection:
                ledger.fold(connection, choice.randint(1, 20))
        return manifest.size_bytes


@pytest.mark.parametrize("kind", FLEETS)
def test_the_limit_is_met_to_the_byte_and_never_passed(database: Database, kind: str) -> None:
    with database.begin() as connection:
        total = LIMIT_BYTES if kind == "campaign_bytes" else None
        add_version(connection, "alpha", limits=BudgetLimits(total_bytes=total, clips=10**9))
        for number in range(4):
            enroll_vehicle(connection, f"car-{number}")
    pool = Database(database.url, pool_size=CONNECTIONS, connection_wait_s=600)
    try:
        with ThreadPoolExecutor(WRITERS) as threads:
            got = sum(threads.map(partial(write, pool, FLEETS[kind]), range(WRITERS)))
    finally:
        pool.close()
    assert got == LIMIT_BYTES
    require_books(database)


def test_a_limit_that_is_set_while_all_write_is_not_passed_by_what_comes_after(database: Database) -> None:
    """Reservations on an account without a limit are appended: those under way are waited for, and counted."""
    with database.begin() as connection:
        add_version(connection, "alpha", limits=BudgetLimits(clips=10**9))
        for number in range(4):
            enroll_vehicle(connection, f"car-{number}")
    pool = Database(database.url, pool_size=CONNECTIONS, connection_wait_s=600)
    limits: list[int] = []

    def work(seed: int) -> int:
        if seed:
            return write(pool, FleetTerms(), seed)
        while True:
            with pool.begin() as connection:
                held = sum(a.held for a in ledger.usage(connection, "alpha") if a.key.kind == "campaign_bytes")
            if held > 200:
                break
        with pool.begin() as connection:
            set_limit(connection, "campaign_bytes", "alpha", amount=held + 300)
            limits.append(held + 300)
        return write(pool, FleetTerms(), seed)

    try:
        with ThreadPoolExecutor(WRITERS) as threads:
            got = sum(threads.map(work, range(WRITERS)))
    finally:
        pool.close()
    with database.begin() as connection:
        (account,) = (a for a in ledger.usage(connection, "alpha") if a.key.kind == "campaign_bytes")
    assert account.held == got == max(limits[0], account.held) and account.limit == limits[0]
    require_books(database)


def require_books(database: Database) -> None:
    """Every balance is the sum of its entries, and every entry what its upload says."""
    with database.begin() as connection:
        while ledger.fold(connection):
            pass
        assert accounts_that_differ(connection) == entries_that_differ(connection) == []
        settled = "SELECT upload_id FROM ledger_entries WHERE kind = 'settle'"
        connection.execute(text(f"UPDATE uploads SET state = 'stored' WHERE id IN ({settled})"))
    after = ""
    while True:
        with database.begin() as connection:
            page = books.read_page(connection, after=after)
        assert page.differences == []
        if page.last is None:
            return
        after = page.last
