"""Armed time and distance: what the rule gives, and that a vehicle and a backtest give the same."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from triggers.backtest.meters.odometer import SpeedOdometer
from triggers.backtest.plan import make_plan
from triggers.backtest.run import run
from triggers.contracts.bundle import make_bundle
from triggers.distance import MAX_HOLD_NS, MAX_SPEED_M_S, SpeedSignal, TravelMeter, metres_along, speed_signal
from triggers.drives.batches import Batch
from triggers.drives.drive import Drive
from triggers.language.compile import compile_source
from triggers.signals.catalog import SignalCatalog
from triggers.times import NS_PER_S
from triggers.vehicle.journal.journal import Journal
from triggers.vehicle.programs.host import Host

MAX_GAP_NS = 2 * NS_PER_S
RELATIVE = 1e-9
"""How far the sums of both forms may differ."""

Recording = tuple[tuple[int, ...], tuple[float, ...]]
"""Times in ns and samples of the speed, NaN where a row has none."""


def measured(times: Sequence[int], speeds: Sequence[float], max_gap_ns: int = MAX_GAP_NS) -> tuple[int, float]:
    """Armed time and distance, row by row."""
    meter = TravelMeter(max_gap_ns)
    for t_ns, speed in zip(times, speeds, strict=True):
        meter.take(t_ns, speed)
    return meter.armed_ns, meter.metres


def in_batches(
    times: Sequence[int], speeds: Sequence[float], cuts: Sequence[int] = (), max_gap_ns: int = MAX_GAP_NS
) -> float:
    """The distance by a backtest's odometer, to which the rows come in batches that end at `cuts`."""
    odometer = SpeedOdometer(SpeedSignal("v"), max_gap_ns)
    edges = sorted({0, *(cut for cut in cuts if cut < len(times)), len(times)})
    for begin, end in pairwise(edges):
        column = np.array(speeds[begin:end], np.float64)
        nothing = bool(np.isnan(column).all())
        odometer.take(Batch(np.array(times[begin:end], np.int64), {"v": None if nothing else column}))
    return odometer.metres


def at_hz(hz: float, seconds: float, speed: float = 20.0) -> Recording:
    """A constant speed, with a sample in every row."""
    times = tuple(round(k * NS_PER_S / hz) for k in range(round(seconds * hz) + 1))
    return times, (speed,) * len(times)


@pytest.mark.parametrize("hz", [1, 10, 100])
def test_braking_from_30_m_per_s_in_10_s_is_150_m_at_any_rate(hz: int) -> None:
    times, _ = at_hz(hz, 10)
    speeds = [30 - 3 * t_ns / NS_PER_S for t_ns in times]
    assert measured(times, speeds) == (10 * NS_PER_S, pytest.approx(150))
    assert in_batches(times, speeds) == pytest.approx(150)


def test_a_silence_longer_than_max_gap_has_neither_time_nor_distance() -> None:
    times, speeds = at_hz(0.2, 100)
    assert measured(times, speeds) == (0, 0.0)
    assert in_batches(times, speeds) == 0.0


def test_speeds_that_come_rarely_count_while_other_rows_say_that_the_recording_goes_on() -> None:
    times, _ = at_hz(1, 100)
    speeds = [20.0 if k % 5 == 0 else math.nan for k in range(101)]
    assert measured(times, speeds) == (100 * NS_PER_S, pytest.approx(2000))
    assert in_batches(times, speeds) == pytest.approx(2000)
    every_11_s = [20.0 if k % 11 == 0 else math.nan for k in range(101)]
    assert measured(times, every_11_s)[1] == in_batches(times, every_11_s) == 0.0


@pytest.mark.parametrize("fault", [math.inf, -math.inf, 1e308, 2 * MAX_SPEED_M_S])
def test_no_distance_is_counted_up_to_or_from_a_sample_that_cannot_be(fault: float) -> None:
    times, _ = at_hz(1, 4)
    speeds = [20.0, 20.0, fault, 20.0, 20.0]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert measured(times, speeds)[1] == in_batches(times, speeds) == pytest.approx(40)


def test_reversing_is_distance_too() -> None:
    times, speeds = at_hz(10, 10, speed=-2.0)
    assert measured(times, speeds)[1] == pytest.approx(20)
    assert in_batches(times, speeds) == pytest.approx(20)


def test_nothing_is_counted_from_the_end_of_a_drive_to_the_next() -> None:
    meter = TravelMeter(MAX_GAP_NS)
    for t_s in (0, 1, 2):
        meter.take(t_s * NS_PER_S, 20.0)
        meter.end_drive()
    assert (meter.armed_ns, meter.metres) == (0, 0.0)


def test_the_unit_is_that_of_the_catalog_and_only_a_speed_that_the_drive_has_is_taken() -> None:
    catalog = SignalCatalog.parse(
        "signals: {ego.speed: {unit: km/h, rate: 1, column: v}, pedal: {unit: '%', rate: 1}}", name="c"
    )
    signal = speed_signal(catalog, ["t", "v"])
    assert signal is not None
    assert (signal.name, signal.scale) == ("ego.speed", pytest.approx(1 / 3.6))
    assert speed_signal(catalog, ["t", "ego.speed"]) == signal  # named like the signal
    assert speed_signal(catalog, ["t", "speed"]) is None
    assert speed_signal(catalog, ["t", "pedal"], "pedal") is None
    assert metres_along(np.array([36.0, 36.0]), np.array([NS_PER_S]), scale=signal.scale) == pytest.approx(10)


steps_ns = st.one_of(
    st.integers(1, MAX_GAP_NS),
    st.sampled_from([0, -1, -NS_PER_S, MAX_GAP_NS, MAX_GAP_NS + 1, MAX_HOLD_NS, MAX_HOLD_NS + 1, 10**12]),
)
a_speed = st.one_of(
    st.floats(-70, 70),
    st.sampled_from([math.nan, math.nan, math.nan, 0.0, math.inf, -math.inf, 1e300, MAX_SPEED_M_S]),
)


@st.composite
def recordings(draw: st.DrawFn) -> Recording:
    """Gaps, steps back in time, rows without a sample, faults of the sensor; or a sample in every row."""
    rows = draw(st.lists(st.tuples(steps_ns, draw(st.sampled_from([a_speed, st.floats(0, 70)]))), min_size=1))
    times = np.cumsum([10**13, *(step for step, _ in rows[1:])]).tolist()
    return tuple(times), tuple(speed for _, speed in rows)


@given(recordings(), st.lists(st.integers(1, 60), max_size=4), st.sampled_from([MAX_GAP_NS, 60 * NS_PER_S]))
@example(((0, 10**9, 10**9), (1.0, 1.0, math.nan)), [2], MAX_GAP_NS)
def test_row_by_row_and_over_arrays_the_distance_is_the_same(
    recording: Recording, cuts: list[int], max_gap_ns: int
) -> None:
    _, metres = measured(*recording, max_gap_ns)
    assert in_batches(*recording, cuts, max_gap_ns) == pytest.approx(metres, rel=RELATIVE, abs=1e-9)


CATALOG = SignalCatalog.parse(
    "max_gap: 0.5\nsignals:\n  ego.speed: {unit: km/h, rate: 10}\n  brake: {unit: '%', rate: 10}\n", name="c"
)
COMPILATION = compile_source(
    "trigger hard { when brake > 50 % } campaign c { collect hard budget 1 GB total }", filename="t", catalog=CATALOG
)


def recorded(path: Path, seed: int) -> Drive:
    """A drive with gaps and repeated times, speeds in two rows of three, some of them infinite."""
    rng = np.random.default_rng(seed)
    t = np.round(np.cumsum(rng.choice([0.0, 0.02, 0.1, 0.3, 0.7, 12.0], 400, p=[0.1, 0.3, 0.4, 0.1, 0.08, 0.02])), 2)
    speed = rng.choice([0.0, -5.0, 30.0, 90.0, math.nan, math.nan, math.inf], len(t))
    pq.write_table(pa.table({"t": t, "ego.speed": speed, "brake": rng.uniform(0, 60, len(t))}), path)
    return Drive(path)


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    opened = Journal(tmp_path / "vehicle.sqlite")
    yield opened
    opened.close()


def test_a_vehicle_counts_of_a_drive_what_its_backtest_says(journal: Journal, tmp_path: Path) -> None:
    """Three drives in a row, handed in a few rows at a time: the sums are those of the three backtests."""
    campaign = COMPILATION.campaigns["c"]
    host = Host("car-1", journal, speed=speed_signal(CATALOG, ["ego.speed"]))
    host.assign([make_bundle(campaign.settings, 1, campaign.program)])
    armed_ns, metres = 0, 0.0
    for seed in range(3):
        drive = recorded(tmp_path / f"{seed}.parquet", seed)
        rows = list(drive.rows(CATALOG, ["ego.speed", "brake"]))
        for first in range(0, len(rows), 37):
            host.run(rows[first : first + 37])
        host.end_drive()
        (result,) = run(make_plan(COMPILATION), [drive], CATALOG, lambda _bytes: None).drives
        armed_ns, metres = armed_ns + result.recorded_ns, metres + (result.metres or 0.0)
    journal.compact()
    (counts,) = journal.counts()
    assert counts.armed_ns == armed_ns > 0
    assert metres - 1 < counts.distance_m <= metres
    assert metres > 100
