"""`longtail backtest` as people and tools call it: its files, its tables, what it names, how it ends."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from fleet_api.cli.main import main
from tests.fleet_api.backtests import recorded
from tests.fleet_api.backtests.recorded import CATALOG
from tests.support.waiting import wait_for

SOURCE = recorded.SOURCE.replace("budget", "sample 1 in 10 budget")
REPORT = Path(__file__).with_name("backtest_report.json")
BACKTEST = ("backtest", "file.trigger", "--signals", "signals.yaml", "--drives")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A catalog, a trigger file and two drives, in the working directory."""
    (tmp_path / "signals.yaml").write_text(CATALOG)
    (tmp_path / "file.trigger").write_text(SOURCE)
    t = np.arange(100) / 10
    columns = {"t": t, "ego.speed": np.where(t < 5, 10.0, 12.0), "active.seen": t > 6, "shadow.seen": t > 5.5}
    for name in ("a", "b"):
        pq.write_table(pa.table(columns), tmp_path / f"{name}.parquet")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_every_file_asked_for_is_written(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = ("--json", "report.json", "--fires", "fires.parquet", "--results", "results.parquet")
    assert main([*BACKTEST, "a.parquet", "b.parquet", *files]) == 0
    document = json.loads((folder / "report.json").read_text())
    assert [(fire["trigger"], fire["drive"], fire["t"]) for fire in document["fires"]] == [
        (trigger, drive, t) for drive in "ab" for trigger, t in (("fast", 5.0), ("missed", 5.9))
    ]
    assert document["overlap"] == [
        {"trigger": "fast", "other": "missed", "fires": 2, "share": 1.0},
        {"trigger": "missed", "other": "fast", "fires": 2, "share": 1.0},
    ]
    assert document["compared"]["seen"] == {
        "neither": 112,
        "only_shadow": 10,
        "only_active": 0,
        "both": 78,
        "unknown": 0,
    }
    assert pq.read_table("fires.parquet").num_rows == 4
    assert pq.read_table("results.parquet").column("fires").to_pylist() == [1, 1, 1, 1]
    assert capsys.readouterr().err == ""


def test_the_json_document_stays_what_it_is(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """All keys in their order, and all values; digests and reasons are the matter of others."""
    (folder / "bad.parquet").write_bytes(b"not a drive")
    assert main([*BACKTEST, "a.parquet", "b.parquet", "bad.parquet", "--json", "-"]) == 1
    document = json.loads(capsys.readouterr().out)
    assert [len(digest) for digest in document.pop("programs")] == [64]
    assert [failure.split(":")[0] for failure in document.pop("failed_drives")] == ["bad.parquet"]
    assert [*document.pop("run")] == ["longtail", "file", "source", "catalog", "catalog_digest", "campaigns"]
    expected = json.loads(REPORT.read_text())
    assert json.dumps(_shape(document)) == json.dumps(_shape(expected))
    assert _numbers(document) == pytest.approx(_numbers(expected), rel=1e-6)


def _shape(value: object) -> object:
    """The value with 0 for every float."""
    if isinstance(value, dict):
        return {key: _shape(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_shape(item) for item in value]
    return 0.0 if isinstance(value, float) else value


def _numbers(value: object) -> list[float]:
    if isinstance(value, dict | list):
        items = value.values() if isinstance(value, dict) else value
        return [number for item in items for number in _numbers(item)]
    return [value] if isinstance(value, float) else []


def test_people_see_tables_of_what_there_is(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*BACKTEST, "a.parquet", "b.parquet", "--vehicles", "10"]) == 0
    shown = capsys.readouterr()
    for words in (
        "2 drives, 200 rows",
        "Triggers",
        "fires  clips  suppressed  per hour  known  per 1,000 km  per fire  per vehicle-day",
        "Drives, those with the most fires first",
        "Budgets",
        "Fires that share a clip",
        "Compared heads",
        "forecast for 10 vehicles at 1 h per day",
    ):
        assert words in shown.out
    assert shown.err == "", "results can be piped and stored, nothing else is among them"
    (folder / "file.trigger").write_text("trigger never { when ego.speed > 400 km/h }")
    assert main([*BACKTEST, "a.parquet"]) == 0
    shown = capsys.readouterr()
    assert "share a clip" not in shown.out
    assert "Compared" not in shown.out


def test_compared_events_are_shown_and_written_by_drive(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "file.trigger").write_text("campaign c { compare events seen within 1 s budget 1 clips }")
    assert main([*BACKTEST, "a.parquet", "b.parquet"]) == 0
    shown = capsys.readouterr().out
    (row,) = (line for line in shown.splitlines() if line.startswith("seen"))
    assert row.split() == ["seen", "active", "and", "shadow", "1", "s", "2", "(9,174)", "0", "(0)", "0", "(0)", "0"]
    assert main([*BACKTEST, "a.parquet", "b.parquet", "--json", "-"]) == 0
    (told,) = json.loads(capsys.readouterr().out)["events"]
    assert (told["head"], told["sides"], told["within_ns"], told["driver"]) == ("seen", "active_shadow", 10**9, None)
    assert told["matched"] == 2
    assert told["matched_per_1000km"]["low"] < told["matched_per_1000km"]["mean"] < told["matched_per_1000km"]["high"]
    assert {name: drive["matched"] for name, drive in told["by_drive"].items()} == {"a": 1, "b": 1}


def test_samples_that_windows_lost_are_told(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "signals.yaml").write_text(CATALOG.replace("unit: m/s, rate: 10", "unit: m/s, rate: 1"))
    (folder / "file.trigger").write_text("trigger t { when max(ego.speed over 5 s) > 40 km/h }")
    t = np.arange(10_000) / 1000
    pq.write_table(pa.table({"t": t, "ego.speed": t}), "quick.parquet")
    assert main([*BACKTEST, "quick.parquet"]) == 0
    assert "came faster than the signal catalog declares" in capsys.readouterr().err


def test_the_stated_fleet_and_sample_make_the_forecast(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = [*BACKTEST, "a.parquet", "--json", "-", "--hours-per-day", "2"]
    assert main([*words, "--vehicles", "10"]) == 0
    by_campaign = json.loads(capsys.readouterr().out)["forecast"]
    assert main([*words, "--vehicles", "20", "--sample", "5"]) == 0
    stated = json.loads(capsys.readouterr().out)["forecast"]
    assert by_campaign["triggers"]["fast"]["sample_one_in"] == 10
    assert stated["bytes_per_fleet_day"]["mean"] == pytest.approx(4 * by_campaign["bytes_per_fleet_day"]["mean"], abs=4)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--clips", "", "--vehicles", "5"), "--vehicles is about the forecast, and there is none over clips"),
        (("--clips", "", "--hours-per-day", "5"), "--hours-per-day is about the forecast"),
        (("--clips", "", "--sample", "5"), "--sample is about the forecast"),
        (("--drives", "a.parquet", "--set-against", "x=1", "--vehicles", "5"), "--vehicles is about a fleet"),
    ],
)
def test_options_of_the_forecast_that_would_change_nothing_are_refused(
    folder: Path, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], said: str
) -> None:
    assert main(["backtest", "file.trigger", "--signals", "signals.yaml", *words]) == 2
    assert said in capsys.readouterr().err


def test_one_worker_and_many_write_the_same_bytes(folder: Path) -> None:
    for name in "cdefgh":
        (folder / f"{name}.parquet").write_bytes((folder / "a.parquet").read_bytes())
    written = []
    for workers in ("1", "3"):
        files = ("--json", "report.json", "--fires", "fires.parquet", "--results", "results.parquet")
        assert main([*BACKTEST, *(f"{name}.parquet" for name in "abcdefgh"), "--workers", workers, *files]) == 0
        written.append([(folder / name).read_bytes() for name in files[1::2]])
    assert written[0] == written[1]


def test_bad_drives_are_named_the_results_of_the_others_kept_and_the_status_is_1(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "cut.parquet").write_bytes((folder / "a.parquet").read_bytes()[:-20])
    table = pq.read_table("a.parquet")
    pq.write_table(table.drop_columns(["active.seen"]), "lacking.parquet")
    files = ("--json", "report.json", "--fires", "fires.parquet")
    assert main([*BACKTEST, "cut.parquet", "lacking.parquet", "b.parquet", *files]) == 1
    told = capsys.readouterr().err
    assert "left out: cut.parquet: " in told
    assert "`missed` did not run on 1 of 2 drives: lacking.parquet: has no column `active.seen`" in told
    document = json.loads((folder / "report.json").read_text())
    assert (document["drives"], len(document["failed_drives"])) == (2, 1)
    assert [document["triggers"][name]["drives"] for name in ("fast", "missed")] == [2, 1]
    assert pq.read_table("fires.parquet").num_rows == 3


def test_a_trigger_that_ran_on_no_drive_makes_the_status_1(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pq.write_table(pq.read_table("a.parquet").drop_columns(["active.seen"]), "lacking.parquet")
    assert main([*BACKTEST, "lacking.parquet"]) == 1
    assert "`missed` did not run on 1 of 1 drive" in capsys.readouterr().err


@pytest.mark.parametrize("option", ["--json", "--fires", "--results"])
def test_a_file_that_cannot_be_written_is_named_before_anything_runs(
    folder: Path, capsys: pytest.CaptureFixture[str], option: str
) -> None:
    for place in ("no/such.file", "."):
        assert main([*BACKTEST, "a.parquet", option, place]) == 1
        told = capsys.readouterr().err
        assert f"longtail: {option} {place}" in told
        assert "drive" not in told


def test_an_interruption_ends_it_with_130_and_leaves_no_file(folder: Path) -> None:
    rows = 1_000_000
    t = np.arange(rows) / 100
    columns = {"t": t, "ego.speed": np.sin(t) * 40, "active.seen": t % 7 > 3, "shadow.seen": t % 5 > 2}
    pq.write_table(pa.table(columns), "long.parquet")
    for number in range(30):
        (folder / f"long{number}.parquet").hardlink_to(folder / "long.parquet")
    files = ("--json", "report.json", "--fires", "fires.parquet", "--results", "results.parquet")
    words = [sys.executable, "-m", "fleet_api.cli", *BACKTEST, ".", *files]
    running = subprocess.Popen(words, stderr=subprocess.PIPE, text=True)
    wait_for(
        lambda: running.poll() is not None or _open_files(running.pid, "long"),
        within_s=60,
        what="the reading of a file",
    )
    assert running.poll() is None
    running.send_signal(signal.SIGINT)
    _, told = running.communicate(timeout=60)
    assert running.returncode == 130
    assert "longtail: interrupted" in told
    assert "Traceback" not in told
    assert not [file.name for file in folder.iterdir() if "report" in file.name or file.name.endswith("partial")]
    assert not (folder / "fires.parquet").exists()


def _open_files(pid: int, prefix: str) -> int:
    import psutil

    return sum(1 for file in psutil.Process(pid).open_files() if Path(file.path).name.startswith(prefix))
