"""Sweeps: each value as if the file ran alone with it, compared with the file's own."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.triggers.backtest.versions.test_comparison import CAR, CATALOG, drive
from triggers.backtest.page.remarks import is_exceeded
from triggers.backtest.plan import make_plan
from triggers.backtest.report import make_report
from triggers.backtest.run import run, run_together
from triggers.backtest.versions.comparison import RanVersion
from triggers.backtest.versions.sweep import Sweep, make_sweep, moved_triggers
from triggers.drives.drive import Drive
from triggers.language.compile import Compilation, compile_source
from triggers.language.sources.sweeps import swept_values
from triggers.language.sources.whole_text import WholeText

SOURCE = """param hold = 300 ms
let high = ego.speed > 40 km/h
trigger fast { when high for hold }
trigger slow { when ego.speed < 5 m/s }
trigger late { when lead.seen cooldown hold }
campaign c { collect fast budget 20 kB per vehicle per day }
"""
HOLDS = ("100 ms", "300 ms", "600 ms", "2 s")


def compiled(hold: str) -> Compilation:
    return compile_source(SOURCE.replace("300 ms", hold), filename="test", catalog=CATALOG)


@pytest.fixture
def drives(tmp_path: Path) -> list[Drive]:
    """Holds of 0.2, 0.5 and 1 s; the last one is on a drive of its own."""
    return [drive(tmp_path, "a", (10, 10.2), (30, 30.5), (60, 61)), drive(tmp_path, "b", (20, 21))]


def sweep_of(drives: list[Drive]) -> Sweep:
    swept, _ = swept_values(WholeText(SOURCE, "test"), f"hold={','.join(HOLDS)}")
    assert swept is not None
    compilations = [compiled(hold) for hold in HOLDS]
    plans = [make_plan(each) for each in compilations]
    results = run_together(plans, drives, CATALOG, lambda _rows: None)
    versions = [RanVersion("test", *each) for each in zip(plans, results, strict=True)]
    return make_sweep(swept, versions, moved_triggers(compilations), CAR, CATALOG)


def test_a_curve_has_for_each_value_what_the_file_gives_with_it_alone(drives: list[Drive]) -> None:
    sweep = sweep_of(drives)
    assert [(point.value, point.number, point.is_own) for point in sweep.points] == [
        ("100 ms", 100.0, False),
        ("300 ms", 300.0, True),
        ("600 ms", 600.0, False),
        ("2 s", 2000.0, False),
    ]
    for point in sweep.points:
        plan = make_plan(compiled(point.value))
        report = make_report(plan, run(plan, drives, CATALOG, lambda _rows: None), CAR, CATALOG)
        fast, figures = report.triggers["fast"], point.triggers["fast"].figures
        assert report.forecast is not None
        assert (figures.fires, figures.recordings) == (fast.fires, fast.recordings)
        assert figures.bytes_per_vehicle_day == report.forecast.triggers["fast"].vehicle_day.bytes
        assert point.budgets == report.budgets
        assert point.programs == report.programs


def test_each_value_is_compared_with_the_files_own(drives: list[Drive]) -> None:
    sweep = sweep_of(drives)
    fast = [point.triggers["fast"] for point in sweep.points]
    assert [(each.both, each.only_here, each.only_own) for each in fast] == [(3, 1, 0), (3, 0, 0), (2, 0, 1), (0, 0, 3)]
    own = sweep.own.triggers["fast"].figures.fires
    for each in fast:
        assert each.both + each.only_here == each.figures.fires
        assert each.both + each.only_own == own
        assert each.ratio.low <= each.figures.fires / own <= each.ratio.high
    over = [is_exceeded(use) for point in sweep.points for use in point.budgets]
    assert over[0] and not over[-1], "the budget is one that holds longer than the file's keep"


def test_triggers_that_the_param_does_not_change_are_named(drives: list[Drive]) -> None:
    sweep = sweep_of(drives)
    assert sweep.moved == ("fast", "late")
    assert sweep.unmoved == ("slow",)
    assert moved_triggers([compiled("300 ms"), compiled("0.3 s")]) == ()
