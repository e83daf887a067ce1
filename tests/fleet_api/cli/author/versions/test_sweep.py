"""`longtail backtest --sweep`: the curve as people and programs see it, and what is refused."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from fleet_api.cli.main import main
from tests.fleet_api.cli.author.versions.test_against import BACKTEST, BOLD, PLAIN, Terminal, folder

__all__ = ["folder"]

SWEEP = (*BACKTEST, "--sweep", "hold=400ms..1200ms/3")
SHOWN = """\
new.trigger: hold = 300 ms, swept over 4 values
2 drives, 0.05 h

fast by hold
hold      fires            per hour  95 %       clips  per day   in both  only here  only own
300 ms *      3  ████████  60        5.32..504      3  346.6 kB        3          0         0
400 ms        3  ████████  60        5.32..504      3  346.6 kB        3          0         0
800 ms        2  █████▍    40        2.44..376      2  231.1 kB        2          0         1
1200 ms       0            0         0..73.8        0  0 B             0          0         3

Budgets per vehicle and day by hold
hold      campaign  budget  forecast per vehicle-day      of the budget
300 ms *  c         1.0 MB  346.6 kB (30.7 kB to 2.9 MB)  34.7 %
400 ms    c         1.0 MB  346.6 kB (30.7 kB to 2.9 MB)  34.7 %
800 ms    c         1.0 MB  231.1 kB (14.1 kB to 2.2 MB)  23.1 %
1200 ms   c         1.0 MB  0 B (0 B to 424.7 kB)         0.0 %

* the file's own hold; in both: fires that are there at this value and at the file's own
fires are the same if their capture windows touch, the nearest first, each once
hold changes nothing of: mine
"""


def test_people_see_a_curve_for_each_trigger_that_the_param_changes(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*SWEEP]) == 0
    shown = capsys.readouterr()
    assert shown.out == SHOWN
    assert shown.err.count("LT906") == 1, "once, not for each value"


@pytest.mark.parametrize("columns", [40, 80])
def test_tables_fit_the_terminal(monkeypatch: pytest.MonkeyPatch, columns: int) -> None:
    monkeypatch.setattr(sys, "stdout", Terminal())
    monkeypatch.setenv("COLUMNS", str(columns))
    assert main([*SWEEP]) == 0
    tables = sys.stdout.getvalue().partition("fast by hold")[2].partition("* the file's")[0]
    assert "████" in tables
    assert max(len(line) for line in tables.replace(BOLD, "").replace(PLAIN, "").splitlines()) <= columns


def test_programs_get_the_same_numbers(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*SWEEP, "--json", "-", "--set", "hold=800ms"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["file"], told["param"], told["unit"]) == ("new.trigger with hold=800ms", "hold", "ms")
    assert (told["moved"], told["unmoved"], told["failed_drives"]) == (["fast"], ["mine"], [])
    assert [(point["number"], point["is_own"]) for point in told["points"]] == [
        (400.0, False),
        (800.0, True),
        (1200.0, False),
    ]
    fast = [point["triggers"]["fast"] for point in told["points"]]
    assert [each["fires"] for each in fast] == [3, 2, 0]
    assert [(each["both"], each["only_here"], each["only_own"]) for each in fast] == [(2, 1, 0), (2, 0, 0), (0, 0, 2)]
    assert fast[0]["ratio"]["estimate"] == 1.5
    assert fast[0]["bytes_per_vehicle_day"]["mean"] == told["points"][0]["budgets"][0]["per_day"]["mean"]
    assert len({point["programs"][0] for point in told["points"]}) == 3


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (("--sweep", "hold=1km,1s"), 1, "new.trigger:1 says `param hold = 300 ms`"),
        (("--sweep", "hold=1s", "--sweep", "x=1"), 2, "one param is swept at a time"),
        (("--sweep", "hold=1s", "--against", "old.trigger"), 2, "--sweep is about one file"),
        (("--sweep", "hold=1s", "--fires", "fires.parquet"), 2, "--fires is about one version"),
    ],
)
def test_what_cannot_be_swept_is_refused(
    words: tuple[str, ...], status: int, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*BACKTEST, *words]) == status
    shown = capsys.readouterr()
    assert said in shown.err
    assert shown.out == ""


def test_the_curve_can_be_a_page(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*BACKTEST, "--sweep", "hold=100ms,600ms", "--html", "page.html"]) == 0
    page = Path("page.html").read_text()
    assert "new.trigger: a sweep of hold" in page and "300 ms *" in page
    assert 'aria-label="fast: fires per hour with hold from 100 ms to 600 ms, from 0 to ' in page
    assert "<script" not in page and " style=" not in page and "unsafe" not in page


def test_a_drive_that_cannot_be_read_is_told_once(capsys: pytest.CaptureFixture[str]) -> None:
    Path("bad.parquet").write_bytes(b"no drive")
    assert main([*SWEEP]) == 1
    assert capsys.readouterr().err.count("bad.parquet") == 1
