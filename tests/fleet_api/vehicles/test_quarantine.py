"""Vehicles that send junk are put into quarantine, and what they counted can be left out of every sum."""

from __future__ import annotations

from storage import audit
from tests.fleet_api.api_server import Api, campaign_text
from tests.fleet_api.vehicles.test_assigned import outcome, refusals, report

WHY = {"reason": "a test"}


def status(api: Api, verb: str, vehicle_id: str = "car-1") -> int:
    """What the API says to a verb of an operator."""
    code: int = api.post(f"/v1/vehicles/{vehicle_id}/{verb}", WHY, "operator").status_code
    return code


def test_a_vehicle_that_sends_junk_is_quarantined_until_an_operator_releases_it(api: Api) -> None:
    api.change_settings(junk_before_quarantine=3)
    api.activate(campaign_text())
    vehicle, other = api.enrol_assigned(), api.enrol_assigned("car-2")
    for _ in range(3):
        assert report(api, vehicle, 1, per_trigger={"made_up": 1}) == 422
    assert report(api, vehicle, 1) == 403
    assert refusals(api) == {"invalid_report": 3}, "what is refused because of the quarantine is no junk"
    assert report(api, other, 1, "car-2", handed_over=0, in_flight=1) == 204, "others are not concerned"
    assert api.check_in(vehicle).status_code == 200
    shown = api.get("/v1/vehicles/car-1").json()
    assert (shown["quarantined_by"], shown["quarantined_at"] is None) == ("longtail", False)
    assert "3 damaged clips and refusals today, the last one: invalid_report" in shown["quarantine_reason"]
    (entry,) = [each for each in api.as_client("operator").audit.list() if each.action == "vehicle.quarantine"]
    assert (entry.user_name, entry.user_id, entry.reason) == ("longtail (system)", None, shown["quarantine_reason"])
    assert entry.object == audit.vehicle_object("car-1")
    assert status(api, "release") == 204
    assert report(api, vehicle, 1, per_trigger={"made_up": 1}) == 422, "what was before is pardoned"
    assert report(api, vehicle, 1, handed_over=0, in_flight=1) == 204
    assert api.get("/v1/vehicles/car-1").json()["quarantine_reason"] == "released: a test"


def test_an_operator_quarantines_and_releases_once(api: Api) -> None:
    api.enrol()
    given = [status(api, verb) for verb in ("release", "quarantine", "quarantine", "release", "release")]
    assert given == [409, 204, 409, 204, 409]
    assert {status(api, verb, "car-9") for verb in ("quarantine", "release", "void-counts")} == {404}


def test_counts_that_are_voided_are_kept_and_in_no_sum(api: Api) -> None:
    api.activate(campaign_text())
    vehicle, other = api.enrol_assigned(), api.enrol_assigned("car-2")
    report(api, vehicle, 5)
    report(api, other, 2, "car-2", handed_over=0, in_flight=2)
    assert outcome(api) == (7, 5), "its fires are nowhere"
    assert [status(api, verb) for verb in ("void-counts", "void-counts")] == [204, 409]
    assert outcome(api) == (2, 0)
    report(api, vehicle, 6)
    assert outcome(api) == (2, 0), "nor is what it reports afterwards"
    assert [status(api, verb) for verb in ("restore-counts", "restore-counts")] == [204, 409]
    assert outcome(api) == (8, 6)
