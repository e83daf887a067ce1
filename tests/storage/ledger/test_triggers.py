"""Own budgets of triggers: further accounts of a clip, and refusals that name the trigger."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from storage import ledger
from storage.database import Database
from storage.diagnosis.books import read_page
from storage.diagnosis.ledger import accounts_that_differ, entries_that_differ
from storage.ledger.accounts import AccountKey
from storage.ledger.limits import FleetTerms, set_limit
from tests.storage.ledger.ledger_support import NOON, add_upload
from tests.support.fleet import TRIGGER, add_version, charged_manifest, enroll_vehicle
from triggers.contracts.campaign import BudgetLimits
from triggers.errors import BudgetExhausted

OWN = BudgetLimits(total_bytes=100, clips=3, vehicle_day_bytes=60, vehicle_day_clips=2)


@pytest.fixture
def fleet(database: Database) -> Database:
    """Campaign `alpha`, whose trigger `other` has a budget of its own, and two vehicles."""
    with database.begin() as connection:
        add_version(
            connection, "alpha", limits=BudgetLimits(total_bytes=10**6), of_triggers={TRIGGER: None, "other": OWN}
        )
        enroll_vehicle(connection, "car-1")
        enroll_vehicle(connection, "car-2")
    return database


def reserve(
    database: Database, charges: dict[str, int], vehicle: str = "car-1", now: datetime = NOON, share: float = 1.0
) -> str:
    manifest = charged_manifest(charges, vehicle_id=vehicle)
    with database.begin() as connection:
        upload_id = add_upload(connection, manifest)
        ledger.reserve(connection, upload_id, manifest, now=now, fleet=FleetTerms(vehicle_share=share))
    return upload_id


def of_trigger(database: Database) -> dict[str, tuple[int | None, int, int]]:
    with database.begin() as connection:
        assert accounts_that_differ(connection) == entries_that_differ(connection) == []
        accounts = ledger.usage(connection, "alpha")
    return {str(each.key): (each.limit, each.held, each.settled) for each in accounts if each.key.trigger}


def test_a_clip_is_charged_to_its_triggers_as_well_as_to_its_campaign(fleet: Database) -> None:
    upload_id = reserve(fleet, {"alpha": 30, "alpha.other": 20})
    with fleet.begin() as connection:
        held = {str(each.key): each.held for each in ledger.usage(connection, "alpha") if not each.key.trigger}
    assert held == {
        "campaign_clips:alpha": 1,
        "campaign_bytes:alpha": 50,
        "campaign_vehicle_day:alpha:car-1:2026-05-17": 50,
    }
    with fleet.begin() as connection:
        assert [each for each in read_page(connection).differences if "trigger" in each] == []
    with fleet.begin() as connection:
        ledger.settle(connection, upload_id)
    assert of_trigger(fleet) == {
        "trigger_clips:alpha:other": (3, 1, 1),
        "trigger_bytes:alpha:other": (100, 20, 20),
        "trigger_vehicle_day_clips:alpha:other:car-1:2026-05-17": (2, 1, 1),
        "trigger_vehicle_day:alpha:other:car-1:2026-05-17": (60, 20, 20),
    }


def test_a_refusal_names_the_trigger_and_the_clip_goes_without_it(fleet: Database) -> None:
    reserve(fleet, {"alpha.other": 50})
    with pytest.raises(BudgetExhausted) as refused:
        reserve(fleet, {"alpha": 30, "alpha.other": 20})
    error = refused.value
    assert (error.campaigns, error.triggers, error.retry_after_s) == ((), ("alpha.other",), 12 * 3600)
    assert error.accounts == ("trigger_vehicle_day:alpha:other:car-1:2026-05-17",)
    reserve(fleet, {"alpha": 30})
    reserve(fleet, {"alpha.other": 50}, now=NOON + timedelta(days=1))
    with pytest.raises(BudgetExhausted) as refused:
        reserve(fleet, {"alpha.other": 1}, "car-2")
    assert (refused.value.triggers, refused.value.retry_after_s) == (("alpha.other",), None)
    assert refused.value.remedy == (
        "raise the trigger's limit in a new campaign version, or the one that `longtail budget limit` has set"
    )


def test_one_vehicle_of_many_uses_only_its_share_of_a_triggers_total(fleet: Database) -> None:
    with fleet.begin() as connection:
        for number in range(3, 9):
            enroll_vehicle(connection, f"car-{number}")
    reserve(fleet, {"alpha.other": 25}, share=0.1)
    with pytest.raises(BudgetExhausted) as refused:
        reserve(fleet, {"alpha.other": 1}, share=0.1)
    shares = "trigger_vehicle_bytes:alpha:other:car-1", "trigger_vehicle_clips:alpha:other:car-1"
    assert set(refused.value.accounts) == set(shares)
    reserve(fleet, {"alpha.other": 25}, "car-2", share=0.1)


def test_limits_of_triggers_are_shown_before_the_first_upload(fleet: Database) -> None:
    with fleet.begin() as connection:
        unused = {each.key: each.limit for each in ledger.unused_limits(connection, "alpha")}
    assert unused == {
        AccountKey("campaign_bytes", "alpha"): 10**6,
        AccountKey("trigger_bytes", "alpha", trigger="other"): 100,
        AccountKey("trigger_clips", "alpha", trigger="other"): 3,
    }


def test_a_limit_by_command_lowers_a_triggers_total_and_its_vehicles_shares(fleet: Database) -> None:
    with fleet.begin() as connection:
        set_limit(connection, "trigger_bytes", "alpha.other", amount=30)
        set_limit(connection, "trigger_bytes", "alpha.hard_brake", amount=1)
        unused = {str(each.key): each.limit for each in ledger.unused_limits(connection, "alpha") if each.key.trigger}
    assert unused == {"trigger_bytes:alpha:other": 30, "trigger_clips:alpha:other": 3}
    reserve(fleet, {"alpha": 500, "alpha.other": 30})
    assert of_trigger(fleet)["trigger_bytes:alpha:other"] == (30, 30, 0)
    with pytest.raises(BudgetExhausted) as refused:
        reserve(fleet, {"alpha.other": 1}, "car-2")
    assert refused.value.accounts == ("trigger_bytes:alpha:other",)
    with fleet.begin() as connection:
        set_limit(connection, "trigger_bytes", "alpha.other", amount=10**6)
    reserve(fleet, {"alpha.other": 50}, "car-2")
    assert of_trigger(fleet)["trigger_bytes:alpha:other"] == (100, 80, 0), "what was approved counts again"


def test_a_limit_by_command_of_a_trigger_that_has_none_any_more_counts_for_nothing(fleet: Database) -> None:
    reserve(fleet, {"alpha.other": 20})
    with fleet.begin() as connection:
        set_limit(connection, "trigger_bytes", "alpha.other", amount=30)
        add_version(connection, "alpha", 2, of_triggers={TRIGGER: None, "other": BudgetLimits(clips=3)})
    reserve(fleet, {"alpha.other": 50})
    held = of_trigger(fleet)
    assert held["trigger_bytes:alpha:other"] == (None, 20, 0), "it is not charged any more"
    assert held["trigger_clips:alpha:other"] == (3, 2, 0)
