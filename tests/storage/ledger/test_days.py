"""Limits of a vehicle's day in clips: counted exactly, by every version that limits them."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import text

from storage import ledger
from storage.database import Database
from storage.diagnosis.ledger import accounts_that_differ, entries_that_differ
from tests.storage.ledger.ledger_support import NOON, add_upload
from tests.support.fleet import add_version, charged_manifest, enroll_vehicle
from triggers.contracts.campaign import BudgetLimits
from triggers.errors import BudgetExhausted

FETCHED = "SELECT idx_tup_fetch FROM pg_stat_xact_user_tables WHERE relname = 'ledger_accounts'"
OTHER_DAYS = """
    INSERT INTO ledger_accounts (kind, campaign, vehicle_id, day, unit)
    SELECT kind, campaign, 'car-1', DATE '2026-05-17' - number, 'bytes'
    FROM generate_series(1, :days) AS number, unnest(ARRAY['few', 'wide']) AS campaign,
        unnest(ARRAY['campaign_vehicle_day', 'campaign_vehicle_day_clips']) AS kind
"""
DAY = "campaign_vehicle_day_clips:few:car-1:2026-05-17"


@pytest.fixture
def fleet(database: Database) -> Database:
    """Campaigns `few` (2 clips of a vehicle's day) and `wide` (no such limit), two vehicles."""
    with database.begin() as connection:
        add_version(connection, "few", limits=BudgetLimits(vehicle_day_clips=2))
        add_version(connection, "wide", limits=BudgetLimits(total_bytes=10**12))
        enroll_vehicle(connection, "car-1")
        enroll_vehicle(connection, "car-2")
    return database


def reserve(database: Database, charges: dict[str, int], *, vehicle: str = "car-1", days: int = 0) -> str:
    manifest = charged_manifest(charges, vehicle_id=vehicle)
    with database.begin() as connection:
        upload_id = add_upload(connection, manifest)
        ledger.reserve(connection, upload_id, manifest, now=NOON + timedelta(days=days))
    return upload_id


def days(database: Database) -> dict[str, tuple[int | None, int, int]]:
    """Limit, held and settled of the days' accounts of clips."""
    with database.begin() as connection:
        assert accounts_that_differ(connection) == entries_that_differ(connection) == []
        accounts = ledger.usage(connection)
    of_days = [each for each in accounts if each.key.kind == "campaign_vehicle_day_clips"]
    return {str(each.key): (each.limit, each.held, each.settled) for each in of_days}


def test_a_reservation_looks_at_no_other_days_of_its_vehicle(fleet: Database) -> None:
    def looked_at() -> int:
        """Accounts that a reservation reads."""
        manifest = charged_manifest({"few": 1, "wide": 7})
        with fleet.begin() as connection:
            upload_id = add_upload(connection, manifest)
            ledger.reserve(connection, upload_id, manifest, now=NOON)
            return int(connection.execute(text(FETCHED)).scalar_one())

    looked_at()  # opens the accounts
    alone = looked_at()
    with fleet.begin() as connection:
        connection.execute(text(OTHER_DAYS), {"days": 200})
    with fleet.begin() as connection:
        add_version(connection, "few", 2, limits=BudgetLimits(vehicle_day_clips=9))
    assert 0 < looked_at() < alone + 100  # some rows have one more former version


def test_a_vehicles_day_holds_so_many_clips_and_the_next_one_as_many_again(fleet: Database) -> None:
    for charges in ({"few": 5}, {"few": 0, "wide": 7}):
        reserve(fleet, charges)
    with pytest.raises(BudgetExhausted) as refused:
        reserve(fleet, {"few": 1, "wide": 1})
    assert (refused.value.accounts, refused.value.campaigns) == ((DAY,), ("few",))
    assert refused.value.retry_after_s == 12 * 3600
    assert refused.value.message == f"{DAY} has 0 clips left of 2, the upload needs 1"
    reserve(fleet, {"wide": 1})
    reserve(fleet, {"few": 1}, vehicle="car-2")
    reserve(fleet, {"few": 1}, days=1)
    assert days(fleet) == {
        DAY: (2, 2, 0),
        "campaign_vehicle_day_clips:few:car-2:2026-05-17": (2, 1, 0),
        "campaign_vehicle_day_clips:few:car-1:2026-05-18": (2, 1, 0),
    }


def test_a_clip_that_came_to_nothing_or_is_damaged_is_given_back_to_the_day(fleet: Database) -> None:
    first, second = reserve(fleet, {"few": 5}), reserve(fleet, {"few": 5})
    with fleet.begin() as connection:
        ledger.settle(connection, first)
        ledger.release(connection, second)
    third = reserve_after_folding(fleet)
    assert days(fleet) == {DAY: (2, 2, 1)}
    with fleet.begin() as connection:
        ledger.void_clip(connection, first)
        ledger.settle(connection, third)
    reserve_after_folding(fleet)
    assert days(fleet) == {DAY: (2, 2, 1)}


def reserve_after_folding(database: Database) -> str:
    with database.begin() as connection:
        ledger.fold(connection)
    return reserve(database, {"few": 5})


def test_clips_are_counted_by_versions_that_limit_them_alone(fleet: Database) -> None:
    reserve(fleet, {"wide": 1})
    assert days(fleet) == {}
    with fleet.begin() as connection:
        add_version(connection, "wide", 2, limits=BudgetLimits(vehicle_day_clips=1))
    reserve(fleet, {"wide": 1})
    with pytest.raises(BudgetExhausted):
        reserve(fleet, {"wide": 1})
    with fleet.begin() as connection:
        add_version(connection, "wide", 3, limits=BudgetLimits(total_bytes=10**12))
    reserve(fleet, {"wide": 1})
    assert days(fleet) == {"campaign_vehicle_day_clips:wide:car-1:2026-05-17": (None, 1, 0)}


def test_a_refusal_tells_of_the_command_only_where_it_sets_the_limit(fleet: Database) -> None:
    with fleet.begin() as connection:
        add_version(connection, "wide", 2, limits=BudgetLimits(vehicle_day_bytes=10))
    with pytest.raises(BudgetExhausted) as refused:
        reserve(fleet, {"wide": 11})
    assert refused.value.remedy == "raise the limit in a new campaign version"
    with fleet.begin() as connection:
        add_version(connection, "wide", 3, limits=BudgetLimits(total_bytes=10))
    with pytest.raises(BudgetExhausted) as refused:
        reserve(fleet, {"wide": 11})
    assert "`longtail budget limit`" in refused.value.remedy
