"""Known events in a backtest: found, missed, unknown and outside, and drives that run as they do without events."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.triggers.backtest import test_run
from triggers.backtest.evidence.events_file import Finders, read_events
from triggers.backtest.evidence.scores import EventsReport, score_events
from triggers.backtest.plan import make_plan
from triggers.backtest.run import run
from triggers.drives.drive import Drive
from triggers.language.compile import compile_source
from triggers.signals.catalog import SignalCatalog
from triggers.times import NS_PER_S

CATALOG = SignalCatalog.parse("max_gap: 2\nsignals:\n  x: {rate: 10}\n  y: {rate: 10}\n", name="c")
SOURCE = "trigger a { when x > 0.5 }\ntrigger b { when y > 0.5 and x < 3 }"


def pulses(path: Path, at: list[float], *, y_unknown: tuple[float, float] = (0, 0), gap: float = 1e9) -> Drive:
    """60 s at 10 Hz: x and y are 1 in single rows; y is unknown for some time; from `gap` on, times are 100 s later."""
    t = np.arange(600) / 10
    x = np.isin(np.arange(600), np.round(np.array(at) * 10)).astype(float)
    y = np.where((t >= y_unknown[0]) & (t < y_unknown[1]), np.nan, x)
    pq.write_table(pa.table({"t": np.where(t < gap, t, t + 100), "x": x, "y": y}), path)
    return Drive(path)


def scored(
    tmp_path: Path, drives: list[Drive], *, catalog: SignalCatalog = CATALOG, window_s: float = 2, **events: Any
) -> EventsReport:
    pq.write_table(pa.table(events), tmp_path / "events")
    plan = make_plan(compile_source(SOURCE, filename="t", catalog=catalog))
    window_ns = round(window_s * NS_PER_S)
    known = read_events(tmp_path / "events", catalog.time, Finders(list(plan.settings), {}), window_ns)
    result = run(plan, drives, catalog, lambda _bytes: None, events=known)
    return score_events(known, plan, result)


def test_each_event_is_found_missed_unknown_or_outside(tmp_path: Path) -> None:
    drives = [
        pulses(tmp_path / "one.parquet", [10, 30, 31]),
        pulses(tmp_path / "two.parquet", [10, 20, 50], y_unknown=(39, 45), gap=40),
    ]
    names = ["one", "one", "two", "two", "two", "two", "gone"]
    report = scored(
        tmp_path, drives, drive=names, t=[9.5, 30.1, 21.0, 143.0, 70.0, 5.0, 1.0], end=[None, 33.0, *[None] * 5]
    )
    a, b = report.triggers["a"], report.triggers["b"]
    assert (a.events, a.found, a.missed, a.unknown, a.outside) == (6, 3, 2, 0, 1)
    assert (b.events, b.found, b.missed, b.unknown, b.outside) == (6, 3, 1, 1, 1)
    assert (a.fires, a.false_alarms, a.repeats) == (6, 2, 1)
    assert (a.delay_median_s, a.delay_90_s) == (pytest.approx(-0.1), pytest.approx(0.38))
    assert a.precision is not None and a.precision.mean == pytest.approx(3 / 5)
    assert b.recall is not None and b.recall.mean == pytest.approx(3 / 4)
    assert (report.events, report.elsewhere, report.first_elsewhere, report.drives_without) == (7, 1, "gone", 0)
    told = {(each.trigger, each.t): (each.why, each.signal) for each in report.not_found if each.drive == "two"}
    assert told["b", 143.0] == ("unknown", "y") and told["a", 143.0] == ("missed", None)
    assert told["b", 70.0] == ("outside", None) and told["b", 5.0] == ("missed", None)
    assert [(each.drive, each.t) for each in report.false_alarms if each.trigger == "a"] == [("two", 10), ("two", 150)]


def test_the_share_of_an_events_window_that_was_unknown_is_that_of_its_time(tmp_path: Path) -> None:
    drive = pulses(tmp_path / "d.parquet", [], y_unknown=(20.7, 58))
    report = scored(tmp_path, [drive], drive=["d", "d", "d"], t=[20.0, 19.6, 59.0], trigger=["b"] * 3)
    shares = {each.t: (each.unknown, each.why) for each in report.not_found}
    # a sample of 10 Hz counts for 0.3 s, so y is unknown from 20.9 s on
    assert shares[20.0] == (pytest.approx((22 - 20.9) / 4, abs=0.03), "missed")
    assert shares[19.6] == (pytest.approx((21.6 - 20.9) / 4, abs=0.03), "missed")
    assert shares[59.0] == (pytest.approx((58 - 57) / 2.9, abs=0.04), "missed")
    assert report.not_judged == ("a",)


def why(report: EventsReport, trigger: str) -> dict[float, str]:
    return {each.t: each.why for each in report.not_found if each.trigger == trigger}


def test_an_event_without_any_length_is_judged_by_what_held_then(tmp_path: Path) -> None:
    drive = pulses(tmp_path / "d.parquet", [10.0], y_unknown=(20, 30), gap=40)
    times = [0.0, 10.0, 15.0, 15.05, 25.0, 25.05, 39.95, 70.0, 139.9, 140.0, 140.05, 159.85, 160.5]
    report = scored(tmp_path, [drive], window_s=0, drive=["d"] * len(times), t=times)
    outside = [39.95, 70.0, 139.9, 160.5]  # the gap lasts from 39.9 to 140 s, the drive ends at 159.9 s
    missed = [t for t in times if t not in (10.0, *outside)]
    assert why(report, "a") == dict.fromkeys(outside, "outside") | dict.fromkeys(missed, "missed")
    assert why(report, "b") == why(report, "a") | dict.fromkeys([25.0, 25.05], "unknown")
    assert {each.signal for each in report.not_found if each.why == "unknown"} == {"y"}
    a = report.triggers["a"]
    assert (a.found, a.missed, a.outside) == (1, 8, 4)
    assert a.recall is not None and a.recall.mean == pytest.approx(1 / 9)


@pytest.mark.parametrize("batch_rows", [None, 1, 7, 400])
def test_an_instant_on_the_last_row_of_a_segment_is_inside_and_judged_by_what_holds_there(
    tmp_path: Path, batch_rows: int | None
) -> None:
    pulses(tmp_path / "d.parquet", [10.0], y_unknown=(39, 58), gap=40)
    drive = Drive(tmp_path / "d.parquet", batch_rows=batch_rows)
    times = [39.8, 39.9, 39.95, 139.95, 140.0, 159.9, 159.95]
    report = scored(tmp_path, [drive], window_s=0, drive=["d"] * len(times), t=times)
    outside = [39.95, 139.95, 159.95]  # the gap lasts from 39.9 to 140 s, the drive ends at 159.9 s
    assert why(report, "a") == {at: "outside" if at in outside else "missed" for at in times}
    # a sample of 10 Hz counts for 0.3 s, so y is unknown from 39.2 to 58 s
    assert why(report, "b") == why(report, "a") | dict.fromkeys([39.8, 39.9, 140.0], "unknown")
    shares = {each.t: (each.unknown, each.signal) for each in report.not_found if each.trigger == "b"}
    assert (shares[39.9], shares[159.9]) == ((1.0, "y"), (0.0, None))


def test_a_window_that_only_has_the_last_row_of_a_segment_is_inside(tmp_path: Path) -> None:
    drive = pulses(tmp_path / "d.parquet", [10.0], gap=40)
    events = {"t": [39.9, 39.95, 139.0, 139.5, 159.9], "end": [60.0, 60.0, 139.5, 140.0, 200.0]}
    report = scored(tmp_path, [drive], window_s=0, drive=["d"] * 5, **events)
    assert why(report, "a") == {
        **{39.9: "missed", 39.95: "outside", 139.0: "outside", 139.5: "missed", 159.9: "missed"}
    }


def test_a_segment_of_a_single_row_has_that_instant(tmp_path: Path) -> None:
    columns = {"t": [0.0, 50.0, 100.0, 100.1], "x": [0.0, 0.0, 0.0, 0.0], "y": [0.0, None, 0.0, 0.0]}
    pq.write_table(pa.table(columns), tmp_path / "d.parquet")
    times = [0.0, 25.0, 50.0, 75.0, 100.1]
    report = scored(tmp_path, [Drive(tmp_path / "d.parquet")], window_s=0, drive=["d"] * 5, t=times)
    assert why(report, "a") == {0.0: "missed", 25.0: "outside", 50.0: "missed", 75.0: "outside", 100.1: "missed"}
    assert why(report, "b") == why(report, "a") | {50.0: "unknown"}


def test_an_event_between_two_rows_is_judged_by_the_step_that_it_is_in(tmp_path: Path) -> None:
    t = np.arange(60.0)
    t[30:] += 100
    x = np.isin(np.arange(60), [10]).astype(float)
    pq.write_table(pa.table({"t": t + 5, "x": x, "y": np.where(t < 20, x, np.nan)}), tmp_path / "d.parquet")
    catalog = SignalCatalog.parse("max_gap: 2\nsignals:\n  x: {rate: 1}\n  y: {rate: 1}\n", name="c")
    times = [4.5, 5.5, 6.5, 15.3, 20.5, 31.5, 34.5, 35.5, 134.5, 135.5, 163.5, 164.5]
    report = scored(
        tmp_path, [Drive(tmp_path / "d.parquet")], catalog=catalog, window_s=0.4, drive=["d"] * len(times), t=times
    )
    outside = [4.5, 34.5, 35.5, 134.5, 164.5]  # the gap lasts from 34 to 135 s, the drive from 5 to 164 s
    missed = [at for at in times if at not in (15.3, *outside)]
    assert why(report, "a") == dict.fromkeys(outside, "outside") | dict.fromkeys(missed, "missed")
    assert {at for at, told in why(report, "b").items() if told == "unknown"} == {31.5, 135.5, 163.5}


def test_a_trigger_that_could_not_run_on_a_drive_could_not_judge_its_events(tmp_path: Path) -> None:
    pq.write_table(pa.table({"t": np.arange(100) / 10, "x": np.zeros(100)}), tmp_path / "d.parquet")
    report = scored(tmp_path, [Drive(tmp_path / "d.parquet")], drive=["d"], t=[5.0])
    assert (report.triggers["a"].missed, report.triggers["b"].unknown) == (1, 1)
    (found,) = [each for each in report.not_found if each.trigger == "b"]
    assert found.reason is not None and "has no column `y`" in found.reason


@pytest.mark.parametrize("seed", range(4))
def test_drives_run_as_they_do_without_events(tmp_path: Path, seed: int) -> None:
    drive = test_run.random_drive(tmp_path / "d.parquet", seed)
    rng = np.random.default_rng(seed)
    t = pq.read_table(drive.path)["t"].to_numpy()
    events = {"drive": ["d"] * 40, "t": rng.uniform(t[0], t[-1], 40), "end": np.full(40, t[-1])}
    pq.write_table(pa.table(events), tmp_path / "events")
    plan = make_plan(test_run.compiled())
    known = read_events(
        tmp_path / "events", test_run.CATALOG.time, Finders(list(plan.settings), {}), int(rng.integers(0, 3 * NS_PER_S))
    )
    (alone,) = run(plan, [drive], test_run.CATALOG, lambda _bytes: None).drives
    (judged,) = run(plan, [drive], test_run.CATALOG, lambda _bytes: None, events=known).drives
    assert judged.fires == alone.fires and judged.weights == alone.weights
    assert {name: sizes.tolist() for name, sizes in judged.clip_bytes.items()} == {
        name: sizes.tolist() for name, sizes in alone.clip_bytes.items()
    }
    assert (judged.recorded_ns, judged.compared, judged.events) == (alone.recorded_ns, alone.compared, alone.events)
    assert judged.metres == (None if alone.metres is None else pytest.approx(alone.metres, rel=1e-9))
    for name, windows in judged.judged.items():
        spans = known.spans("d", drive.path, [name])[name]
        for window, begins, ends in zip(windows, spans.from_ns.tolist(), spans.until_ns.tolist(), strict=True):
            assert (
                0 <= window.condition.total_ns <= ends - begins + NS_PER_S // 2
            )  # a row more than the window, at most
