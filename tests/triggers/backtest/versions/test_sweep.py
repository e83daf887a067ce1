"""Sweeps: each value as if the file ran alone with it, compared with the file's own."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.triggers.backtest.versions.test_comparison import CAR, CATALOG, drive
from tests.triggers.pages.tags import Tags
from triggers.backtest.page.remarks import is_exceeded
from triggers.backtest.page.sweep import budget_rows, page, places
from triggers.backtest.plan import make_plan
from triggers.backtest.report import make_report
from triggers.backtest.run import run, run_together
from triggers.backtest.versions.comparison import RanVersion
from triggers.backtest.versions.sweep import Sweep, make_sweep, moved_triggers
from triggers.drives.drive import Drive
from triggers.language.compile import Compilation, compile_source
from triggers.language.sources.sweeps import swept_values
from triggers.language.sources.whole_text import WholeText
from triggers.statistics.interval import Interval

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


def test_a_page_draws_the_curve_of_each_trigger_with_its_interval(drives: list[Drive]) -> None:
    sweep = sweep_of(drives)
    found = Tags(page(sweep))
    assert [name for name, _ in found.tags].count("svg") == len(sweep.moved)
    curves = [attributes["points"] or "" for name, attributes in found.tags if name == "polyline"]
    bands = [attributes["points"] or "" for name, attributes in found.tags if name == "polygon"]
    for curve, band in zip(curves, bands, strict=True):
        assert len(curve.split()) == len(HOLDS) and len(band.split()) == 2 * len(HOLDS)
    heights = [float(point.split(",")[1]) for point in curves[0].split()]
    assert heights == sorted(heights), "the longer it holds, the lower is the rate, which is drawn further down"
    said = " ".join(found.words).replace("\N{NO-BREAK SPACE}", " ")
    assert "300 ms *" in said and "hold changes nothing of: slow" in said and "Budgets per vehicle and day" in said
    assert all(" ".join(row) in said for row in budget_rows(sweep))
    assert [name for name, _ in found.tags].count("h1") == 1


def test_the_share_of_a_budget_tells_little_from_nothing(drives: list[Drive]) -> None:
    sweep = sweep_of(drives)
    point = sweep.own
    (use, *_) = point.budgets
    shares = []
    for mean in (0.0, 2.0, 5e3, 1e6):
        used = replace(use, amount=10_000, per_day=Interval(mean, 0.0, 1e7))
        ((*_, share),) = budget_rows(replace(sweep, points=(replace(point, budgets=(used,)),)))
        shares.append(share)
    assert shares == ["0.0 %", "<0.1 %", "50.0 %", "10000.0 %"]


def test_values_are_drawn_by_their_size_and_texts_one_after_the_other(drives: list[Drive]) -> None:
    points = sweep_of(drives).points
    assert places(points) == pytest.approx([0, 200 / 1900, 500 / 1900, 1])
    assert places([replace(point, number=None) for point in points]) == pytest.approx([0, 1 / 3, 2 / 3, 1])
    assert places(points[:1]) == [0.5]
