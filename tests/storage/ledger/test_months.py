"""Months of the fleet and of cost centres, the reserve in the fleet's limits, and what came over the wire."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import text, update

from storage import ledger
from storage.campaigns import owners
from storage.database import Database
from storage.diagnosis import books
from storage.diagnosis.ledger import accounts_that_differ, entries_that_differ
from storage.ledger import AccountKey, FleetTerms
from storage.ledger.limits import set_limit
from storage.tables import campaign_versions
from storage.uploads import creation, endings, received
from tests.storage.ledger.ledger_support import NOON, add_upload
from tests.support.fleet import add_version, charged_manifest, enroll_vehicle
from triggers.contracts.campaign import BudgetLimits, Network
from triggers.errors import BudgetExhausted, InvalidInput

SILVESTER = datetime(2026, 12, 31, 23, 30, tzinfo=UTC)
"""In Berlin the new year has begun."""


@pytest.fixture
def fleet(database: Database) -> Database:
    """Campaigns `maps` and `roads`, both of the cost centre `geo`, and `safety`, whose priority is 95 and has none."""
    with database.begin() as connection:
        enroll_vehicle(connection)
        for campaign in ("maps", "roads", "safety"):
            add_version(connection, campaign, limits=BudgetLimits(total_bytes=10**12))
            if campaign != "safety":
                owner = owners.locked(connection, campaign)
                owners.reassign(connection, campaign, owner_id=owner.owner_id, cost_centre="geo")
        high = text("jsonb_set(settings, '{priority}', '95')")
        connection.execute(
            update(campaign_versions).where(campaign_versions.c.campaign == "safety").values(settings=high)
        )
    return database


def reserve(
    database: Database, charges: dict[str, int], *, now: datetime = NOON, fleet: FleetTerms | None = None
) -> str:
    manifest = charged_manifest(charges)
    with database.begin() as connection:
        upload_id = add_upload(connection, manifest)
        ledger.reserve(connection, upload_id, manifest, now=now, fleet=fleet or FleetTerms())
    return upload_id


def amounts(database: Database, kind: str) -> dict[AccountKey, tuple[int, int]]:
    with database.begin() as connection:
        return {each.key: (each.held, each.settled) for each in ledger.usage(connection) if each.key.kind == kind}


def centre(month: date, name: str = "geo") -> AccountKey:
    return AccountKey("cost_centre_month", cost_centre=name, month=month)


def test_a_month_is_the_one_of_the_zone_that_the_account_states(fleet: Database) -> None:
    with fleet.begin() as connection:
        set_limit(connection, "cost_centre_month", "geo", amount=None, zone="Europe/Berlin")
    reserve(fleet, {"maps": 3, "safety": 4}, now=SILVESTER)
    assert amounts(fleet, "cost_centre_month") == {centre(date(2027, 1, 1)): (3, 0)}
    assert amounts(fleet, "fleet_month") == {AccountKey("fleet_month", month=date(2026, 12, 1)): (7, 0)}
    reserve(fleet, {"safety": 1}, now=SILVESTER, fleet=FleetTerms(month_zone="Asia/Tokyo"))
    assert amounts(fleet, "fleet_month")[AccountKey("fleet_month", month=date(2027, 1, 1))] == (1, 0)


AUCKLAND, HONOLULU, UTC_ZONE = "Pacific/Auckland", "Pacific/Honolulu", "UTC"


@pytest.mark.parametrize(
    ("now", "fleets", "centres"),
    [
        # In Auckland the new year has begun at 11:00 UTC, in Honolulu it begins at 10:00 UTC of the next day.
        (datetime(2026, 12, 31, 10, 59, tzinfo=UTC), date(2026, 12, 1), date(2026, 12, 1)),
        (datetime(2026, 12, 31, 11, 0, tzinfo=UTC), date(2026, 12, 1), date(2027, 1, 1)),
        (datetime(2027, 1, 1, 9, 59, tzinfo=UTC), date(2026, 12, 1), date(2027, 1, 1)),
        (datetime(2027, 1, 1, 10, 0, tzinfo=UTC), date(2027, 1, 1), date(2027, 1, 1)),
    ],
)
@pytest.mark.parametrize("used", [False, True])
def test_limits_and_what_is_used_are_shown_of_the_month_that_it_is_in_each_zone(
    fleet: Database, now: datetime, fleets: date, centres: date, used: bool
) -> None:
    terms = FleetTerms(month_bytes=100, month_zone=HONOLULU)
    with fleet.begin() as connection:
        set_limit(connection, "cost_centre_month", "geo", amount=50, zone=AUCKLAND)
    if used:
        for month in (now - timedelta(days=3), now, now + timedelta(days=3)):
            reserve(fleet, {"maps": 3}, now=month, fleet=terms)
    wanted = {centre(centres), AccountKey("fleet_month", month=fleets)}
    with fleet.begin() as connection:
        at = ledger.moment_of(now.date(), now)
        limits = {each.key: each.limit for each in ledger.unused_limits_of_all(connection, terms, at)}
        shown = {each.key: each.held for each in ledger.usage(connection, day=now.date(), at=at, fleet=terms)}
    assert limits == {centre(centres): 50, AccountKey("fleet_month", month=fleets): 100}
    of_months = {key for key in shown if key.month is not None}
    assert of_months == (wanted if used else set())
    if used:
        assert shown[centre(centres)] >= 3


def test_with_another_day_the_months_are_shown_that_most_of_that_day_is_in(fleet: Database) -> None:
    now = datetime(2027, 2, 3, tzinfo=UTC)
    for zone, month in ((AUCKLAND, date(2027, 1, 1)), (UTC_ZONE, date(2026, 12, 1)), (HONOLULU, date(2026, 12, 1))):
        at = ledger.moment_of(date(2026, 12, 31), now)
        assert FleetTerms(month_zone=zone).month(at) == month
    for day in (date.min, date.max):
        at = ledger.moment_of(day, now)
        with fleet.begin() as connection:
            assert ledger.usage(connection, day=day, at=at, fleet=FleetTerms(month_zone=AUCKLAND)) == []


def test_bytes_on_the_wire_are_shown_of_the_month_in_utc(fleet: Database) -> None:
    upload_id = reserve(fleet, {"maps": 40})
    with fleet.begin() as connection:
        received.add(connection, upload_id, "car-1", 10)
        connection.execute(text("UPDATE ledger_accounts SET month = '2026-12-01' WHERE kind = 'network_month'"))
    terms = FleetTerms(month_zone=AUCKLAND)
    for at, shown in ((SILVESTER, 1), (SILVESTER + timedelta(hours=1), 0)):
        with fleet.begin() as connection:
            found = ledger.usage(connection, at=at, fleet=terms)
        assert sum(each.key.kind == "network_month" for each in found) == shown


def test_a_cost_centre_pays_for_all_its_campaigns_and_a_spent_month_ends_with_the_month(fleet: Database) -> None:
    with fleet.begin() as connection:
        set_limit(connection, "cost_centre_month", "geo", amount=10)
    reserve(fleet, {"maps": 4, "roads": 5})
    with pytest.raises(BudgetExhausted, match="cost_centre_month:geo:2026-05 has 1 bytes left of 10") as refused:
        reserve(fleet, {"maps": 1, "roads": 1, "safety": 1})
    assert refused.value.campaigns == ("maps", "roads"), "the rest of the clip is sent without them"
    assert refused.value.retry_after_s == 12 * 3600, "the limit may be raised, so the vehicle asks again every day"
    reserve(fleet, {"safety": 1})
    reserve(fleet, {"maps": 10}, now=datetime(2026, 6, 1, tzinfo=UTC))
    with pytest.raises(BudgetExhausted) as refused:
        reserve(fleet, {"maps": 11}, now=datetime(2026, 7, 1, tzinfo=UTC))
    assert refused.value.retry_after_s is None, "no month has room for that"


def test_a_campaign_that_changes_its_cost_centre_leaves_what_it_used_to_the_one_of_before(fleet: Database) -> None:
    first = reserve(fleet, {"maps": 4})
    with fleet.begin() as connection:
        owner = owners.locked(connection, "maps")
        owners.reassign(connection, "maps", owner_id=owner.owner_id, cost_centre="lab")
    reserve(fleet, {"maps": 5})
    with fleet.begin() as connection:
        ledger.settle(connection, first)
    month = date(2026, 5, 1)
    assert amounts(fleet, "cost_centre_month") == {centre(month): (4, 4), centre(month, "lab"): (5, 0)}


def test_the_reserve_of_the_fleet_is_for_campaigns_of_a_high_priority_alone(fleet: Database) -> None:
    terms = FleetTerms(total_bytes=100, month_bytes=100, reserve_share=0.2, reserve_priority=95)
    reserve(fleet, {"maps": 70}, fleet=terms)
    with pytest.raises(BudgetExhausted, match="10 bytes left of 80") as refused:
        reserve(fleet, {"maps": 11}, fleet=terms)
    assert refused.value.campaigns == ("maps",)
    with pytest.raises(BudgetExhausted) as refused:
        reserve(fleet, {"maps": 6, "safety": 6}, fleet=terms)
    assert refused.value.campaigns == ("maps",), "cut again without it, the clip is one of `safety` alone"
    reserve(fleet, {"safety": 30}, fleet=terms)
    with pytest.raises(BudgetExhausted, match="0 bytes left of 100") as refused:
        reserve(fleet, {"safety": 1}, fleet=terms)
    assert refused.value.campaigns == ("safety",), "the reserve is used up, too"


def test_reservations_from_before_a_limit_count_at_once(fleet: Database) -> None:
    """They were appended, and the account itself says nothing of them until they are folded."""
    reserve(fleet, {"maps": 60})
    with pytest.raises(BudgetExhausted, match="40 bytes left of 100"):
        reserve(fleet, {"maps": 41}, fleet=FleetTerms(total_bytes=100))
    reserve(fleet, {"maps": 40}, fleet=FleetTerms(total_bytes=100))
    with fleet.begin() as connection:
        while ledger.fold(connection):
            pass
        assert accounts_that_differ(connection) == entries_that_differ(connection) == []
    with pytest.raises(BudgetExhausted, match="0 bytes left of 100"):
        reserve(fleet, {"maps": 1}, fleet=FleetTerms(total_bytes=100))


@pytest.mark.parametrize("name", ["", "Mars/Olympus", "../UTC", "Europe", "utc\x00", "x" * 5000])
def test_what_is_no_zone_is_refused(name: str) -> None:
    with pytest.raises(InvalidInput, match="unknown time zone"):
        FleetTerms(month_zone=name or " ").month(NOON)


def test_bytes_on_the_wire_are_charged_to_the_network_of_their_time_and_folded_later(fleet: Database) -> None:
    first, second = reserve(fleet, {"maps": 40}), reserve(fleet, {"maps": 40})
    with fleet.begin() as connection:
        received.add(connection, first, "car-1", 10)
        received.add(connection, first, "car-1", 10)
        creation.announce_again(connection, first, Network.CELLULAR)
        received.add(connection, first, "car-1", 7)
        received.add(connection, second, "car-1", 5)
        received.add(connection, second, "car-1", 0)
    unfolded = amounts(fleet, "network_month")
    assert {key.network: amount for key, amount in unfolded.items()} == {"wifi": (25, 25), "cellular": (7, 7)}
    with fleet.begin() as connection:
        assert ledger.fold_receipts(connection) == 3
        assert ledger.fold_receipts(connection) == 0
        received.add(connection, second, "car-1", 2)
        assert accounts_that_differ(connection) == []
    with fleet.begin() as connection:
        assert books.read_page(connection).differences == []
    assert {key.network: held for key, (held, _) in amounts(fleet, "network_month").items()} == {
        "wifi": 27,
        "cellular": 7,
    }
    with fleet.begin() as connection, pytest.raises(ValueError, match="negative"):
        ledger.add_received(connection, {first: -1})


def test_bytes_that_a_killed_gateway_had_not_recorded_are_charged_when_the_clip_is_stored(fleet: Database) -> None:
    upload_id = reserve(fleet, {"maps": 40})
    with fleet.begin() as connection:
        connection.execute(text("UPDATE uploads SET offset_bytes = 30"))
        received.add(connection, upload_id, "car-1", 33)
        endings.mark_stored(connection, upload_id)
        endings.mark_stored(connection, upload_id)
    assert [held for held, _ in amounts(fleet, "network_month").values()] == [33 + 10]


@pytest.mark.parametrize(
    ("damage", "found"),
    [
        ("UPDATE uploads SET size_bytes = 41", "fleet reserved 40, and the clip has 41 bytes"),
        ("UPDATE ledger_entries SET amount = 39 WHERE kind = 'reserve' AND amount = 40", "fleet reserved 39"),
        ("UPDATE upload_hours SET received_bytes = 9", "wifi in {month} was charged 8 bytes, and 9 came"),
        ("UPDATE ledger_receipts SET received_bytes = 9", "wifi in {month} was charged 9 bytes, and 8 came"),
        ("UPDATE upload_hours SET network = 'cellular'", "cellular in {month} was charged 0 bytes, and 8 came"),
        ("UPDATE uploads SET offset_bytes = 9", "8 bytes came over the wire, and 9 of the clip are there"),
        ("UPDATE uploads SET state = 'stored'", "its reservation in fleet was closed 0 times"),
        ("DELETE FROM ledger_entries", "fleet reserved None, and the clip has 40 bytes"),
    ],
)
def test_the_books_find_what_does_not_agree(fleet: Database, damage: str, found: str) -> None:
    upload_id = reserve(fleet, {"maps": 40})
    with fleet.begin() as connection:
        received.add(connection, upload_id, "car-1", 8)
    with fleet.begin() as connection:
        assert books.read_page(connection).differences == []
    with fleet.begin() as connection:
        connection.execute(text(damage))
    with fleet.begin() as connection:
        differences = books.read_page(connection).differences
    found = found.format(month=f"{datetime.now(UTC):%Y-%m}")
    assert any(found in sentence for sentence in differences), differences


def test_the_books_find_a_settlement_that_is_not_what_came(fleet: Database) -> None:
    upload_id = reserve(fleet, {"maps": 40})
    with fleet.begin() as connection:
        connection.execute(text("UPDATE uploads SET offset_bytes = 13"))
        connection.execute(text("UPDATE ledger_entries SET region = 'eu'"))
        received.add(connection, upload_id, "car-1", 13)
        endings.fail(connection, upload_id, "test")
    with fleet.begin() as connection:
        connection.execute(text("UPDATE uploads SET offset_bytes = 12"))
    with fleet.begin() as connection:
        assert any("fleet settled 13, and 12 came" in each for each in books.read_page(connection).differences)
