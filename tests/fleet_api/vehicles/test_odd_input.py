"""Enrolment, check-in and counts with odd input: refused with its place, or stored as it is; never an error of ours."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.fleet_api.api_server import Api, campaign_text
from triggers.body_digest import content_digest

INT64 = 2**63 - 1
DEEP = "[" * 5000 + "]" * 5000
YEAR_NS = 365 * 86_400 * 10**9


def put(api: Api, vehicle: dict[str, str], body: Any, route: str = "check-in") -> tuple[int, dict[str, Any]]:
    """Send a body, which may be raw bytes; returns status and problem."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    headers = {**vehicle, "Content-Type": "application/json"}
    answer = api.client.post(f"/v1/vehicles/car-1/{route}", content=content, headers=headers)
    is_problem = answer.headers.get("content-type", "").startswith("application/problem+json")
    return answer.status_code, answer.json() if is_problem else {}


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({"vehicle_time_ns": -1}, "vehicle_time_ns"),
        ({"vehicle_time_ns": INT64 + 1}, "vehicle_time_ns"),
        ({"vehicle_time_ns": 10**400}, "vehicle_time_ns"),
        ({"vehicle_time_ns": 1.5}, "vehicle_time_ns"),
        ({"vehicle_time_ns": "1"}, "vehicle_time_ns"),
        ({"vehicle_time_ns": True}, "vehicle_time_ns"),
        ({"vehicle_time_ns": None}, "vehicle_time_ns"),
        ({"have": "A" * 64}, "have"),
        ({"have": ""}, "have"),
        ({"attributes": {"a": None}}, "attributes"),
        ({"attributes": {"a": [1]}}, "attributes"),
        ({"attributes": {"a": 2**64}}, "attributes"),
        ({"attributes": {"a": "x" * 201}}, "attributes"),
        ({"attributes": {f"a{n}": n for n in range(101)}}, "attributes"),
        ({"attributes": []}, "attributes"),
        ({"attributes": {"a" * 201: 1}}, "attributes"),
        ({"software": {"agent": 1}}, "software"),
        ({"software": {"agent": "x" * 201}}, "software"),
        ({"software": {"a" * 201: "1"}}, "software"),
        ({"problems": ["x" * 1001]}, "problems"),
        ({"problems": ["x"] * 101}, "problems"),
        ({"problems": "text"}, "problems"),
        ({"unknown": 1}, "unknown"),
    ],
)
def test_a_check_in_that_breaks_a_rule_is_refused_with_the_place(api: Api, changes: dict[str, Any], place: str) -> None:
    vehicle = api.enrol()
    status, problem = put(api, vehicle, {"vehicle_time_ns": 1, **changes})
    assert status == 422
    assert place in problem["detail"]


@pytest.mark.parametrize("path", ["/v1/vehicles", "/v1/enrolment-codes"])
def test_a_vehicle_is_not_enrolled_with_an_attribute_that_it_could_not_report(api: Api, path: str) -> None:
    refused = api.post(path, {"id": "car-1", "attributes": {"a" * 201: 1}}, "operator")
    assert refused.status_code == 422 and "attributes" in refused.json()["detail"], refused.text


@pytest.mark.parametrize("route", ["check-in", "telemetry"])
def test_a_body_that_was_altered_on_the_way_is_not_believed(api: Api, route: str) -> None:
    headers = api.enrol() | {"Content-Type": "application/json", "Content-Digest": content_digest(b"{}")}
    answer = api.client.post(f"/v1/vehicles/car-1/{route}", content=b"[]", headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (400, "bad_header")
    assert "altered on the way" in answer.json()["detail"]


@pytest.mark.parametrize(
    "body",
    [b"", b"null", b"[]", b'"text"', b"{", b"\xff\xfe", b"\x00", DEEP.encode(), b'{"a":' * 5000, b"NaN", b"1e999"],
    ids=lambda body: repr(body[:12]),
)
@pytest.mark.parametrize("route", ["check-in", "telemetry"])
def test_a_body_that_is_not_the_expected_json_is_refused(api: Api, body: bytes, route: str) -> None:
    status, problem = put(api, api.enrol(), body, route)
    assert status in (400, 422)
    assert problem["detail"]


@pytest.mark.parametrize(
    "text",
    ["a\u0000b", "\ud800", "\u202e", "\U0001f697" * 100, "a\nb", "\x1b[31mred"],
    ids=lambda text: repr(text)[:12],
)
@pytest.mark.parametrize("field", ["attributes", "software", "problems"])
def test_any_unicode_is_stored_and_shown_or_refused(api: Api, text: str, field: str) -> None:
    vehicle = api.enrol()
    value: Any = [text] if field == "problems" else {"name": text}
    status, problem = put(api, vehicle, {"vehicle_time_ns": 1, field: value})
    if status != 200:
        assert status == 422
        assert problem["detail"]
        return
    shown = api.get("/v1/vehicles/car-1").json()[field]
    assert (shown[0] if field == "problems" else shown["name"]) == text


@pytest.mark.parametrize(
    "vehicle_id", ["", " ", "a b", "-car", "car/1", "car\n", "ä", "x" * 65, "..", "a\u0000", "car%2F1", 7, None, ["a"]]
)
def test_an_id_that_no_vehicle_may_have_is_refused(api: Api, vehicle_id: Any) -> None:
    answer = api.post("/v1/vehicles", {"id": vehicle_id}, "operator")
    assert answer.status_code == 422
    assert "id" in answer.json()["detail"]


@pytest.mark.parametrize("vehicle_id", ["x", "x" * 64, "a..b", "a:b", "0", "CAR-1", "a-_.:"])
def test_any_other_id_is_enrolled_and_checks_in(api: Api, vehicle_id: str) -> None:
    enrolled = api.post("/v1/vehicles", {"id": vehicle_id}, "operator").json()
    vehicle = {"Authorization": f"Bearer {enrolled['token']}"}
    answer = api.client.post(f"/v1/vehicles/{vehicle_id}/check-in", json={"vehicle_time_ns": 1}, headers=vehicle)
    assert answer.status_code == 200
    assert api.get(f"/v1/vehicles/{vehicle_id}").json()["id"] == vehicle_id


@pytest.mark.parametrize("size", [INT64, 2**62 + 1, -1, 1.0, "1", True, 10**300])
def test_a_count_that_no_vehicle_can_have_is_refused(api: Api, size: Any) -> None:
    api.activate(campaign_text())
    counted = {"campaign": "braking", "version": 1, "watermark": size, "suppressed": 0, "in_flight": size}
    status, _ = put(api, api.enrol(), {"counts": [counted], "reported_at_ns": 1}, "telemetry")
    assert status == 422


@pytest.mark.parametrize(
    ("time_ns", "said"), [(0, "behind"), (INT64, "ahead of"), (10 * YEAR_NS, "behind")], ids=["1970", "2262", "1980"]
)
def test_a_clock_that_is_years_off_is_a_problem_of_its_vehicle(api: Api, time_ns: int, said: str) -> None:
    status, _ = put(api, api.enrol(), {"vehicle_time_ns": time_ns, "problems": ["own"]})
    assert status == 200
    own, clock = api.get("/v1/vehicles/car-1").json()["problems"]
    assert own == "own"
    assert f"days {said} the cloud's" in clock
    (listed,) = api.get("/v1/vehicles").json()["vehicles"]
    assert listed["problems"] == [own, clock]


def test_a_clock_that_was_set_back_does_not_hold_up_the_counts(api: Api) -> None:
    api.activate(campaign_text())
    vehicle = api.enrol_assigned()
    counted = {"campaign": "braking", "version": 1, "watermark": 0, "suppressed": 0, "armed_ns": 10**9}
    assert put(api, vehicle, {"counts": [counted], "reported_at_ns": INT64}, "telemetry")[0] == 204
    later = {**counted, "armed_ns": 3 * 10**9}
    assert put(api, vehicle, {"counts": [later], "reported_at_ns": 5}, "telemetry")[0] == 204
    assert api.get("/v1/campaigns/braking/1").json()["outcomes"]["armed_ns"] == 3 * 10**9
