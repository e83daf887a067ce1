"""Sums of days say what the rows say that they are made of, to the byte, whatever is summed up, and what comes late."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta

import pytest
from sqlalchemy import text

from storage.costs import measured, rollup
from storage.costs.facts import EVER, FACTS, FOR_EVER
from storage.database import Database
from storage.diagnosis.costs import cost_days_that_differ
from tests.fleet_api.statements.calendar import arrive, erase, move, prepare
from tests.storage.clips.plan.explained import explain_statements
from tests.triggers.costs.books import BOOK, price_book
from triggers.contracts.campaign import Network
from triggers.costs.caused import Caused, parts_of
from triggers.costs.charges import Service

ZONE = "Europe/Berlin"
DAY = timedelta(days=1)
Facts = set[tuple[str, date, str, str, int]]


@pytest.fixture
def fleet(database: Database) -> Database:
    """Clips of two campaigns on both networks, some moved, some erased, one never stored; and one of today."""
    prepare(database, "braking", "swerve")
    moved, moved_and_erased, _ = (
        arrive(database, {"braking": 30 + number, "swerve": 5}, f"2026-03-0{number + 1}T23:30", gigabytes=False)
        for number in range(3)
    )
    arrive(database, {"swerve": 7}, "2026-03-29T00:30", network=Network.CELLULAR, gigabytes=False)
    arrive(database, {"braking": 9}, "2026-04-02T10:00", gigabytes=False, ends="failed")
    move(database, moved, "STANDARD_IA", "2026-04-10T12:00")
    move(database, moved_and_erased, "STANDARD_IA", "2026-04-10T12:00")
    move(database, moved_and_erased, "DEEP_ARCHIVE", "2026-05-10T12:00")
    erase(database, moved_and_erased, "2026-06-10T12:00")
    erase(database, arrive(database, {"braking": 11}, "2026-07-01T10:00", gigabytes=False), "2026-07-01T11:00")
    with database.begin() as connection:
        now = connection.execute(text("SELECT to_char(now(), 'YYYY-MM-DD\"T\"HH24:MI:SS')")).scalar_one()
    arrive(database, {"braking": 13}, now, gigabytes=False)
    return database


def of_rows(database: Database, zone: str = ZONE) -> Facts:
    """The facts, from the rows that say them for ever."""
    with database.begin() as connection:
        return {
            (row.campaign, row.day, row.service, row.item, int(row.quantity))
            for row in connection.execute(text(FACTS), {"zone": zone, "first": EVER, "until": FOR_EVER})
        }


def added_up(database: Database, zone: str = ZONE, book: str = BOOK) -> dict[str, Counter[Caused]]:
    with database.begin() as connection:
        first = rollup.first_day(connection, zone)
        assert first is not None
        parts = parts_of(price_book(book), first, measured.today(connection, zone) + DAY)
        return {name: Counter(each.caused) for name, each in measured.caused(connection, zone, parts).items()}


SPLIT = BOOK.replace("2026-12-31", "2026-04-09").replace("2027-01-01", "2026-04-10")
"""Prices change in a month in which clips come and are moved."""


def sum_up(database: Database, zone: str = ZONE, *, pieces: int = 1000) -> int:
    for done in range(pieces):
        with database.begin() as connection:
            if not rollup.sum_up(connection, zone):
                return done + 1
    return pieces


def today(database: Database) -> date:
    with database.begin() as connection:
        return measured.today(connection, ZONE)


def through(database: Database) -> date | None:
    with database.begin() as connection:
        found: date | None = connection.execute(text("SELECT max(through) FROM cost_rollups")).scalar_one()
    return found


def test_facts_are_what_was_caused_on_each_day_of_the_zone(fleet: Database) -> None:
    found = {fact for fact in of_rows(fleet) if fact[1] < date(2026, 7, 1)}
    assert {fact for fact in found if fact[2] == Service.TRANSFER} == {
        *{("braking", date(2026, 3, 2 + number), "transfer", "wifi", 30 + number) for number in range(3)},
        *{("swerve", date(2026, 3, 2 + number), "transfer", "wifi", 5) for number in range(3)},
        ("swerve", date(2026, 3, 29), "transfer", "cellular", 7),
        ("braking", date(2026, 4, 2), "transfer", "wifi", 9),
    }
    of_braking = {fact[1:] for fact in found if fact[0] == "braking" and fact[2] == Service.STORAGE}
    assert of_braking == {
        *{(date(2026, 3, 2 + number), "storage", "", 30 + number) for number in range(3)},
        (date(2026, 4, 10), "storage", "", -61),
        (date(2026, 4, 10), "storage", "STANDARD_IA", 61),
        (date(2026, 5, 10), "storage", "STANDARD_IA", -31),
        (date(2026, 5, 10), "storage", "DEEP_ARCHIVE", 31),
        (date(2026, 6, 10), "storage", "DEEP_ARCHIVE", -31),
    }
    requests = {fact for fact in found if fact[2] == Service.REQUESTS and fact[3] == "transition"}
    assert requests == {
        ("braking", date(2026, 4, 10), "requests", "transition", 2),
        ("braking", date(2026, 5, 10), "requests", "transition", 1),
    }


def test_costs_are_made_of_the_same_whatever_is_summed_up(fleet: Database) -> None:
    expected, split = added_up(fleet), added_up(fleet, book=SPLIT)
    assert split != expected
    assert {each.item for of in expected.values() for each in of} >= {"wifi", "cellular", "write", "DEEP_ARCHIVE"}
    for pieces in (1, 9, 1000):
        sum_up(fleet, pieces=pieces)
        assert (added_up(fleet), added_up(fleet, book=SPLIT)) == (expected, split)
    with fleet.begin() as connection:
        months = connection.execute(text("SELECT DISTINCT month FROM cost_months ORDER BY 1")).scalars().all()
        assert months[:2] == [date(2026, 3, 1), date(2026, 4, 1)]
    last = through(fleet)
    assert last is not None and last >= today(fleet) - 2 * DAY
    assert sum_up(fleet) == 1, "nothing is left, and nothing is done twice"
    with fleet.begin() as connection:
        assert cost_days_that_differ(connection) == []
    for zone in ("UTC", "America/Los_Angeles"):
        before = added_up(fleet, zone)
        sum_up(fleet, zone)
        assert added_up(fleet, zone) == before
    with fleet.begin() as connection:
        assert list(connection.execute(text("SELECT zone FROM cost_rollups")).scalars()) == ["America/Los_Angeles"]
    assert added_up(fleet) == expected, "in a zone that has no sums"


def test_sums_are_those_of_the_rows(fleet: Database) -> None:
    sum_up(fleet)
    last = through(fleet)
    assert last is not None
    with fleet.begin() as connection:
        columns = "campaign, day, service, item, CAST(quantity AS integer)"
        kept = {tuple(row) for row in connection.execute(text(f"SELECT {columns} FROM cost_days"))}
    assert kept == {fact for fact in of_rows(fleet) if fact[1] <= last}


def test_sums_stay_as_they_are_while_a_month_is_closed_with_them(fleet: Database) -> None:
    with fleet.begin() as connection:
        rollup.hold(connection)
        assert sum_up(fleet) == 1
        assert through(fleet) is None
    assert sum_up(fleet) > 1


def late(database: Database) -> None:
    """A transaction that began the day before yesterday, and has ended only now."""
    with database.begin() as connection:
        at = connection.execute(
            text("SELECT to_char(now() - interval '40 hours', 'YYYY-MM-DD\"T\"HH24:MI:SS')")
        ).scalar_one()
    arrive(database, {"swerve": 17}, at, gigabytes=False)


def test_what_a_late_transaction_adds_is_summed_up_with_the_next_day(fleet: Database) -> None:
    sum_up(fleet)
    late(fleet)
    with fleet.begin() as connection:
        assert cost_days_that_differ(connection) != []
        connection.execute(text("UPDATE cost_rollups SET through = through - 1"))
        connection.execute(text("DELETE FROM cost_days d USING cost_rollups r WHERE d.day > r.through"))
    sum_up(fleet)
    with fleet.begin() as connection:
        assert cost_days_that_differ(connection) == []


def test_a_clock_that_was_ahead_and_is_put_back_hides_nothing(fleet: Database) -> None:
    sum_up(fleet)
    expected = added_up(fleet)
    with fleet.begin() as connection:
        ahead = "UPDATE cost_rollups SET through = through + 30, months_until = months_until + interval '2 months'"
        connection.execute(text(ahead))
    assert added_up(fleet) == expected, "what came today is read, although sums say that they have it"
    sum_up(fleet)
    with fleet.begin() as connection:
        last = connection.execute(text("SELECT through FROM cost_rollups")).scalar_one()
    assert last < today(fleet) + DAY
    assert added_up(fleet) == expected


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE cost_days SET quantity = quantity + 1 WHERE day = (SELECT min(day) FROM cost_days)",
        "DELETE FROM cost_days WHERE service = 'transfer'",
        "UPDATE cost_months SET unit_days = unit_days + 1",
        "DELETE FROM cost_months WHERE service = 'storage'",
        "INSERT INTO cost_days VALUES ('Europe/Berlin', '2026-03-01', 'braking', 'transfer', 'wifi', 1)",
    ],
)
def test_sums_that_are_wrong_are_found(fleet: Database, change: str) -> None:
    sum_up(fleet)
    with fleet.begin() as connection:
        connection.execute(text(change))
        found = cost_days_that_differ(connection, limit=3)
    assert 1 <= len(found) <= 6 and "but" in found[0]


def test_with_sums_the_ledger_of_earlier_days_is_not_read(fleet: Database) -> None:
    sum_up(fleet)
    with fleet.begin() as connection:
        connection.execute(text("ANALYZE ledger_entries, uploads, cost_days"))
        connection.execute(text("SET LOCAL enable_seqscan = off"))
        parts = parts_of(price_book(), date(2026, 3, 1), measured.today(connection, ZONE) + DAY)
        explained = explain_statements(connection, lambda: measured.caused(connection, ZONE, parts))
    assert {"ix_ledger_entries_account_id_created_at", "ix_uploads_stored_closed_at"} <= explained.indexes
    assert "ledger_entries" not in explained.whole_tables and "uploads" not in explained.whole_tables
