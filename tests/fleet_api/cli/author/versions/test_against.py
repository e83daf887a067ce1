"""`longtail backtest --against`: what two versions share, what one alone has, and what is refused."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from fleet_api.cli.main import main

SOURCE = """param hold = 300 ms
trigger fast { when ego.speed > 40 km/h for hold capture 5 s before, 2 s after }
campaign c { collect fast budget 1 MB per vehicle per day }
"""
BACKTEST = ("backtest", "new.trigger", "--signals", "signals.yaml", "--drives", ".")
BOLD, PLAIN = "\x1b[1m", "\x1b[0m"
SHOWN = """\
first: new.trigger
second: old.trigger with hold=600ms
2 drives, 0.05 h

Fires of two versions
trigger  in both  only first  only second  in neither  first to second (95 %)
fast           2           1            0  0.04 h      1.5 (0.288 to 8.46)

Each version on these drives
trigger  version  fires  per hour          clips  bytes    per vehicle-day
fast     first        3  60 (5.32 to 504)      3  17.3 kB  346.6 kB (30.7 kB to 2.9 MB)
fast     second       2  40 (2.44 to 376)      2  11.6 kB  231.1 kB (14.1 kB to 2.2 MB)

Drives on which they differ most
trigger  drive  hours  in both  only first  only second
fast     a      0.03         1           1            0

Fires of one version alone
trigger  version     drive  t
fast     only first  a      20.300 s

fast: these drives do not tell which fires more often
fires are the same if their capture windows touch, the nearest first, each once
only the first has: mine
only the second has: theirs
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two versions, and two drives with holds of 0.5 s and of 1 s."""
    monkeypatch.chdir(tmp_path)
    Path("signals.yaml").write_text("signals: {ego.speed: {unit: m/s, rate: 10}}")
    Path("new.trigger").write_text(SOURCE + "trigger mine { when ego.speed > 50 km/h }\n")
    Path("old.trigger").write_text(SOURCE + "trigger theirs { when ego.speed > 50 km/h }\n")
    t = np.arange(901) / 10
    for name, short, long in (("a", 20, 50), ("b", 200, 30)):
        above = ((t >= short) & (t < short + 0.5)) | ((t >= long) & (t < long + 1))
        pq.write_table(pa.table({"t": t, "ego.speed": np.where(above, 12.0, 10.0)}), f"{name}.parquet")


AGAINST = (*BACKTEST, "--against", "old.trigger", "--set-against", "hold=600ms")


def test_people_see_what_both_have_and_what_one_has(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*AGAINST]) == 0
    shown = capsys.readouterr()
    assert shown.out == SHOWN
    assert shown.err.count("LT906") == 2, "of each file, the trigger that nothing collects"


class Terminal(io.StringIO):
    """Standard output as a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("columns", [40, 80])
def test_tables_fit_the_terminal(monkeypatch: pytest.MonkeyPatch, columns: int) -> None:
    monkeypatch.setattr(sys, "stdout", Terminal())
    monkeypatch.setenv("COLUMNS", str(columns))
    assert main([*AGAINST]) == 0
    shown = sys.stdout.getvalue()
    tables = shown.partition("Fires of two")[2].partition("fast: these")[0]
    assert "only first" in tables
    assert max(len(line) for line in tables.replace(BOLD, "").replace(PLAIN, "").splitlines()) <= columns


def test_programs_get_all_of_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*AGAINST, "--json", "-", "--within", "2s"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["first"], told["second"], told["within_ns"]) == (
        "new.trigger",
        "old.trigger with hold=600ms",
        2 * 10**9,
    )
    fast = told["triggers"]["fast"]
    assert (fast["both"], fast["only_first"], fast["only_second"]) == (2, 1, 0)
    assert fast["alone"] == [{"side": "first", "drive": "a", "t": 20.3}]
    assert [(drive["drive"], drive["both"]) for drive in fast["by_drive"]] == [("a", 1), ("b", 1)]
    assert fast["ratio"]["low"] < fast["ratio"]["estimate"] == 1.5 < fast["ratio"]["high"]
    assert fast["first"]["per_hour"]["low"] < fast["first"]["per_hour"]["mean"] == pytest.approx(3 / fast["hours"])


def test_the_comparison_can_be_a_page(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*AGAINST, "--html", "page.html"]) == 0
    page = Path("page.html").read_text()
    assert "new.trigger and old.trigger with hold=600ms" in page and "1.5 (0.288 to 8.46)" in page
    assert 'aria-label="fast: 2 in both, 1 only first, 0 only second"' in page
    assert "these drives do not tell which fires more often" in page and "only the first has: mine" in page
    assert "<script" not in page and " style=" not in page and "unsafe" not in page


def test_a_file_is_compared_with_itself_by_its_params_alone(capsys: pytest.CaptureFixture[str]) -> None:
    words = [*BACKTEST, "--set", "hold=800ms", "--set-against", "hold=100ms", "--json", "-"]
    assert main(words) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["first"], told["second"]) == ("new.trigger with hold=800ms", "new.trigger with hold=100ms")
    assert (told["triggers"]["fast"]["both"], told["triggers"]["fast"]["only_second"]) == (2, 1)
    assert (told["only_first"], told["only_second"]) == ([], [])


def test_what_no_version_can_do_is_told_and_is_no_success(capsys: pytest.CaptureFixture[str]) -> None:
    Path("bad.parquet").write_bytes(b"no drive")
    assert main([*AGAINST]) == 1
    assert capsys.readouterr().err.count("bad.parquet") == 1
    Path("old.trigger").write_text("trigger fast { when ego.speed > 40 }")
    assert main([*BACKTEST, "--against", "old.trigger"]) == 1
    shown = capsys.readouterr()
    assert "old.trigger:1:33: error" in shown.err
    assert shown.out == ""


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--within", "1s"), "give it with --against or --sweep"),
        (("--against", "old.trigger", "--within", "2000min"), "from 0s to 60min"),
        (("--against", "old.trigger", "--fires", "fires.parquet"), "--fires is about one version"),
        (("--set-against", "hold=1s", "--results", "r.parquet"), "--results is about one version"),
    ],
)
def test_options_that_do_not_go_together_are_refused(
    words: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*BACKTEST, *words]) == 2
    assert said in capsys.readouterr().err


def test_the_other_file_is_not_written_over(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*AGAINST, "--json", "old.trigger"]) == 1
    assert "is an input of this backtest" in capsys.readouterr().err
