"""What a vehicle was assigned is recorded when it changes, and what it counts beyond that is left out and told."""

from __future__ import annotations

import time
from typing import Any

import pytest
from sqlalchemy import text

from tests.fleet_api.api_server import Api, campaign_text


def report(api: Api, vehicle: dict[str, str], watermark: int, vehicle_id: str = "car-1", **changes: Any) -> int:
    """Report fires of `braking` version 1; returns the status."""
    counted = {
        "campaign": "braking",
        "version": 1,
        "watermark": watermark,
        "suppressed": 0,
        "handed_over": watermark,
        "per_trigger": {"hard_brake": watermark},
    }
    body = {"counts": [counted | changes], "reported_at_ns": time.time_ns()}
    return api.client.post(f"/v1/vehicles/{vehicle_id}/telemetry", json=body, headers=vehicle).status_code


def outcome(api: Api) -> tuple[int, int]:
    """Fires of `braking`, and how many of them are unaccounted for."""
    shown = api.get("/v1/campaigns/braking/1").json()["outcomes"]
    return shown["fired"], shown["unaccounted"]


def refusals(api: Api, vehicle_id: str = "car-1") -> dict[str, int]:
    """What the vehicle's page says about it."""
    shown: dict[str, int] = api.get(f"/v1/vehicles/{vehicle_id}").json()["refusals"]
    return shown


def recorded(api: Api) -> list[tuple[str, str, int, bool]]:
    """Vehicle, campaign, version, and whether it is still assigned."""
    with api.database.begin() as connection:
        query = text("SELECT vehicle_id, campaign, version, assigned_until IS NULL FROM assignments ORDER BY 1, 2, 3")
        return [tuple(row) for row in connection.execute(query)]


def written_at(api: Api) -> list[Any]:
    """The transactions that wrote the records."""
    with api.database.begin() as connection:
        return list(connection.execute(text("SELECT xmin::text FROM assignments ORDER BY 1")).scalars())


def test_an_assignment_is_recorded_from_its_first_list_to_the_first_without_it(api: Api) -> None:
    api.activate(campaign_text())
    vehicle = api.enrol_assigned()
    assert recorded(api) == [("car-1", "braking", 1, True)]
    before = written_at(api)
    api.check_in(vehicle)
    assert written_at(api) == before, "nothing has changed"
    api.post("/v1/campaigns/braking/1/pause", {}, "admin")
    assert api.open_list(api.check_in(vehicle)).assignments == ()
    assert recorded(api) == [("car-1", "braking", 1, False)]
    api.post("/v1/campaigns/braking/1/resume", {}, "admin")
    api.check_in(vehicle)
    assert recorded(api) == [("car-1", "braking", 1, True)]


def test_a_vehicle_that_was_not_assigned_cannot_poison_a_campaigns_counts(api: Api) -> None:
    """It reported 2^62 fires of a campaign that it never had, and no later report could mend the counts."""
    api.activate(campaign_text('target vehicle.region == "EU"'))
    vehicle = api.enrol_assigned()
    assert report(api, vehicle, 2**62) == 204
    assert report(api, vehicle, 1) == 204
    with api.database.begin() as connection:
        assert connection.execute(text("SELECT count(*) FROM fire_counts")).scalar_one() == 0
    assert refusals(api) == {"not_assigned": 2}


def test_an_assigned_vehicle_cannot_poison_them_either_and_its_next_report_counts(api: Api) -> None:
    api.activate(campaign_text())
    vehicle = api.enrol_assigned()
    assert report(api, vehicle, 2**62) == 204
    assert report(api, vehicle, 2**62, armed_ns=2**62, distance_m=2**62) == 204
    assert report(api, vehicle, 3, handed_over=0, in_flight=3) == 204
    assert (outcome(api), refusals(api)) == ((3, 0), {"implausible": 2})


def test_fires_of_a_trigger_that_does_not_exist_are_refused_and_counted(api: Api) -> None:
    api.activate(campaign_text())
    vehicle = api.enrol_assigned()
    assert report(api, vehicle, 1, per_trigger={"nonsense_trigger": 1}) == 422
    assert refusals(api) == {"invalid_report": 1}


@pytest.mark.parametrize(("days", "counted"), [(29, 5), (31, 3)])
def test_counts_are_accepted_for_a_grace_after_a_campaign_has_ended(api: Api, days: int, counted: int) -> None:
    api.activate(campaign_text())
    vehicle = api.enrol_assigned()
    assert report(api, vehicle, 3, handed_over=0, in_flight=3) == 204
    api.post("/v1/campaigns/braking/1/stop", {}, "admin")
    api.check_in(vehicle)
    with api.database.begin() as connection:
        connection.execute(text(f"UPDATE assignments SET assigned_until = now() - interval '{days} days'"))
    for watermark in (3, 5):
        assert report(api, vehicle, watermark, handed_over=0, in_flight=watermark) == 204
    assert outcome(api) == (counted, 0)
    assert refusals(api) == ({} if counted == 5 else {"assignment_over": 1}), "what was reported before is not refused"


def test_a_campaign_that_ended_ends_for_a_vehicle_that_never_asks_again(api: Api) -> None:
    api.activate(campaign_text())
    vehicle = api.enrol_assigned()
    api.post("/v1/campaigns/braking/1/stop", {}, "admin")
    with api.database.begin() as connection:
        connection.execute(text("UPDATE campaign_versions SET ended_at = now() - interval '38 days'"))
    assert report(api, vehicle, 5, handed_over=0, in_flight=5) == 204
    assert refusals(api) == {"assignment_over": 1}, "its list was in force for 7 days, and the grace is 30"
