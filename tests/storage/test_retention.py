"""What is forgotten is old, whole and answers no question; sums stay as they are."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Connection, func, select, text, update

from storage import ledger, outbox, retention
from storage.database import Database
from storage.diagnosis.ledger import accounts_that_differ, entries_that_differ
from storage.tables import ledger_accounts, ledger_entries, uploads
from storage.uploads import endings
from tests.storage.ledger.ledger_support import account_amounts, add_upload
from tests.support.fleet import add_version, charged_manifest, enroll_vehicle

pytestmark = pytest.mark.integration
SIZE = 100


def reserve(connection: Connection, days_ago: float) -> str:
    """An upload with a reservation of that many days ago."""
    manifest = charged_manifest({"alpha": SIZE})
    upload_id = add_upload(connection, manifest)
    now = datetime.now(UTC) - timedelta(days=days_ago)
    ledger.reserve(connection, upload_id, manifest, now=now)
    return upload_id


def vehicle_days(connection: Connection) -> int:
    return connection.execute(select(func.count()).where(ledger_accounts.c.kind == "campaign_vehicle_day")).scalar_one()


@pytest.fixture
def fleet(database: Database) -> Database:
    with database.begin() as connection:
        add_version(connection, "alpha")
        enroll_vehicle(connection, "car-1")
    return database


def test_sent_events_are_forgotten_after_a_week_in_batches_and_unsent_ones_never(database: Database) -> None:
    with database.begin() as connection:
        for number in range(5):
            outbox.add(connection, "clips", f"old {number}", {"event": "e"})
        outbox.dispatch(connection, {})
        connection.execute(text("UPDATE outbox SET sent_at = now() - interval '8 days'"))
        outbox.add(connection, "clips", "unsent", {"event": "e"})
        connection.execute(text("UPDATE outbox SET created_at = now() - interval '80 days'"))
        outbox.add(connection, "clips", "new", {"event": "e"})
        connection.execute(text("UPDATE outbox SET sent_at = now() - interval '6 days' WHERE key = 'new'"))
        assert [retention.forget_sent_events(connection, limit=3) for _ in range(3)] == [3, 2, 0]
        assert connection.execute(text("SELECT key FROM outbox ORDER BY id")).scalars().all() == ["unsent", "new"]


def test_a_vehicles_old_day_goes_with_its_entries_and_all_sums_stay(fleet: Database) -> None:
    with fleet.begin() as connection:
        for days_ago in (92, 92, 95, 89, 0):
            ledger.settle(connection, reserve(connection, days_ago))
        ledger.release(connection, reserve(connection, 93))
        while ledger.fold(connection):
            pass
        before = account_amounts(connection)
        assert [retention.forget_vehicle_days(connection, limit=2) for _ in range(3)] == [2, 1, 0]
        after = account_amounts(connection)
        joined = select(ledger_accounts.c.kind, func.count()).join(
            ledger_entries, ledger_entries.c.account_id == ledger_accounts.c.id
        )
        entries = sorted(map(tuple, connection.execute(joined.group_by(ledger_accounts.c.kind))))
    day = ("campaign_vehicle_day", "alpha")
    assert before.pop(day) == (5 * SIZE, 5 * SIZE)
    assert after.pop(day) == (2 * SIZE, 2 * SIZE)
    assert after == before
    all_sums = [(kind, 12) for kind in ("campaign_bytes", "campaign_clips", "fleet", "fleet_month")]
    assert sorted(entries) == sorted([*all_sums, ("campaign_vehicle_day", 4)])


def test_a_day_with_something_reserved_or_not_folded_waits(fleet: Database) -> None:
    with fleet.begin() as connection:
        upload_id = reserve(connection, 100)
        assert retention.forget_vehicle_days(connection) == 0, "reserved"
        ledger.settle(connection, upload_id)
        assert retention.forget_vehicle_days(connection) == 0, "not folded"
        ledger.fold(connection)
        assert retention.forget_vehicle_days(connection) == 1
        assert not ledger.settle(connection, upload_id), "a closed upload stays closed"
        assert not ledger.release(connection, upload_id)
        assert vehicle_days(connection) == 0


def test_two_at_once_forget_different_days_and_wait_for_nobody(fleet: Database) -> None:
    with fleet.begin() as connection:
        for days_ago in (100, 101):
            ledger.settle(connection, reserve(connection, days_ago))
        ledger.fold(connection)
    with fleet.begin() as one, fleet.begin() as other:
        assert retention.forget_vehicle_days(one, limit=1) == 1
        assert retention.forget_vehicle_days(other) == 1
    with fleet.begin() as connection:
        assert vehicle_days(connection) == 0


def close(connection: Connection, upload_id: str, *, days_ago: float, came_bytes: int = 0) -> None:
    """Close an upload as if that many days ago."""
    connection.execute(update(uploads).where(uploads.c.id == upload_id).values(offset_bytes=came_bytes))
    assert endings.fail(connection, upload_id, "reason")
    at = datetime.now(UTC) - timedelta(days=days_ago)
    connection.execute(update(uploads).where(uploads.c.id == upload_id).values(closed_at=at))


def test_closed_uploads_that_brought_nothing_are_forgotten_and_sums_stay(fleet: Database) -> None:
    month_s = 30 * 86400
    with fleet.begin() as connection:
        old, older, young, part = (reserve(connection, 0) for _ in range(4))
        close(connection, old, days_ago=31)
        close(connection, older, days_ago=40)
        close(connection, young, days_ago=29)
        close(connection, part, days_ago=31, came_bytes=SIZE // 2)
        assert retention.forget_closed_uploads(connection, after_s=month_s) == 0, "their entries are not folded yet"
        while ledger.fold(connection):
            pass
        before = account_amounts(connection)
        forgotten = [retention.forget_closed_uploads(connection, after_s=month_s, limit=1) for _ in range(3)]
        assert forgotten == [1, 1, 0]
        assert set(connection.execute(select(uploads.c.id)).scalars()) == {young, part}
        assert account_amounts(connection) == before
        assert accounts_that_differ(connection) + entries_that_differ(connection) == []


def test_a_manifest_goes_once_the_log_cannot_bring_its_cells_again(fleet: Database) -> None:
    with fleet.begin() as connection:
        old, young, under_way = (reserve(connection, 0) for _ in range(3))
        close(connection, old, days_ago=4, came_bytes=1)
        close(connection, young, days_ago=2, came_bytes=1)
        assert retention.drop_manifests(connection, after_s=3 * 86400) == 1
        assert retention.drop_manifests(connection, after_s=3 * 86400) == 0
        kept = connection.execute(select(uploads.c.id).where(uploads.c.manifest != b"")).scalars()
        assert set(kept) == {young, under_way}
