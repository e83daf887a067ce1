"""Usage over HTTP: what it is grouped by, spans, filters, and pages of any size."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from storage.vehicles.enrolment import enrol
from tests.fleet_api.api_server import Api
from tests.support.fleet import add_version
from tests.support.used import use

EVERYTHING = "month,day,hour,campaign,version,trigger,region,model,network"


def asked(api: Api, by: str, **parameters: Any) -> list[dict[str, Any]]:
    answer = api.get("/v1/usage", "viewer", by=by, **parameters)
    assert answer.status_code == 200, answer.text
    groups: list[dict[str, Any]] = answer.json()["groups"]
    return groups


def test_usage_is_grouped_by_what_is_asked_for_and_other_keys_are_null(api: Api) -> None:
    use(api.database)
    groups = asked(api, "campaign")
    assert [(group["campaign"], group["clips"], group["clip_bytes"], group["fires"]) for group in groups] == [
        ("braking", 1, 30, 3),
        ("lanes", 2, 27, 0),
    ]
    assert {group["network"] for group in groups} == {None}
    (whole,) = asked(api, "")
    assert (whole["clips"], whole["clip_bytes"], whole["wire_bytes"], whole["armed_ns"]) == (2, 57, 64, 7200 * 10**9)


@pytest.mark.parametrize(
    ("only", "clip_bytes", "clips"),
    [
        ({"campaign": "lanes"}, 27, 2),
        ({"campaign": "lanes", "network": "cellular"}, 7, 1),
        ({"region": "eu"}, 50, 1),
        ({"region": ""}, 7, 1),
        ({"version": 1}, 57, 3),  # one clip is of two versions: each campaign has its own
        ({"version": 0}, 0, 0),
        ({"region": "", "network": "wifi"}, 0, 0),
        ({"model": "m1"}, 50, 1),
    ],
)
def test_usage_of_one_value_is_that_of_its_group(api: Api, only: dict[str, Any], clip_bytes: int, clips: int) -> None:
    use(api.database)
    (whole,) = asked(api, "", **only)
    assert (whole["clip_bytes"], whole["clips"]) == (clip_bytes, clips)


@pytest.mark.parametrize("by", ["campaign", "network,day", EVERYTHING])
@pytest.mark.parametrize("limit", [1, 2, 3])
def test_pages_of_every_size_have_each_group_once_and_in_the_order_of_one_page(api: Api, by: str, limit: int) -> None:
    use(api.database)
    whole = api.get("/v1/usage", by=by).json()
    paged, after = [], {}
    for _ in whole["groups"]:
        span = {"since": whole["since"], "until": whole["until"]}
        page = api.get("/v1/usage", by=by, limit=limit, **span, **after).json()
        assert len(page["groups"]) <= limit
        paged += page["groups"]
        if page["next"] is None:
            break
        after = {"after": page["next"]}
    assert paged == whole["groups"] and len(paged) > 1


def test_whole_hours_are_counted_and_said(api: Api) -> None:
    use(api.database)
    now = datetime.now(UTC)
    answer = api.get("/v1/usage", by="", since=f"{now - timedelta(days=3):%Y-%m-%dT%H:%M:%SZ}").json()
    answered = datetime.now(UTC)
    since, until = (datetime.fromisoformat(answer[name]) for name in ("since", "until"))
    assert (since.minute, until.minute) == (0, 0)
    assert since <= now - timedelta(days=3) and now < until <= answered + timedelta(hours=1)
    (earlier,) = asked(api, "", until=f"{since:%Y-%m-%dT%H:%M:%SZ}")
    assert earlier["clip_bytes"] == 0


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        ({"by": "vehicle"}, "not counted by 'vehicle'"),
        ({"by": "campaign,campaign"}, "twice"),
        ({"since": "yesterday"}, "`since` is not a time"),
        ({"until": "2026-02-30T00:00:00Z"}, "`until` is not a time"),
        ({"since": "2026-01-02T00:00:00Z", "until": "2026-01-01T00:00:00Z"}, "not after"),
        ({"by": "hour", "since": "2020-01-01T00:00:00Z"}, "sums by hour begin"),
        ({"after": "nonsense"}, "no `next` of a page"),
        ({"after": "////"}, "no `next` of a page"),
        ({"after": "W1siY2FtcGFpZ24iXSxbM11d"}, "no `next` of a page"),
        ({"after": "W1sibmV0d29yayJdLFsid2lmaSJdXQ"}, "another `by`"),
        ({"region": "\x00"}, "U+0000"),
    ],
)
def test_what_cannot_be_asked_for_is_said(api: Api, parameters: dict[str, Any], said: str) -> None:
    refused = api.get("/v1/usage", **parameters)
    assert refused.status_code == 422 and said in refused.json()["detail"]


@pytest.mark.parametrize(
    ("parameters", "detail", "remedy"),
    [
        ({"campaign": "lane"}, "there is no campaign 'lane'", "did you mean lanes?"),
        ({"trigger": "hard_break"}, "no campaign has a trigger 'hard_break'", "did you mean hard_brake?"),
        ({"trigger": "x", "campaign": "lanes"}, "lanes has no trigger 'x'", "it has hard_brake"),
        ({"version": 2}, "no campaign has a version 2", "the newest is 1"),
        ({"version": 2, "campaign": "lanes"}, "lanes has no version 2", "the newest is 1"),
        ({"region": "euu"}, "there is no region 'euu'", "did you mean eu?"),
        ({"region": "EMEA"}, "there is no region 'EMEA'", "there are eu"),
        ({"model": "m12"}, "there is no model 'm12'", "did you mean m1?"),
        ({"network": "lan"}, "there is no network 'lan'", "there are cellular, wifi"),
    ],
)
def test_usage_of_what_there_never_was_is_not_found(
    api: Api, parameters: dict[str, Any], detail: str, remedy: str
) -> None:
    use(api.database)
    refused = api.get("/v1/usage", **parameters)
    told = refused.json()
    assert (refused.status_code, told["detail"], told["remedy"]) == (404, detail, remedy)
    for name in parameters:
        nothing = 0 if name == "version" else ""
        assert api.get("/v1/usage", **{name: nothing}).status_code == 200, "what is of none"


def test_a_version_that_a_restore_has_left_out_and_a_trigger_where_there_are_none_are_not_found(api: Api) -> None:
    none_yet = api.get("/v1/usage", trigger="hard_brake").json()
    assert none_yet["remedy"] == "there are none yet"
    use(api.database)
    with api.database.begin() as connection:
        add_version(connection, "lanes", 1001)
    for parameters in ({}, {"campaign": "lanes"}):
        assert api.get("/v1/usage", version=1001, **parameters).status_code == 200
        refused = api.get("/v1/usage", version=500, **parameters)
        assert (refused.status_code, refused.json()["remedy"]) == (404, "the newest is 1001")


def test_usage_of_a_region_that_only_a_vehicle_has_is_none(api: Api) -> None:
    use(api.database)
    with api.database.begin() as connection:
        enrol(connection, "car-3", {"region": "uk"})
    (whole,) = asked(api, "", region="uk")
    assert whole["clip_bytes"] == 0


def test_every_time_that_a_clock_may_show_is_answered(api: Api) -> None:
    use(api.database)
    spans = {
        "since": ("0001-01-01T00:00:00Z", "1970-01-01T00:00:00Z"),
        "until": ("9999-12-31T23:59:59Z", "2200-01-01T00:00:00Z"),
    }
    for since in spans["since"]:
        for until in spans["until"]:
            answer = api.get("/v1/usage", by="", since=since, until=until)
            assert answer.status_code in (200, 422), answer.text
            assert answer.status_code == 422 or answer.json()["groups"][0]["clip_bytes"] == 57
