"""Backtests over HTTP: what programs gave, as the command line reports it, two side by side, fires and signals."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from fleet_api.cli.main import main
from tests.fleet_api.api_server import Api
from tests.fleet_api.backtests.recorded import CATALOG, SLOWER, SOURCE, add_drives, begun, done, ended, request


def of_author(api: Api, path: str, **query: Any) -> dict[str, Any]:
    answer = api.client.get(path, headers=api.as_("author"), params=query)
    assert answer.status_code == 200, answer.text
    document: dict[str, Any] = answer.json()
    return document


def reported_by_command(folder: Path, *options: str, source: str = SOURCE) -> dict[str, Any]:
    """What `longtail backtest --json` writes about the drives in a folder."""
    (folder / "signals.yaml").write_text(CATALOG)
    (folder / "file.trigger").write_text(source)
    report = folder / "report.json"
    given = [str(folder / "file.trigger"), "--signals", str(folder / "signals.yaml"), *options]
    main(["backtest", *given, "--drives", str(folder / "drives"), "--json", str(report)])
    document: dict[str, Any] = json.loads(report.read_text())
    return document


def test_a_backtest_gives_what_the_command_line_reports(api: Api, tmp_path: Path) -> None:
    add_drives(tmp_path, "a", "b")
    (tmp_path / "drives/broken.parquet").write_bytes(b"PAR1")
    expected = reported_by_command(tmp_path, "--vehicles", "50", "--hours-per-day", "2", "--sample", "3")
    fleet = {"vehicles": 50, "hours_per_day": 2.0, "sample": 3}
    backtest_id, page = done(api, request(drives=("a", "b", "broken"), fleet=fleet))
    (result,) = page["results"]
    report = result["report"]
    for drive in expected["by_drive"]:
        del drive["path"]
    shown = [{key: drive[key] for key in expected["by_drive"][0]} for drive in report["by_drive"]]
    assert shown == expected["by_drive"]
    for key in expected.keys() - {"fires", "by_drive", "failed_drives", "run"}:
        assert report[key] == expected[key], key
    assert report["forecast"]["fires_per_fleet_day"]["mean"] > 0
    (failed,) = report["failed_drives"]
    assert failed["drive"] == "broken" and "not a readable Parquet file" in failed["problem"]
    assert str(tmp_path) not in json.dumps(page), "nobody learns where drives are"
    fires = of_author(api, f"/v1/backtests/{backtest_id}/fires")["fires"]
    assert [(fire["trigger"], fire["drive"], fire["t_ns"] / 1e9) for fire in fires] == [
        (fire["trigger"], fire["drive"], fire["t"]) for fire in expected["fires"]
    ]


def test_two_programs_stand_side_by_side(api: Api, tmp_path: Path) -> None:
    add_drives(tmp_path, "a", "b")
    other = SOURCE.replace("trigger fast", "trigger fast_too { when ego.speed > 41 km/h }\ntrigger fast")
    backtest_id, page = done(api, request(SLOWER, other))
    comparison = page["comparison"]
    assert (comparison["only_first"], comparison["only_second"]) == ([], ["fast_too"])
    counts = {
        (each["trigger"], each["drive"]): (each["both"], each["only_first"], each["only_second"])
        for each in comparison["fires"]
    }
    assert counts["fast", None] == (0, 0, 2) and counts["missed", None] == (2, 0, 0)
    assert counts["fast", "a"] == (0, 0, 1)
    fires = of_author(api, f"/v1/backtests/{backtest_id}/fires", program=1, drive="b")["fires"]
    assert [(fire["trigger"], fire["elsewhere"]) for fire in fires] == [
        ("fast", False), ("fast_too", None), ("missed", True)
    ]  # fmt: skip


def test_two_programs_are_compared_as_the_command_line_compares_them(api: Api, tmp_path: Path) -> None:
    add_drives(tmp_path, "a", "b")
    t = np.arange(100) / 10
    pq.write_table(pa.table({"t": t, "ego.speed": np.where(t < 5, 10.0, 12.0)}), tmp_path / "drives/blind.parquet")
    held = SOURCE.replace("> 40 km/h", "> 40 km/h for 3 s").replace("disagree(seen)", "ego.speed > 41 km/h")
    (tmp_path / "held.trigger").write_text(held)
    told = reported_by_command(tmp_path, "--against", str(tmp_path / "held.trigger"))["triggers"]
    _, page = done(api, request(SOURCE, held, drives=("a", "b", "blind")))
    totals = {each["trigger"]: each for each in page["comparison"]["fires"] if each["drive"] is None}
    for name in ("fast", "missed"):
        for count in ("both", "only_first", "only_second"):
            assert totals[name][count] == told[name][count], (name, count)
        inverse = told[name]["ratio"]["estimate"]
        assert totals[name]["ratio"]["estimate"] == (None if inverse in (None, 0) else pytest.approx(1 / inverse))
    assert (told["fast"]["both"], told["missed"]["drives"]) == (3, 2)
    fires = of_author(api, f"/v1/backtests/{page['backtest']['id']}/fires", program=1, drive="blind")["fires"]
    assert {fire["trigger"]: fire["elsewhere"] for fire in fires} == {"fast": True, "missed": None}


def test_a_sweep_and_a_breakdown_are_those_of_the_command_line(api: Api, tmp_path: Path) -> None:
    add_drives(tmp_path, "a", "b")
    source = "param most = 40 km/h\n" + SOURCE.replace("> 40 km/h", "> most")
    over_http = request(source, breakdown=True)
    over_http["programs"][0]["sweep"] = "most=30km/h,41km/h"
    _, page = done(api, over_http)
    (result,) = page["results"]
    assert page["backtest"]["programs"][0]["sweep"] == "most=30km/h,41km/h"
    swept = reported_by_command(tmp_path, "--sweep", "most=30km/h,41km/h", source=source)
    assert result["sweep"] == {key: swept[key] for key in result["sweep"]}
    assert [(point["number"], point["is_own"]) for point in result["sweep"]["points"]] == [
        (30.0, False), (40.0, True), (41.0, False)
    ]  # fmt: skip
    broken_down = reported_by_command(tmp_path, "--breakdown", source=source)
    assert result["report"]["breakdown"] == broken_down["breakdown"]
    for key in ("triggers", "limited_days", "budgets", "forecast"):
        assert result["report"][key] == broken_down[key], key


@pytest.mark.parametrize(
    ("sweep", "told"),
    [
        ("hold=1s", "the sweep has 1 mistake"),
        ("most=1s", "the sweep has 1 mistake"),
        (
            "most=1km/h..30km/h/21",
            "the sweep has 22 values, the text's own among them, and a backtest over HTTP at most 20",
        ),
    ],
)
def test_what_cannot_be_swept_is_told_at_its_place(api: Api, tmp_path: Path, sweep: str, told: str) -> None:
    add_drives(tmp_path, "a")
    body = request("param most = 40 km/h\n" + SOURCE.replace("> 40 km/h", "> most"), drives=("a",))
    body["programs"][0]["sweep"] = sweep
    backtest = ended(api, begun(api, body))["backtest"]
    assert (backtest["state"], backtest["program"]) == ("failed", 0)
    assert told in backtest["reason"]
    assert all(each["file"] == "--sweep" for each in backtest["diagnostics"])


def test_fires_have_the_clip_that_they_would_have_been_in(api: Api, tmp_path: Path) -> None:
    add_drives(tmp_path, "a")
    source = """
    trigger fast { when ego.speed > 40 km/h capture 1 s before, 2 s after }
    trigger slow { when ego.speed < 30 km/h }
    trigger none { when ego.speed > 42 km/h }
    campaign c { collect fast budget 1 GB total upload up to 2 B on wifi }
    """
    backtest_id, page = done(api, request(source, drives=("a",)))
    fires = of_author(api, f"/v1/backtests/{backtest_id}/fires")["fires"]
    fast = next(fire for fire in fires if fire["trigger"] == "fast")
    assert (fast["start_ns"], fast["t_ns"], fast["end_ns"], fast["t_s"]) == (4 * 10**9, 5 * 10**9, 7 * 10**9, 5.0)
    assert fast["outcome"] == "dropped" and fast["reason"].endswith("more than the 2 of `upload` in c")
    other = next(fire for fire in fires if fire["trigger"] == "none")
    assert (other["outcome"], other["reason"]) == ("uncollected", None)
    assert page["results"][0]["fires"] == len(fires) == 2
    page = of_author(api, f"/v1/backtests/{backtest_id}/fires", limit=1, trigger="none")
    assert [fire["number"] for fire in page["fires"]] == [1] and page["next"] is None


def test_signals_around_a_fire_have_active_over_shadow(api: Api, tmp_path: Path) -> None:
    add_drives(tmp_path, "a")
    backtest_id, _ = done(api, request(drives=("a",)))
    path = f"/v1/backtests/{backtest_id}/signals"
    shown = of_author(api, path, drive="a", from_ns=5_000_000_000, to_ns=7_000_000_000)
    assert [(each["name"], each["head"], each["side"]) for each in shown["series"]] == [
        ("active.seen", "seen", "active"), ("shadow.seen", "seen", "shadow"), ("ego.speed", None, None)
    ]  # fmt: skip
    speed = shown["series"][2]
    assert speed["t_s"] == [round(4.9 + 0.1 * step, 1) for step in range(22)] and set(speed["value"]) == {10.0, 12.0}
    assert (speed["samples"], speed["thinned"], speed["unit"]) == (22, False, "m/s")
    few = of_author(api, path, drive="a", from_ns=0, to_ns=9_000_000_000, names="ego.speed,ego.none", points=10)
    assert few["series"][0]["thinned"] and len(few["series"][0]["t_s"]) <= 10
    assert few["missing"] == [{"name": "ego.none", "problem": "the signal catalog does not declare it"}]


def test_the_drives_to_choose_from_are_listed_with_what_is_wrong_with_them(api: Api, tmp_path: Path) -> None:
    assert "there is no folder" in of_author(api, "/v1/drives")["problem"]
    add_drives(tmp_path, "a", "2024/7")
    (tmp_path / "drives/broken.parquet").write_bytes(b"PAR1")
    api.app.state.services.offered_drives.forget()
    listed = of_author(api, "/v1/drives")
    assert (listed["complete"], listed["problem"]) == (True, None)
    assert [drive["name"] for drive in listed["drives"]] == ["2024/7", "a", "broken"]
    first, _, broken = listed["drives"]
    assert (first["seconds"], first["rows"], first["signals"], first["problem"]) == (9.9, 100, 3, None)
    assert "not a readable Parquet file" in broken["problem"] and broken["rows"] is None


def test_a_text_with_mistakes_fails_the_backtest_with_its_diagnostics(api: Api, tmp_path: Path) -> None:
    add_drives(tmp_path, "a", "b")
    page = ended(api, begun(api, request(SOURCE, SOURCE.replace("ego.speed", "ego.sped"))))
    backtest = page["backtest"]
    assert (backtest["state"], backtest["program"], page["results"]) == ("failed", 1, [])
    (diagnostic,) = backtest["diagnostics"]
    assert (diagnostic["line"], diagnostic["file"]) == (2, "file.trigger")
    assert backtest["reason"] == "file.trigger has 1 mistake"


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (request(drives=("nowhere",)), 404),
        (request(drives=("../a",)), 404),
        (request(drives=("a", "a")), 400),
        (request() | {"over": {}}, 400),
        (request() | {"programs": []}, 400),
        (request() | {"programs": [{"campaign": "none", "version": 1}]}, 404),
        (request() | {"over": {"clips": {"filter": "campaign ="}}}, 400),
        (request() | {"fleet": {"hours_per_day": 25}}, 400),
        (request() | {"over": {"clips": {}}, "fleet": {"vehicles": 50}}, 400),
    ],
)
def test_requests_that_cannot_be_meant_are_refused(api: Api, tmp_path: Path, body: dict[str, Any], status: int) -> None:
    add_drives(tmp_path, "a", "b")
    assert api.post("/v1/backtests", body, "author").status_code == status
    assert of_author(api, "/v1/backtests") == {"backtests": []}
