"""The catalog over STAC: what pages and items contain, which clips a search finds, and what it refuses."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest
from sqlalchemy import update

from fleet_api.stac import usecases
from storage.database import Database
from storage.erasure import clips as erased_clips
from storage.tables import clips
from storage.tables.erasure import ErasureCause
from tests.fleet_api.api_server import Api
from tests.fleet_api.stac.conftest import HOUR_NS, Catalog, get, ids
from tests.storage.clips.catalog_support import T_NS, add_clip
from triggers.times import format_time


def post(api: Api, **body: Any) -> httpx.Response:
    return api.post("/stac/search", {name.replace("_", "-"): value for name, value in body.items()}, "viewer")


def follow(api: Api, link: str) -> httpx.Response:
    response: httpx.Response = api.client.get(link, headers=api.as_("viewer"))
    return response


def time_of(number: int) -> str:
    return format_time(T_NS + number * HOUR_NS)


def test_the_landing_page_leads_to_everything(api: Api, catalog: Catalog) -> None:
    page = get(api, "").json()
    for link in page["links"]:
        if link.get("method") != "POST":
            answer = follow(api, link["href"])
            assert answer.status_code == 200, link
            assert answer.headers["content-type"].partition(";")[0] == link["type"], link
    assert get(api, "/conformance").json()["conformsTo"] == page["conformsTo"]


def test_collections_are_campaigns_with_the_extent_of_their_clips(api: Api, catalog: Catalog) -> None:
    braking, cut_in = get(api, "/collections").json()["collections"]
    west, south, east, north = braking["extent"]["spatial"]["bbox"][0]
    assert (west, south, east, north) == pytest.approx((11.5, 48.2, 11.725, 48.21))
    first, last = braking["extent"]["temporal"]["interval"][0]
    assert (first, last[:19]) == ("2026-01-05T12:00:00.123456789Z", "2026-01-06T10:00:10")
    assert cut_in["extent"]["spatial"]["bbox"] == [[-180.0, -17.1, 180.0, 48.21]]
    assert get(api, "/collections/braking").json() == braking


def test_a_campaign_without_clips_or_whose_extent_takes_too_long_is_everywhere_since_it_began(
    api: Api, catalog: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fleet_api.stac.collections.extents_of", lambda _connection, _names: {})
    extent = get(api, "/collections/braking").json()["extent"]
    assert extent["spatial"]["bbox"] == [[-180.0, -90.0, 180.0, 90.0]]
    assert extent["temporal"]["interval"][0][1] is None


def test_collections_come_page_by_page(api: Api, catalog: Catalog) -> None:
    first = get(api, "/collections", limit=1).json()
    (following,) = (link["href"] for link in first["links"] if link["rel"] == "next")
    second = follow(api, following).json()
    assert [page["collections"][0]["id"] for page in (first, second)] == ["braking", "cut_in"]
    assert "next" not in {link["rel"] for link in second["links"]}


def test_an_item_has_the_names_of_the_standard_and_ours_after_a_prefix(api: Api, catalog: Catalog) -> None:
    item = get(api, f"/collections/braking/items/{catalog.braking[1]}").json()
    assert item["geometry"]["type"] == "LineString"
    assert item["geometry"]["coordinates"][0] == item["bbox"][:2] == [11.71, 48.2]
    properties = item["properties"]
    assert properties["datetime"] == properties["start_datetime"] == "2026-01-06T09:00:00.123456789Z"
    assert properties["platform"] == "car-0"
    assert properties["expires"] == "2030-01-01T00:00:00Z"
    assert properties["keywords"] == ["night"]
    assert properties["longtail:trigger"] == ["cut_in", "hard_brake"]
    assert properties["longtail:vehicle.region"] == "EU"
    assert set(item["assets"]) == {"clip.mcap", "signals.parquet", "front.jpg"}
    assert item["assets"]["front.jpg"]["roles"] == ["thumbnail"]
    assert {link["rel"] for link in item["links"]} == {"self", "root", "parent", "collection", "alternate"}


def test_an_item_says_in_which_place_cell_it_begins_and_of_which_clip_it_is_a_duplicate(
    api: Api, catalog: Catalog, database: Database
) -> None:
    original, copy = catalog.braking[:2]
    cell = "871f8d7a5ffffff"
    with database.begin() as connection:
        stated = {"place_cell": cell, "duplicate_of": original}
        connection.execute(update(clips).where(clips.c.id == copy).values(**stated))
    (item,) = get(api, "/search", filter=f"\"longtail:duplicate_of\" = '{original}'").json()["features"]
    assert item["id"] == copy
    assert item["properties"]["longtail:place_cell"] == cell
    assert item["properties"]["longtail:duplicate_of"] == original


def test_every_property_of_an_item_can_be_asked_for(api: Api, catalog: Catalog) -> None:
    known = get(api, "/queryables").json()
    names = set(get(api, f"/collections/braking/items/{catalog.braking[-1]}").json()["properties"]) - {"title"}
    attributes = {"longtail:vehicle.region", "longtail:vehicle.hardware"}
    assert names - attributes <= set(known["properties"])
    for name in (*names, *known["properties"]):
        assert get(api, "/search", filter=f'"{name}" IS NOT NULL', limit=1).status_code == 200, name
        assert ids(get(api, "/search", filter=f'"{name}" IS NULL AND FALSE')) == []


def test_a_track_over_the_date_line_is_in_two_lines_and_a_clip_without_a_position_nowhere(
    api: Api, catalog: Catalog
) -> None:
    crossing = get(api, f"/collections/cut_in/items/{catalog.over_the_date_line}").json()
    assert crossing["geometry"]["type"] == "MultiLineString"
    assert crossing["bbox"] == [179.9, -17.1, -179.9, -17.0]
    nowhere = get(api, f"/collections/cut_in/items/{catalog.without_position}").json()
    assert nowhere["geometry"] is None
    assert "bbox" not in nowhere


def test_items_and_collections_that_are_not_there_are_not_found(api: Api, catalog: Catalog, database: Database) -> None:
    assert get(api, "/collections/none").status_code == 404
    assert get(api, "/collections/none/items").status_code == 404
    assert get(api, "/collections/none/queryables").status_code == 404
    assert get(api, "/collections/braking/items/none").status_code == 404
    assert get(api, f"/collections/braking/items/{catalog.over_the_date_line}").status_code == 404
    with database.begin() as connection:
        erased_clips.erase(connection, [catalog.braking[0]], ErasureCause.ERASED, reason="a test", by="anna")
    assert get(api, f"/collections/braking/items/{catalog.braking[0]}").status_code == 410


def text(source: str) -> dict[str, Any]:
    return {"filter": source, "filter-lang": "cql2-text"}


SEARCHES: list[tuple[dict[str, Any], Any]] = [
    ({}, lambda catalog: [*catalog.braking, catalog.over_the_date_line, catalog.without_position]),
    ({"collections": ["braking"]}, lambda catalog: catalog.braking),
    ({"collections": ["braking", "cut_in", "none"], "bbox": [11.4, 48, 12, 49]}, lambda catalog: catalog.braking),
    ({"collections": ["none"]}, lambda _: []),
    ({"collections": []}, lambda _: []),
    ({"ids": []}, lambda _: []),
    ({"bbox": [179, -18, -179, -16]}, lambda catalog: [catalog.over_the_date_line]),
    ({"bbox": [11.5, 48, 0, 11.5001, 49, 1000]}, lambda catalog: catalog.braking[-1:]),
    ({"datetime": f"{time_of(20)}/.."}, lambda catalog: catalog.braking[:3]),
    ({"datetime": f"/{time_of(2)}"}, lambda c: [*c.braking[-2:], c.over_the_date_line, c.without_position]),
    ({"datetime": "2026-01-05T12:00:05+00:00"}, lambda catalog: catalog.braking[-1:]),
    ({"intersects": {"type": "Point", "coordinates": [11.5, 48.2]}}, lambda catalog: catalog.braking[-1:]),
    (
        {"intersects": {"type": "LineString", "coordinates": [[11.0, 48.201], [11.511, 48.201]]}},
        lambda catalog: catalog.braking[-2:],
    ),
    (
        {"sortby": [{"field": "properties.datetime", "direction": "asc"}], "limit": 2},
        lambda c: [c.without_position, c.over_the_date_line],
    ),
    (
        {"filter": {"op": "=", "args": [{"property": "platform"}, "car-9"]}},
        lambda c: [c.over_the_date_line, c.without_position],
    ),
    (
        {"filter": "collection = 'cut_in' AND keywords = 'night'", "filter-lang": "cql2-text"},
        lambda catalog: catalog.shared[::2],
    ),
    ({"filter": "ego.speed.max > 31.5", "filter-lang": "cql2-text"}, lambda catalog: catalog.braking[:1]),
    ({"filter": "NOT eo:cloud_cover > 10", "filter-lang": "cql2-text"}, lambda _: []),
    (
        {
            "filter": "no.such.signal.max IS NULL AND vehicle.nothing IS NULL AND platform = 'car-9'",
            "filter-lang": "cql2-text",
            "limit": 1,
        },
        lambda c: [c.over_the_date_line],
    ),
    ({"filter": True, "limit": 1}, lambda catalog: catalog.braking[:1]),
]


@pytest.mark.parametrize(("asked", "expected"), SEARCHES)
def test_a_search_finds_the_clips_for_which_every_condition_holds_by_get_and_post_alike(
    api: Api, catalog: Catalog, asked: dict[str, Any], expected: Any
) -> None:
    assert ids(post(api, **asked)) == expected(catalog)
    assert ids(get(api, "/search", **{name: written(name, value) for name, value in asked.items()})) == expected(
        catalog
    )


def written(name: str, value: Any) -> Any:
    """A member of a body as a parameter of a query."""
    if name == "sortby":
        return ",".join(("-" if key["direction"] == "desc" else "+") + key["field"] for key in value)
    if isinstance(value, list):
        return ",".join(map(str, value))
    if name == "filter" and not isinstance(value, str):
        return json.dumps(value) if isinstance(value, bool) else cql2_text(value)
    return json.dumps(value) if isinstance(value, dict) else value


def cql2_text(node: dict[str, Any]) -> str:
    left, right = node["args"]
    return f"{left['property']} {node['op']} '{right}'"


def test_what_others_ask_for_and_no_clip_has_is_null_here_and_refused_by_our_own_search(
    api: Api, catalog: Catalog
) -> None:
    for unknown in ("eo:cloud_cover < 10", "no.such.signal.max > 1", "vehicle.nothing = 'a'"):
        assert ids(get(api, "/search", filter=unknown)) == []
        assert api.get("/v1/clips", filter=unknown).status_code == 400


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"bbox": "1,2,3,4"}, "bbox"),
        ({"bbox": [1, 2, 3]}, "bbox"),
        ({"bbox": [1, 2, 3, 4, 5]}, "BBOX"),
        ({"bbox": [1, 50, 3, 4]}, "south"),
        ({"bbox": [1, 2, 300, 4]}, "position"),
        ({"bbox": [1, 2, 3, 4], "intersects": {"type": "Point", "coordinates": [0, 0]}}, "both"),
        ({"intersects": {"type": "Circle"}}, "shape|geometry"),
        ({"intersects": {"type": "Polygon", "coordinates": [[[0, 0], [1, 1]]]}}, "ring"),
        ({"datetime": "2026-01-05"}, "datetime"),
        ({"datetime": "../.."}, "datetime"),
        ({"datetime": "2026-01-05T12:00:00"}, "datetime"),
        ({"datetime": f"{time_of(2)}/{time_of(1)}"}, "ends before"),
        ({"datetime": "99999-01-05T12:00:00Z"}, "datetime"),
        ({"limit": 0}, "limit"),
        ({"limit": "ten"}, "limit"),
        ({"token": "next"}, "token"),
        ({"sortby": [{"field": "damage"}]}, "sorted"),
        ({"sortby": [{"field": "datetime"}, {"field": "platform"}]}, "sortby"),
        ({"sortby": [{"field": "datetime", "direction": "up"}]}, "sortby"),
        ({"fields": None}, "fields"),
        ({"filter": "platform = ", "filter-lang": "cql2-text"}, "filter"),
        ({"filter": {"op": "="}}, "filter"),
        ({"filter": {"op": "=", "args": [{"property": "platform"}, 3]}}, "compared"),
        ({"filter": {}, "filter-lang": "cql2-text"}, "filter"),
        ({"filter": "TRUE", "filter-lang": "cql"}, "filter-lang"),
        ({"filter-crs": "http://www.opengis.net/def/crs/EPSG/0/4326"}, "filter-crs"),
        ({"collections": "braking"}, "collections"),
        ({"collections": ["a\0"]}, "U+0000"),
        ({"fields": {"exclude": ["a\0"]}}, "U+0000"),
        ({"ids": ["a"] * 1001}, "ids"),
        ({"query": {}}, "query"),
    ],
)
def test_what_cannot_be_answered_is_a_bad_request_as_a_problem_document(
    api: Api, catalog: Catalog, asked: dict[str, Any], words: str
) -> None:
    answer = post(api, **asked)
    assert (answer.status_code, answer.headers["content-type"]) == (400, "application/problem+json"), answer.text
    problem = answer.json()
    assert problem["code"] == "invalid_input"
    assert any(word in problem["detail"] for word in words.split("|")), problem
    assert problem["remedy"]


@pytest.mark.parametrize(
    "query",
    [
        {"bbox": "1,2,3,four"},
        {"bbox": "1,2,3,1e999"},
        {"intersects": "POINT(1 2)"},
        {"intersects": "[" * 5000},
        {"limit": "0"},
        {"limit": "1_0"},
        {"nothing": "a"},
        {"sortby": "-"},
        {"sortby": "--datetime"},
        {"sortby": "+-datetime"},
        {"filter-lang": "sql"},
        {"fields": "a" * 400},
    ],
)
def test_a_query_that_cannot_be_answered_is_a_bad_request(api: Api, catalog: Catalog, query: dict[str, str]) -> None:
    for path in ("/search", "/collections/braking/items"):
        answer = get(api, path, **query)
        assert (answer.status_code, answer.headers["content-type"]) == (400, "application/problem+json"), answer.text


def test_a_limit_above_the_largest_page_counts_as_that(
    api: Api, catalog: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(usecases, "MAX_ITEMS", 5)
    page = get(api, "/search", limit=1_000_000).json()
    assert page["numberReturned"] == 5
    assert "next" in {link["rel"] for link in page["links"]}


@pytest.mark.parametrize("sortby", ["-datetime", "id", "-platform", "end_datetime", "longtail:size_bytes"])
def test_pages_have_every_clip_once_however_many_collections_share_it_and_while_others_come(
    api: Api, catalog: Catalog, database: Database, sortby: str
) -> None:
    seen: list[str] = []
    path, query = "/stac/search", {"sortby": sortby, "limit": 4}
    page = api.get(path, **query).json()
    while True:
        seen += [item["id"] for item in page["features"]]
        following = [link["href"] for link in page["links"] if link["rel"] == "next"]
        if not following:
            break
        with database.begin() as connection:
            add_clip(connection, vehicle_id="car-5", start_ns=T_NS, fired=[("braking", "hard_brake")])
        page = follow(api, following[0]).json()
    there = {*catalog.braking, catalog.over_the_date_line, catalog.without_position}
    assert len(seen) == len(set(seen))
    assert there <= set(seen)


def test_a_clip_of_several_collections_is_shown_in_the_one_that_was_asked_for(api: Api, catalog: Catalog) -> None:
    clip = catalog.shared[0]
    for asked, shown in ((["cut_in"], "cut_in"), (["braking"], "braking"), (["cut_in", "braking"], "braking")):
        (item,) = post(api, ids=[clip], collections=asked).json()["features"]
        assert item["collection"] == shown
        (own,) = (link["href"] for link in item["links"] if link["rel"] == "self")
        assert f"/collections/{shown}/items/{clip}" in own
    assert set(ids(get(api, "/collections/cut_in/items"))) >= set(catalog.shared)


def test_the_next_page_of_a_post_is_the_same_body_with_a_token(api: Api, catalog: Catalog) -> None:
    first = post(api, collections=["braking"], limit=20, filter_lang="cql2-text", filter="TRUE").json()
    (following,) = (link for link in first["links"] if link["rel"] == "next")
    assert following["method"] == "POST"
    second = api.post("/stac/search", following["body"], "viewer").json()
    assert [item["id"] for page in (first, second) for item in page["features"]] == catalog.braking
    refused = api.post("/stac/search", {**following["body"], "filter": "FALSE"}, "viewer")
    assert refused.status_code == 400
    assert "another search" in refused.json()["detail"]


def test_searches_of_one_user_take_turns_with_those_of_our_own_routes(api: Api, catalog: Catalog) -> None:
    with api.app.state.services.searches.turn("viewer-user"):
        assert get(api, "/search").status_code == 429
        assert get(api, "/collections").status_code == 429


def test_answers_are_kept_by_no_cache_and_head_is_answered(api: Api, catalog: Catalog) -> None:
    answer = get(api, "/search")
    assert answer.headers["cache-control"] == "no-store"
    assert api.client.head("/stac/search", headers=api.as_("viewer")).status_code == 200
