"""The audit log over HTTP: every request of a person that changes something leaves an entry; and reading them."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

import pytest
from httpx import Response
from sqlalchemy import update

from fleet_api.client.campaign_files import signed_version
from storage import audit, tokens, users
from storage.labels import jobs
from storage.logins import sessions
from storage.objects import DirectoryStore
from storage.objects.contract import ObjectTier
from storage.tables import label_jobs
from storage.uploads import dead_letters
from tests.fleet_api.api_server import SIGNALS, Api, campaign_text
from tests.fleet_api.campaigns.reported import report_of
from tests.fleet_api.statements.calendar import arrive, prepare
from tests.fleet_api.trust.test_routes import ANN, Published
from tests.storage.clips.catalog_support import OPENLABEL, add_clip
from tests.support.keys import role
from tests.triggers.costs.books import BOOK
from triggers.contracts.api.audit import AuditEntryView, AuditPage
from triggers.contracts.users import Role, User

VERSION = "/v1/campaigns/{campaign}/{version}"
JOB = "/v1/label-jobs/{job_id}"
DATASET = "/v1/datasets/{name}"
BRAKING = "/v1/campaigns/braking/1"
Act = Callable[[Api], Response]


def draft(api: Api) -> Any:
    return api.apply(campaign_text(), draft=True).json()


def claimed(api: Api) -> Response:
    """Claim a label job."""
    with api.database.begin() as connection:
        jobs.ensure(connection, add_clip(connection), "auto")
    return api.post("/v1/label-jobs/claim", {"task": "auto", "labeler": "anna"}, "labeler")


def of_job(api: Api, step: str, body: dict[str, Any]) -> Response:
    """Claim a label job, and do something with it."""
    (job,) = claimed(api).json()["jobs"]
    return api.post(f"/v1/label-jobs/{job['id']}/{step}", {"token": job["token"], **body}, "labeler")


def retried(api: Api) -> Response:
    """Let a label job fail for good, and try it again."""
    (job,) = claimed(api).json()["jobs"]
    with api.database.begin() as connection:
        connection.execute(update(label_jobs).values(attempts=jobs.MAX_ATTEMPTS))
    api.post(f"/v1/label-jobs/{job['id']}/fail", {"token": job["token"], "reason": "dark"}, "labeler")
    return api.post(f"/v1/label-jobs/{job['id']}/retry", {}, "operator")


def erased(api: Api, path: str) -> Response:
    response: Response = api.client.delete(path, headers=api.as_("operator"), params={"reason": "sold"})
    return response


def clip(api: Api) -> str:
    with api.database.begin() as connection:
        return add_clip(connection)


def scan_begun(api: Api) -> Response:
    """Begin a scan, by the signal catalog of a campaign."""
    draft(api)
    return api.post("/v1/scans", {"when": "ego.speed > 3 m/s"}, "operator")


def dataset(api: Api) -> Response:
    """Create a dataset `cuts` with one clip."""
    return api.post("/v1/datasets", {"name": "cuts", "clips": [clip(api)]}, "author")


def saved_search(api: Api) -> Response:
    return api.post("/v1/searches", {"name": "cuts", "filter": "vehicle = 'car-1'"}, "viewer")


def untagged(api: Api) -> Response:
    """Add a tag to a clip, and remove it."""
    path = f"/v1/clips/{clip(api)}/tags"
    assert api.post(path, {"tags": ["wet"]}, "viewer").is_success
    response: Response = api.client.delete(path, headers=api.as_("viewer"), params={"tag": "wet"})
    return response


def note_removed(api: Api) -> Response:
    """Add a note to a clip, and remove it."""
    path = f"/v1/clips/{clip(api)}/notes"
    note = api.post(path, {"text": "wet"}, "viewer").json()
    response: Response = api.client.delete(f"{path}/{note['id']}", headers=api.as_("viewer"))
    return response


def vector_put(api: Api) -> Response:
    path = f"/v1/clips/{clip(api)}/vectors/vit-1"
    response: Response = api.client.put(path, headers=api.as_("operator"), json={"vector": [1.0, 0.0]})
    return response


class Archive:
    """Storage classes of a store in which every object is archived; the store under test has none."""

    def tier(self, key: str) -> ObjectTier:
        return ObjectTier("GLACIER")

    def restore(self, key: str, *, days: int) -> None:
        assert (key.startswith("clips/"), days) == (True, 7)


def restored(api: Api) -> Response:
    """Have an archived recording restored."""
    with api.database.begin() as connection:
        clip_id = add_clip(connection, tier="GLACIER")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(DirectoryStore, "tiers", Archive())
        return api.post(f"/v1/clips/{clip_id}/restore", {}, "operator")


def letter(api: Api) -> int:
    with api.database.begin() as connection:
        return dead_letters.record(connection, stage="gateway", reason="r", detail="d")


def after(step: Callable[[Api], object], act: Act) -> Act:
    def both(api: Api) -> Response:
        step(api)
        return act(api)

    return both


def costs_of_january(api: Api) -> None:
    assert api.post("/v1/price-books", {"prices": BOOK}, "operator").is_success
    prepare(api.database, "braking")
    arrive(api.database, {"braking": 10}, "2026-01-05T12:00")


def moved(step: str) -> Act:
    return lambda api: api.post(f"{BRAKING}/{step}", {}, "approver")


def approved(api: Api) -> Response:
    applied = api.apply(campaign_text()).json()
    return api.post(f"{BRAKING}/approve", {"digest": applied["approval_digest"]}, "approver")


def trust_published(api: Api) -> Response:
    deployment = Published(api)
    return deployment.publish(deployment.next())


def signed(api: Api) -> Response:
    """Let ann sign a version with a key of her own, which is a bundle key from then on."""
    deployment = Published(api)
    assert deployment.publish(deployment.next(bundles=role(ANN))).is_success
    api.apply(campaign_text())
    signature = signed_version(api.as_client("author").campaigns.version("braking", 1), ANN)
    encoded = base64.b64encode(signature.signature).decode()
    return api.post(f"{BRAKING}/signatures", {"key_id": signature.key_id.hex(), "signature": encoded}, "author")


def logged_out(api: Api) -> Response:
    """Log out of a session that a log-in began."""
    with api.database.begin() as connection:
        user_id, name = users.ensure(connection, "ann-user")
        ann = User(name, frozenset(), user_id)
        session = sessions.begin(connection, ann, [Role.VIEWER], issuer="https://login.example", ttl_s=60)
    response: Response = api.client.post("/v1/logout", headers={"Authorization": f"Bearer {session.token}"})
    return response


def told(verb: str) -> Act:
    return lambda api: api.post(f"/v1/vehicles/car-1/{verb}", {"reason": "r"}, "operator")


ACTIONS: dict[tuple[str, str], tuple[Act, str]] = {
    ("post", "/v1/campaigns"): (lambda api: api.apply(campaign_text()), "campaign.apply"),
    ("post", "/v1/signal-catalogs"): (
        lambda api: api.post("/v1/signal-catalogs", {"name": "fleet", "signals": SIGNALS}, "operator"),
        "signal_catalog.publish",
    ),
    ("post", "/v1/price-books"): (
        lambda api: api.post("/v1/price-books", {"prices": BOOK}, "operator"),
        "price_book.publish",
    ),
    ("post", "/v1/budget/limits"): (
        lambda api: api.post("/v1/budget/limits", {"kind": "fleet", "amount": 9, "reason": "r"}, "operator"),
        "budget.limit",
    ),
    ("post", "/v1/campaign-owners/{campaign}"): (
        after(draft, lambda api: api.post("/v1/campaign-owners/braking", {"cost_centre": "maps"}, "author")),
        "campaign.assign",
    ),
    ("post", "/v1/costs/months/{month}/close"): (
        after(costs_of_january, lambda api: api.post("/v1/costs/months/2026-01/close", {}, "operator")),
        "month.close",
    ),
    ("post", f"{VERSION}/submit"): (
        after(draft, lambda api: api.post(f"{BRAKING}/submit", {}, "author")),
        "campaign.submit",
    ),
    ("post", f"{VERSION}/report"): (
        after(draft, lambda api: api.post(f"{BRAKING}/report", {"report": report_of(campaign_text())}, "author")),
        "campaign.report",
    ),
    ("post", f"{VERSION}/approve"): (approved, "campaign.approve"),
    ("post", f"{VERSION}/reject"): (
        after(
            lambda api: api.apply(campaign_text()),
            lambda api: api.post(f"{BRAKING}/reject", {"reason": "too wide"}, "approver"),
        ),
        "campaign.reject",
    ),
    ("post", f"{VERSION}/signatures"): (signed, "campaign.sign"),
    ("post", "/v1/logout"): (logged_out, "user.logout"),
    ("post", "/v1/trust"): (trust_published, "trust.publish"),
    ("post", f"{VERSION}/hold"): (
        after(
            lambda api: api.activate(campaign_text("rollout 10 % for 2 h, 100 %")),
            lambda api: api.post(f"{BRAKING}/hold", {"reason": "r"}, "approver"),
        ),
        "campaign.hold",
    ),
    ("post", f"{VERSION}/pause"): (after(approved, moved("pause")), "campaign.pause"),
    ("post", f"{VERSION}/resume"): (after(approved, after(moved("pause"), moved("resume"))), "campaign.resume"),
    ("post", f"{VERSION}/stop"): (after(approved, moved("stop")), "campaign.stop"),
    ("post", "/v1/vehicles"): (lambda api: api.post("/v1/vehicles", {"id": "car-1"}, "operator"), "vehicle.enrol"),
    ("post", "/v1/enrolment-codes"): (
        lambda api: api.post("/v1/enrolment-codes", {"id": "car-1"}, "operator"),
        "vehicle.code",
    ),
    ("post", "/v1/vehicles/{vehicle_id}/revoke"): (
        after(Api.enrol, lambda api: api.post("/v1/vehicles/car-1/revoke", {}, "operator")),
        "vehicle.revoke",
    ),
    ("post", "/v1/vehicles/{vehicle_id}/quarantine"): (after(Api.enrol, told("quarantine")), "vehicle.quarantine"),
    ("post", "/v1/vehicles/{vehicle_id}/release"): (
        after(Api.enrol, after(told("quarantine"), told("release"))),
        "vehicle.release",
    ),
    ("post", "/v1/vehicles/{vehicle_id}/void-counts"): (after(Api.enrol, told("void-counts")), "vehicle.void_counts"),
    ("post", "/v1/vehicles/{vehicle_id}/restore-counts"): (
        after(Api.enrol, after(told("void-counts"), told("restore-counts"))),
        "vehicle.restore_counts",
    ),
    ("delete", "/v1/vehicles/{vehicle_id}"): (
        after(Api.enrol, lambda api: erased(api, "/v1/vehicles/car-1")),
        "vehicle.erase",
    ),
    ("delete", "/v1/clips/{clip_id}"): (lambda api: erased(api, f"/v1/clips/{clip(api)}"), "clip.erase"),
    ("post", "/v1/scans"): (scan_begun, "scan.create"),
    ("delete", "/v1/scans/{scan_id}"): (
        lambda api: api.client.delete(f"/v1/scans/{scan_begun(api).json()['id']}", headers=api.as_("operator")),
        "scan.remove",
    ),
    ("post", "/v1/datasets"): (dataset, "dataset.create"),
    ("post", f"{DATASET}/versions"): (
        after(dataset, lambda api: api.post("/v1/datasets/cuts/versions", {"clips": [clip(api)]}, "author")),
        "dataset.add_version",
    ),
    ("post", f"{DATASET}/release"): (
        after(dataset, lambda api: api.post("/v1/datasets/cuts/release", {"reason": "r"}, "operator")),
        "dataset.release",
    ),
    ("post", f"{DATASET}/keep"): (
        after(dataset, lambda api: api.post("/v1/datasets/cuts/keep", {"reason": "r"}, "operator")),
        "dataset.keep",
    ),
    ("post", "/v1/searches"): (saved_search, "search.save"),
    ("delete", "/v1/searches/{name}"): (
        after(saved_search, lambda api: api.client.delete("/v1/searches/cuts", headers=api.as_("viewer"))),
        "search.delete",
    ),
    ("post", "/v1/clips/{clip_id}/tags"): (
        lambda api: api.post(f"/v1/clips/{clip(api)}/tags", {"tags": ["wet"]}, "viewer"),
        "clip.tag",
    ),
    ("delete", "/v1/clips/{clip_id}/tags"): (untagged, "clip.untag"),
    ("post", "/v1/clips/{clip_id}/notes"): (
        lambda api: api.post(f"/v1/clips/{clip(api)}/notes", {"text": "wet"}, "viewer"),
        "clip.note",
    ),
    ("delete", "/v1/clips/{clip_id}/notes/{note_id}"): (note_removed, "clip.remove_note"),
    ("put", "/v1/clips/{clip_id}/vectors/{embedding_id}"): (vector_put, "clip.vector"),
    ("post", "/v1/clips/{clip_id}/restore"): (restored, "clip.restore"),
    ("post", "/v1/label-jobs/claim"): (claimed, "label_job.claim"),
    ("post", f"{JOB}/retry"): (retried, "label_job.retry"),
    ("post", f"{JOB}/complete"): (lambda api: of_job(api, "complete", {"openlabel": OPENLABEL}), "label_job.complete"),
    ("post", f"{JOB}/fail"): (lambda api: of_job(api, "fail", {"reason": "dark"}), "label_job.fail"),
    ("post", f"{JOB}/renew"): (lambda api: of_job(api, "renew", {}), "label_job.renew"),
    ("post", "/v1/dead-letters/{letter_id}/discard"): (
        lambda api: api.post(f"/v1/dead-letters/{letter(api)}/discard", {}, "operator"),
        "dead_letter.discard",
    ),
}
"""By operation of people that changes something: a request that does, and the action that the log then has last."""


def log(api: Api, **params: Any) -> list[AuditEntryView]:
    answer = api.get("/v1/audit", "operator", **params)
    assert answer.status_code == 200, answer.text
    return AuditPage.model_validate_json(answer.content).entries


ONLY_ASK = {
    ("post", "/stac/search"),
    ("post", "/v1/clips/similar"),
    ("post", "/v1/authoring/check"),
    ("post", "/v1/authoring/vocabulary"),
    ("post", "/v1/backtests"),
    ("delete", "/v1/backtests/{backtest_id}"),
}
"""Requests that change nothing, and are posted as what they ask for may be too long for an address, or takes long: an
author begins and ends many a backtest while a threshold is tuned, and each is that author's own and expires."""


def test_the_table_has_every_request_of_people_that_can_change_something(api: Api) -> None:
    document = api.client.get("/openapi.json").json()
    changing = {
        (method, path)
        for path, item in document["paths"].items()
        for method, operation in item.items()
        if method in ("post", "put", "patch", "delete") and {"user_token": []} in operation.get("security", [])
    }
    assert changing == {*ACTIONS, *ONLY_ASK}


@pytest.mark.parametrize("operation", ACTIONS, ids=" ".join)
def test_a_request_that_changes_something_leaves_an_entry_with_its_sender(api: Api, operation: tuple[str, str]) -> None:
    act, action = ACTIONS[operation]
    api.as_("operator")  # whose token is an entry, too
    answer = act(api)
    assert answer.is_success, answer.text
    entry = log(api)[-1]
    assert entry.action == action
    assert entry.user_name.endswith("-user") and entry.user_id is not None and entry.token_id is not None
    assert entry.address == "testclient"
    assert entry.request_id == answer.headers["x-request-id"]


@pytest.mark.parametrize(
    ("path", "role"),
    [(f"{BRAKING}/pause", "operator"), (f"{BRAKING}/stop", "author"), (f"{BRAKING}/resume", "approver")],
)
def test_what_is_refused_leaves_no_entry(api: Api, path: str, role: str) -> None:
    before = log(api)
    assert api.post(path, {}, role).status_code in (403, 404)
    assert [entry for entry in log(api)[len(before) :] if entry.action != "token.issue"] == []


def test_applying_the_same_text_again_changes_nothing_and_is_no_entry(api: Api) -> None:
    for _ in range(2):
        api.apply(campaign_text())
    (entry,) = log(api, object="braking")
    assert (entry.action, entry.object, entry.before) == ("campaign.apply", "braking/1", None)
    assert entry.after is not None and entry.after["settings"]["budget"]["total_bytes"] == 10**9


def test_tokens_and_names_leave_entries_that_do_not_have_the_token(api: Api) -> None:
    api.as_("operator")
    with api.database.begin() as connection:
        token = tokens.issue(connection, "ann", ["viewer"])
        tokens.revoke(connection, token)
    issued, revoked = [entry for entry in log(api) if entry.kind == "user"][-2:]
    assert (issued.action, revoked.action) == ("token.issue", "token.revoke")
    assert issued.after is not None and issued.after["roles"] == ["viewer"] and issued.user_id is None
    assert revoked.before == {"token_id": issued.after["token_id"]}
    assert token not in issued.model_dump_json() + revoked.model_dump_json()


def test_a_vehicle_is_found_by_its_id_which_its_entries_do_not_have(api: Api) -> None:
    for _ in range(2):
        api.enrol("car-17", region="EU")
    entries = log(api, object="car-17")
    assert [entry.action for entry in entries] == ["vehicle.enrol", "vehicle.enrol_again"]
    assert entries[1].before == entries[1].after == {"attributes": ["region"]}
    assert entries[0].object == audit.vehicle_object("car-17")
    assert "car-17" not in "".join(entry.model_dump_json() for entry in entries)


def test_pages_lead_through_all_entries_and_filters_are_checked(api: Api) -> None:
    for number in range(5):
        api.enrol(f"car-{number}")
    page = AuditPage.model_validate_json(api.get("/v1/audit", "operator", limit=2).content)
    seen = [entry.sequence for entry in page.entries]
    while page.next is not None:
        page = AuditPage.model_validate_json(api.get("/v1/audit", "operator", limit=2, after=page.next).content)
        seen += [entry.sequence for entry in page.entries]
    assert seen == list(range(1, len(seen) + 1)) and len(seen) >= 5
    for wrong in ({"since_ns": "soon"}, {"since_ns": -1}, {"limit": 1001}, {"after": -1}, {"what": "x"}):
        assert api.get("/v1/audit", "operator", **wrong).status_code == 422
