"""Campaigns over HTTP: from a text to an active version, and every step that is refused."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, text, update

from storage import tokens, users
from storage.tables import campaign_versions
from tests.fleet_api.api_server import SIGNALS, Api, campaign_text


def test_a_text_becomes_a_submitted_version_and_the_same_text_gives_it_again(api: Api) -> None:
    first = api.apply(campaign_text())
    again = api.apply(campaign_text())
    changed = api.apply(campaign_text("priority 60"))

    assert first.status_code == 201
    assert (first.json()["campaign"], first.json()["version"], first.json()["state"]) == ("braking", 1, "submitted")
    assert first.json()["warnings"] == []
    assert (again.status_code, again.json()["version"]) == (200, 1)
    assert (changed.status_code, changed.json()["version"]) == (201, 2)


def test_a_draft_is_submitted_when_it_is_applied_again_without_draft(api: Api) -> None:
    assert api.apply(campaign_text(), draft=True).json()["state"] == "draft"
    assert api.apply(campaign_text(), draft=True).json()["state"] == "draft"
    submitted = api.apply(campaign_text())
    assert (submitted.status_code, submitted.json()["version"], submitted.json()["state"]) == (200, 1, "submitted")


def test_a_text_that_is_based_on_a_version_is_refused_once_there_is_a_newer_one(api: Api) -> None:
    assert api.apply(campaign_text(), draft=True, based_on=0).json()["version"] == 1
    mine, theirs = (campaign_text(f"priority {priority}") for priority in (10, 20))
    assert api.apply(theirs, draft=True, based_on=1).json()["version"] == 2
    for seen, says in ((1, "author-user applied version 2 at 20"), (0, "already"), (3, "no version 3")):
        refused = api.apply(mine, draft=True, based_on=seen)
        assert (refused.status_code, refused.json()["code"]) == (409, "conflict")
        assert says in refused.json()["detail"]
    again = api.apply(theirs, draft=True, based_on=1)
    assert (again.status_code, again.json()["version"]) == (200, 2), "what was saved, and its answer was lost"
    older = api.apply(campaign_text(), draft=True, based_on=1)
    assert older.status_code == 409, "another has come in between, also where the text is that of an older version"
    assert api.apply(mine, draft=True, based_on=2).json()["version"] == 3
    assert api.apply(mine, based_on=-1).status_code == api.apply(mine, based_on=2**31).status_code == 422


def test_a_text_with_mistakes_is_answered_with_all_their_places(api: Api) -> None:
    answer = api.apply("trigger a { when ego.sped > 20 km/h }\ntrigger b { when ego.speed > 20 }\n")
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem["code"] == "diagnostics"
    assert [diagnostic["line"] for diagnostic in problem["diagnostics"] if diagnostic["severity"] == "error"] == [1, 2]


def test_a_signal_catalog_with_mistakes_and_a_missing_campaign_are_invalid(api: Api) -> None:
    wrong_catalog = api.apply(campaign_text(), signals="signals: [")
    no_such = api.apply(campaign_text(), campaign="other")
    none = api.apply("trigger a { when ego.speed > 20 km/h }")
    assert [answer.status_code for answer in (wrong_catalog, no_such, none)] == [422, 422, 422]
    assert "braking" in no_such.json()["detail"]
    assert none.json()["code"] == "invalid_input"


def test_approval_makes_a_bundle_and_activates(api: Api) -> None:
    active = api.activate(campaign_text())
    assert active["state"] == "active"
    assert len(active["bundle_digest"]) == 64
    assert active["approved_by"] == "approver-user"


def test_approval_binds_to_the_digest(api: Api) -> None:
    api.apply(campaign_text())
    answer = api.post("/v1/campaigns/braking/1/approve", {"digest": "0" * 64}, "approver")
    assert (answer.status_code, answer.json()["code"]) == (409, "conflict")
    assert api.get("/v1/campaigns/braking/1").json()["state"] == "submitted"


def test_versions_with_one_program_have_digests_of_their_own_and_neither_approves_the_other(api: Api) -> None:
    first = api.apply(campaign_text('target vehicle.region == "UK"')).json()
    second = api.apply(campaign_text("upload on cellular")).json()
    assert first["program_digest"] == second["program_digest"]
    assert len({first["approval_digest"], second["approval_digest"], first["program_digest"]}) == 3
    for digest in (first["approval_digest"], second["program_digest"]):
        answer = api.post("/v1/campaigns/braking/2/approve", {"digest": digest}, "approver")
        assert (answer.status_code, answer.json()["code"]) == (409, "conflict"), digest
    again = api.post("/v1/campaigns/braking/2/stop", {}, "author")
    assert again.status_code == 200
    same = api.apply(campaign_text("upload on cellular")).json()
    assert same["version"] == 3 and same["approval_digest"] != second["approval_digest"]


def test_what_is_approved_is_the_digest_of_what_vehicles_get(api: Api) -> None:
    active = api.activate(campaign_text("target vehicle.hardware != -0"))
    vehicle = api.enrol(hardware=4)
    api.check_in(vehicle)
    sealed = api.client.get(f"/v1/bundles/{active['bundle_digest']}", headers=vehicle)
    bundle = api.open_bundle(sealed, active["bundle_digest"])
    assert bundle.approval_digest == active["approval_digest"]


def test_a_submitted_version_is_returned_to_its_author_with_a_reason_until_it_is_submitted_again(api: Api) -> None:
    digest = api.apply(campaign_text()).json()["approval_digest"]
    rejected = api.post("/v1/campaigns/braking/1/reject", {"reason": "10 MB are enough"}, "approver").json()
    assert (rejected["state"], rejected["rejected_by"]) == ("draft", "approver-user")
    assert api.get("/v1/campaigns/braking/1").json()["rejected_reason"] == "10 MB are enough"
    for step, body in (("approve", {"digest": digest}), ("reject", {"reason": "again"})):
        assert api.post(f"/v1/campaigns/braking/1/{step}", body, "approver").status_code == 409, "it is a draft"
    again = api.post("/v1/campaigns/braking/1/submit", {}, "author").json()
    assert (again["state"], again["rejected_at"], again["rejected_reason"]) == ("submitted", None, None)
    assert api.post("/v1/campaigns/braking/1/approve", {"digest": digest}, "approver").json()["state"] == "active"
    late = api.post("/v1/campaigns/braking/1/reject", {"reason": "too late"}, "approver")
    assert (late.status_code, late.json()["remedy"]) == (409, "this is only possible in the state submitted")
    entry = api.get("/v1/audit", "operator", object="braking").json()["entries"][1]
    assert (entry["action"], entry["reason"], entry["before"]) == (
        "campaign.reject",
        "10 MB are enough",
        {"state": "submitted"},
    )


@pytest.mark.parametrize("body", [{}, {"reason": ""}, {"reason": "x" * 501}, {"reason": "a\x00b"}])
def test_a_rejection_says_why(api: Api, body: dict[str, str]) -> None:
    api.apply(campaign_text())
    assert api.post("/v1/campaigns/braking/1/reject", body, "approver").status_code == 422
    assert api.get("/v1/campaigns/braking/1").json()["state"] == "submitted"


def test_a_version_whose_row_was_changed_is_not_approved(api: Api) -> None:
    digest = api.apply(campaign_text()).json()["approval_digest"]
    with api.database.begin() as connection:
        wider = func.jsonb_set(campaign_versions.c.settings, text("'{budget,total_bytes}'"), text("'4000'"))
        connection.execute(update(campaign_versions).values(settings=wider))
    answer = api.post("/v1/campaigns/braking/1/approve", {"digest": digest}, "approver")
    assert answer.status_code == 409 and "its row was changed" in answer.json()["detail"]


def test_a_review_has_every_setting_the_cost_and_the_difference_to_what_runs(api: Api) -> None:
    api.activate(campaign_text('target vehicle.region == "UK"'))
    api.apply(campaign_text("upload on cellular").replace("1 GB", "4000 GB"))
    review = api.get("/v1/campaigns/braking/2").json()["review"]
    assert review["settings"]["budget.total_bytes"] == "4 TB (4,000,000,000,000 bytes)"
    assert review["settings"]["triggers.hard_brake.capture.before_ns"] == "2 s"
    assert review["cost"]["operations_per_tick"] > 0 and review["cost"]["state_bytes"] > 0
    assert review["runs"] == 1
    lines = review["difference"].splitlines()
    assert lines[:2] == ["--- version 1: settings", "+++ version 2: settings"]
    for line in (
        '-target: vehicle.region == "UK"',
        "+target: none",
        "-budget.total_bytes: 1 GB (1,000,000,000 bytes)",
        "+budget.total_bytes: 4 TB (4,000,000,000,000 bytes)",
        "+    upload on cellular",
    ):
        assert line in lines
    assert not any("cost" in line or "signal catalog" in line for line in lines)
    running = api.get("/v1/campaigns/braking/1").json()["review"]
    assert (running["runs"], running["difference"]) == (1, "")


@pytest.mark.parametrize("allowed", [False, True])
def test_an_author_approves_alone_only_where_the_deployment_allows_it(api: Api, allowed: bool) -> None:
    api.change_settings(allow_self_approval=allowed)
    body = {"source": campaign_text(), "signals": SIGNALS}
    applied = api.post("/v1/campaigns", body, "admin").json()
    answer = api.post("/v1/campaigns/braking/1/approve", {"digest": applied["approval_digest"]}, "admin")
    assert answer.status_code == (200 if allowed else 403)
    assert api.get("/v1/me", "admin").json()["self_approval"] is allowed
    if not allowed:
        assert "LONGTAIL_ALLOW_SELF_APPROVAL" in answer.json()["remedy"]


def test_another_spelling_of_the_authors_name_is_the_author(api: Api) -> None:
    with api.database.begin() as connection:
        author, approver = (
            {"Authorization": f"Bearer {tokens.issue(connection, name, [role])}"}
            for name, role in (("mallory", "author"), ("Mallory", "approver"))
        )
    body = {"source": campaign_text(), "signals": SIGNALS}
    applied = api.client.post("/v1/campaigns", json=body, headers=author).json()
    answer = api.client.post(
        "/v1/campaigns/braking/1/approve", json={"digest": applied["approval_digest"]}, headers=approver
    )
    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
    assert "mallory wrote or submitted" in answer.json()["detail"]


def test_an_author_neither_pauses_nor_stops_the_campaign_of_another(api: Api) -> None:
    api.activate(campaign_text())
    with api.database.begin() as connection:
        other = {"Authorization": f"Bearer {tokens.issue(connection, 'mallory', ['author'])}"}
    for verb in ("pause", "stop"):
        answer = api.client.post(f"/v1/campaigns/braking/1/{verb}", json={}, headers=other)
        assert answer.status_code == 403, verb
        assert "author-user" in answer.json()["remedy"] and "approver" in answer.json()["remedy"]
    assert api.get("/v1/campaigns/braking/1").json()["state"] == "active"


def test_names_are_those_that_people_have_now(api: Api) -> None:
    active = api.activate(campaign_text())
    with api.database.begin() as connection:
        users.rename(connection, "author-user", "alice@fleet.example")
    shown = api.get("/v1/campaigns/braking/1").json()
    assert (shown["author"], shown["submitted_by"]) == ("alice@fleet.example", "alice@fleet.example")
    assert shown["author_id"] == active["author_id"] == shown["submitted_by_id"] != shown["approved_by_id"]


def test_a_new_version_supersedes_the_one_that_ran(api: Api) -> None:
    api.activate(campaign_text())
    api.activate(campaign_text("priority 60"))
    versions = api.get("/v1/campaigns/braking").json()["versions"]
    assert [(version["version"], version["state"], version["ended_reason"]) for version in versions] == [
        (2, "active", None),
        (1, "stopped", "superseded"),
    ]


def test_a_version_whose_first_day_is_to_come_waits_while_the_old_one_runs(api: Api) -> None:
    api.activate(campaign_text())
    tomorrow = datetime.now(UTC).date() + timedelta(days=1)
    waiting = api.activate(campaign_text(f"active {tomorrow} to {tomorrow + timedelta(days=9)}"))
    assert waiting["state"] == "approved"
    assert api.get("/v1/campaigns/braking/1").json()["state"] == "active"


def test_pause_resume_and_stop(api: Api) -> None:
    api.activate(campaign_text())
    states = [
        api.post(f"/v1/campaigns/braking/1/{verb}", {}, "approver").json()["state"] for verb in ("pause", "resume")
    ]
    stopped = api.post("/v1/campaigns/braking/1/stop", {}, "author").json()
    assert [*states, stopped["state"]] == ["paused", "active", "stopped"]
    assert stopped["ended_reason"] == "stopped by author-user"
    again = api.post("/v1/campaigns/braking/1/resume", {}, "approver")
    assert (again.status_code, again.json()["code"]) == (409, "conflict")
    assert "stopped" in again.json()["detail"]


def test_a_stopped_text_can_be_applied_again(api: Api) -> None:
    api.apply(campaign_text())
    api.post("/v1/campaigns/braking/1/stop", {}, "author")
    assert (api.apply(campaign_text()).status_code, api.apply(campaign_text()).json()["version"]) == (201, 2)


def test_a_version_shows_text_settings_outcomes_and_budget(api: Api) -> None:
    api.activate(campaign_text())
    shown = api.get("/v1/campaigns/braking/1").json()
    assert shown["source"] == campaign_text()
    assert shown["signals"] == SIGNALS
    assert shown["settings"]["budget"]["total_bytes"] == 10**9
    assert (shown["outcomes"]["fired"], shown["budget"]) == (0, [])
    listed = api.get("/v1/campaigns").json()["campaigns"]
    assert [(campaign["campaign"], campaign["version"], campaign["outcomes"]["fired"]) for campaign in listed] == [
        ("braking", 1, 0)
    ]


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/v1/campaigns/none", 404),
        ("/v1/campaigns/braking/2", 404),
        ("/v1/campaigns/braking/99999999999", 404),
        ("/v1/campaigns/braking/x", 422),
    ],
)
def test_what_is_not_there_is_named(api: Api, path: str, status: int) -> None:
    api.apply(campaign_text())
    answer = api.get(path)
    assert answer.status_code == status
    assert answer.json()["detail"]


@pytest.mark.parametrize(
    ("path", "role"),
    [("submit", "viewer"), ("approve", "author"), ("pause", "operator"), ("resume", "author"), ("stop", "viewer")],
)
def test_steps_need_their_role(api: Api, path: str, role: str) -> None:
    body = {"digest": "0" * 64} if path == "approve" else {}
    answer = api.post(f"/v1/campaigns/braking/1/{path}", body, role)
    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")


def test_no_request_gets_in_without_a_valid_token(api: Api) -> None:
    for headers in ({}, {"Authorization": "Bearer x"}, {"Authorization": f"Bearer lt_{'A' * 43}"}):
        answer = api.client.get("/v1/campaigns", headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated")
        assert answer.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"{", 422),
        (b"[]", 422),
        (b'{"source": "", "signals": "", "other": 1}', 422),
        (b'{"source": 1, "signals": ""}', 422),
        (b'{"source": "#\\u0000\\n", "signals": ""}', 422),
        (b'{"source": "\\ud800", "signals": ""}', 422),
        (b" " * (17 * 1024**2), 413),
    ],
)
def test_hostile_bodies_are_refused(api: Api, body: bytes, status: int) -> None:
    answer = api.client.post(
        "/v1/campaigns", content=body, headers={**api.as_("author"), "Content-Type": "application/json"}
    )
    assert answer.status_code == status
    assert answer.json()["code"] in {"invalid_input", "too_large", "diagnostics"}


@pytest.mark.parametrize(
    ("limits", "says"),
    [({"program_operations": 10}, "operations per tick"), ({"program_state_bytes": 10}, "bytes of state")],
)
def test_a_signal_catalog_cannot_allow_more_than_the_operator_does(api: Api, limits: dict[str, int], says: str) -> None:
    generous = "limits: {state: 128 MiB, operations: 1000000000}\n" + SIGNALS
    digest = api.apply(campaign_text()).json()["approval_digest"]
    api.change_settings(**limits)
    applied = api.apply(campaign_text(), signals=generous)
    approved = api.post("/v1/campaigns/braking/1/approve", {"digest": digest}, "approver")
    for answer in (applied, approved):
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid_input")
        assert f"{says} on a vehicle, and this deployment allows 10" in answer.json()["detail"]
    assert [each["state"] for each in api.get("/v1/campaigns/braking").json()["versions"]] == ["submitted"]


def test_a_signal_catalog_can_lower_what_the_operator_allows(api: Api) -> None:
    answer = api.apply(campaign_text(), signals="limits: {operations: 1}\n" + SIGNALS)
    assert (answer.status_code, answer.json()["code"]) == (422, "diagnostics")


def test_an_approver_sees_the_forecast_of_this_program_and_of_no_other(api: Api) -> None:
    digest = api.apply(campaign_text()).json()["program_digest"]
    expected = {"mean": 2.5, "low": 0, "high": None}
    quantities = ("fires_per_fleet_day", "clips_per_fleet_day", "bytes_per_fleet_day", "bytes_per_vehicle_day")
    forecast = {"program_digest": digest, "drives": 3, "hours": 1.5, "vehicles": 1000, "hours_per_day": 1}
    forecast |= {"triggers": {"hard_brake": dict.fromkeys(quantities, expected)}, "budgets": []}
    assert api.get("/v1/campaigns/braking/1").json()["review"]["forecast"] is None
    assert api.apply(campaign_text(), forecast=forecast).json()["version"] == 1
    shown = api.get("/v1/campaigns/braking/1").json()["review"]["forecast"]
    assert shown["triggers"]["hard_brake"]["bytes_per_fleet_day"] == expected
    other = api.apply(campaign_text(), forecast=forecast | {"program_digest": "0" * 64})
    assert (other.status_code, other.json()["code"]) == (409, "conflict")
    assert api.apply(campaign_text(), forecast=forecast | {"hours": -1}).status_code == 422
