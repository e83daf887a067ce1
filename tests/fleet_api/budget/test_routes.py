"""Budgets over HTTP: one answer for all campaigns, or one campaign's."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from storage import ledger
from storage.ledger import FleetTerms
from tests.fleet_api.api_server import Api
from tests.storage.ledger.ledger_support import add_upload
from tests.support.fleet import TRIGGER, add_version, charged_manifest, enroll_vehicle
from triggers.contracts.campaign import BudgetLimits


def reserve(api: Api, *vehicle_ids: str) -> None:
    """Campaigns `braking` and `lanes`, and one clip of both per vehicle, reserved and not settled."""
    with api.database.begin() as connection:
        add_version(connection, "braking", limits=BudgetLimits(total_bytes=1000))
        add_version(connection, "lanes", limits=BudgetLimits(clips=5))
        for vehicle_id in vehicle_ids:
            enroll_vehicle(connection, vehicle_id)
    for vehicle_id in vehicle_ids:
        manifest = charged_manifest({"braking": 30, "lanes": 20}, vehicle_id=vehicle_id)
        with api.database.begin() as connection:
            upload_id = add_upload(connection, manifest)
            ledger.reserve(connection, upload_id, manifest, now=datetime.now(UTC), fleet=FleetTerms(10**6))


def test_all_budgets_come_in_one_answer_totals_first(api: Api) -> None:
    api.change_settings(fleet_total_bytes=10**6)
    reserve(api, "car-1")
    shown = api.get("/v1/budget").json()
    assert shown["next"] is None
    accounts = [
        (account["kind"], account["campaign"], account["limit"], account["held"], account["settled"])
        for account in shown["accounts"]
    ]
    assert accounts == [
        ("fleet", "", 10**6, 50, 0),
        ("fleet_month", "", None, 50, 0),
        ("campaign_clips", "braking", None, 1, 0),
        ("campaign_clips", "lanes", 5, 1, 0),
        ("campaign_bytes", "braking", 1000, 30, 0),
        ("campaign_bytes", "lanes", None, 20, 0),
        ("campaign_vehicle_day", "braking", None, 30, 0),
        ("campaign_vehicle_day", "lanes", None, 20, 0),
    ]


def test_one_campaigns_budget_is_the_one_its_page_shows(api: Api) -> None:
    reserve(api, "car-1")
    accounts = api.get("/v1/budget", campaign="lanes").json()["accounts"]
    assert {account["campaign"] for account in accounts} == {"lanes"}
    assert accounts == api.get("/v1/campaigns/lanes/1").json()["budget"]


@pytest.mark.parametrize("limit", [1, 2, 3, 5])
def test_pages_of_every_size_have_each_account_once_and_in_the_order_of_one_page(api: Api, limit: int) -> None:
    api.change_settings(fleet_total_bytes=10**6)
    reserve(api, "car-1", "Car_2", "car-3")
    with api.database.begin() as connection:
        add_version(connection, "unused", limits=BudgetLimits(total_bytes=1000, clips=7))
    whole = api.get("/v1/budget").json()
    assert whole["next"] is None and len(whole["accounts"]) == 14
    paged, after = [], {}
    for _ in range(len(whole["accounts"])):
        page = api.get("/v1/budget", limit=limit, **after).json()
        assert len(page["accounts"]) <= limit
        paged += page["accounts"]
        if page["next"] is None:
            break
        after = {"after": page["next"]}
    assert paged == whole["accounts"]


def test_budgets_of_triggers_and_clips_of_days_have_their_places_in_pages(api: Api) -> None:
    own = BudgetLimits(total_bytes=100, clips=3, vehicle_day_bytes=60, vehicle_day_clips=2)
    with api.database.begin() as connection:
        limits = BudgetLimits(vehicle_day_clips=9)
        add_version(connection, "mixed", limits=limits, of_triggers={TRIGGER: None, "rare": own, "unused": own})
        enroll_vehicle(connection, "car-1")
        manifest = charged_manifest({"mixed": 30, "mixed.rare": 20})
        ledger.reserve(connection, add_upload(connection, manifest), manifest, now=datetime.now(UTC))
    accounts = api.get("/v1/budget", campaign="mixed").json()["accounts"]
    assert [(each["kind"], each["trigger"], each["limit"], each["held"]) for each in accounts] == [
        ("campaign_clips", "", None, 1),
        ("campaign_bytes", "", None, 50),
        ("trigger_clips", "rare", 3, 1),
        ("trigger_clips", "unused", 3, 0),
        ("trigger_bytes", "rare", 100, 20),
        ("trigger_bytes", "unused", 100, 0),
        ("trigger_vehicle_day_clips", "rare", 2, 1),
        ("trigger_vehicle_day", "rare", 60, 20),
        ("campaign_vehicle_day_clips", "", 9, 1),
        ("campaign_vehicle_day", "", None, 50),
    ]
    paged, after = [], {}
    while "after" not in after or after["after"] is not None:
        page = api.get("/v1/budget", campaign="mixed", limit=1, **after).json()
        paged += page["accounts"]
        after = {"after": page["next"]}
    assert paged == accounts


@pytest.mark.parametrize("after", ["", "fleet", "nothing///0", "fleet///x", "fleet///" + "9" * 20, "fleet//// 1"])
def test_a_position_that_no_page_gave_is_refused(api: Api, after: str) -> None:
    refused = api.get("/v1/budget", after=after)
    assert refused.status_code == 422 and "position in a list of budgets" in refused.json()["detail"]


def test_a_campaign_without_clips_has_its_limits_and_an_unknown_one_is_not_found(api: Api) -> None:
    reserve(api)
    (account,) = api.get("/v1/budget", campaign="braking").json()["accounts"]
    assert (account["kind"], account["limit"], account["held"]) == ("campaign_bytes", 1000, 0)
    assert api.get("/v1/budget", campaign="none").status_code == 404
    assert api.get("/v1/budget", limit=0).status_code == 422
