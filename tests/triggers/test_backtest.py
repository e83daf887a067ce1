"""Backtests: counts, rates, clip sizes, forecasts, and drives that cannot be read."""

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

from triggers.backtest.forecast import poisson_interval, rate_per_hour
from triggers.backtest.report import Fleet, report, write_fires
from triggers.backtest.run import Outcome, Plan, make_plan, run
from triggers.backtest.volume import SampleCounts, clip_bytes
from triggers.catalog import SignalCatalog
from triggers.contracts.campaign import CaptureWindow
from triggers.drives import Drive, find_drives
from triggers.language.compile import compile_source
from triggers.language.interpreter import Evaluator
from triggers.language.program import decode

ROOT = Path(__file__).parents[2]
DRIVES = Path(os.environ.get("LONGTAIL_TEST_DRIVES", ROOT.parent / "shared" / "data"))
CATALOG = SignalCatalog.parse("signals:\n  ego.speed: {unit: km/h, rate: 10}\n  p: {type: bool, rate: 10}\n", name="c")
SOURCE = """
trigger fast { when ego.speed > 40 km/h cooldown 2 s }
trigger pressed { when p }
campaign c { collect fast sample 1 in 4 budget 1 GB total }
"""


def recorded(name: str) -> Path:
    path = DRIVES / name
    if not (path / "signals.parquet").is_file():
        pytest.skip(f"no recorded drive {path}")
    return path


def plan_of(source: str = SOURCE, catalog: SignalCatalog = CATALOG) -> Plan:
    return make_plan(compile_source(source, filename="test", catalog=catalog))


def generated(folder: Path, name: str = "d") -> Drive:
    """100 s at 36 km/h with four seconds at 50 km/h, twice in quick succession; p rises once."""
    t = np.arange(1001) / 10
    speed = np.where(((t >= 50) & (t < 51)) | ((t >= 51.5) & (t < 52)), 50.0, 36.0)
    path = folder / f"{name}.parquet"
    pq.write_table(pa.table({"t": t, "ego.speed": speed, "p": t >= 70}), path)
    return Drive(path)


def outcome_of(plan: Plan, drives: list[Drive], catalog: SignalCatalog = CATALOG) -> Outcome:
    return run(plan, drives, catalog, lambda rows: None)


def test_the_report_counts_fires_time_and_distance(tmp_path: Path) -> None:
    plan = plan_of()
    result = report(plan, outcome_of(plan, [generated(tmp_path)]), Fleet(10, 2.0))
    assert (result["drives"], result["rows"]) == (1, 1001)
    assert result["hours"] == pytest.approx(100 / 3600)
    assert result["km"] == pytest.approx((36 * 98.5 + 50 * 1.5) / 3600, rel=1e-6)
    assert result["triggers"]["fast"] == {
        "fires": 1,
        "suppressed": 1,
        "per_hour": pytest.approx(36),
        "per_1000_km": pytest.approx(1000 / result["km"]),
        "clip_bytes": pytest.approx(4096 + 190 + 100 * 21, abs=2 * 21),
    }
    assert result["fires"] == [
        {"trigger": "fast", "drive": "d", "t": 50.0},
        {"trigger": "pressed", "drive": "d", "t": 70.0},
    ]


def test_the_forecast_scales_with_fleet_hours_and_sampling(tmp_path: Path) -> None:
    plan = plan_of()
    result = report(plan, outcome_of(plan, [generated(tmp_path)]), Fleet(10, 2.0))
    forecast = result["forecast"]
    fast = forecast["triggers"]["fast"]
    assert fast["fires_per_vehicle_day"]["mean"] == pytest.approx(72)
    assert fast["clips_per_vehicle_day"]["mean"] == pytest.approx(18)
    assert fast["bytes_per_vehicle_day"]["mean"] == pytest.approx(18 * result["triggers"]["fast"]["clip_bytes"], abs=1)
    assert forecast["bytes_per_fleet_day"]["mean"] == pytest.approx(
        10 * forecast["bytes_per_vehicle_day"]["mean"], abs=10
    )
    assert fast["fires_per_vehicle_day"]["low"] < 72 < fast["fires_per_vehicle_day"]["high"]


def test_the_bytes_that_run_are_the_campaigns_program() -> None:
    compilation = compile_source(SOURCE, filename="test", catalog=CATALOG)
    plan = make_plan(compilation)
    assert plan.programs[0] == compilation.campaigns["c"].program
    assert plan.one_in == {"fast": 4, "pressed": 1}


def test_a_trigger_in_two_programs_counts_once(tmp_path: Path) -> None:
    source = SOURCE + "campaign other { collect fast, pressed budget 1 GB total }\n"
    plan = plan_of(source)
    assert len(plan.programs) == 2
    result = report(plan, outcome_of(plan, [generated(tmp_path)]), Fleet(1, 1.0))
    assert (result["triggers"]["fast"]["fires"], result["triggers"]["fast"]["suppressed"]) == (1, 1)


def test_a_bad_drive_is_named_and_the_others_still_count(tmp_path: Path) -> None:
    good = generated(tmp_path, "good")
    (tmp_path / "bad.parquet").write_bytes(b"no parquet")
    plan = plan_of()
    outcome = outcome_of(plan, [Drive(tmp_path / "bad.parquet"), good])
    assert ["bad.parquet" in str(failure) for failure in outcome.failures] == [True]
    assert report(plan, outcome, Fleet(1, 1.0))["drives"] == 1


def test_without_a_drive_rates_are_null() -> None:
    result = report(plan_of(), Outcome(), Fleet(1, 1.0))
    assert (result["hours"], result["km"], result["triggers"]["fast"]["per_hour"]) == (0.0, None, None)
    assert result["forecast"]["triggers"] == {}


def test_fires_are_written_as_a_table(tmp_path: Path) -> None:
    outcome = outcome_of(plan_of(), [generated(tmp_path)])
    write_fires(tmp_path / "fires.parquet", outcome)
    table = pq.read_table(tmp_path / "fires.parquet").to_pylist()
    assert table[0] == {"trigger": "fast", "drive": "d", "t": 50.0, "t_ns": 50 * 10**9}


def test_poisson_intervals_are_garwoods() -> None:
    # reference values: chi-square quantiles, e.g. table 1 of Garwood (1936)
    for count, low, high in ((0, 0.0, 3.689), (1, 0.0253, 5.572), (10, 4.795, 18.39), (100, 81.36, 121.6)):
        assert poisson_interval(count) == (pytest.approx(low, rel=2e-3), pytest.approx(high, rel=1e-3))


def test_fires_that_cluster_in_one_drive_widen_the_interval() -> None:
    even, clustered = rate_per_hour([10] * 10, [1.0] * 10), rate_per_hour([100] + [0] * 9, [1.0] * 10)
    assert even is not None
    assert clustered is not None
    assert even.mean == clustered.mean
    assert clustered.high - clustered.low > 2 * (even.high - even.low)


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
    catalog = SignalCatalog.load(ROOT / "examples" / example / "signals.yaml")
    (drive,) = find_drives([recorded(name)])
    plan = plan_of(f"trigger t {{ when {when} cooldown 10 s }}", catalog)
    evaluator = Evaluator(decode(plan.programs[0]))
    fired = [firing.t_ns / 1e9 for firing in evaluator.run(drive.rows(catalog, evaluator.inputs))]
    assert len(fired) == len(expected)
    assert all(0 <= t - event <= late_s or abs(t - event) < 0.1 for t, event in zip(fired, expected, strict=True))


@pytest.mark.drives
def test_the_hard_braking_example_fires_at_both_events_within_a_second_and_a_half() -> None:
    catalog = SignalCatalog.load(ROOT / "examples/css_car/signals.yaml")
    plan = plan_of((ROOT / "examples/css_car/hard_braking.trigger").read_text(), catalog)
    result = report(plan, outcome_of(plan, find_drives([recorded("css_car_a")]), catalog), Fleet(1, 1.0))
    assert [fire["t"] for fire in result["fires"]] == [pytest.approx(105.9, abs=1.5), pytest.approx(2240, abs=1.5)]
    assert result["km"] == pytest.approx(41.7, abs=0.2)


@pytest.mark.drives
@pytest.mark.parametrize(("name", "t_s"), [("css_car_a", 900), ("comma2k19_rav4", 30), ("css_car_c", 500)])
def test_the_estimated_size_of_a_clip_is_near_that_of_a_written_one(name: str, t_s: int) -> None:
    drive = Drive(recorded(name) / "signals.parquet")
    columns = [column for column in drive.columns if column != "t"]
    catalog = SignalCatalog.parse(
        f"signals: {{{', '.join(f'{column}: {{rate: 10}}' for column in columns)}}}", name="c"
    )
    batches = list(drive.batches(catalog, columns))
    t_ns = np.concatenate([batch.t_ns for batch in batches])
    inside = (t_ns >= (t_s - 6) * 10**9) & (t_ns < (t_s + 6) * 10**9)
    samples = {c: np.concatenate([batch.columns[c] for batch in batches])[inside] for c in columns}
    counts = SampleCounts.of(drive, catalog, columns, (int(t_ns[0]), int(t_ns[-1])))
    capture = CaptureWindow(before_ns=6 * 10**9, after_ns=6 * 10**9, signals=tuple(columns))
    assert clip_bytes(capture, t_s * 10**9, counts) == pytest.approx(_written(t_ns[inside], samples), rel=0.25)


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
