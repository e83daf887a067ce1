"""Who may not see precise positions finds none out: by no filter, order, count or scan, and in no file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from storage.clips.positions.cells import bounds
from tests.fleet_api.api_server import SIGNALS, Api, campaign_text
from tests.fleet_api.clips.positioned import (
    BOX,
    CELL,
    HIDDEN_FILES,
    LATITUDE,
    LONGITUDE,
    STATISTICS,
    add_positioned,
    see_cells,
    tells,
)
from tests.storage.clips.catalog_support import OPENLABEL, add_clip
from triggers.errors import Forbidden

pytestmark = pytest.mark.integration


@pytest.fixture
def clip_id(api: Api) -> str:
    """A clip with positions. Viewers, labelers and authors see cells only."""
    see_cells(api)
    (made,) = add_positioned(api)
    return made


def found(api: Api, condition: str, role: str = "viewer") -> int:
    answer = api.get("/v1/clips", role, filter=condition)
    assert answer.status_code == 200, answer.text
    return len(answer.json()["clips"])


def test_a_clip_is_shown_by_its_cell_and_says_what_is_withheld_and_what_to_do(api: Api, clip_id: str) -> None:
    shown, whole = (api.get(f"/v1/clips/{clip_id}", role).json() for role in ("viewer", "operator"))
    assert shown["box"] == list(bounds(CELL)) and shown["place_cell"] == whole["place_cell"] == CELL
    assert shown["track"] is None and len(whole["track"]) == 3
    assert [asset["name"] for asset in shown["assets"]] == ["thumbnail"]
    assert {asset["name"] for asset in whole["assets"]} == {*HIDDEN_FILES, "thumbnail"}
    assert set(shown["statistics"]) == {f"ego.speed.{each}" for each in ("min", "max", "mean", "samples")}
    assert [each["openlabel"] for each in shown["label_documents"]] == [OPENLABEL]
    assert [note["text"] for note in shown["notes"]] == ["a cyclist"]
    assert shown["labels"] == whole["labels"] == ["car"]
    withheld = [part["name"] for part in shown["withheld"]]
    kinds = [name.partition("/")[0] for name in withheld]
    assert withheld[:3] == ["track", *HIDDEN_FILES]
    assert withheld[3:6] == sorted(f"statistics/{name}" for name in STATISTICS if name != "ego.speed")
    assert kinds[6:] == ["label_documents"] * 3 + ["notes"]
    assert all("LONGTAIL_POSITION_ROLES" in part["remedy"] for part in shown["withheld"])
    assert whole["withheld"] == []
    assert shown["remarks"][0]["message"] == "1 of 9" and shown["damage"].startswith("position_out_of_range: 3 of 9")


@pytest.mark.parametrize(
    "condition",
    [
        "ego.place_north.max > 48.13",
        "NOT ego.place_east.mean < 11.5",
        "ego.place_north.max - ego.place_east.max > 36.5",
        "in_unit(ego.place_north.min, 'rad') > 0.8",
        "ego.second.Latitude.min IS NULL",
        "ego.speed.max > 1 OR ego.place_north.samples > 3",
        "distance(geometry, POINT(11.5 48.1)) < 500",
        "1 / (distance(geometry, POINT(11.5 48.1)) div 500) IS NULL",
        "S_WITHIN(box, BBOX(11, 48, 12, 49))",
        "NOT S_WITHIN(geometry, POLYGON((11 48, 12 48, 12 49, 11 49, 11 48)))",
        "S_CROSSES(geometry, LINESTRING(11 48, 12 49))",
        "S_INTERSECTS(geometry, LINESTRING(11.5724 48.1324, 11.5725 48.1325))",
        "damage LIKE '%48.1%'",
        "damage > 'position_out_of_range: 3 of 9 samples of the latitude are out of range (the first is 48.1'",
        "text('48 1324*')",
        "text('48\u00b0')",
        "text('\uff14\uff18')",
        "text('n4*') OR text('1324n')",
    ],
)
def test_a_filter_that_could_bisect_a_place_is_refused_with_what_to_write_instead(
    api: Api, clip_id: str, condition: str
) -> None:
    for path in ("/v1/clips", "/v1/clips/count"):
        refused = api.get(path, "viewer", filter=condition)
        assert (refused.status_code, refused.json()["code"]) == (403, "forbidden"), refused.text
        assert "place cells" in refused.json()["detail"] and "LONGTAIL_POSITION_ROLES" in refused.json()["remedy"]
    assert api.get("/v1/clips", "operator", filter=condition).status_code == 200


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/clips/similar", {"like": ["ID"], "embedding": "test-1", "filter": "FILTER"}),
        ("/stac/search", {"filter": "FILTER", "filter-lang": "cql2-text"}),
        ("/v1/scans", {"when": "ego.speed > 3 m/s", "filter": "FILTER"}),
        ("/v1/datasets", {"name": "cuts", "filter": "FILTER"}),
        ("/v1/datasets", {"name": "cuts", "filter": "FILTER", "diverse": 1}),
    ],
)
def test_no_route_that_takes_a_filter_takes_one_on_positions(
    api: Api, clip_id: str, path: str, body: dict[str, Any]
) -> None:
    sent = {key: [clip_id] if value == ["ID"] else value for key, value in body.items()}
    sent["filter"] = "ego.place_north.max > 48.13"
    refused = api.post(path, sent, "author")
    assert (refused.status_code, refused.json()["code"]) == (403, "forbidden"), refused.text


@pytest.mark.parametrize("name", ["ego.place_north.max", "ego.place_east.min", "ego.second.Latitude.mean", "damage"])
def test_an_order_and_a_facet_by_positions_are_refused(api: Api, clip_id: str, name: str) -> None:
    if name != "damage":
        assert api.get("/v1/clips", sortby=f"-{name}").status_code == 403
        assert api.get("/v1/clips", "approver", sortby=f"-{name}").status_code == 200
    assert api.get("/v1/clips/facets", by=name).status_code == 403
    assert api.get("/v1/clips/facets", "approver", by=name).status_code == 200


def test_facets_that_nobody_named_leave_out_what_may_quote_a_position(api: Api, clip_id: str) -> None:
    shown, whole = (api.get("/v1/clips/facets", role) for role in ("viewer", "operator"))
    assert (shown.status_code, whole.status_code) == (200, 200), shown.text
    names, all_names = ([facet["property"] for facet in answer.json()["facets"]] for answer in (shown, whole))
    assert "damage" in all_names
    assert names == [name for name in all_names if name != "damage"]


@pytest.mark.parametrize(
    "when",
    [
        "near(48.13243 deg, 11.57249 deg, 50 m)",
        "ego.place_north > 48.1324 deg",
        "rate(ego.place_east over 1 s) > 0 deg/s",
    ],
)
def test_a_scan_for_a_position_is_refused(api: Api, clip_id: str, when: str) -> None:
    refused = api.post("/v1/scans", {"when": when}, "viewer")
    assert (refused.status_code, refused.json()["code"]) == (403, "forbidden"), refused.text
    assert "place_" in refused.json()["detail"]
    assert api.post("/v1/scans", {"when": when}, "operator").status_code == 201


def test_areas_and_points_in_a_filter_count_as_the_cells_that_they_touch(api: Api, clip_id: str) -> None:
    west, south, east, north = bounds(CELL)
    beside = (
        f"S_INTERSECTS(box, BBOX({LONGITUDE - 0.003}, {LATITUDE - 0.003}, {LONGITUDE - 0.002}, {LATITUDE - 0.002}))"
    )
    assert found(api, beside) == 1 and found(api, beside, "operator") == 0
    assert found(api, f"NOT S_DISJOINT(geometry, POINT({LONGITUDE + 0.001} {LATITUDE + 0.001}))") == 1
    far = f"S_INTERSECTS(geometry, BBOX({east + 0.05}, {south}, {east + 0.1}, {north}))"
    assert found(api, far) == 0 and found(api, f"NOT {far}") == 1
    assert found(api, "S_INTERSECTS(box, BBOX(-180, -90, 180, 90))") == 1
    assert found(api, "S_INTERSECTS(box, BBOX(170, -90, -170, 90))") == 0
    assert api.get("/stac/search", bbox=f"{west},{south},{east},{north}").json()["features"][0]["id"] == clip_id


def test_two_clips_of_one_cell_are_found_by_the_same_boxes_however_they_are_moved(api: Api, clip_id: str) -> None:
    """Edges that sweep through a cell in steps of 100 m never tell one clip from the other."""
    with api.database.begin() as connection:
        other = add_clip(connection, box=(LONGITUDE + 0.001, LATITUDE - 0.004, LONGITUDE + 0.002, LATITUDE - 0.003))
    assert api.get(f"/v1/clips/{other}").json()["place_cell"] == CELL
    west, south, east, north = bounds(CELL)
    apart = {"viewer": 0, "operator": 0}
    for step in range(21):
        x, y = west + (east - west) * step / 20, south + (north - south) * step / 20
        for box in ((x, south - 1, x + 1, north + 1), (west - 1, y, east + 1, y + 1)):
            for role in apart:
                apart[role] += found(api, f"S_INTERSECTS(box, BBOX({', '.join(map(str, box))}))", role) == 1
    assert apart["viewer"] == 0
    assert apart["operator"] > 0, "the sweep passes between them"


def test_every_role_sees_positions_unless_a_deployment_says_otherwise(api: Api) -> None:
    with api.database.begin() as connection:
        made = add_clip(connection, box=BOX)
    for role in ("viewer", "author", "approver", "operator", "admin"):
        assert api.get(f"/v1/clips/{made}", role).json()["box"] == list(BOX)


def test_the_client_says_why_it_has_no_signals_and_no_video(api: Api, clip_id: str) -> None:
    clip = api.as_client("viewer").clips.get(clip_id)
    with pytest.raises(Forbidden, match=r"signals of clip .* is withheld: it may hold precise positions"):
        clip.signals("ego.speed")
    with pytest.raises(Forbidden, match=r"clip.mcap of clip .* is withheld"):
        clip.video("front")


def test_a_dataset_is_exported_as_tables_of_cells_and_not_as_recordings(api: Api, clip_id: str, tmp_path: Path) -> None:
    from fleet_api.client.datasets.export.run import export

    client = api.as_client("author")
    made = client.datasets.create("cuts", filter_text=f"S_INTERSECTS(box, POINT({LONGITUDE} {LATITUDE}))")
    assert made.recipe["places"] == "cells"
    for kind in ("mcap", "webdataset"):
        with pytest.raises(Forbidden, match=r"clip.mcap of clip .* is withheld"):
            export(client.datasets, "cuts", tmp_path / kind, kind)  # type: ignore[arg-type]
    for kind, name in (("parquet", "manifest.parquet"), ("geoparquet", "items.parquet")):
        import pyarrow.parquet as pq

        export(client.datasets, "cuts", tmp_path / kind, kind)  # type: ignore[arg-type]
        table = pq.read_table(tmp_path / kind / name)
        assert [table[side][0].as_py() for side in ("west", "south", "east", "north")] == list(bounds(CELL))
        assert not tells(repr([table[column].to_pylist() for column in table.column_names if column != "geometry"]))


def test_the_filter_of_a_dataset_that_says_where_its_clips_are_is_left_out(api: Api, clip_id: str) -> None:
    told = {
        "near": f"s_dwithin(geometry, POINT({LONGITUDE} {LATITUDE}), 20)",
        "within": f"S_INTERSECTS(box, BBOX({LONGITUDE}, {LATITUDE}, {LONGITUDE}, {LATITUDE}))",
        "north": "ego.place_north.max > 48.13",
        "brakes": "trigger = 'hard_brake'",
    }
    for name, asked in told.items():
        api.as_client("operator").datasets.create(name, filter_text=asked)
    viewer, operator = api.as_client("viewer").datasets, api.as_client("operator").datasets
    for name, asked in told.items():
        (listed,) = viewer.get(name).history
        for shown in (listed, viewer.version(f"{name}@1")):
            assert shown.recipe["filter"] == (asked if name == "brakes" else None)
            assert ("LONGTAIL_POSITION_ROLES" in shown.recipe.get("withheld", "")) == (name != "brakes")
        assert operator.version(f"{name}@1").recipe == {"filter": asked}


def test_an_item_has_the_outline_of_its_cell(api: Api, clip_id: str) -> None:
    shown, whole = (
        api.get(f"/stac/collections/braking/items/{clip_id}", role).json() for role in ("viewer", "operator")
    )
    assert (shown["geometry"]["type"], whole["geometry"]["type"]) == ("Polygon", "LineString")
    assert shown["bbox"] == list(bounds(CELL)) and list(shown["assets"]) == ["thumbnail"]
    extent = api.get("/stac/collections/braking").json()["extent"]["spatial"]["bbox"]
    assert extent == [[-180.0, -90.0, 180.0, 90.0]]


def test_a_catalog_that_comes_later_hides_its_positions_at_once(api: Api) -> None:
    see_cells(api)
    with api.database.begin() as connection:
        add_clip(connection, statistics={"ego.place_north": (48.0, 48.0, 48.0)})
    assert api.get("/v1/clips", filter="ego.place_north.max > 1").status_code == 200
    catalog = SIGNALS.replace(
        "signals:\n", "signals:\n  ego.place_north: {unit: deg, rate: 9}\n  ego.e: {unit: deg, rate: 9}\n"
    )
    api.as_client("author").campaigns.apply(
        campaign_text(), f"{catalog}position: {{latitude: ego.place_north, longitude: ego.e}}\n"
    )
    assert api.get("/v1/clips", filter="ego.place_north.max > 1").status_code == 403
