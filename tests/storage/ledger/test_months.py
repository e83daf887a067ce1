"""Months of the fleet and of cost centres, the reserve in the fleet's limits, and what came over the wire."""

from __future__ import annotations

from datetime import UTC, date, datetime

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
from storage.uploads import creation, endings
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
        ledger.add_received(connection, first, 10)
        ledger.add_received(connection, first, 10)
        creation.announce_again(connection, first, Network.CELLULAR)
        ledger.add_received(connection, first, 7)
        ledger.add_received(connection, second, 5)
        ledger.add_received(connection, second, 0)
    unfolded = amounts(fleet, "network_month")
    assert {key.network: amount for key, amount in unfolded.items()} == {"wifi": (25, 25), "cellular": (7, 7)}
    with fleet.begin() as connection:
        assert ledger.fold_receipts(connection) == 3
        assert ledger.fold_receipts(connection) == 0
        ledger.add_received(connection, second, 2)
        assert accounts_that_differ(connection) == []
    with fleet.begin() as connection:
        assert books.read_page(connection).differences == []
    assert {key.network: held for key, (held, _) in amounts(fleet, "network_month").items()} == {
        "wifi": 27,
        "cellular": 7,
    }
    with fleet.begin() as connection, pytest.raises(ValueError, match="negative"):
        ledger.add_received(connection, first, -1)


def test_bytes_that_a_killed_gateway_had_not_recorded_are_charged_when_the_clip_is_stored(fleet: Database) -> None:
    upload_id = reserve(fleet, {"maps": 40})
    with fleet.begin() as connection:
        connection.execute(text("UPDATE uploads SET offset_bytes = 30"))
        ledger.add_received(connection, upload_id, 33)
        endings.mark_stored(connection, upload_id)
        endings.mark_stored(connection, upload_id)
    assert [held for held, _ in amounts(fleet, "network_month").values()] == [33 + 10]


@pytest.mark.parametrize(
    ("damage", "found"),
    [
        ("UPDATE uploads SET size_bytes = 41", "fleet reserved 40, and the clip has 41 bytes"),
        ("UPDATE ledger_entries SET amount = 39 WHERE kind = 'reserve' AND amount = 40", "fleet reserved 39"),
        ("UPDATE uploads SET received_bytes = 9", "networks were charged 8 bytes, and 9 came"),
        ("UPDATE uploads SET offset_bytes = 9", "8 bytes came over the wire, and 9 of the clip are there"),
        ("UPDATE uploads SET state = 'stored'", "its reservation in fleet was closed 0 times"),
        ("DELETE FROM ledger_entries", "fleet reserved None, and the clip has 40 bytes"),
    ],
)
def test_the_books_find_what_does_not_agree(fleet: Database, damage: str, found: str) -> None:
    upload_id = reserve(fleet, {"maps": 40})
    with fleet.begin() as connection:
        ledger.add_received(connection, upload_id, 8)
    with fleet.begin() as connection:
        assert books.read_page(connection).differences == []
    with fleet.begin() as connection:
        connection.execute(text(damage))
    with fleet.begin() as connection:
        differences = books.read_page(connection).differences
    assert any(found in sentence for sentence in differences), differences


def test_the_books_find_a_settlement_that_is_not_what_came(fleet: Database) -> None:
    upload_id = reserve(fleet, {"maps": 40})
    with fleet.begin() as connection:
        connection.execute(text("UPDATE uploads SET offset_bytes = 13, received_bytes = 13"))
        connection.execute(text("UPDATE ledger_entries SET region = 'eu'"))
        ledger.add_received(connection, upload_id, 0)
        endings.fail(connection, upload_id, "test")
    with fleet.begin() as connection:
        connection.execute(text("UPDATE uploads SET offset_bytes = 12"))
    with fleet.begin() as connection:
        assert any("fleet settled 13, and 12 came" in each for each in books.read_page(connection).differences)
