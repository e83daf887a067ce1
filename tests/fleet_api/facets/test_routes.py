"""Counts and facets over HTTP and by the client: what they answer, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest

from storage.clips.facets import newest
from tests.fleet_api.api_server import Api
from tests.storage.clips.catalog_support import T_NS, add_clip, add_labels

YEAR_NS = 365 * 86_400 * 10**9


@pytest.fixture(autouse=True)
def clips(api: Api) -> None:
    with api.database.begin() as connection:
        for number in range(3):
            clip_id = add_clip(
                connection,
                start_ns=T_NS + number,
                fired=[("braking", "hard")] + [("lanes", "cut_in")] * (number == 2),
                attributes={"model": "m3", "hardware": number, "towing": True},
                tags=["rain"],
                statistics={"ego.speed": (0.0, 10.0 * number, 5.0)},
            )
        add_labels(connection, clip_id, "car")


def test_clips_are_counted_by_text_and_json(api: Api) -> None:
    exact = {"clips": 1, "exact": True, "low": 1, "high": 1}
    assert api.get("/v1/clips/count", filter="trigger = 'cut_in'").json() == exact
    tree = '{"op": "=", "args": [{"property": "trigger"}, "cut_in"]}'
    assert api.get("/v1/clips/count", filter=tree, **{"filter-lang": "cql2-json"}).json() == exact
    assert api.as_client("viewer").clips.count().clips == 3


def test_facets_have_values_bins_units_and_what_is_missing(api: Api) -> None:
    by = "trigger,label,vehicle.hardware:1,vehicle.towing,day,in_unit(ego.speed.max, 'km/h'):2,size_bytes,version"
    with api.database.begin() as connection:
        connection.exec_driver_sql("UPDATE signal_statistics SET unit = 'km/h'")
        connection.exec_driver_sql("UPDATE signal_units SET unit = 'km/h', dimension = '0,1,-1,0,0,0,0'")
    found = api.get("/v1/clips/facets", by=by).json()
    assert (found["count"]["clips"], found["looked_at"], found["capped"]) == (3, 3, False)
    facets = {facet["property"]: facet for facet in found["facets"]}
    assert facets["trigger"]["values"] == [{"value": "hard", "clips": 3}, {"value": "cut_in", "clips": 1}]
    assert (facets["labels"]["values"], facets["labels"]["missing"]) == ([{"value": "car", "clips": 1}], 2)
    assert (facets["vehicle.hardware"]["values"], facets["vehicle.hardware"]["distinct"]) == (
        [{"value": 0, "clips": 1}],
        3,
    )
    assert facets["vehicle.towing"]["values"] == [{"value": True, "clips": 3}]
    assert facets["recorded"]["bins"] == [
        {"at_least": "2026-01-05T00:00:00.000000000Z", "below": "2026-01-06T00:00:00.000000000Z", "clips": 3}
    ]
    assert facets["size_bytes"]["unit"] == "byte"
    assert facets["version"]["values"] == [{"value": 1, "clips": 3}]


def test_clips_years_apart_have_facets_without_naming_any(api: Api) -> None:
    with api.database.begin() as connection:
        add_clip(connection, start_ns=T_NS - 20 * YEAR_NS, fired=[("braking", "hard")])
    found = api.as_client("viewer").clips.facets()
    assert found.count.clips == 4
    (recorded,) = (facet for facet in found.facets if facet.property == "recorded")
    assert sum(bin_.clips for bin_ in recorded.bins) == 4


def test_facets_of_more_clips_than_are_looked_at_say_so(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(newest, "LOOKED_AT", 2)
    found = api.as_client("viewer").clips.facets(by="trigger")
    assert (found.count.clips, found.looked_at, found.capped) == (3, 2, True)
    assert [(value.value, value.clips) for value in found.facets[0].values] == [("hard", 2), ("cut_in", 1)]


@pytest.mark.parametrize(
    ("path", "params", "remedy"),
    [
        ("count", {"filter": "campain = 'x'"}, "did you mean campaign?"),
        ("count", {"filter": "vehicle.modle = 'x'"}, "did you mean vehicle.model?"),
        ("count", {"by": "trigger"}, "the known parameters are"),
        ("facets", {"by": "color"}, "attributes of the vehicle are written vehicle.color"),
        ("facets", {"by": "geometry"}, "count by place_cell"),
        ("facets", {"by": "a\x00b"}, ""),
        ("facets", {"filter": "state ="}, ""),
        ("facets", {"by": "start:second", "filter": "state = 'x'"}, "it is one of stored, ready, damaged"),
    ],
)
def test_what_cannot_be_counted_is_refused_with_a_remedy(
    api: Api, path: str, params: dict[str, Any], remedy: str
) -> None:
    answer = api.get(f"/v1/clips/{path}", **params)
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_input")
    assert answer.json()["remedy"].startswith(remedy), answer.text


@pytest.mark.parametrize("path", ["count", "facets"])
def test_who_only_labels_cannot_count_clips(api: Api, path: str) -> None:
    assert api.get(f"/v1/clips/{path}", "labeler").status_code == 403
