"""`longtail trace`: table, plot, files, and errors for people."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from fleet_api.cli.main import main

CATALOG = "signals:\n  x: {unit: m/s, rate: 10}\n  gear: {type: text, values: [park, drive], update: on_change}\n"
SOURCE = """let fast = x > 36 km/h
trigger speeding { when fast and gear == "drive" }
trigger never { when x > 100 km/h }
"""
TRACE = ["trace", "a.trigger", "--signals", "signals.yaml", "--drive", "d.parquet"]
Output = pytest.CaptureFixture[str]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("a.trigger").write_text(SOURCE)
    Path("signals.yaml").write_text(CATALOG)
    t = np.arange(600) / 10
    x = np.where((t >= 20) & (t < 30), 15.0, 5.0)
    pq.write_table(pa.table({"t": t, "x": x, "gear": ["drive"] + [None] * 599}), "d.parquet")
    return tmp_path


def document(capsys: Output, *options: str) -> dict[str, object]:
    capsys.readouterr()
    assert main([*TRACE, *options, "--json"]) == 0
    found: dict[str, object] = json.loads(capsys.readouterr().out)
    return found


@pytest.mark.usefixtures("folder")
def test_the_window_is_around_the_first_fire_and_has_every_part(capsys: Output) -> None:
    found = document(capsys, "--trigger", "speeding", "--window", "2s")
    assert (found["fires"], found["at"], found["why_not"]) == ([20.0], 20.0, None)
    assert found["t"] == pytest.approx(np.arange(190, 211) / 10)
    parts = {part["text"]: part for part in found["parts"]}  # type: ignore[attr-defined]
    assert list(parts) == ['fast and gear == "drive"', "fast", "x > 36 km/h", "x", 'gear == "drive"', "gear"]
    assert parts["x"]["unit"] == "m/s"
    assert parts["x"]["values"] == [5.0] * 10 + [15.0] * 11
    assert parts["fast"]["values"] == [False] * 10 + [True] * 11
    assert set(parts["gear"]["values"]) == {"drive"}
    assert found["condition"]["true"] == pytest.approx(10 / 59.9)  # type: ignore[index]


@pytest.mark.usefixtures("folder")
def test_a_trigger_that_never_fired_is_shown_where_it_came_closest_with_the_reason(capsys: Output) -> None:
    found = document(capsys, "--trigger", "never")
    assert (found["fires"], found["at"], found["closest"], found["why_not"]) == ([], 20.0, 20.0, "it was never true")


@pytest.mark.usefixtures("folder")
def test_a_drive_of_a_single_row_says_that_it_lasts_no_time(capsys: Output) -> None:
    pq.write_table(pa.table({"t": [1.0], "x": [50.0], "gear": ["drive"]}), "d.parquet")
    assert main([*TRACE, "--trigger", "never"]) == 0
    assert "It never fired: the drive lasts no time, as a single row does." in capsys.readouterr().out


@pytest.mark.usefixtures("folder")
def test_a_terminal_gets_a_table_and_a_plot(capsys: Output) -> None:
    assert main([*TRACE, "--trigger", "speeding", "--window", "4 s"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[:2] == ["speeding on d, 0.000 s to 59.900 s, 600 ticks", "It fired once: at 20.000 s."]
    assert any("20.000 *" in line for line in lines)
    drawn = [line.split()[-1] for line in lines if line.startswith("    x > 36 km/h ")]
    assert set(drawn[1]) == {"F", "T"}
    assert len(drawn[1]) > 20
    assert any(line.startswith("      x ") and "5 to 15 m/s ▁" in line for line in lines)


@pytest.mark.usefixtures("folder")
def test_every_tick_goes_into_a_parquet_file_and_the_window_into_a_page(capsys: Output) -> None:
    files = ("--parquet", "o.parquet", "--html", "o.html")
    assert main([*TRACE, "--trigger", "speeding", "--at", "25", *files]) == 0
    table = pq.read_table("o.parquet")
    assert table.column_names == [
        *("t", "t_ns", "fires", 'fast and gear == "drive"', "fast", "x > 36 km/h", "x", 'gear == "drive"', "gear")
    ]
    assert table.num_rows == 600
    assert table.column("fires").to_pylist().index(True) == 200
    assert sum(table.column("fast").to_pylist()) == 100
    assert table.column("gear").to_pylist() == ["drive"] * 600
    assert table.schema.field("x").metadata[b"unit"] == b"m/s"
    assert Path("o.html").read_text().startswith("<!doctype html>")
    assert capsys.readouterr().err == ""


@pytest.mark.usefixtures("folder")
def test_a_document_is_laid_out_as_every_other_whatever_waits_in_a_file(capsys: Output) -> None:
    capsys.readouterr()
    assert main([*TRACE, "--trigger", "speeding", "--window", "2s", "--json"]) == 0
    printed = capsys.readouterr().out
    assert printed == json.dumps(json.loads(printed), indent=2) + "\n"
    assert document(capsys, "--trigger", "speeding", "--window", "2s", "--html", "o.html") == json.loads(printed)
    assert Path("o.html").read_text().startswith("<!doctype html>")


@pytest.mark.usefixtures("folder")
def test_a_window_without_ticks_is_an_empty_one(capsys: Output) -> None:
    pq.write_table(pa.table({"t": [0.0, 100.0], "x": [5.0, 5.0], "gear": ["drive", "park"]}), "d.parquet")
    options = ("--trigger", "never", "--at", "50", "--window", "2s")
    found = document(capsys, *options)
    assert (found["t"], found["fired"], [part["values"] for part in found["parts"]]) == ([], [], [[], []])  # type: ignore[attr-defined]
    assert main([*TRACE, *options, "--html", "o.html"]) == 0
    assert "there is no tick in this window: give a longer --window" in capsys.readouterr().err
    assert "unknown throughout" in Path("o.html").read_text()


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--trigger", "speding"), "has no trigger `speding`; choose one of its triggers: `speeding`, `never`"),
        ((), "has 2 triggers; choose one with --trigger: `speeding`, `never`"),
        (("--trigger", "never", "--at", "60"), "--at 60.000: d.parquet is from 0.000 s to 59.900 s"),
        (("--trigger", "never", "--drive", "e.parquet"), "e.parquet: there is no such file or folder"),
        (("--trigger", "never", "--window", "2 h"), "'2 h' is not a time with its unit"),
        (("--trigger", "never", "--window", "90 min"), "a window is at most 60 min long"),
        (("--trigger", "never", "--parquet", "d.parquet"), "is an input of this trace, and would be lost"),
        (("--trigger", "never", "--html", "nowhere/o.html"), "cannot be written"),
    ],
)
def test_mistakes_are_told_with_what_to_do(capsys: Output, options: tuple[str, ...], told: str) -> None:
    assert main([*TRACE, *options]) != 0
    assert told in capsys.readouterr().err


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("options", [(), ("--json",), ("--html", "page.html"), ("--parquet", "t.parquet")])
def test_a_condition_that_reads_no_signal_has_nothing_to_trace(capsys: Output, options: tuple[str, ...]) -> None:
    Path("a.trigger").write_text("trigger t { when true capture 1 s before, 1 s after }")
    assert main([*TRACE, *options]) == 1
    assert "the condition of `t` reads no signal, so it is the same at all times" in capsys.readouterr().err
    assert not list(Path().glob("page.html")) and not list(Path().glob("t.parquet"))


@pytest.mark.usefixtures("folder")
def test_a_terminal_of_any_width_gets_a_plot(capsys: Output, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "100000000")
    assert main([*TRACE, "--trigger", "speeding"]) == 0
    assert max(map(len, capsys.readouterr().out.splitlines())) <= 1000


@pytest.mark.usefixtures("folder")
def test_a_drive_without_a_needed_signal_is_told(capsys: Output) -> None:
    pq.write_table(pa.table({"t": [0.0, 0.1], "x": [1.0, 2.0]}), "d.parquet")
    assert main([*TRACE, "--trigger", "speeding"]) == 1
    told = capsys.readouterr().err
    assert "`speeding` needs it; name the right `column`" in told
    assert told.count("name the right `column`") == 1


@pytest.mark.usefixtures("folder")
def test_a_folder_with_several_drives_is_told(capsys: Output) -> None:
    Path("many").mkdir()
    for name in ("a", "b"):
        pq.write_table(pa.table({"t": [0.0, 0.1], "x": [1.0, 2.0]}), f"many/{name}.parquet")
    assert main([*TRACE[:-1], "many", "--trigger", "never"]) == 1
    assert "many: has 2 drives" in capsys.readouterr().err


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("columns", [40, 60, 72, 80, 100])
def test_lines_fit_the_columns_that_are_asked_for_wherever_they_go(
    capsys: Output, monkeypatch: pytest.MonkeyPatch, columns: int
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    condition = 'x > 1 m/s and avg(x over 5 s) - min(x over 10 s) > 2 m/s and gear == "drive" and not (x > 90 km/h)'
    Path("a.trigger").write_text(f"trigger speeding {{ when {condition} }}")
    assert main([*TRACE]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= columns
    assert any(line.startswith("part") and "*" in line for line in lines), "the table has its moment"
    assert any(line.endswith("m/s") or "m/s ▁" in line for line in lines), "and the plot its numbers"
    assert any("▁" in line for line in lines)
    assert any("│20 s" in line or "│20  " in line for line in lines), "and the time of the moment"
    assert any("drive──" in line for line in lines), "and its texts"
