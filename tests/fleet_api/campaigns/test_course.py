"""The course of a campaign over HTTP: stages, halts, reasons, differences of versions, its trail, its vehicles."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import text

from storage import tokens
from tests.fleet_api.api_server import Api, campaign_text

STAGED = campaign_text("rollout 10 % for 2 h, 50 % for 2 h, 100 %")
BRAKING = "/v1/campaigns/braking/1"


def backdate(api: Api, hours: int) -> None:
    """Let everything that has happened to rollouts have happened so many hours earlier."""
    moved = ("activated_at", "rollout_from", "paused_at", "held_at", "ended_at")
    with api.database.begin() as connection:
        for table, names in (("campaign_versions", moved), ("rollout_halts", ("since", "until"))):
            columns = ", ".join(f"{name} = {name} - interval '{hours} hours'" for name in names)
            connection.execute(text(f"UPDATE {table} SET {columns}"))


def step(api: Api, verb: str, reason: str | None, role: str = "approver") -> Any:
    answer = api.post(f"{BRAKING}/{verb}", {} if reason is None else {"reason": reason}, role)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_a_held_rollout_stays_in_its_stage_and_its_course_says_since_when_by_whom_and_why(api: Api) -> None:
    api.activate(STAGED)
    backdate(api, 1)
    held = step(api, "hold", "every second fire is a bridge")
    assert (held["state"], held["held_by"], held["held_reason"]) == (
        "active",
        "approver-user",
        "every second fire is a bridge",
    )
    backdate(api, 5)
    stage = api.get("/v1/campaigns").json()["campaigns"][0]["stage"]
    assert (stage["number"], stage["ends_at"]) == (1, None)
    course = api.get(f"{BRAKING}/course").json()
    assert [(each["share"], each["began_at"] is None, each["expected_at"]) for each in course["stages"]] == [
        (0.1, False, None),
        (0.5, True, None),
        (1.0, True, None),
    ]
    (halt,) = course["halts"]
    assert (halt["kind"], halt["stage"], halt["until"], halt["reason"]) == ("held", 1, None, held["held_reason"])


def test_a_rollout_goes_on_from_where_it_was_halted(api: Api) -> None:
    api.activate(STAGED)
    backdate(api, 1)
    step(api, "hold", "wait")
    backdate(api, 3)
    step(api, "resume", "all is well")
    backdate(api, 2)
    step(api, "pause", None)
    course = api.get(f"{BRAKING}/course").json()
    first, second, third = course["stages"]
    assert first["began_at"] < second["began_at"] and third["began_at"] is None
    assert [(each["kind"], each["stage"], each["reason"]) for each in course["halts"]] == [
        ("held", 1, "wait"),
        ("paused", 2, None),
    ]
    assert course["halts"][0]["until"] < second["began_at"] < course["halts"][1]["since"]


def test_a_version_that_has_not_begun_has_stages_without_times(api: Api) -> None:
    api.apply(STAGED)
    course = api.get(f"{BRAKING}/course").json()
    assert {(each["began_at"], each["expected_at"]) for each in course["stages"]} == {(None, None)}
    assert course["halts"] == []


@pytest.mark.parametrize(
    ("text", "steps", "says"),
    [
        (STAGED, ["hold"], "is held already"),
        (STAGED, ["pause"], "is paused and cannot be held"),
        (campaign_text(), [], "has reached the last stage"),
    ],
)
def test_what_cannot_be_held_is_refused_with_what_to_do(api: Api, text: str, steps: list[str], says: str) -> None:
    api.activate(text)
    for verb in steps:
        step(api, verb, "a test")
    refused = api.post(f"{BRAKING}/hold", {"reason": "again"}, "approver")
    assert refused.status_code == 409
    assert says in refused.json()["detail"] and refused.json()["remedy"]


def test_an_author_holds_their_own_version_and_none_of_another(api: Api) -> None:
    api.activate(STAGED)
    with api.database.begin() as connection:
        mallory = {"Authorization": f"Bearer {tokens.issue(connection, 'mallory', ['author'])}"}
    stranger = api.client.post(f"{BRAKING}/hold", json={"reason": "not mine"}, headers=mallory)
    assert stranger.status_code == 403 and "author-user" in stranger.json()["remedy"]
    step(api, "hold", "mine", "author")
    refused = api.post(f"{BRAKING}/resume", {}, "author")
    assert refused.status_code == 403, "what was held is let go on by an approver"


def test_two_versions_are_compared_part_by_part(api: Api) -> None:
    api.activate(STAGED)
    api.apply(STAGED.replace("-4 m/s^2", "-5 m/s^2"))
    difference = api.get("/v1/campaigns/braking/2/difference", since=1).json()
    assert list(difference["parts"]) == ["trigger text"]
    assert "-    when ego.accel < -4 m/s^2\n+    when ego.accel < -5 m/s^2" in difference["parts"]["trigger text"]
    assert api.get("/v1/campaigns/braking/1/difference", since=1).json()["parts"] == {}
    assert api.get("/v1/campaigns/braking/1/difference", since=3).status_code == 404


def test_the_trail_tells_everybody_who_did_what_and_why_and_operators_from_where(api: Api) -> None:
    api.activate(STAGED)
    api.apply(STAGED.replace("campaign braking", "campaign braking_hard"))
    step(api, "hold", "too many")
    limit = {"kind": "campaign_bytes", "amount": 5_000_000, "reason": "spare some"}
    for name in ("braking", "braking_hard"):
        assert api.post("/v1/budget/limits", {**limit, "name": name}, "operator").is_success
    pages = []
    after: int | None = 0
    while after is not None:
        page = api.get("/v1/campaign-trails/braking", after=after, limit=2).json()
        pages += page["entries"]
        after = page["next"]
    assert [(each["action"], each["object"], each["user_name"], each["reason"]) for each in pages] == [
        ("campaign.apply", "braking/1", "author-user", None),
        ("campaign.approve", "braking/1", "approver-user", None),
        ("campaign.hold", "braking/1", "approver-user", "too many"),
        ("budget.limit", "campaign_bytes/braking", "operator-user", "spare some"),
    ]
    assert {each["address"] for each in pages} == {None}
    entries = api.get("/v1/campaign-trails/braking", "operator").json()["entries"]
    assert {each["address"] for each in entries} == {"testclient"}
    assert api.get("/v1/campaign-trails/nothing").status_code == 404


def test_every_step_keeps_its_reason(api: Api) -> None:
    applied = api.apply(STAGED, draft=True).json()
    step(api, "submit", "why submit", "author")
    body = {"digest": applied["approval_digest"], "reason": "why approve"}
    assert api.post(f"{BRAKING}/approve", body, "approver").status_code == 200
    for verb in ("pause", "resume", "stop"):
        step(api, verb, f"why {verb}")
    entries = api.get("/v1/campaign-trails/braking").json()["entries"]
    assert [each["reason"] for each in entries[1:]] == [
        f"why {verb}" for verb in ("submit", "approve", "pause", "resume", "stop")
    ]


def test_a_step_needs_no_body_and_takes_no_other(api: Api) -> None:
    api.activate(STAGED)
    paused = api.client.post(f"{BRAKING}/pause", headers=api.as_("approver"))
    assert paused.status_code == 200, paused.text
    as_text = api.as_("approver") | {"Content-Type": "text/plain"}
    assert api.client.post(f"{BRAKING}/resume", content="{}", headers=as_text).status_code == 415


def test_signatures_are_counted_before_a_version_is_approved(api: Api) -> None:
    api.apply(STAGED)
    counted = api.get(f"{BRAKING}/signatures").json()
    assert counted == {"campaign": "braking", "version": 1, "signatures": 1, "needed": 1}, "the deployment's own key"


def test_vehicles_of_a_version_have_a_state_and_its_reason(api: Api) -> None:
    api.activate(campaign_text())
    for name in ("car-1", "car-2", "car-3", "car-4"):
        api.enrol_assigned(name)
    problem = "braking version 1 is suspended; its evaluation failed with Trap: out of fuel"
    other = "braking version 12: 4 samples came too fast"
    with api.database.begin() as connection:
        problems = "jsonb_build_array(CAST(:own AS text), CAST(:other AS text))"
        connection.execute(
            text(f"UPDATE vehicles SET problems = {problems} WHERE id = 'car-2'"),
            {"own": problem, "other": other},
        )
        connection.execute(text("UPDATE vehicles SET last_check_in_at = now() - interval '8 days' WHERE id = 'car-3'"))
    quarantined = api.post("/v1/vehicles/car-4/quarantine", {"reason": "sends junk"}, "operator")
    assert quarantined.is_success
    found = api.get(f"{BRAKING}/vehicles").json()
    assert [(each["vehicle"], each["state"], each["reason"]) for each in found["vehicles"]] == [
        ("car-1", "runs", ""),
        ("car-2", "fails", problem),
        ("car-3", "silent", "its list has expired, since it has not checked in"),
        ("car-4", "quarantined", "sends junk"),
    ]
    assert found["by_state"] == {"runs": 1, "fails": 1, "silent": 1, "quarantined": 1}
    page = api.get(f"{BRAKING}/vehicles", limit=1, after="car-1", state="fails").json()
    assert ([each["vehicle"] for each in page["vehicles"]], page["next"]) == (["car-2"], "car-2")


def test_a_vehicle_that_was_taken_the_version_says_why(api: Api) -> None:
    api.activate(campaign_text())
    headers = api.enrol_assigned("car-1")
    step(api, "pause", None)
    assert api.check_in(headers, "car-1").status_code == 200
    (left,) = api.get(f"{BRAKING}/vehicles").json()["vehicles"]
    assert (left["state"], left["reason"]) == ("left", "the version is paused")
    step(api, "stop", None)
    (left,) = api.get(f"{BRAKING}/vehicles").json()["vehicles"]
    assert left["reason"] == "the version is stopped: stopped by approver-user"


def test_vehicles_that_were_not_given_a_version_are_counted_by_what_stands_in_the_way(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    api.activate(campaign_text('target vehicle.region == "EU"\n    rollout 50 % for 2 h, 100 %'))
    cars = {f"car-{number}": api.enrol(f"car-{number}", region="EU") for number in range(20)}
    for name in ("car-us", "car-unknown", "car-quarantined", "car-revoked"):
        api.enrol(name, **({"region": "US"} if name == "car-us" else {}))
    for name, verb in (("car-quarantined", "quarantine"), ("car-revoked", "revoke")):
        answer = api.post(f"/v1/vehicles/{name}/{verb}", {"reason": "a test"}, "operator")
        assert answer.is_success, answer.text
    before = api.get(f"{BRAKING}/other-vehicles").json()
    stage, due = (before["by_reason"].pop(reason) for reason in ("stage", "due"))
    assert (stage + due, min(stage, due) > 0) == (20, True)
    others = {"target": 2, "quarantined": 1, "revoked": 1}
    assert before == {"by_reason": others, "counted": 24, "is_complete": True}
    for name, headers in cars.items():
        assert api.check_in(headers, name).status_code == 200
    after = api.get(f"{BRAKING}/other-vehicles").json()
    assert after == {"by_reason": others | {"stage": stage}, "counted": 4 + stage, "is_complete": True}
    assert api.get(f"{BRAKING}/vehicles").json()["by_state"] == {"runs": due}
    monkeypatch.setattr("fleet_api.campaigns.course.usecases.MOST_COUNTED", 3)
    assert api.get(f"{BRAKING}/other-vehicles").json() | {"by_reason": {}} == {
        "by_reason": {},
        "counted": 3,
        "is_complete": False,
    }
    step(api, "pause", None)
    monkeypatch.undo()
    assert api.get(f"{BRAKING}/other-vehicles").json()["by_reason"] == {
        "not_running": 2 + stage,
        "quarantined": 1,
        "revoked": 1,
    }
