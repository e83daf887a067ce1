"""Two versions on the same drives: each as if it ran alone, and their fires told apart."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from triggers.backtest.forecast import ForecastFleet
from triggers.backtest.plan import BacktestPlan, make_plan
from triggers.backtest.result import BacktestResult, DriveResult
from triggers.backtest.run import run, run_together
from triggers.backtest.versions.comparison import Comparison, RanVersion, compare
from triggers.drives.drive import Drive
from triggers.language.compile import compile_source
from triggers.signals.catalog import SignalCatalog

CATALOG = SignalCatalog.parse(
    """
signals:
  ego.speed: {unit: m/s, rate: 10}
  wipers: {type: bool, update: on_change}
  lead.seen: {type: bool, rate: 10}
cameras: {front: {bit_rate: 1 Mbit/s}}
""",
    name="c",
)
FIRST = """
trigger fast { when ego.speed > 40 km/h capture 5 s before, 2 s after { signals ego.speed, wipers cameras front } }
trigger seen { when lead.seen }
trigger mine { when ego.speed > 20 m/s }
campaign c { collect fast, seen budget 1 MB per vehicle per day }
"""
SECOND = """
trigger fast { when ego.speed > 40 km/h for 500 ms capture 5 s before, 2 s after }
trigger seen { when lead.seen and ego.speed > 0 m/s }
trigger theirs { when ego.speed > 20 m/s }
"""
CAR = ForecastFleet(1, 1.0)


def drive(folder: Path, name: str, *above_s: tuple[float, float], without: str = "") -> Drive:
    """100 s at 10 m/s, and at 12 m/s from and to some times."""
    t = np.arange(1001) / 10
    speed = np.full(len(t), 10.0)
    for start, end in above_s:
        speed[(t >= start) & (t < end)] = 12.0
    columns = {"t": t, "ego.speed": speed, "wipers": pa.array([True, *[None] * 1000]), "lead.seen": t > 50}
    columns.pop(without, None)
    path = folder / f"{name}.parquet"
    pq.write_table(pa.table(columns), path)
    return Drive(path)


def plan(source: str) -> BacktestPlan:
    return make_plan(compile_source(source, filename="test", catalog=CATALOG))


@pytest.fixture
def drives(tmp_path: Path) -> list[Drive]:
    """Holds of 0.3 s and of 1 s; a drive without `lead.seen`; a file that is no drive, and one that nothing runs on."""
    (tmp_path / "bad.parquet").write_bytes(b"no drive")
    pq.write_table(pa.table({"t": [0.0, 1.0], "lead.seen": [True, False]}), tmp_path / "blind.parquet")
    return [
        drive(tmp_path, "a", (10, 10.3), (30, 31), (31.5, 32.5)),
        drive(tmp_path, "b", (20, 20.3), without="lead.seen"),
        Drive(tmp_path / "bad.parquet"),
        Drive(tmp_path / "blind.parquet"),
    ]


def together(drives: list[Drive], *sources: str) -> list[RanVersion]:
    plans = [plan(source) for source in sources]
    results = run_together(plans, drives, CATALOG, lambda _rows: None)
    return [RanVersion(str(number), *each) for number, each in enumerate(zip(plans, results, strict=True))]


def comparison(drives: list[Drive], *sources: str, **more: Any) -> Comparison:
    first, second = together(drives, *sources)
    return compare(first, second, CAR, CATALOG, **more)


def fields(result: DriveResult) -> dict[str, Any]:
    """A result in a form that can be compared."""
    shown = {field.name: getattr(result, field.name) for field in dataclasses.fields(result)}
    for name in ("fires_ns", "clip_bytes", "recording_bytes"):
        shown[name] = {trigger: values.tolist() for trigger, values in shown[name].items()}
    return shown | {"left_out": {name: str(error) for name, error in result.left_out.items()}}


def test_versions_that_run_together_give_what_each_gives_alone(drives: list[Drive]) -> None:
    for ran, source in zip(together(drives, FIRST, SECOND), (FIRST, SECOND), strict=True):
        alone: BacktestResult = run(plan(source), drives, CATALOG, lambda _rows: None)
        assert [fields(each) for each in ran.result.drives] == [fields(each) for each in alone.drives]
        assert list(map(str, ran.result.failures)) == list(map(str, alone.failures))
    assert [each.name for each in ran.result.drives] == ["a", "b"]


def test_a_drive_is_read_once_for_all_versions(drives: list[Drive], monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []
    read = Drive.open
    monkeypatch.setattr(Drive, "open", lambda self: (opened.append(self.name), read(self))[1])
    together(drives[:2], FIRST, SECOND, FIRST)
    assert opened == ["a", "b"]


def test_fires_are_told_apart_by_trigger_and_drive(drives: list[Drive]) -> None:
    told = comparison(drives, FIRST, SECOND)
    assert list(told.triggers) == ["fast", "seen"]
    assert (told.only_first, told.only_second) == (("mine",), ("theirs",))
    fast, seen = told.triggers["fast"], told.triggers["seen"]
    assert (fast.both, fast.only_first, fast.only_second, fast.drives) == (2, 2, 0, 2)
    assert [(fire.side, fire.drive, fire.t) for fire in fast.alone] == [("first", "a", 10.0), ("first", "b", 20.0)]
    assert (fast.first.fires, fast.second.fires) == (4, 2)
    assert fast.first.recording_bytes > 3 * 800_000 > fast.second.recording_bytes
    assert fast.ratio.estimate == 2
    assert fast.ratio.low < 2 < fast.ratio.high
    assert (seen.both, seen.drives, seen.hours) == (1, 1, pytest.approx(100 / 3600))
    assert not told.is_complete


def test_the_time_of_neither_is_known_time_without_the_windows_of_fires(drives: list[Drive]) -> None:
    fast = comparison(drives, FIRST, SECOND).triggers["fast"]
    windows_s = 7 + (36 - 25) + 7  # 5 to 12 s, 25 to 34 s together with what is 0.5 s later, 15 to 22 s
    assert fast.neither_hours * 3600 == pytest.approx(200 - windows_s + 2, abs=1)
    within = comparison(drives, FIRST, SECOND, within_ns=0).triggers["fast"]
    assert within.neither_hours * 3600 == pytest.approx(200)
    assert (within.both, within.only_first, within.only_second) == (0, 4, 2)


def test_a_version_compared_with_itself_differs_nowhere(drives: list[Drive]) -> None:
    for each in comparison(drives, FIRST, FIRST).triggers.values():
        assert (each.only_first, each.only_second, each.alone) == (0, 0, ())
        assert each.both == each.first.fires == each.second.fires
        assert each.first == each.second
