"""Filters over HTTP: translated before they are searched with, refused with their place, and functions listed."""

from __future__ import annotations

import pytest

from tests.fleet_api.api_server import Api
from tests.storage.clips.catalog_support import add_clip

TYPES = {"string", "number", "integer", "datetime", "geometry", "boolean"}
"""Types of arguments and results in a document of functions (/req/functions/get-functions-response-json)."""


@pytest.fixture
def clip_id(api: Api) -> str:
    """A clip that was as fast as 90 km/h."""
    with api.database.begin() as connection:
        return add_clip(connection, statistics={"ego.speed": (0.0, 25.0, 9.0)}, units={"ego.speed": "m/s"})


def test_a_translated_filter_is_one_that_clips_are_searched_with(api: Api, clip_id: str) -> None:
    for written, found in (("ego.speed.max > 80 km/h AND stored_at > now - 7 d", [clip_id]), ("start > now", [])):
        answer = api.get("/v1/filter", filter=written).json()
        assert answer["filter-lang"] == "cql2-text"
        listed = api.get("/v1/clips", filter=answer["filter"], **{"filter-lang": answer["filter-lang"]}).json()
        assert [clip["id"] for clip in listed["clips"]] == found
    client = api.as_client("viewer")
    assert client.clips.translate("ego.speed.max >= 90 km/h") == "ego.speed.max >= 25"


@pytest.mark.parametrize(
    ("written", "notes"),
    [
        ("ego.speed.max > 80 km/h", ["`ego.speed.max` is not declared `indexed`: add a time or a trigger"]),
        ("NOT tag = 'a'", ["no index answers NOT of `tags`: where hardly any clip meets it, add a time or a trigger"]),
        ("trigger LIKE 'a%' AND start > now - 7 d AND size_bytes > 1 MB AND damage LIKE '%x%'", []),
        ("s_intersects(geometry, POINT(11.5 48.1))", []),
    ],
)
def test_the_conditions_that_no_index_answers_are_told_before_anybody_searches(
    api: Api, clip_id: str, written: str, notes: list[str]
) -> None:
    assert api.get("/v1/filter", filter=written).json()["notes"] == notes
    told: list[str] = []
    api.as_client("viewer").clips.translate(written, note=told.append)
    assert told == notes


@pytest.mark.parametrize(
    ("written", "says"),
    [
        ("ego.speed.max > 5 kg", "(line 1, column 17)"),
        ("start > TIMESTAMP('10000-01-01T00:00:00Z')", "invalid time in the filter: '10000-01"),
        ("start > now + 9999999 d", "years 1 to 9999"),
        ("S_WITHIN(geometry, POLYGON((0 0, 1 1, 1 0, 0 1, 0 0)))", "crosses itself"),
        ("state = 'x' OR 1=1; DROP TABLE clips", "unexpected character ';'"),
        ("size_bytes IN (" + ",".join(["1"] * 1001) + ")", "1001 items"),
        ("x" * 10_001, "10001 bytes"),
    ],
)
def test_bad_input_is_refused_with_place_and_remedy_by_both_routes(
    api: Api, clip_id: str, written: str, says: str
) -> None:
    for path in ("/v1/filter", "/v1/clips"):
        answer = api.get(path, filter=written)
        assert answer.status_code == 400 and answer.headers["content-type"] == "application/problem+json"
        if path == "/v1/filter":
            assert says in answer.json()["detail"]
        assert answer.json()["remedy"]


def test_the_functions_document_is_that_of_the_standard(api: Api) -> None:
    document = api.get("/v1/functions").json()
    for function in document["functions"]:
        assert isinstance(function["name"], str) and set(function["returns"]) <= TYPES
        assert all(set(argument["type"]) <= TYPES for argument in function["args"])
    names = {function["name"] for function in document["functions"]}
    assert names == {"distance", "fire", "in_unit", "s_dwithin", "text"}
    client = api.as_client("viewer")
    assert [function.model_dump() for function in client.clips.functions()] == document["functions"]


def test_what_filters_can_name_is_listed_with_units_and_attributes_that_clips_have(api: Api) -> None:
    with api.database.begin() as connection:
        for unit in ("m/s", "km/h"):
            add_clip(
                connection,
                statistics={"ego.speed": (0.0, 1.0, 0.5), "ego.yaw": (0.0, 1.0, 0.5)},
                units={"ego.speed": unit, "ego.yaw": "rad"},
                attributes={"model": "m3"},
            )
    found = api.as_client("viewer").clips.properties()
    by_name = {each.name: each for each in found.properties}
    assert (by_name["duration_s"].unit, by_name["duration_s"].sorts, by_name["box"].sorts) == ("s", True, False)
    assert by_name["state"].values == ["stored", "ready", "damaged"]
    assert found.attributes == ["vehicle.model"]
    assert [(each.name, each.unit, each.indexed) for each in found.signals] == [
        ("ego.speed", None, False),
        ("ego.yaw", "rad", False),
    ], "a unit that is not that of all clips is none"
    assert not found.capped
