"""Recordings of a trigger as the backtest merges them, against the vehicle's recorder."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.triggers.vehicle.support import a_fire, at
from triggers.backtest.meters.recordings import OwnRecordings
from triggers.backtest.plan import make_plan
from triggers.backtest.run import run
from triggers.contracts.campaign import CaptureWindow
from triggers.drives.drive import Drive
from triggers.language.compile import compile_source
from triggers.signals.catalog import SignalCatalog
from triggers.times import NS_PER_S
from triggers.vehicle.recording.recorder import Recorder
from triggers.vehicle.recording.ring import RingBuffer

SPAN_NS = 20 * NS_PER_S


@settings(max_examples=200, deadline=None)
@given(
    tenths=st.lists(st.integers(100, 1500), min_size=1, max_size=40, unique=True).map(sorted),
    before=st.integers(0, 80),
    after=st.integers(0, 80),
    split=st.integers(0, 40),
)
def test_fires_are_merged_as_the_recorder_merges_them(tenths: list[int], before: int, after: int, split: int) -> None:
    ring = RingBuffer(max_span_ns=60 * NS_PER_S, max_bytes=10**9)
    recorder = Recorder(ring, max_span_ns=SPAN_NS)
    recorder.before_ns = before * NS_PER_S // 10
    due = [
        a_fire(tenth / 10, ordinal=ordinal, before_s=before / 10, after_s=after / 10)
        for ordinal, tenth in enumerate(tenths, 1)
    ]
    times_ns = np.array([fire.t_ns for fire in due])
    finished = []
    for tenth in range(1700):
        ring.push_row(at(tenth / 10), {})
        while due and due[0].t_ns <= at(tenth / 10):
            finished += recorder.add(due.pop(0))
        finished += recorder.advance(at(tenth / 10))
    finished += recorder.finish()
    own = OwnRecordings(
        CaptureWindow(before_ns=before * NS_PER_S // 10, after_ns=after * NS_PER_S // 10, signals=()), SPAN_NS
    )
    joined = np.concatenate([own.joined(part) for part in (times_ns[:split], times_ns[split:]) if len(part)])
    assert len(finished) == np.count_nonzero(~joined)
    firsts = sorted(min(fire.t_ns for fire in recording.fires) for recording in finished)
    assert firsts == times_ns[~joined].tolist()


@pytest.mark.parametrize("row_group_rows", [50, 100_000])
@pytest.mark.parametrize("batch_rows", [64, 100_000])
def test_bytes_of_recordings_count_every_sample_once(tmp_path: Path, row_group_rows: int, batch_rows: int) -> None:
    """A signal that the trigger reads and one that is only captured; windows overlap by different lengths."""
    rng = np.random.default_rng(4)
    t = np.arange(3000) / 10
    x = np.zeros(3000)
    x[np.sort(rng.choice(np.arange(100, 2900), 60, replace=False))] = 1
    sparse = pa.array(np.where(rng.random(3000) < 0.2, 1.0, np.nan))
    pq.write_table(pa.table({"t": t, "x": x, "y": sparse}), tmp_path / "d.parquet", row_group_size=row_group_rows)
    catalog = SignalCatalog.parse("buffer: 20\nsignals: {x: {rate: 10}, y: {rate: 10}}", name="c")
    source = "trigger a { when x > 0.5 capture 3 s before, 2 s after { signals x, y } }"
    plan = make_plan(compile_source(source, filename="t", catalog=catalog))
    drive = Drive(tmp_path / "d.parquet", batch_rows)
    (result,) = run(plan, [drive], catalog, lambda _bytes: None).drives
    fires_ns = result.fires_ns["a"]
    joined = OwnRecordings(plan.settings["a"].capture, catalog.buffer_ns).joined(fires_ns)
    expected = []
    for group in np.split(fires_ns, np.flatnonzero(~joined)[1:]):
        inside = (np.rint(t * 1e9) >= group[0] - 3e9) & (np.rint(t * 1e9) <= group[-1] + 2e9)
        samples = inside.sum() + np.count_nonzero(~np.isnan(sparse.to_numpy()[inside]))
        expected.append(4096 + 2 * 190 + 21 * int(samples))
    assert len(expected) < len(fires_ns) - 10
    assert result.recording_bytes["a"].tolist() == expected
