"""The report of a backtest: counts, rates, clip sizes, forecast; and the events of recorded drives."""

from __future__ import annotations

import io
import math
import os
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from mcap.writer import CompressionType, Writer

from tests.support.paths import RECORDED_DRIVES, REPOSITORY
from triggers.backtest.forecast import ForecastFleet
from triggers.backtest.meters.volume import ClipMeter
from triggers.backtest.plan import BacktestPlan, make_plan
from triggers.backtest.report import BacktestReport, ReportedFire, TriggerOverlap, make_report
from triggers.backtest.result import BacktestResult
from triggers.backtest.run import run
from triggers.backtest.tables import write_counts, write_fires
from triggers.clips.size import nominal_clip_bytes
from triggers.contracts.campaign import CaptureWindow
from triggers.drives.drive import Drive
from triggers.drives.find import find_drives
from triggers.language.compile import compile_source
from triggers.signals.catalog import SignalCatalog

CATALOG = SignalCatalog.parse("signals:\n  ego.speed: {unit: km/h, rate: 10}\n  p: {type: bool, rate: 10}\n", name="c")
SOURCE = """
trigger fast { when ego.speed > 40 km/h cooldown 2 s }
trigger pressed { when p }
campaign c { collect fast sample 1 in 4 budget 1 GB total }
"""


ONE_CAR = ForecastFleet(1, 1.0)


def recorded(name: str) -> Path:
    path = RECORDED_DRIVES / name
    if not (path / "signals.parquet").is_file():
        pytest.skip(f"no recorded drive {path}")
    return path


def plan_of(source: str = SOURCE, catalog: SignalCatalog = CATALOG) -> BacktestPlan:
    return make_plan(compile_source(source, filename="test", catalog=catalog))


def generated(folder: Path, name: str = "d") -> Drive:
    """100 s at 36 km/h with four seconds at 50 km/h, twice in quick succession; p rises once."""
    t = np.arange(1001) / 10
    speed = np.where(((t >= 50) & (t < 51)) | ((t >= 51.5) & (t < 52)), 50.0, 36.0)
    path = folder / f"{name}.parquet"
    pq.write_table(pa.table({"t": t, "ego.speed": speed, "p": t >= 70}), path)
    return Drive(path)


def result_of(plan: BacktestPlan, drives: list[Drive], catalog: SignalCatalog = CATALOG) -> BacktestResult:
    return run(plan, drives, catalog, lambda rows: None)


def report_of(
    plan: BacktestPlan, drives: list[Drive], fleet: ForecastFleet = ONE_CAR, catalog: SignalCatalog = CATALOG
) -> BacktestReport:
    return make_report(plan, result_of(plan, drives, catalog), fleet, catalog)


def test_the_report_counts_fires_time_and_distance(tmp_path: Path) -> None:
    report = report_of(plan_of(), [generated(tmp_path)])
    assert (report.drives, report.rows) == (1, 1001)
    assert report.hours == pytest.approx(100 / 3600)
    assert report.km == pytest.approx((36 * 98.5 + 50 * 1.5) / 3600, rel=1e-6)
    fast = report.triggers["fast"]
    assert (fast.fires, fast.suppressed) == (1, 1)
    assert (fast.per_hour, fast.per_1000_km) == (pytest.approx(36), pytest.approx(1000 / report.km))
    assert fast.clip_bytes == pytest.approx(4096 + 190 + 100 * 21, abs=2 * 21)
    assert report.fires == (ReportedFire("fast", "d", 50.0), ReportedFire("pressed", "d", 70.0))


def test_the_forecast_scales_with_fleet_hours_and_sampling(tmp_path: Path) -> None:
    report = report_of(plan_of(), [generated(tmp_path)], ForecastFleet(10, 2.0))
    assert report.forecast.vehicle_day is not None and report.forecast.fleet_day is not None
    fast = report.forecast.triggers["fast"].vehicle_day
    assert (fast.fires.mean, fast.clips.mean) == (pytest.approx(72), pytest.approx(18))
    assert fast.bytes.mean == pytest.approx(18 * report.triggers["fast"].clip_bytes)
    assert report.forecast.fleet_day.bytes.mean == pytest.approx(10 * report.forecast.vehicle_day.bytes.mean)
    assert fast.fires.low < 72 < fast.fires.high


def test_the_bytes_that_run_are_the_campaigns_program() -> None:
    compilation = compile_source(SOURCE, filename="test", catalog=CATALOG)
    plan = make_plan(compilation)
    assert plan.programs[0] == compilation.campaigns["c"].program
    assert plan.one_in == {"fast": 4, "pressed": 1}


def test_a_trigger_in_two_programs_counts_once(tmp_path: Path) -> None:
    source = SOURCE + "campaign other { collect fast, pressed budget 1 GB total }\n"
    plan = plan_of(source)
    assert len(plan.programs) == 2
    fast = report_of(plan, [generated(tmp_path)]).triggers["fast"]
    assert (fast.fires, fast.suppressed) == (1, 1)


def test_a_bad_drive_is_named_and_the_others_still_count(tmp_path: Path) -> None:
    good = generated(tmp_path, "good")
    (tmp_path / "bad.parquet").write_bytes(b"no parquet")
    plan = plan_of()
    result = result_of(plan, [Drive(tmp_path / "bad.parquet"), good])
    assert ["bad.parquet" in str(failure) for failure in result.failures] == [True]
    assert make_report(plan, result, ONE_CAR, CATALOG).drives == 1


def test_without_a_drive_there_are_no_rates() -> None:
    report = make_report(plan_of(), BacktestResult(), ONE_CAR, CATALOG)
    assert (report.hours, report.km, report.triggers["fast"].per_hour) == (0.0, None, None)
    assert (report.forecast.triggers, report.forecast.vehicle_day, report.forecast.fleet_day) == ({}, None, None)
    assert report.to_json()["forecast"]["triggers"] == {}


def test_fires_are_written_as_a_table(tmp_path: Path) -> None:
    result = result_of(plan_of(), [drive := generated(tmp_path)])
    write_fires(tmp_path / "fires.parquet", result)
    latin = Path(os.fsdecode(os.fsencode(tmp_path) + b"/f\xe9.parquet"))
    write_fires(latin, result)
    assert latin.read_bytes() == (tmp_path / "fires.parquet").read_bytes()
    table = pq.read_table(tmp_path / "fires.parquet").to_pylist()
    assert [row["trigger"] for row in table] == ["fast", "pressed"]
    assert table[0] == {
        **{"trigger": "fast", "drive": "d", "path": str(drive.path), "t": 50.0, "t_ns": 50 * 10**9},
        "clip_bytes": result.drives[0].clip_bytes["fast"][0],
    }


def test_counts_are_written_as_a_table_with_a_row_for_every_drive_and_trigger(tmp_path: Path) -> None:
    plan = plan_of()
    result = result_of(plan, [generated(tmp_path, "a"), generated(tmp_path, "b")])
    write_counts(tmp_path / "counts.parquet", plan, result)
    table = pq.read_table(tmp_path / "counts.parquet").to_pylist()
    assert [(row["drive"], row["trigger"]) for row in table] == [(d, t) for d in "ab" for t in ("fast", "pressed")]
    size = int(result.drives[0].clip_bytes["fast"].sum())
    assert {key: table[0][key] for key in ("rows", "recorded_s", "fires", "suppressed", "clip_bytes")} == {
        **{"rows": 1001, "recorded_s": 100.0, "fires": 1, "suppressed": 1, "clip_bytes": size}
    }


def test_results_are_written_whole_or_not_at_all(tmp_path: Path) -> None:
    result = result_of(plan_of(), [generated(tmp_path)])
    result.drives[0].clip_bytes.clear()  # so that writing fails half-way
    (tmp_path / "fires.parquet").write_bytes(b"earlier")
    with pytest.raises(KeyError):
        write_fires(tmp_path / "fires.parquet", result)
    assert (tmp_path / "fires.parquet").read_bytes() == b"earlier"
    assert sorted(file.name for file in tmp_path.iterdir()) == ["d.parquet", "fires.parquet"]


def test_a_pair_that_shares_clips_is_reported_both_ways(tmp_path: Path) -> None:
    source = """
        trigger fast { when ego.speed > 40 km/h }
        trigger faster { when ego.speed > 45 km/h cooldown 10 s }
        trigger pressed { when p capture 2 s before, 2 s after }
    """
    report = report_of(plan_of(source), [generated(tmp_path)])
    assert report.overlap == (TriggerOverlap("fast", "faster", 2, 1.0), TriggerOverlap("faster", "fast", 1, 1.0))


def test_the_forecast_keeps_what_the_stated_sample_keeps(tmp_path: Path) -> None:
    report = report_of(plan_of(), [generated(tmp_path)], ForecastFleet(10, 2.0, sample_one_in=100))
    fast = report.forecast.triggers["fast"]
    assert fast.sample_one_in == 100
    assert fast.vehicle_day.clips.mean == pytest.approx(0.72)
    assert fast.fleet_day.fires.mean == pytest.approx(720)


def test_what_never_fired_may_still_fire_and_cost_bytes(tmp_path: Path) -> None:
    plan = plan_of("trigger never { when ego.speed > 400 km/h }")
    volume = report_of(plan, [generated(tmp_path)]).forecast.vehicle_day
    assert volume is not None
    capture = plan.settings["never"].capture
    hours = 100 / 3600
    assert volume.bytes.mean == volume.bytes.low == 0
    expected = 3.689 / hours * nominal_clip_bytes(capture, CATALOG)
    assert volume.bytes.high == pytest.approx(expected, rel=1e-3)


def test_a_drive_shorter_than_a_window_and_one_of_a_row_count(tmp_path: Path) -> None:
    for name, t in (("short", [0.0, 0.1, 0.2]), ("one", [5.0]), ("none", [])):
        table = pa.table(
            {"t": pa.array(t, pa.float64()), "ego.speed": [36.0] * len(t), "p": [k > 0 for k in range(len(t))]}
        )
        pq.write_table(table, tmp_path / f"{name}.parquet")
    drives = [Drive(tmp_path / f"{name}.parquet") for name in ("short", "one", "none")]
    result = result_of(plan_of(), drives)
    assert not result.failures
    assert [(r.rows, r.recorded_ns, r.metres, len(r.fires)) for r in result.drives] == [
        (3, 2 * 10**8, pytest.approx(2.0), 1),
        (1, 0, 0.0, 0),
        (0, 0, 0.0, 0),
    ]


EVENTS = [
    # times on a 10 Hz grid from the recordings' own description; a trigger may be late by its window
    ("css_car_a", "css_car", "rate(ego.speed over 1.5 s) < -2 m/s^2 for 500 ms", [105.9, 2239.8], 1.7),
    ("css_car_a", "css_car", "missing(gnss.speed) for 20 s", [38.5], 3.5),
    ("comma2k19_rav4", "comma_rav4", "rise(ego.cruise.active)", [9.05], 0.1),
    ("comma2k19_rav4", "comma_rav4", "divergence(speed.value) > 0.3 m/s for 500 ms", [58.3], 0.5),
    ("comma2k19_rav4", "comma_rav4", "lead.distance < 23.1 m", [59.99], 0.1),
]


@pytest.mark.drives
@pytest.mark.parametrize(("name", "example", "when", "expected", "late_s"), EVENTS, ids=lambda value: str(value)[:40])
def test_events_of_recorded_drives_are_found_and_nothing_else(
    name: str, example: str, when: str, expected: list[float], late_s: float
) -> None:
    catalog = SignalCatalog.load(REPOSITORY / "examples" / example / "signals.yaml")
    (drive,) = find_drives([recorded(name)])
    plan = plan_of(f"trigger t {{ when {when} cooldown 10 s }}", catalog)
    fired = [fire.t_ns / 1e9 for fire in result_of(plan, [drive], catalog).drives[0].fires]
    assert len(fired) == len(expected)
    assert all(0 <= t - event <= late_s or abs(t - event) < 0.1 for t, event in zip(fired, expected, strict=True))


@pytest.mark.drives
def test_the_hard_braking_example_fires_at_both_events_within_a_second_and_a_half() -> None:
    catalog = SignalCatalog.load(REPOSITORY / "examples/css_car/signals.yaml")
    plan = plan_of((REPOSITORY / "examples/css_car/hard_braking.trigger").read_text(), catalog)
    report = report_of(plan, find_drives([recorded("css_car_a")]), catalog=catalog)
    assert [fire.t for fire in report.fires] == [pytest.approx(105.9, abs=1.5), pytest.approx(2240, abs=1.5)]
    assert report.km == pytest.approx(41.7, abs=0.2)


@pytest.mark.drives
@pytest.mark.parametrize(("name", "t_s"), [("css_car_a", 900), ("comma2k19_rav4", 30), ("css_car_c", 500)])
def test_the_estimated_size_of_a_clip_is_near_that_of_a_written_one(name: str, t_s: int) -> None:
    drive = Drive(recorded(name) / "signals.parquet")
    columns = [column for column in drive.columns if column != "t"]
    catalog = SignalCatalog.parse(
        f"signals: {{{', '.join(f'{column}: {{rate: 10}}' for column in columns)}}}", name="c"
    )
    capture = CaptureWindow(before_ns=6 * 10**9, after_ns=6 * 10**9, signals=tuple(columns))
    with drive.open() as file:
        rows = [
            row
            for batch in file.batches(catalog, columns)
            for row in zip(batch.t_ns, *batch.columns.values(), strict=True)
        ]
        fires = {"t": np.array([t_s * 10**9])}
        estimate = ClipMeter(file, catalog, {"t": capture}, read=()).sizes(fires, {}, on_batch=lambda: None)
    inside = np.array([row for row in rows if abs(row[0] - t_s * 10**9) < 6 * 10**9])
    samples = dict(zip(columns, inside[:, 1:].T, strict=True))
    assert estimate["t"].by_fire[0] == pytest.approx(_written(inside[:, 0], samples), rel=0.25)


def _written(t_ns: Any, samples: dict[str, Any]) -> int:
    """Bytes of an MCAP file with these samples, as a vehicle writes it but for its schemas and manifest."""
    file = io.BytesIO()
    writer = Writer(file, chunk_size=1 << 20, compression=CompressionType.ZSTD, enable_data_crcs=True)
    writer.start()
    schema = writer.register_schema("sample", "protobuf", b"")
    messages = []
    for name, numbers in samples.items():
        channel = writer.register_channel(name, "protobuf", schema)
        messages += [(int(t), channel, float(x)) for t, x in zip(t_ns, numbers, strict=True) if not math.isnan(x)]
    for t, channel, x in sorted(messages):
        writer.add_message(channel, t, struct.pack("<Bd", 9, x), t)
    writer.finish()
    return len(file.getvalue()) + 3000
