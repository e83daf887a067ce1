"""`longtail backtest --clips`: a trigger file over catalogued clips, reported like any other but for the forecast."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from fleet_api.client.clips.drives import catalog_for_clips
from tests.fleet_api.api_server import Api
from tests.fleet_api.cli.conftest import Longtail
from tests.fleet_api.scans.recorded import BRAKING, MS, SIGNALS, SLOWER, SLOWER_AT_NS, STEADY, add_recorded
from tests.storage.clips.catalog_support import SECOND_NS, T_NS
from triggers.signals.catalog import SignalCatalog

TRIGGERS = """
trigger slower { when ego.speed < 15 m/s  capture 1 s before, 1 s after { signals ego.speed, lead.distance } }
trigger slow { when ego.speed < 16 m/s }
trigger near { when lead.distance < 5 m }
campaign braking { collect slower budget 4 kB per vehicle per day, 1 GB total }
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A trigger file, and a catalog in which drives have other columns than clips."""
    (tmp_path / "file.trigger").write_text(TRIGGERS)
    declared = SIGNALS.replace("{unit: m/s, rate: 50}", "{unit: m/s, rate: 50, column: lead.distance}")
    (tmp_path / "signals.yaml").write_text("time: {column: ts, unit: ns}\n" + declared)
    monkeypatch.chdir(tmp_path)
    return tmp_path


ARGUMENTS = ("backtest", "file.trigger", "--signals", "signals.yaml")


def test_a_trigger_file_runs_over_clips_and_reports_by_clip(api: Api, folder: Path, longtail: Longtail) -> None:
    add_recorded(api, STEADY, number=0)
    both = {**BRAKING, "lead.distance": {ms: 30.0 if ms < 2000 else 3.0 for ms in range(0, 4000, 50)}}
    braked = add_recorded(api, both, number=1)
    start_ns = T_NS + 60 * SECOND_NS
    shown = longtail(*ARGUMENTS, "--clips", "campaign = 'braking'", "--json", "report.json", "--fires", "fires.parquet")
    assert shown.status == 0, shown.err
    report = json.loads(Path("report.json").read_text())
    assert report["drives"] == 2 and report["forecast"] is None
    assert {name: counts["fires"] for name, counts in report["triggers"].items()} == {"slower": 1, "slow": 1, "near": 1}
    assert {fire["drive"] for fire in report["fires"]} == {braked}
    assert {"trigger": "slower", "other": "slow", "fires": 1, "share": 1.0} in report["overlap"]
    assert {each["drive"]: each["path"] for each in report["by_drive"]}[braked] == braked
    assert all(use["per_day"] is None and use["days"] is None for use in report["budgets"])
    assert report["budgets"][0]["larger_clips"] == 1, "a clip is larger than what a day admits"
    fires = pq.read_table("fires.parquet").to_pydict()
    at_ns = dict(zip(fires["trigger"], fires["t_ns"], strict=True))
    assert at_ns["slower"] == start_ns + SLOWER_AT_NS and at_ns["near"] == start_ns + 2000 * MS
    assert "not a random sample of driving" in shown.err and "no forecast" in shown.out
    assert "per vehicle-day" not in shown.out


def test_clips_have_signals_by_their_own_names_whatever_columns_drives_have() -> None:
    declared = "signals: {a: {rate: 1, column: b}, b: {rate: 1, columns: [a, c]}, c: {rate: 1}}"
    catalog = catalog_for_clips(SignalCatalog.parse(declared, name="signals.yaml"))
    assert {name: catalog.columns(name) for name in "abc"} == {"a": ("a",), "b": ("b",), "c": ("c",)}


def test_it_finds_the_instants_that_a_scan_finds(api: Api, folder: Path, longtail: Longtail) -> None:
    for number in range(3):
        add_recorded(api, BRAKING, number=number)
    (folder / "file.trigger").write_text(f"trigger slower {{ when {SLOWER} }}")
    assert longtail(*ARGUMENTS, "--clips", "", "--fires", "fires.parquet").status == 0
    fires = pq.read_table("fires.parquet").to_pydict()
    hits = longtail("clips", "search", "--when", SLOWER, "--json").json()["hits"]
    assert sorted(zip(fires["drive"], fires["t_ns"], strict=True)) == sorted(
        (hit["clip"], hit["t_ns"][0]) for hit in hits
    )


def test_clips_that_cannot_be_run_are_left_out_by_name(api: Api, folder: Path, longtail: Longtail) -> None:
    good = add_recorded(api, BRAKING)
    silent = add_recorded(api, None, number=1)
    in_km = SIGNALS.replace("unit: m/s", "unit: km/h")
    other = add_recorded(api, BRAKING, number=2, campaign="kilometres", catalog=in_km)
    shown = longtail(*ARGUMENTS, "--clips", "", "--json", "-")
    assert shown.status == 1
    report = json.loads(shown.out)
    assert [each["drive"] for each in report["by_drive"]] == [good]
    by_clip = {text.split()[1].rstrip(":"): text for text in report["failed_drives"]}
    assert "(ready) has no 'signals'" in by_clip[silent]
    assert "`ego.speed` is in km/h, not in m/s, in the catalog of kilometres version 1" in by_clip[other]
    (left_out,) = report["left_out"]
    assert left_out["trigger"] == "near" and f"clip {good}: has no column `lead.distance`" in left_out["reason"]
    assert str(Path("/tmp")) not in shown.out


def test_a_report_over_clips_is_no_forecast_for_approvers(api: Api, folder: Path, longtail: Longtail) -> None:
    add_recorded(api, BRAKING, campaign="other")
    (folder / "file.trigger").write_text(TRIGGERS.replace("trigger near { when lead.distance < 5 m }", ""))
    assert longtail(*ARGUMENTS, "--clips", "", "--json", "report.json").status == 0
    shown = longtail("campaign", "apply", "file.trigger", "--signals", "signals.yaml", "--backtest", "report.json")
    assert shown.status == 1 and "this backtest has no forecast" in shown.err


@pytest.mark.parametrize(
    "options",
    [(), ("--clips", "", "--drives", "x.parquet"), ("--drives", "x.parquet", "--limit", "3"), ("--limit", "3")],
)
def test_either_drives_or_clips(api: Api, folder: Path, longtail: Longtail, options: tuple[str, ...]) -> None:
    shown = longtail(*ARGUMENTS, *options)
    assert shown.status == 2 and "either --drives" in shown.err


def test_no_clip_and_a_filter_with_a_mistake_are_told(api: Api, folder: Path, longtail: Longtail) -> None:
    assert "no clip matches" in longtail(*ARGUMENTS, "--clips", "state = 'damaged'").err
    assert longtail(*ARGUMENTS, "--clips", "campaign =").status == 1
    for number in range(3):
        add_recorded(api, BRAKING, number=number)
    report = json.loads(longtail(*ARGUMENTS, "--clips", "", "--limit", "2", "--json", "-").out)
    assert report["drives"] == 2
