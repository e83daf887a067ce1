"""What `longtail backtest` shows of single drives, circumstances and known events, on terminals of several widths."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from fleet_api.cli.author.evidence.drives import show_drives, tell_concentrated
from fleet_api.cli.main import main
from triggers.backtest.evidence.by_drive import counts_by_drive, leave_one_out
from triggers.backtest.result import DriveResult
from triggers.times import NS_PER_S


def report(*drives: tuple[str, float, int]) -> Any:
    """As much of a report as single drives need: name, hours and fires of each."""
    results = [
        DriveResult(name, Path(name), recorded_ns=round(hours * 3600 * NS_PER_S), fires_ns={"fast": np.arange(fires)})
        for name, hours, fires in drives
    ]
    fires, hours = sum(each[2] for each in drives), sum(each[1] for each in drives)
    largest = max(drives, key=lambda each: each[2])
    counts = SimpleNamespace(
        fires=fires, hours=hours, drives=len(drives), largest_drive=largest[0], largest_share=largest[2] / fires
    )
    return SimpleNamespace(
        triggers={"fast": counts},
        by_drive=counts_by_drive(["fast"], results),
        leave_one_out={"fast": leave_one_out("fast", results)},
    )


def test_it_is_said_when_one_drive_carries_the_result(capsys: pytest.CaptureFixture[str]) -> None:
    tell_concentrated(report(("a", 0.05, 40), ("b", 0.2, 0), ("c", 1, 3), ("d", 6, 0), ("e", 2, 1)))
    assert capsys.readouterr().out.splitlines() == [
        "fast: 5 drives, 91 % of the fires in one, a",
        "fast: one drive carries the result: without a (40 of 44 fires, 0.05 of 9.25 h) it would be 0.435 per hour "
        "instead of 4.76",
    ]
    tell_concentrated(report(("a", 1, 4), ("b", 1, 4)))
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("columns", [40, 80, None])
def test_many_drives_are_cut_with_a_count_and_fit_the_terminal(
    columns: int | None, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    if columns is not None:
        monkeypatch.setattr("sys.stdout.isatty", lambda: True)
        monkeypatch.setenv("COLUMNS", str(columns))
    show_drives(report(*((f"2026/drive-{n:03}", 1.5, n) for n in range(50))))
    lines = capsys.readouterr().out.splitlines()
    assert "and 30 more (--json and --results write all of them)" in lines
    assert sum("2026/drive-" in line for line in lines) == 21
    if columns is not None:
        assert max(map(len, lines)) <= max(columns, len("and 30 more (--json and --results write all of them)"))


def test_the_table_of_results_has_the_rate_without_each_drive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("s.yaml").write_text("signals:\n  x: {rate: 10}\n")
    Path("t.trigger").write_text("trigger a { when x > 0.5 }\ntrigger never { when x > 5 }")
    t = np.arange(600) / 10
    for name, pulses in (("one", [100]), ("two", [100, 200, 300])):
        x = np.zeros(600)
        x[pulses] = 1
        pq.write_table(pa.table({"t": t, "x": x}), f"{name}.parquet")
    words = ("backtest", "t.trigger", "--signals", "s.yaml", "--results", "r.parquet", "--drives")
    assert main([*words, "one.parquet", "two.parquet"]) == 0
    rows = pq.read_table("r.parquet").select(["drive", "trigger", "share", "per_hour_without"]).to_pylist()
    hour = 3600 / 59.9
    assert [tuple(row.values()) for row in rows] == [
        ("one", "a", 0.25, pytest.approx(3 * hour)),
        ("one", "never", None, 0.0),
        ("two", "a", 0.75, pytest.approx(hour)),
        ("two", "never", None, 0.0),
    ]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two drives with pulses, a trigger file, and events of which a few are known."""
    monkeypatch.chdir(tmp_path)
    Path("s.yaml").write_text("signals:\n  x: {rate: 10}\n")
    Path("t.trigger").write_text("trigger a { when x > 0.5 }\ntrigger never { when x > 5 }")
    for name, pulses in (("one", [100, 300]), ("two", [100, 200])):
        x = np.where(np.isin(np.arange(600), pulses), 1.0, 0.0)
        pq.write_table(pa.table({"t": np.arange(600) / 10, "x": x}), f"{name}.parquet")
    events = {"drive": ["one", "one.parquet", "gone"], "t": [9.5, 50.0, 1.0], "type": ["pulse", "pulse", "pulse"]}
    pq.write_table(pa.table(events), "e.parquet")
    return tmp_path


BACKTEST = ("backtest", "t.trigger", "--signals", "s.yaml", "--drives", "one.parquet", "two.parquet")


@pytest.mark.usefixtures("folder")
def test_known_events_judge_the_triggers(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*BACKTEST, "--events", "e.parquet", "--event-type", "pulse=a"]) == 0
    shown = capsys.readouterr()
    lines = [line.split() for line in shown.out.splitlines()]
    assert ["a", "2", "1", "1", "0", "0", "3", "0"] in lines
    assert ["one", "50.000", "s", "a", "missed"] in lines
    for words in ("Known events, found by fires within 2 s", "25 % (", "50 % (", "0.5 s", "False alarms"):
        assert words in shown.out
    for words in (
        "1 known event is of a drive that did not run, so not judged; the first is called `gone`",
        "1 drive has no known event: every fire there is taken for a false alarm",
        "no known event is for `never`, so it is not judged",
    ):
        assert words in shown.err
    words = ("--events", "e.parquet", "--event-type", "pulse=a", "--event-window", "0s", "--json", "-")
    assert main([*BACKTEST, *words]) == 0
    judged = json.loads(capsys.readouterr().out)["known_events"]
    assert (judged["window_s"], judged["triggers"]["a"]["found"], judged["elsewhere"]) == (0, 0, 1)
    assert judged["not_found"][0] == {
        "trigger": "a",
        "drive": "one",
        "t": 9.5,
        "end": 9.5,
        "why": "missed",
        "unknown": 0.0,
        "signal": None,
        "reason": None,
    }


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    ("words", "status", "told"),
    [
        (("--events", "e.parquet"), 1, "has events of `pulse` alone"),
        (("--events", "e.parquet", "--event-type", "pulse=b"), 1, "found by `b`, which is no trigger of the file"),
        (("--events", "e.parquet", "--event-type", "pulse"), 2, "is not TYPE=TRIGGER"),
        (("--events", "e.parquet", "--event-window", "2"), 2, "is not a time with its unit"),
        (("--events", "e.parquet", "--event-window", "90 min"), 2, "must be between 0 s and 3600 s"),
        (("--event-window", "2s"), 2, "are about --events FILE"),
        (("--events", "none.parquet"), 1, "there is no such file"),
        (
            ("--events", "e.parquet", "--event-type", "pulse=a", "--json", "e.parquet"),
            1,
            "is an input of this backtest",
        ),
    ],
)
def test_what_events_cannot_be_is_told(
    words: tuple[str, ...], status: int, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*BACKTEST, *words]) == status
    shown = " ".join(capsys.readouterr().err.split())
    assert told in shown


@pytest.mark.parametrize("columns", [40, 80])
def test_a_breakdown_is_three_tables_for_the_triggers_that_fired(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, columns: int
) -> None:
    (folder / "s.yaml").write_text(
        "signals:\n  x: {rate: 10}\n  ego.speed: {unit: km/h, rate: 10}\n  lat: {unit: deg, rate: 10}\n"
        "  lon: {unit: deg, rate: 10}\nposition: {latitude: lat, longitude: lon}\n"
    )
    x = np.where(np.isin(np.arange(600), [100, 300]), 1.0, 0.0)
    t = 1_790_000_000 + np.arange(600) / 10
    north, fast = np.full(600, 48.1), np.where(np.arange(600) < 200, 40.0, 80.0)
    pq.write_table(pa.table({"t": t, "x": x, "ego.speed": fast, "lat": north, "lon": north}), "one.parquet")
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", str(columns))
    assert main([*BACKTEST[:-1], "--breakdown"]) == 0
    shown = capsys.readouterr().out
    for words in ("a by speed", "30 to", "km/h", "a by place", "a by hour", "17:00", "by the sun"):
        assert words in shown
    assert "never by speed" not in shown and "unknown" in shown
    assert main([*BACKTEST[:-1], "--breakdown", "--json", "-"]) == 0
    told = json.loads(capsys.readouterr().out)["breakdown"]["triggers"]["a"]
    assert [(each["bin"], each["fires"]) for each in told["speed"]] == [("30 to 50 km/h", 1), ("70 to 100 km/h", 1)]
    assert [each["bin"] for each in told["hour"]] == ["17:00"]
