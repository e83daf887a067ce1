"""Scans over HTTP: what is found, what is left out and why, limits, ownership, and what outlives a process."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select, update

from fleet_api.api.app import create_app
from fleet_api.scans import run
from ingest.steward import erasure
from storage.database import Database
from storage.erasure import clips as erased_clips
from storage.scans import jobs
from storage.settings import Settings
from storage.tables import clip_assets, scan_hits, scans
from storage.tables.erasure import ErasureCause
from tests.fleet_api.api_server import Api
from tests.fleet_api.scans.recorded import (
    BRAKING,
    SIGNALS,
    SLOWER,
    SLOWER_AT_NS,
    STEADY,
    add_recorded,
)
from tests.storage.clips.catalog_support import SECOND_NS, T_NS
from tests.support.waiting import wait_for

WITHIN_S = 120.0


def begun(api: Api, when: str = SLOWER, **request: Any) -> str:
    answer = api.post("/v1/scans", {"when": when, **request}, "viewer")
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def ended(api: Api, scan_id: str) -> dict[str, Any]:
    """The first page of a scan, once it is over."""

    def page() -> dict[str, Any]:
        document: dict[str, Any] = api.get(f"/v1/scans/{scan_id}", limit=1000).json()
        return document

    wait_for(lambda: page()["scan"]["state"] in ("done", "failed"), within_s=WITHIN_S, what="the end of the scan")
    return page()


def test_a_scan_finds_the_clips_and_the_instants_at_which_it_happened(api: Api) -> None:
    add_recorded(api, STEADY, number=0)
    braked = [add_recorded(api, BRAKING, number=number) for number in (1, 2)]
    page = ended(api, begun(api))
    scan = page["scan"]
    assert (scan["state"], scan["complete"], scan["stopped"]) == ("done", True, None)
    assert (scan["clips"], scan["scanned"], scan["found"], scan["instants"]) == (3, 3, 2, 2)
    assert scan["left_out"] == [] and scan["read_bytes"] > 0
    assert [hit["clip"] for hit in page["hits"]] == braked[::-1], "the latest first, as in a search"
    first = page["hits"][1]
    start_ns = T_NS + 60 * SECOND_NS
    assert (first["t_ns"], first["t_s"], first["vehicle"]) == ([start_ns + SLOWER_AT_NS], [2.52], "car-1")
    assert page["next"] is None


def test_only_clips_that_the_filter_admits_are_scanned(api: Api) -> None:
    add_recorded(api, BRAKING, number=1)
    other = add_recorded(api, BRAKING, number=2, campaign="cut_in")
    page = ended(api, begun(api, filter="campaign = 'cut_in'"))
    assert [hit["clip"] for hit in page["hits"]] == [other]
    assert page["scan"]["scanned"] == 1
    tree = '{"op": "=", "args": [{"property": "campaign"}, "none"]}'
    page = ended(api, begun(api, filter=tree, filter_lang="cql2-json"))
    assert (page["scan"]["state"], page["scan"]["scanned"], page["hits"]) == ("done", 0, [])


def test_what_cannot_be_evaluated_is_counted_by_its_reason(api: Api) -> None:
    add_recorded(api, BRAKING, number=0)
    none = add_recorded(api, None, number=1)
    other = add_recorded(api, {"ego.accel": {0: 1.0}}, number=2)
    broken = add_recorded(api, b"PAR1 no parquet PAR1", number=3)
    lost = add_recorded(api, BRAKING, number=4)
    with api.database.begin() as connection:
        connection.execute(
            update(clip_assets).where(clip_assets.c.clip_id == lost).values(object_key="extracted/nowhere")
        )
    in_km = add_recorded(api, BRAKING, number=5, campaign="other", catalog="signals: {speed: {unit: km/h, rate: 10}}")
    scan = ended(api, begun(api))["scan"]
    assert (scan["scanned"], scan["found"], scan["complete"]) == (6, 1, True)
    reasons = {each["example"]: each["reason"] for each in scan["left_out"]}
    assert reasons[none] == "its signals are not extracted (it is ready)"
    assert reasons[other] == "it has no signal `ego.speed`"
    assert reasons[broken].startswith("its signals cannot be read")
    assert "not in the object store" in reasons[lost]
    assert reasons[in_km] == "the signal catalog of other version 1: the signal catalog has no `ego.speed`"
    assert [each["clips"] for each in scan["left_out"]] == [1] * 5


def test_each_clip_is_read_by_the_catalog_of_its_own_campaign(api: Api) -> None:
    add_recorded(api, BRAKING, number=0)
    in_km = SIGNALS.replace("unit: m/s", "unit: km/h")
    add_recorded(api, {"ego.speed": {0: 100.0, 20: 40.0}}, number=1, campaign="kilometres", catalog=in_km)
    page = ended(api, begun(api, "ego.speed < 54 km/h"))
    assert [hit["t_s"] for hit in page["hits"]] == [[0.02], [2.52]]


def test_a_condition_with_a_mistake_is_refused_with_its_place(api: Api) -> None:
    add_recorded(api, BRAKING)
    answer = api.post("/v1/scans", {"when": "ego.sped < 15 m/s"}, "viewer")
    assert (answer.status_code, answer.json()["code"]) == (422, "diagnostics")
    (diagnostic,) = answer.json()["diagnostics"]
    assert (diagnostic["line"], diagnostic["column"]) == (1, 1)
    assert api.get("/v1/scans").json() == {"scans": []}


@pytest.mark.parametrize(
    "body",
    [
        {"when": SLOWER, "filter": "campaign ="},
        {"when": SLOWER, "filter": "no.such.name = 3"},
        {"when": ""},
        {"when": "a" * 10_001},
        {"when": SLOWER, "limit": 0},
        {"when": "ego.speed < 15 m/s \0"},
        {},
    ],
)
def test_requests_that_cannot_be_meant_are_refused(api: Api, body: dict[str, Any]) -> None:
    add_recorded(api, BRAKING)
    assert api.post("/v1/scans", body, "viewer").status_code == 400


def test_without_a_campaign_there_is_nothing_to_read_a_condition_by(api: Api) -> None:
    answer = api.post("/v1/scans", {"when": SLOWER}, "viewer")
    assert answer.status_code == 400
    assert "no signal catalog" in answer.json()["detail"]


def test_what_was_found_comes_in_pages(api: Api) -> None:
    braked = [add_recorded(api, BRAKING, number=number) for number in range(5)][::-1]
    scan_id = begun(api)
    ended(api, scan_id)
    found, position = [], 0
    while position is not None:
        page = api.get(f"/v1/scans/{scan_id}", limit=2, position=position).json()
        found += [hit["clip"] for hit in page["hits"]]
        position = page["next"]
    assert found == braked
    assert api.get(f"/v1/scans/{scan_id}", limit=0).status_code == 400


def test_a_scan_ends_once_the_wanted_clips_are_found(api: Api) -> None:
    for number in range(4):
        add_recorded(api, BRAKING, number=number)
    page = ended(api, begun(api, limit=2))
    assert len(page["hits"]) == page["scan"]["found"] == 2


def test_limits_end_a_scan_and_it_says_which(api: Api, settings: Settings, database: Database) -> None:
    for number in range(3):
        add_recorded(api, BRAKING, number=number)
    scan_id = begun_without_runner(api)
    with TestClient(create_app(settings.model_copy(update={"scan_clips": 2}))):
        page = ended(api, scan_id)
    assert (page["scan"]["scanned"], page["scan"]["complete"], page["scan"]["clips"]) == (2, False, 2)
    assert "at most 2 clips" in page["scan"]["stopped"]


def begun_without_runner(api: Api) -> str:
    """A scan that waits, as no process of this application runs scans any more."""
    api.app.state.scans.close()
    return begun(api)


def test_a_scan_goes_on_where_it_was_when_its_process_has_died(
    api: Api, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "PAGE", 2)
    braked = [add_recorded(api, BRAKING, number=number) for number in range(5)][::-1]
    scan_id = begun_without_runner(api)
    with api.database.begin() as connection:
        scan = jobs.claim(connection, worker="one that dies", lease_s=30)
        assert scan is not None
        done = jobs.PageDone(2, [jobs.Hit(clip, (1,), 1) for clip in braked[:2]], [], 10, 0.1, position(api, 2))
        jobs.take_page(connection, scan, done, lease_s=30)
        connection.execute(update(scans).values(lease_until=None, state="ready"))
    with TestClient(create_app(settings)):
        page = ended(api, scan_id)
    assert [hit["clip"] for hit in page["hits"]] == braked, "none is missing, and none is there twice"
    assert page["scan"]["scanned"] == 5


def position(api: Api, limit: int) -> str:
    return str(api.get("/v1/clips", limit=limit).json()["next"])


def test_an_orderly_end_gives_a_scan_back_and_the_next_process_takes_it_at_once(api: Api, settings: Settings) -> None:
    braked = add_recorded(api, BRAKING)
    scan_id = begun_without_runner(api)
    assert api.get(f"/v1/scans/{scan_id}").json()["scan"]["state"] == "waiting"
    with TestClient(create_app(settings)):
        assert [hit["clip"] for hit in ended(api, scan_id)["hits"]] == [braked]


def test_a_user_has_one_scan_at_a_time_and_may_end_it(api: Api) -> None:
    add_recorded(api, BRAKING)
    scan_id = begun_without_runner(api)
    refused = api.post("/v1/scans", {"when": SLOWER}, "viewer")
    assert (refused.status_code, refused.json()["code"]) == (429, "too_many")
    assert int(refused.headers["retry-after"]) > 0 and scan_id in refused.json()["detail"]
    assert api.post("/v1/scans", {"when": SLOWER}, "author").status_code == 201, "another user has one, too"
    assert api.client.delete(f"/v1/scans/{scan_id}", headers=api.as_("viewer")).status_code == 200
    assert api.get(f"/v1/scans/{scan_id}").status_code == 404
    assert api.post("/v1/scans", {"when": SLOWER}, "viewer").status_code == 201


def test_a_scan_that_runs_ends_when_it_is_removed(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "PAGE", 1)
    for number in range(60):
        add_recorded(api, BRAKING, number=number)
    scan_id = begun(api)
    wait_for(
        lambda: api.get(f"/v1/scans/{scan_id}").json()["scan"]["scanned"] > 0, within_s=WITHIN_S, what="the first page"
    )
    assert api.client.delete(f"/v1/scans/{scan_id}", headers=api.as_("viewer")).status_code == 200
    following = begun(api, limit=1)
    assert ended(api, following)["scan"]["state"] == "done", "the runner is free again"
    with api.database.begin() as connection:
        assert connection.execute(select(scan_hits.c.scan_id).distinct()).scalars().all() == [following]


def test_a_scan_is_its_users_own_and_an_administrators(api: Api) -> None:
    add_recorded(api, BRAKING)
    scan_id = begun(api)
    ended(api, scan_id)
    assert api.get(f"/v1/scans/{scan_id}", "author").status_code == 404
    assert api.client.delete(f"/v1/scans/{scan_id}", headers=api.as_("author")).status_code == 404
    assert api.get(f"/v1/scans/{scan_id}", "admin").status_code == 200
    assert [scan["id"] for scan in api.get("/v1/scans").json()["scans"]] == [scan_id]
    assert api.get("/v1/scans", "author").json()["scans"] == []


def test_the_hits_of_an_erased_clip_go_with_it(api: Api) -> None:
    erased, kept = (add_recorded(api, BRAKING, number=number) for number in (1, 2))
    scan_id = begun(api)
    assert len(ended(api, scan_id)["hits"]) == 2
    with api.database.begin() as connection:
        erased_clips.erase(connection, [erased], ErasureCause.ERASED, reason="r", by="ann")
    assert [hit["clip"] for hit in ended(api, scan_id)["hits"]] == [kept]
    erasure.delete_objects(api.database, api.app.state.services.store)


def test_clips_that_are_erased_while_they_are_scanned_leave_no_hit(api: Api) -> None:
    clip_id = add_recorded(api, BRAKING)
    begun_without_runner(api)
    with api.database.begin() as connection:
        scan = jobs.claim(connection, worker="w", lease_s=30)
        assert scan is not None
        erased_clips.erase(connection, [clip_id], ErasureCause.ERASED, reason="r", by="ann")
        done = jobs.PageDone(1, [jobs.Hit(clip_id, (1,), 1)], [], 1, 0.1, None)
        assert jobs.take_page(connection, scan, done, lease_s=30).found == 0


def test_scans_expire(api: Api) -> None:
    add_recorded(api, BRAKING)
    scan_id = begun(api)
    ended(api, scan_id)
    with api.database.begin() as connection:
        connection.execute(update(scans).values(expires_at=scans.c.created_at))
    assert api.get(f"/v1/scans/{scan_id}").status_code == 404
    with api.database.begin() as connection:
        assert jobs.expire(connection) == 1
        assert connection.execute(select(scan_hits)).all() == []
