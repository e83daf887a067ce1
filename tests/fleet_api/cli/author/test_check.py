"""`longtail check` and `longtail backtest` as people and tools call them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from fleet_api.cli.author.drives_option import spread
from fleet_api.cli.main import main

CATALOG = "signals:\n  ego.speed: {unit: m/s, rate: 10}\n"
GOOD = "trigger fast {\n    when ego.speed > 40 km/h\n}\n"
BAD = "trigger fast {\n    when ego.sped > 40\n    cooldown 5\n}\ntrigger slow {\n    when ego.speed < 5\n}\n"
MOST_MODULES = 550
"""Modules that `longtail check` may load: each adds to the time before it answers."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A catalog, two trigger files and two drives."""
    (tmp_path / "signals.yaml").write_text(CATALOG)
    (tmp_path / "good.trigger").write_text(GOOD)
    (tmp_path / "bad.trigger").write_text(BAD)
    for name in ("a", "b"):
        t = np.arange(100) / 10
        pq.write_table(pa.table({"t": t, "ego.speed": np.where(t < 5, 10.0, 12.0)}), tmp_path / f"{name}.parquet")
    return tmp_path


def call(folder: Path, *words: str) -> int:
    """The exit status of a command; words with a dot are files of the folder."""
    return main([str(folder / word) if "." in word and not word.startswith("-") else word for word in words])


def test_check_exits_0_for_a_sound_file(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(folder, "check", "good.trigger", "--signals", "signals.yaml") == 0
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.endswith("1 file: 0 errors, 0 warnings\n")


def test_one_of_a_thing_is_told_in_the_singular(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "one.trigger").write_text("trigger t {\n    when ego.sped > 3 m/s\n}\n")
    assert call(folder, "check", "one.trigger", "--signals", "signals.yaml") == 1
    assert capsys.readouterr().err.endswith("1 file: 1 error, 0 warnings\n")


def test_what_the_signal_catalog_is_warned_about_is_shown_once(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "signals.yaml").write_text(CATALOG.replace("rate: 10", "rate: 10, max_age: 0.1"))
    (folder / "also.trigger").write_text(GOOD)
    assert call(folder, "check", "good.trigger", "also.trigger", "--signals", "signals.yaml") == 0
    captured = capsys.readouterr()
    assert captured.err.count("signals.yaml:2:36: warning: `max_age` of `ego.speed` is ") == 1
    assert captured.err.endswith("2 files: 0 errors, 1 warning\n")


def test_check_reports_every_mistake_of_every_file_and_exits_1(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(folder, "check", "bad.trigger", "good.trigger", "--signals", "signals.yaml") == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert [captured.err.count(code) for code in ("[LT201]", "[LT109]", "[LT301]")] == [1, 1, 1]
    assert "bad.trigger:2:10" in captured.err


def test_check_writes_json_to_standard_output(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(folder, "check", "bad.trigger", "--signals", "signals.yaml", "--json") == 1
    document = json.loads(capsys.readouterr().out)
    assert document["ok"] is False
    assert [(d["code"], d["line"], d["column"]) for d in document["diagnostics"]] == [
        ("LT201", 2, 10),
        ("LT109", 3, 14),
        ("LT301", 6, 22),
    ]


def test_a_missing_file_is_one_line_naming_it(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(folder, "check", "nowhere.trigger", "--signals", "signals.yaml") == 1
    assert call(folder, "check", "good.trigger", "--signals", "nowhere.yaml") == 1
    lines = capsys.readouterr().err.strip().splitlines()
    assert ["nowhere.trigger" in lines[0], "nowhere.yaml" in lines[1], len(lines)] == [True, True, 2]


def test_backtest_writes_its_report_and_its_fires(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ("backtest", "good.trigger", "--signals", "signals.yaml", "--drives", "a.parquet", "b.parquet")
    assert call(folder, *words, "--json", "report.json", "--fires", "fires.parquet") == 0
    document = json.loads((folder / "report.json").read_text())
    assert set(document) >= {"drives", "rows", "hours", "km", "triggers", "fires", "forecast"}
    assert document["fires"] == [{"trigger": "fast", "drive": name, "t": 5.0} for name in ("a", "b")]
    assert pq.read_table(folder / "fires.parquet").num_rows == 2
    assert "forecast for" in capsys.readouterr().out, "people see it too"


def test_backtest_keeps_the_results_of_sound_drives_and_exits_1(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "cut.parquet").write_bytes((folder / "a.parquet").read_bytes()[:-20])
    words = (
        "backtest",
        "good.trigger",
        "--signals",
        "signals.yaml",
        "--drives",
        "cut.parquet",
        "--drives",
        "b.parquet",
    )
    assert call(folder, *words, "--json", "-") == 1
    captured = capsys.readouterr()
    assert json.loads(captured.out)["drives"] == 1
    assert "cut.parquet" in captured.err


def test_backtest_of_a_file_with_mistakes_shows_them_and_runs_nothing(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(folder, "backtest", "bad.trigger", "--signals", "signals.yaml", "--drives", "a.parquet") == 1
    captured = capsys.readouterr()
    assert "[LT201]" in captured.err
    assert captured.out == ""


def test_an_output_that_cannot_be_written_is_named(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ("backtest", "good.trigger", "--signals", "signals.yaml", "--drives", "a.parquet")
    for option in ("--json", "--fires"):
        assert call(folder, *words, option, "no/such.file") == 1
        assert f"longtail: {option} " in capsys.readouterr().err


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("f --drives a b --json -", "f --drives a --drives b --json -"),
        ("--drives a --drives b f", "--drives a --drives b --drives f"),
        ("--drives=a b", "--drives=a --drives b"),
        ("--drives", "--drives"),
        ("f -- --drives a b", "f -- --drives a b"),
    ],
)
def test_drives_take_all_words_up_to_the_next_option(given: str, expected: str) -> None:
    assert spread(given.split(), "--drives") == expected.split()


def test_all_mistakes_of_a_catalog_are_told_at_their_places(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "signals.yaml").write_text("signals:\n  a: {unit: kph, rat: 3}\n  and: {rate: 3}\n")
    assert call(folder, "check", "good.trigger", "--signals", "signals.yaml") == 1
    lines = capsys.readouterr().err.splitlines()
    assert [line.partition("signals.yaml:")[2].partition(": ")[0] for line in lines] == ["2:7", "2:18", "3:3"]
    assert [word in line for word, line in zip(("`km/h`", "`rate`", "`and`"), lines, strict=True)] == [True] * 3


def test_check_explain_and_backtest_tell_of_a_budget_below_a_clip(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "small.trigger").write_text(GOOD + "campaign c { collect fast budget 1 kB per vehicle per day }\n")
    for words in (("check",), ("explain",), ("backtest", "--drives", "a.parquet")):
        assert call(folder, words[0], "small.trigger", "--signals", "signals.yaml", *words[1:]) == 0
        assert "budget of 1 kB per vehicle per day is smaller than one clip of `fast`" in capsys.readouterr().err


def test_check_starts_without_heavy_libraries_and_with_few_modules(folder: Path) -> None:
    program = (
        "import sys; from fleet_api.cli.main import main; main(sys.argv[1:]); print(*sys.modules, file=sys.stderr)"
    )
    words = [sys.executable, "-c", program, "check", "good.trigger", "--signals", "signals.yaml"]
    found = subprocess.run(words, cwd=folder, check=True, capture_output=True, text=True).stderr.split()
    assert not {"numpy", "pyarrow", "fastapi", "sqlalchemy", "rich", "wasmtime"} & set(found)
    assert len(found) < MOST_MODULES
