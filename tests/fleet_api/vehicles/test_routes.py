"""Vehicles over HTTP: enrolment, the signed list, 304, bundles, and the counts that they report."""

from __future__ import annotations

import base64
import hashlib
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import text

from fleet_api.signing.reports import open_report
from ingest.steward import erasure
from tests.fleet_api.api_server import SIGNALS, Api, campaign_text
from tests.storage.clips.catalog_support import add_clip
from triggers.assignment.plausible import REPLAYED_NS
from triggers.contracts.erasure.report import digest_of_clip, digest_of_clips
from triggers.contracts.signing import load_private_key
from triggers.errors import Untrusted


def counts(watermark: int, **changes: Any) -> dict[str, Any]:
    """A report of counts of `braking` version 1."""
    base = {
        "campaign": "braking",
        "version": 1,
        "watermark": watermark,
        "suppressed": 0,
        "in_flight": watermark,
        "per_trigger": {"hard_brake": watermark} if watermark else {},
    }
    return {**base, **changes}


def report(
    api: Api, vehicle: dict[str, str], *counted: dict[str, Any], at_ns: int = 1, vehicle_id: str = "car-1"
) -> int:
    """Send a report; returns the status."""
    body = {"counts": list(counted), "reported_at_ns": at_ns}
    return api.client.post(f"/v1/vehicles/{vehicle_id}/telemetry", json=body, headers=vehicle).status_code


def fired(api: Api) -> int:
    """What the campaign's page says."""
    number: int = api.get("/v1/campaigns/braking/1").json()["outcomes"]["fired"]
    return number


def test_enrolment_gives_what_an_agent_needs(api: Api) -> None:
    answer = api.post("/v1/vehicles", {"id": "car-1", "attributes": {"region": "EU"}}, "operator")
    assert answer.status_code == 201
    enrolled = answer.json()
    assert enrolled["id"] == "car-1"
    assert enrolled["token"].startswith("lt_")
    assert [len(base64.b64decode(key)) for key in enrolled["public_keys"]] == [32]
    assert (enrolled["api_url"], enrolled["gateway_url"]) == ("http://127.0.0.1:8080", "http://127.0.0.1:8081")
    assert api.get("/v1/vehicles/car-1").json()["attributes"] == {"region": "EU"}


def test_enrolling_again_ends_the_former_token(api: Api) -> None:
    former, latter = api.enrol(), api.enrol()
    assert api.check_in(former).status_code == 401
    assert api.check_in(latter).status_code == 200


def test_a_revoked_vehicle_is_shut_out_until_it_is_enrolled_again(api: Api) -> None:
    vehicle = api.enrol()
    gone = api.post("/v1/vehicles/car-1/revoke", {}, "operator")
    assert (gone.status_code, api.check_in(vehicle).status_code) == (204, 401)
    assert api.check_in(api.enrol()).status_code == 200


def test_an_erased_vehicle_is_gone_for_everybody_and_for_good(api: Api, caplog: pytest.LogCaptureFixture) -> None:
    vehicle = api.enrol()
    with api.database.begin() as connection:
        clip_id = add_clip(connection, size_bytes=1000, fired=[("braking", "hard")])
    url, operator = "/v1/vehicles/car-1", api.as_("operator")
    without = api.client.delete(url, headers=operator)
    assert (without.status_code, api.check_in(vehicle).status_code) == (422, 200), "a reason is needed"
    erased = api.client.delete(url, headers=operator, params={"reason": "the owner asked"})
    assert (erased.status_code, erased.json()) == (202, {"id": "car-1", "clips": 1, "size_bytes": 1000})
    assert "operator-user erases vehicle car-1 with 1 clips: 'the owner asked'" in caplog.text
    assert api.check_in(vehicle).status_code == 401
    assert api.get("/v1/vehicles").json()["vehicles"] == []
    again = api.post("/v1/vehicles", {"id": "car-1"}, "operator")
    assert {again.status_code, api.get(url).status_code} == {410}
    assert "the owner asked" in again.json()["detail"] and "under a new id" in again.json()["remedy"]
    while erasure.erase_vehicles(api.database):
        pass
    gone = api.client.delete(url, headers=operator, params={"reason": "again"})
    shown = api.get(f"/v1/clips/{clip_id}")
    assert [(each.status_code, each.json()["code"]) for each in (gone, shown)] == [(410, "erased")] * 2
    assert "its vehicle was erased" in shown.json()["detail"] and "car-1" not in shown.text


def test_an_erasure_is_reported_once_nothing_is_left_and_the_report_is_signed(api: Api) -> None:
    api.enrol()
    with api.database.begin() as connection:
        clip_ids = [add_clip(connection, size_bytes=1000, fired=[("braking", "hard")]) for _ in range(3)]
    url, headers = "/v1/vehicles/car-1", api.as_("operator")
    assert api.get(f"{url}/erasure", "operator").status_code == 404
    api.client.delete(url, headers=headers, params={"reason": "the owner asked"})
    assert api.get(f"{url}/erasure", "operator").status_code == 409, "not begun"
    while erasure.erase_vehicles(api.database):
        pass
    refused = api.get(f"{url}/erasure", "operator")
    assert (refused.status_code, "objects of erased clips" in refused.json()["detail"]) == (409, True)
    with api.database.begin() as connection:
        connection.exec_driver_sql("UPDATE object_deletions SET due_at = now()")  # the hour for slow workers is over
    erasure.delete_objects(api.database, api.app.state.services.store)
    told = api.as_client("operator").vehicles.erasure_report("car-1")
    key = load_private_key(api.settings.effective_signing_key()).public_key().public_bytes_raw()
    envelope = base64.b64decode(told.envelope)
    assert open_report(envelope, [key]) == told.report
    assert told.report.vehicle_digest == hashlib.sha256(b"car-1").hexdigest()
    assert told.report.clips_digest == digest_of_clips(map(digest_of_clip, clip_ids)).hex()
    assert (told.report.erased_by, told.report.reason) == ("operator-user", "the owner asked")
    assert {name: told.report.erased[name] for name in ("clips", "clip_bytes", "objects", "clip_fires")} == {
        "clips": 3,
        "clip_bytes": 3000,
        "objects": 3,
        "clip_fires": 3,
    }
    assert told.report.unlinked["fires"] == 3
    assert "car-1" not in told.model_dump_json() and not any(clip in told.model_dump_json() for clip in clip_ids)
    assert api.as_client("operator").vehicles.erasure_report("car-1") == told, "always the same"
    with pytest.raises(Untrusted):
        open_report(envelope.replace(b'"clips":3', b'"clips":4'), [key])
    with pytest.raises(Untrusted):
        open_report(envelope, [Ed25519PrivateKey.generate().public_key().public_bytes_raw()])


def test_the_list_names_the_bundle_that_was_approved(api: Api) -> None:
    active = api.activate(campaign_text())
    vehicle = api.enrol()
    assigned = api.open_list(api.check_in(vehicle))
    assert [(assignment.campaign, assignment.version) for assignment in assigned.assignments] == [("braking", 1)]
    assert assigned.vehicle_id == "car-1"
    assert assigned.expires_at_ns - assigned.issued_at_ns == 7 * 86400 * 10**9
    digest = assigned.assignments[0].bundle_digest
    bundle = api.open_bundle(api.client.get(f"/v1/bundles/{digest}", headers=vehicle), digest)
    assert (bundle.settings.name, bundle.version, bundle.program_digest) == ("braking", 1, active["program_digest"])


def test_what_the_vehicle_has_is_not_sent_again_until_it_changes(api: Api) -> None:
    vehicle = api.enrol()
    empty = api.open_list(api.check_in(vehicle))
    assert api.check_in(vehicle, have=empty.content_digest).status_code == 304

    api.activate(campaign_text())
    full = api.open_list(api.check_in(vehicle, have=empty.content_digest))
    assert api.check_in(vehicle, have=full.content_digest).status_code == 304
    assert full.revision > empty.revision
    assert api.check_in(vehicle).status_code == 200, "without `have` the list comes, to renew it"


@pytest.mark.parametrize("verb", ["pause", "stop"])
def test_a_paused_or_stopped_campaign_leaves_the_list_at_once_with_a_higher_revision(api: Api, verb: str) -> None:
    api.activate(campaign_text())
    vehicle = api.enrol()
    before = api.open_list(api.check_in(vehicle))
    api.post(f"/v1/campaigns/braking/1/{verb}", {}, "admin")
    after = api.open_list(api.check_in(vehicle, have=before.content_digest))
    assert (len(before.assignments), len(after.assignments)) == (1, 0)
    assert after.revision > before.revision


def test_a_target_tests_what_a_vehicle_reports_only_where_the_catalog_says_so(api: Api) -> None:
    """A vehicle got a campaign of EU cars by saying that it was one."""
    source = campaign_text('target vehicle.region == "EU" and vehicle.hardware >= 3')
    api.activate(source, SIGNALS + "reported: [hardware]")
    stranger = api.open_list(api.check_in(api.enrol(), attributes={"region": "EU", "hardware": 4}))
    assert stranger.assignments == ()
    vehicle = api.enrol(region="US")
    lying = api.open_list(api.check_in(vehicle, attributes={"region": "EU", "hardware": 4}))
    vehicle = api.enrol(region="EU")
    reporting = api.open_list(api.check_in(vehicle, attributes={"hardware": 4}))
    lacking = api.open_list(api.check_in(vehicle))
    assert [len(assigned.assignments) for assigned in (lying, reporting, lacking)] == [0, 1, 0]


def test_a_check_in_is_remembered(api: Api) -> None:
    vehicle = api.enrol(region="EU")
    api.check_in(vehicle, attributes={"hardware": 4}, software={"agent": "1"}, problems=["disk full"])
    shown = api.get("/v1/vehicles/car-1").json()
    assert shown["attributes"] == {"region": "EU", "hardware": 4}
    assert (shown["software"], shown["problems"][0]) == ({"agent": "1"}, "disk full")
    assert shown["clock_offset_ns"] < 0
    assert shown["last_check_in_at"] is not None


def test_reports_count_once_and_only_forward(api: Api) -> None:
    api.activate(campaign_text())
    vehicle = api.enrol_assigned()
    assert report(api, vehicle, counts(5), at_ns=100) == 204
    assert report(api, vehicle, counts(5), at_ns=100) == 204
    assert fired(api) == 5
    report(api, vehicle, counts(3), at_ns=200)
    assert fired(api) == 5, "a lower watermark is an older report"
    report(api, vehicle, counts(5, in_flight=3, dropped={"disk_full": 2}), at_ns=50)
    assert api.get("/v1/campaigns/braking/1").json()["outcomes"]["dropped"] == {"disk_full": 2}
    report(api, vehicle, counts(5), at_ns=300)
    assert api.get("/v1/campaigns/braking/1").json()["outcomes"]["dropped"] == {"disk_full": 2}


@pytest.mark.parametrize(
    "wrong",
    [
        counts(5, in_flight=4),
        counts(5, per_trigger={"hard_brake": 4}),
        counts(5, version=2),
        counts(5, version=2**40),
        counts(-1),
    ],
)
def test_of_versionsthat_do_not_add_up_or_belong_to_nothing_change_nothing(api: Api, wrong: dict[str, Any]) -> None:
    api.activate(campaign_text())
    vehicle = api.enrol()
    assert report(api, vehicle, counts(1), wrong) == 422
    assert fired(api) == 0


def test_a_vehicle_speaks_for_itself_only(api: Api) -> None:
    first, second = api.enrol("car-1"), api.enrol("car-2")
    assert api.check_in(first, "car-2").status_code == 403
    assert report(api, second, vehicle_id="car-1") == 403
    assert api.client.get("/v1/campaigns", headers=first).status_code == 401
    assert api.check_in(api.as_("admin")).status_code == 401


@pytest.mark.parametrize(
    "body",
    [
        {"vehicle_time_ns": -1},
        {"vehicle_time_ns": 2**70},
        {"vehicle_time_ns": 1, "have": "x"},
        {"vehicle_time_ns": 1, "attributes": {"a": "\u0000"}},
        {"vehicle_time_ns": 1, "attributes": {"a": [1]}},
        {"vehicle_time_ns": 1, "surprise": 1},
        {},
    ],
)
def test_hostile_check_ins_are_refused_by_name(api: Api, body: dict[str, Any]) -> None:
    answer = api.client.post("/v1/vehicles/car-1/check-in", json=body, headers=api.enrol())
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_input")


def test_enrolment_refuses_bad_ids_and_needs_an_operator(api: Api) -> None:
    assert api.post("/v1/vehicles", {"id": "../x"}, "operator").status_code == 422
    assert api.post("/v1/vehicles", {"id": "car-1"}, "author").status_code == 403


def test_bundles_are_for_vehicles_and_named_by_digest(api: Api) -> None:
    vehicle = api.enrol()
    assert api.client.get(f"/v1/bundles/{'0' * 64}", headers=vehicle).status_code == 404
    assert api.client.get("/v1/bundles/x", headers=vehicle).status_code == 422
    assert api.client.get(f"/v1/bundles/{'0' * 64}", headers=api.as_("viewer")).status_code == 401


def test_a_vehicle_gets_only_bundles_that_it_was_given_and_is_not_told_of_others(api: Api) -> None:
    active = api.activate(campaign_text('target vehicle.region in ("EU")'))
    mine, other = api.enrol(region="EU"), api.enrol("car-2", region="US")
    url = f"/v1/bundles/{active['bundle_digest']}"
    assert api.client.get(url, headers=mine).status_code == 404, "before its first list"
    for vehicle, vehicle_id in ((mine, "car-1"), (other, "car-2")):
        assert api.check_in(vehicle, vehicle_id).status_code == 200
    assert api.client.get(url, headers=mine).status_code == 200
    refused, unknown = (api.client.get(f"/v1/bundles/{digest}", headers=other) for digest in (url[-64:], "0" * 64))
    assert refused.status_code == unknown.status_code == 404
    told = [answer.text.replace(answer.url.path[-64:], "DIGEST") for answer in (refused, unknown)]
    assert told[0] == told[1]
    api.post("/v1/campaigns/braking/1/stop", {}, "admin")
    api.check_in(mine)
    assert api.client.get(url, headers=mine).status_code == 200, "it may still be fetching what its last list named"


def test_vehicles_are_listed_by_id_in_pages(api: Api) -> None:
    for number in range(5):
        api.enrol(f"car-{number}")
    first = api.get("/v1/vehicles", limit=3).json()
    second = api.get("/v1/vehicles", limit=3, after=first["next"]).json()
    assert [vehicle["id"] for vehicle in first["vehicles"] + second["vehicles"]] == [f"car-{n}" for n in range(5)]
    assert second["next"] is None


def test_health_is_told_without_a_token(api: Api) -> None:
    assert api.client.get("/healthz").json()["status"] == "ok"
    assert api.client.get("/readyz").json()["schema_revision"] is not None
    with api.database.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = 'old'"))
    not_ready = api.client.get("/readyz")
    assert (not_ready.status_code, not_ready.json()["code"]) == (503, "misconfigured")


COMPARING = "campaign comparing { compare lane.valid, cut_in.detected budget 1 clips }"


def pairs(**numbers: int) -> dict[str, int]:
    """A table with these pairs and no others."""
    return {"neither": 0, "only_shadow": 0, "only_active": 0, "both": 0, "unknown": 0, **numbers}


def compared(heads: dict[str, dict[str, int]]) -> dict[str, Any]:
    """A report of pairs of `comparing` version 1."""
    return {"campaign": "comparing", "version": 1, "watermark": 0, "suppressed": 0, "compared": heads}


def test_a_campaigns_page_shows_the_pairs_of_each_head_over_all_vehicles(api: Api) -> None:
    api.activate(COMPARING)
    first, second = api.enrol_assigned("car-1"), api.enrol_assigned("car-2")
    page = "/v1/campaigns/comparing/1"
    assert list(api.get(page).json()["compared"].items()) == [("lane.valid", pairs()), ("cut_in.detected", pairs())]
    assert report(api, first, compared({"cut_in.detected": pairs(neither=90, only_shadow=4, unknown=1)})) == 204
    heads = {"cut_in.detected": pairs(neither=10, only_active=2, both=3), "lane.valid": pairs(both=7)}
    assert report(api, second, compared(heads), vehicle_id="car-2") == 204
    assert api.get(page).json()["compared"] == {
        "lane.valid": pairs(both=7),
        "cut_in.detected": {"neither": 100, "only_shadow": 4, "only_active": 2, "both": 3, "unknown": 1},
    }


def test_an_older_report_of_pairs_changes_nothing_even_when_the_clock_was_set(api: Api) -> None:
    api.activate(COMPARING)
    vehicle = api.enrol_assigned()
    for both, at_ns in ((5, 100), (5, 100), (3, 200), (8, 50), (7, 300)):
        assert report(api, vehicle, compared({"lane.valid": pairs(both=both)}), at_ns=at_ns) == 204
    assert api.get("/v1/campaigns/comparing/1").json()["compared"]["lane.valid"] == pairs(both=8)


@pytest.mark.parametrize(
    "heads",
    [
        {"ego.speed": pairs()},
        {"lane.valid": pairs(both=-1)},
        {"lane.valid": pairs(both=2**60 + 1)},
        {"lane.valid": pairs(several=1)},
        {"lane.valid": {**pairs(), "both": 1.5}},
        {"lane.valid": {**pairs(), "both": "1"}},
        {"lane.valid": [0, 0, 0, 0, 0]},
        {"no head": pairs()},
        {f"h{i}": pairs() for i in range(101)},
    ],
)
def test_pairs_that_no_vehicle_can_have_counted_are_refused_with_all_of_the_report(
    api: Api, heads: dict[str, Any]
) -> None:
    api.activate(COMPARING)
    api.activate(campaign_text())
    assert report(api, api.enrol(), counts(5), compared(heads)) == 422
    assert fired(api) == 0


def test_the_largest_of_versionsof_many_vehicles_are_shown(api: Api) -> None:
    api.activate(COMPARING)
    most = dict.fromkeys(pairs(), REPLAYED_NS // 10**6 // 5)
    whole = compared({"lane.valid": most}) | {"armed_ns": REPLAYED_NS}
    for number in range(9):
        vehicle = api.enrol_assigned(f"car-{number}", replays=True)
        assert report(api, vehicle, whole, vehicle_id=f"car-{number}") == 204
        assert report(api, vehicle, whole, vehicle_id=f"car-{number}") == 204
    assert api.get("/v1/campaigns/comparing/1").json()["compared"]["lane.valid"]["both"] == 9 * most["both"]


MATCHING = """
campaign matching {
    compare events lane.valid within 1 s, events cut_in.detected with active.lane.valid within 2 s
    budget 1 clips
}
"""


def five(**numbers: int) -> dict[str, int]:
    """These events and no others."""
    return {
        **dict.fromkeys(("matched", "only_first", "only_second", "unresolved_first", "unresolved_second"), 0),
        **numbers,
    }


def matched(events: Any) -> dict[str, Any]:
    """A report of events of `matching` version 1."""
    return {"campaign": "matching", "version": 1, "watermark": 0, "suppressed": 0, "events": events}


def test_a_campaigns_page_shows_the_events_of_each_head_over_all_vehicles(api: Api) -> None:
    api.activate(MATCHING)
    first, second = api.enrol_assigned("car-1"), api.enrol_assigned("car-2")
    page = "/v1/campaigns/matching/1"
    driver = {"active_shadow": five(), "active_driver": five(), "shadow_driver": five()}
    assert api.get(page).json()["events"] == {"lane.valid": {"active_shadow": five()}, "cut_in.detected": driver}
    told = {"active_shadow": five(matched=9, only_first=1), "active_driver": five(unresolved_second=4)}
    assert report(api, first, matched({"cut_in.detected": told})) == 204
    assert report(api, first, matched({"cut_in.detected": told})) == 204
    more = {"cut_in.detected": {"active_shadow": five(matched=1, only_second=2)}}
    assert report(api, second, matched(more), vehicle_id="car-2") == 204
    assert api.get(page).json()["events"]["cut_in.detected"] == {
        "active_shadow": five(matched=10, only_first=1, only_second=2),
        "active_driver": five(unresolved_second=4),
        "shadow_driver": five(),
    }


def test_an_older_report_of_events_changes_nothing_even_when_the_clock_was_set(api: Api) -> None:
    api.activate(MATCHING)
    vehicle = api.enrol_assigned()
    for count, at_ns in ((5, 100), (5, 100), (3, 200), (8, 50), (7, 300)):
        events = {"lane.valid": {"active_shadow": five(matched=count)}}
        assert report(api, vehicle, matched(events), at_ns=at_ns) == 204
    shown = api.get("/v1/campaigns/matching/1").json()["events"]
    assert shown["lane.valid"] == {"active_shadow": five(matched=8)}


@pytest.mark.parametrize(
    "events",
    [
        {"ego.speed": {"active_shadow": five()}},
        {"lane.valid": {"active_driver": five()}},
        {"lane.valid": {"driver_active": five()}},
        {"lane.valid": five()},
        {"lane.valid": {"active_shadow": five(matched=-1)}},
        {"lane.valid": {"active_shadow": five(matched=2**60 + 1)}},
        {"lane.valid": {"active_shadow": five(several=1)}},
        {"lane.valid": {"active_shadow": {**five(), "matched": "1"}}},
        {"lane.valid": {"active_shadow": [0, 0, 0, 0, 0]}},
        {"no head": {"active_shadow": five()}},
        {f"h{i}": {"active_shadow": five()} for i in range(101)},
        [],
    ],
)
def test_events_that_no_vehicle_can_have_counted_are_refused_with_all_of_the_report(api: Api, events: Any) -> None:
    api.activate(MATCHING)
    api.activate(campaign_text())
    assert report(api, api.enrol(), counts(5), matched(events)) == 422
    assert fired(api) == 0


def test_more_rises_than_milliseconds_are_left_out_and_the_rest_counts(api: Api) -> None:
    api.activate(MATCHING)
    api.activate(COMPARING)
    vehicle = api.enrol_assigned()
    events = {"lane.valid": {"active_shadow": five(matched=2**60, only_first=2**60)}}
    assert report(api, vehicle, matched(events), compared({"lane.valid": pairs(both=5)})) == 204
    shown = api.get("/v1/campaigns/matching/1").json()["events"]
    assert shown["lane.valid"] == {"active_shadow": five()}
    assert api.get("/v1/campaigns/comparing/1").json()["compared"]["lane.valid"] == pairs(both=5)
