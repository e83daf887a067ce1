"""Clips, labels, outcomes and objects over HTTP: each with a token, without one, and with bad input."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from ingest.steward import erasure
from storage.labels import jobs as label_jobs
from storage.tables import clip_assets
from storage.uploads import dead_letters
from tests.fleet_api.api_server import Api
from tests.storage.clips.catalog_support import OPENLABEL, add_clip
from tests.support.rows import add_row

DATA = bytes(range(256)) * 5000
ASSET = "extracted/x/signals.parquet"
NOT_ASKED_FOR = ("ordinal", "charged_bytes", "window_start", "window_end", "window_start_ns", "window_end_ns")
"""What the answer says of a fire and no filter asks for."""


@pytest.fixture
def clip_id(api: Api) -> str:
    """A clip with a fire, its file, an asset, and a label job."""
    with api.database.begin() as connection:
        made = add_clip(connection, fired=[("braking", "hard")], size_bytes=len(DATA), attributes={"region": "EU"})
        add_row(connection, clip_assets, clip_id=made, object_key=ASSET)
        label_jobs.ensure(connection, made, "auto")
    store = api.app.state.services.store
    store.put(f"clips/{made}.mcap", DATA)
    store.put(ASSET, b"parquet")
    return made


def local(href: str) -> str:
    """The path of a link, with its query."""
    return href.removeprefix("http://127.0.0.1:8080")


def link(api: Api, clip_id: str, name: str) -> str:
    """The link to one of the clip's files."""
    assets = api.get(f"/v1/clips/{clip_id}").json()["assets"]
    return local(next(asset["href"] for asset in assets if asset["name"] == name))


def test_clips_are_found_by_text_and_json(api: Api, clip_id: str) -> None:
    text = api.get("/v1/clips", filter="campaign = 'braking' AND vehicle.region = 'EU'").json()
    tree = '{"op": "=", "args": [{"property": "trigger"}, "hard"]}'
    found = api.get("/v1/clips", filter=tree, **{"filter-lang": "cql2-json"}).json()
    assert [clip["id"] for clip in text["clips"]] == [clip["id"] for clip in found["clips"]] == [clip_id]
    assert text["clips"][0]["fires"][0]["trigger"] == "hard"
    assert text["next"] is None
    nothing = {"clips": [], "next": None, "notes": ["there is no campaign 'other'"]}
    assert api.get("/v1/clips", filter="campaign = 'other'").json() == nothing


def test_cameras_are_told_with_the_files_that_show_them(api: Api) -> None:
    manifest = {"recording": {"cameras": ["front", "rear", "front", "left"]}}
    with api.database.begin() as connection:
        clip_id = add_clip(connection, manifest=manifest)
        pictures = {"offset_ns": 40_000_000, "width": 1920, "height": 1080}
        add_row(connection, clip_assets, clip_id=clip_id, name="preview", object_key="x/0", **pictures)
        add_row(connection, clip_assets, clip_id=clip_id, name="preview.left", object_key="x/3")
    shown = api.as_client("viewer").clips.get(clip_id)
    assert [(each.name, each.preview, each.offset_ns, each.width, each.height) for each in shown.cameras] == [
        ("front", "preview", 40_000_000, 1920, 1080),
        ("rear", None, None, None, None),
        ("left", "preview.left", None, None, None),  # of an extractor that did not tell
    ]


def asked(name: str, value: object) -> str:
    """The filter that asks for a value as the answer has it."""
    return f"{name} = '{value}'" if isinstance(value, str) else f"{name} = {json.dumps(value)}"


def test_what_an_answer_says_can_be_asked_for_by_the_same_name(api: Api) -> None:
    with api.database.begin() as connection:
        clip_id = add_clip(
            connection,
            start_ns=1_767_614_400_123_456_789,
            duration_s=12.5,
            fired=[("braking", "hard")],
            statistics={"ego.speed": (0.5, 31.5, 12.0), "vehicle": (1.0, 2.0, 1.5)},
            attributes={"model": "m3", "hardware": 3, "towing": True},
            tags=["rain"],
        )
        add_clip(connection, vehicle_id="car-2", duration_s=3, size_bytes=5, state="stored")
    shown = api.get(f"/v1/clips/{clip_id}").json()
    (listed,) = api.get("/v1/clips", filter="vehicle = 'car-1'").json()["clips"]
    assert {name: shown[name] for name in listed} == listed
    (fire,) = listed["fires"]
    of_clip = {name: value for name, value in listed.items() if not isinstance(value, dict | list | None)}
    of_fire = {name: fire[name] for name in fire if name not in NOT_ASKED_FOR}
    (tag,) = listed["tags"]
    told = {**of_clip, **of_fire, **listed["attributes"], **shown["statistics"], "tags": tag}
    assert len(told) == 12 + 7 + 3 + 8 + 1
    for name, value in told.items():
        found = api.get("/v1/clips", filter=asked(name, value)).json()["clips"]
        assert clip_id in [clip["id"] for clip in found], name
    assert (listed["start"], listed["start_ns"]) == ("2026-01-05T12:00:00.123456789Z", 1_767_614_400_123_456_789)
    assert (listed["end"], listed["duration_s"]) == ("2026-01-05T12:00:12.623456789Z", 12.5)
    assert shown["statistics"]["ego.speed.max"] == 31.5
    assert shown["statistics"]["signal.vehicle.max"] == 2.0


def test_pages_of_clips_follow_each_other(api: Api, clip_id: str) -> None:
    with api.database.begin() as connection:
        others = [add_clip(connection) for _ in range(4)]
    found: list[str] = []
    token: dict[str, str] = {}
    while True:
        page = api.get("/v1/clips", limit=2, sortby="size_bytes", **token).json()
        found += [clip["id"] for clip in page["clips"]]
        if page["next"] is None:
            break
        token = {"token": page["next"]}
    assert sorted(found) == sorted([clip_id, *others])
    assert found[-1] == clip_id


@pytest.mark.parametrize(
    "params",
    [
        {"filter": "campain = 'x'"},
        {"filter": "state = 'x'", "filter-lang": "sql"},
        {"sortby": "color"},
        {"limit": 0},
        {"limit": 1001},
        {"limit": 1_000_000},
        {"limit": "many"},
        {"token": "x"},
    ],
)
def test_searches_that_make_no_sense_are_told_so(api: Api, params: dict[str, Any]) -> None:
    answer = api.get("/v1/clips", **params)
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_input")
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_clip_is_shown_with_links_that_need_no_token(api: Api, clip_id: str) -> None:
    shown = api.get(f"/v1/clips/{clip_id}").json()
    assert [asset["name"] for asset in shown["assets"]] == ["clip.mcap", "signals.parquet"]
    whole = api.client.get(local(shown["assets"][0]["href"]))
    assert (whole.status_code, whole.content == DATA) == (200, True)
    assert (whole.headers["content-type"], whole.headers["x-content-type-options"]) == ("application/x-mcap", "nosniff")
    assert api.client.get(local(shown["assets"][1]["href"])).content == b"parquet"
    assert api.get("/v1/clips/none").status_code == 404


@pytest.mark.parametrize(
    ("wanted", "status", "part"),
    [
        ("bytes=0-9", 206, DATA[:10]),
        ("bytes=1279990-", 206, DATA[1279990:]),
        ("bytes=-5", 206, DATA[-5:]),
        ("bytes=5-1048590", 206, DATA[5:1048591]),
        ("bytes=9-99999999", 206, DATA[9:]),
        ("bytes=9-3", 200, DATA),
        ("bytes=0-1,5-6", 200, DATA),
        ("lines=1-2", 200, DATA),
        ("bytes=1280000-", 416, None),
        ("bytes=-0", 416, None),
    ],
)
def test_ranges_of_an_object_can_be_read(api: Api, clip_id: str, wanted: str, status: int, part: bytes | None) -> None:
    answer = api.client.get(link(api, clip_id, "clip.mcap"), headers={"Range": wanted})
    assert answer.status_code == status
    if part is not None:
        assert answer.content == part
        assert int(answer.headers["content-length"]) == len(part)
    if status == 416:
        assert answer.headers["content-range"] == f"bytes */{len(DATA)}"


def test_the_head_of_an_object_has_its_size_and_no_body(api: Api, clip_id: str) -> None:
    answer = api.client.head(link(api, clip_id, "clip.mcap"))
    assert (answer.status_code, answer.headers["content-length"], answer.content) == (200, str(len(DATA)), b"")


def test_a_link_reads_its_own_object_and_nothing_else(api: Api, clip_id: str) -> None:
    href = link(api, clip_id, "clip.mcap")
    path, query = href.split("?")
    forged = [
        href[:-1] + ("0" if href[-1] != "0" else "1"),
        f"/objects/{ASSET}?{query}",
        f"{path}?expires=9999999999&{query.partition('&')[2]}",
    ]
    for forgery in forged:
        assert api.client.get(forgery).status_code == 403
    assert api.client.get(path).status_code == 422
    assert api.client.get(f"/objects/../client.json?{query}").status_code in (403, 404, 422)


def test_a_label_job_is_claimed_kept_and_completed(api: Api, clip_id: str) -> None:
    body = {"task": "auto", "labeler": "anna", "count": 2, "lease_s": 60}
    (job,) = api.post("/v1/label-jobs/claim", body, "labeler").json()["jobs"]
    assert job["clip"]["id"] == clip_id
    assert api.post("/v1/label-jobs/claim", body, "labeler").json() == {"jobs": []}
    kept = api.post(f"/v1/label-jobs/{job['id']}/renew", {"token": job["token"], "lease_s": 600}, "labeler").json()
    assert kept["lease_until"] > job["lease_until"]
    done = {"token": job["token"], "openlabel": OPENLABEL, "provenance": {"by": "anna"}}
    first, again = (api.post(f"/v1/label-jobs/{job['id']}/complete", done, "labeler") for _ in range(2))
    assert (first.status_code, again.status_code, first.json()) == (200, 200, again.json())
    other = api.post(f"/v1/label-jobs/{job['id']}/complete", {**done, "provenance": {}}, "labeler")
    assert (other.status_code, other.json()["code"]) == (409, "lease_lost")
    assert api.get("/v1/label-jobs/stats").json()["tasks"]["auto"]["done"] == 1
    (label,) = api.get(f"/v1/clips/{clip_id}").json()["label_documents"]
    assert (label["openlabel"], label["types"]) == (OPENLABEL, ["braking", "car"])
    (found,) = api.get("/v1/clips", filter="labels = 'car'").json()["clips"]
    assert (found["id"], found["labels"]) == (clip_id, ["braking", "car"])


def test_only_who_claimed_a_label_job_or_an_administrator_may_touch_it(api: Api, clip_id: str) -> None:
    (job,) = api.post("/v1/label-jobs/claim", {"task": "auto", "labeler": "a"}, "admin").json()["jobs"]
    bodies = {"complete": {"openlabel": OPENLABEL}, "fail": {"reason": "x"}, "renew": {"lease_s": 60}}
    for verb, body in bodies.items():
        refused = api.post(f"/v1/label-jobs/{job['id']}/{verb}", {"token": job["token"], **body}, "labeler")
        assert (refused.status_code, refused.json()["code"]) == (403, "forbidden")
    given_back = {"token": job["token"], "reason": "mine"}
    assert api.post(f"/v1/label-jobs/{job['id']}/fail", given_back, "admin").json() == {"state": "ready"}
    with api.database.begin() as connection:
        connection.exec_driver_sql("UPDATE label_jobs SET lease_until = now()")  # it has rested
    (job,) = api.post("/v1/label-jobs/claim", {"task": "auto", "labeler": "a"}, "labeler").json()["jobs"]
    done = {"token": job["token"], "openlabel": OPENLABEL}
    assert api.post(f"/v1/label-jobs/{job['id']}/complete", done, "admin").status_code == 200
    (label,) = api.get(f"/v1/clips/{clip_id}").json()["label_documents"]
    assert label["labeler"].endswith("/a")


def test_a_label_job_that_cannot_be_done_is_given_back(api: Api, clip_id: str) -> None:
    (job,) = api.post("/v1/label-jobs/claim", {"task": "auto", "labeler": "a"}, "labeler").json()["jobs"]
    answer = api.post(f"/v1/label-jobs/{job['id']}/fail", {"token": job["token"], "reason": "dark"}, "labeler")
    assert answer.json() == {"state": "ready"}


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("claim", {"task": "auto", "labeler": "a", "count": 0}, 422),
        ("claim", {"task": "auto", "labeler": "a", "lease_s": 10**9}, 422),
        ("claim", {"labeler": "a"}, 422),
        ("1/complete", {"token": 1, "openlabel": {}}, 422),
        ("99/complete", {"token": 1, "openlabel": OPENLABEL}, 404),
        ("99999999999999999999/fail", {"token": 1, "reason": "x"}, 422),
        ("x/renew", {"token": 1}, 422),
    ],
)
def test_bad_label_requests_are_refused(api: Api, path: str, body: dict[str, Any], status: int) -> None:
    assert api.post(f"/v1/label-jobs/{path}", body, "labeler").status_code == status


def test_labeling_needs_a_labeler(api: Api) -> None:
    assert api.post("/v1/label-jobs/claim", {"task": "auto", "labeler": "a"}, "operator").status_code == 403
    assert api.client.get("/v1/label-jobs/stats").status_code == 401


def test_outcomes_and_dead_letters_are_counted_listed_and_discarded(api: Api) -> None:
    with api.database.begin() as connection:
        ids = [
            dead_letters.record(connection, stage="gateway", reason="manifest_invalid", detail=f"{number}", fires=2)
            for number in range(3)
        ]
    assert api.get("/v1/outcomes").json() == {"outcomes": [], "dead_letters": {"manifest_invalid": 3}}
    first = api.get("/v1/dead-letters", limit=2).json()
    second = api.get("/v1/dead-letters", limit=2, before=first["next"]).json()
    listed = first["dead_letters"] + second["dead_letters"]
    assert [letter["id"] for letter in listed] == ids[::-1]
    assert (listed[0]["reason"], listed[0]["fires"], second["next"]) == ("manifest_invalid", 2, None)
    assert api.post(f"/v1/dead-letters/{ids[0]}/discard", {}, "viewer").status_code == 403
    assert api.post(f"/v1/dead-letters/{ids[0]}/discard", {}, "operator").status_code == 204
    assert api.post(f"/v1/dead-letters/{ids[0]}/discard", {}, "operator").status_code == 409
    assert api.get("/v1/dead-letters", stage="nowhere").status_code == 422


def test_outcomes_of_a_campaign_that_does_not_exist_are_not_found(api: Api) -> None:
    answer = api.get("/v1/outcomes", campaign="brakign")
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    assert "brakign" in answer.json()["detail"] and answer.json()["remedy"]


@pytest.mark.parametrize(
    "body",
    [
        b'{"task": "auto", "task": "lanes", "labeler": "a"}',
        b'{"task": "auto", "labeler": "a", "labeler": "a"}',
    ],
)
def test_a_key_that_is_given_twice_is_refused(api: Api, body: bytes) -> None:
    headers = {**api.as_("labeler"), "Content-Type": "application/json"}
    answer = api.client.post("/v1/label-jobs/claim", content=body, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_input")
    assert "is given twice in one object" in answer.json()["detail"] and answer.json()["remedy"]


METHODS = ("delete", "get", "head", "options", "patch", "post", "put")


def test_every_route_says_what_it_does(api: Api) -> None:
    document = api.client.get("/openapi.json").json()
    paths = document["paths"].values()
    operations = [item[method] for item in paths for method in METHODS if method in item]
    assert len(operations) >= 25
    assert all(operation.get("summary") and operation.get("description") for operation in operations)
    known = {f"#/components/schemas/{name}" for name in document["components"]["schemas"]}
    assert set(re.findall(r'"\$ref": "([^"]+)"', json.dumps(document))) <= known


def test_what_is_no_route_is_a_problem_too(api: Api) -> None:
    answer = api.client.get("/v1/nothing")
    assert (answer.status_code, answer.json()["code"]) == (404, "http_404")


@pytest.mark.parametrize(
    "path",
    [
        "/v1/campaigns/%00",
        "/v1/clips/%00",
        "/v1/vehicles/a%00b",
        "/v1/vehicles?after=%00",
        "/v1/campaigns?after=%00",
        "/v1/outcomes?campaign=%00",
        "/v1/clips?filter=campaign%3D%27%00%27",
    ],
)
def test_a_nul_in_an_address_is_refused_before_the_database_sees_it(api: Api, path: str) -> None:
    answer = api.client.get(path, headers=api.as_("viewer"))
    status = 400 if path.startswith("/v1/clips") else 422
    assert (answer.status_code, answer.json()["code"]) == (status, "invalid_input")


def test_a_claimed_job_shows_what_fired_in_its_clip(api: Api, clip_id: str) -> None:
    claimed = api.post("/v1/label-jobs/claim", {"task": "auto", "labeler": "me"}, "labeler").json()["jobs"]
    assert [(job["clip"]["id"], job["clip"]["fires"][0]["trigger"]) for job in claimed] == [(clip_id, "hard")]


@pytest.mark.parametrize(
    ("method", "path", "remedy"),
    [
        ("GET", "/v1/clips?limit=1e3", "write only the digits, without blanks or signs"),
        ("GET", "/v1/clips?limit=0", "stay within the limit"),
        ("GET", "/v1/clips?limit=" + "9" * 5000, "write a whole number in digits"),
        ("GET", "/v1/clips?filter-lang=sql", "write one of these values"),
        ("GET", "/v1/clips?sortby=strt", "did you mean start"),
        ("GET", "/v1/clips?filter=campain%3D%27x%27", "did you mean campaign?"),
        ("POST", "/v1/clips", "use GET, HEAD, OPTIONS"),
        ("GET", "/v1/clip", "the addresses are in /openapi.json"),
    ],
)
def test_every_refusal_says_what_to_do(api: Api, method: str, path: str, remedy: str) -> None:
    answer = api.client.request(method, path, headers=api.as_("viewer"))
    assert 400 <= answer.status_code < 500
    assert answer.json()["remedy"].startswith(remedy)


def test_a_plus_in_an_order_need_not_be_encoded(api: Api, clip_id: str) -> None:
    (clip,) = api.client.get("/v1/clips?sortby=+start", headers=api.as_("viewer")).json()["clips"]
    assert clip["id"] == clip_id


@pytest.mark.parametrize("number", ["1" + "0" * 400, "-1e400", "1e-400", "9" * 5000, "NaN", "Infinity", "1e308", "-0"])
@pytest.mark.parametrize(
    "name", ["size_bytes", "start_ns", "duration_s", "version", "vehicle.region", "start", "geometry"]
)
def test_no_number_is_a_server_error(api: Api, clip_id: str, name: str, number: str) -> None:
    for operator in ("<", "="):
        tree = f'{{"op": "{operator}", "args": [{{"property": "{name}"}}, {number}]}}'
        answer = api.get("/v1/clips", filter=tree, **{"filter-lang": "cql2-json"})
        assert answer.status_code in (200, 400), answer.text
        assert api.get("/v1/clips", filter=f"{name} {operator} {number}").status_code in (200, 400)
    box = f'{{"op": "s_within", "args": [{{"property": "geometry"}}, {{"bbox": [0, 0, 1, {number}]}}]}}'
    assert api.get("/v1/clips", filter=box, **{"filter-lang": "cql2-json"}).status_code in (200, 400)


def test_numbers_and_places_are_answered_as_other_programs_read_them(api: Api) -> None:
    with api.database.begin() as connection:
        clip_id = add_clip(
            connection,
            attributes={"weight": 1e308, "exact": 2**53 + 1},
            statistics={"ego.speed": (0.0, 31.5, 12.0)},
            units={"ego.speed": "m/s"},
            track=[[48.1, 11.5], [48.2, 11.6]],
            box=(179.9, -44.0, -179.9, -43.0),
        )
    answer = api.get(f"/v1/clips/{clip_id}")
    assert '"vehicle.weight":1e308' in answer.text or '"vehicle.weight":1e+308' in answer.text
    shown = answer.json()
    assert shown["attributes"]["vehicle.exact"] == 2**53 + 1
    assert shown["track"] == [[11.5, 48.1], [11.6, 48.2]]
    assert shown["box"] == [179.9, -44.0, -179.9, -43.0]
    assert shown["units"] == {"ego.speed": "m/s"}
    for condition in ("vehicle.weight = 1e308", f"vehicle.exact = {2**53 + 1}"):
        assert len(api.get("/v1/clips", filter=condition).json()["clips"]) == 1
    assert api.get("/v1/clips", filter=f"vehicle.exact = {2**53}").json()["clips"] == []


def test_the_openapi_document_has_the_type_of_a_track(api: Api) -> None:
    track = api.client.get("/openapi.json").json()["components"]["schemas"]["ClipDetailsView"]["properties"]["track"]
    (points,) = (option for option in track["anyOf"] if option["type"] == "array")
    assert points["items"]["prefixItems"][0]["maximum"] == 180


def test_an_erased_clip_answers_when_and_why_and_its_files_go(api: Api, clip_id: str) -> None:
    url, operator = f"/v1/clips/{clip_id}", api.as_("operator")
    file = link(api, clip_id, "clip.mcap")
    assert api.client.delete(url, headers=operator).status_code == 400, "a reason is needed"
    assert api.client.delete(url, headers=operator, params={"reason": "a\x00b"}).status_code == 400
    erased = api.client.delete(url, headers=operator, params={"reason": "a face is visible"})
    assert (erased.status_code, erased.json()) == (200, {"id": clip_id, "size_bytes": len(DATA)})
    assert api.get("/v1/clips").json()["clips"] == []
    for again in (api.get(url), api.client.delete(url, headers=operator, params={"reason": "again"})):
        assert (again.status_code, again.json()["code"]) == (410, "erased")
        assert re.search(rf"clip {clip_id} was erased on 20\S+Z, .*: a face is visible", again.json()["detail"])
    nothing = api.client.delete(f"/v1/clips/{'0' * 32}", headers=operator, params={"reason": "r"})
    assert nothing.status_code == 404
    erasure.delete_objects(api.database, api.app.state.services.store)
    assert api.client.get(file).status_code == 404
