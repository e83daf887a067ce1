"""Held samples: a clip begins with the latest value of every signal that is only sent when it changes."""

from __future__ import annotations

import math
from array import array
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.triggers.vehicle.support import at
from triggers.backtest.plan import make_plan
from triggers.backtest.run import run
from triggers.clips.footage import Samples
from triggers.clips.reader import read_clip
from triggers.contracts.campaign import CaptureWindow, Network, UploadRoute
from triggers.drives.drive import Drive
from triggers.drives.series import SignalSeries, write_drive
from triggers.language.compile import compile_source
from triggers.signals.catalog import SignalCatalog
from triggers.times import NS_PER_S
from triggers.vehicle.recording.clips import FinishedClip, RecordingContext, make_clip, recut
from triggers.vehicle.recording.fires import VehicleFire
from triggers.vehicle.recording.recorder import FinishedRecording, Recorder
from triggers.vehicle.recording.ring import RingBuffer

SPAN_NS = 60 * NS_PER_S
CONTEXT = RecordingContext(vehicle_id="car-1", max_span_ns=SPAN_NS)
CATALOG = SignalCatalog.parse(
    """
signals:
  ego.speed: {unit: km/h, rate: 10}
  gear: {type: text, values: [P, R, N, D], update: on_change}
  engaged: {type: bool, update: on_change, initial: false}
  limit: {unit: km/h, update: on_change}
""",
    name="c",
)
SOURCE = """
trigger fast { when gear == "D" and not engaged and ego.speed > 50 km/h
  capture 5 s before, 5 s after { signals ego.*, gear, engaged, limit } }
"""


def a_fire(t_s: float, ordinal: int = 1, before_s: float = 5) -> VehicleFire:
    """A fire of the trigger, with the capture window that the compiler made."""
    compiled = compile_source(SOURCE, filename="t", catalog=CATALOG).triggers
    assert compiled is not None
    capture = compiled.settings[0].capture.model_copy(update={"before_ns": round(before_s * NS_PER_S)})
    return VehicleFire(
        campaign="c",
        version=1,
        program_digest="ab" * 32,
        trigger="fast",
        ordinal=ordinal,
        t_ns=at(t_s),
        inclusion_probability=1.0,
        capture=capture,
        priority=50,
        upload=(UploadRoute(network=Network.WIFI),),
    )


def driven(folder: Path, fires: list[VehicleFire], *, ring_bytes: int = 10**8) -> FinishedClip:
    """100 s at 10 Hz with one recording; the gear was told at 0 s, `engaged` at 0 s and 92 s, `limit` never."""
    ring = RingBuffer(max_span_ns=SPAN_NS, max_bytes=ring_bytes)
    recorder = Recorder(ring, max_span_ns=SPAN_NS)
    recorder.before_ns = max(fire.capture.before_ns for fire in fires)
    ring.keep(["ego.speed", "gear", "engaged", "limit"], [], recorder.before_ns)
    due, finished = list(fires), list[FinishedRecording]()
    for tenth in range(1001):
        told = {"gear": 3.0, "engaged": 0.0} if tenth == 0 else {"engaged": 1.0} if tenth == 920 else {}
        ring.push_row(at(tenth / 10), {"ego.speed": 60.0 if tenth >= 900 else 20.0, **told})
        while due and due[0].t_ns <= at(tenth / 10):
            finished += recorder.add(due.pop(0))
        finished += recorder.advance(at(tenth / 10))
    (recording,) = [*finished, *recorder.finish()]
    assert recording.footage is not None
    return make_clip(folder, recording.fires, recording.footage, CONTEXT)


def test_the_compiler_says_which_captured_signals_are_sent_on_change() -> None:
    assert a_fire(1).capture.on_change == ("gear", "engaged", "limit")
    assert "on_change" not in CaptureWindow(before_ns=0, after_ns=0, signals=("a",)).model_dump()


@pytest.mark.parametrize("ring_bytes", [10**8, 2_000])
def test_a_clip_begins_with_what_was_told_long_before(tmp_path: Path, ring_bytes: int) -> None:
    clip = read_clip(driven(tmp_path, [a_fire(90)], ring_bytes=ring_bytes).path)
    start_ns = clip.manifest.start_ns
    assert (start_ns == at(85)) == (ring_bytes == 10**8)  # a small ring overflows, and keeps the values nevertheless
    gear, engaged = clip.footage.signals["gear"], clip.footage.signals["engaged"]
    assert (gear.times_ns.tolist(), gear.values.tolist()) == ([start_ns], [3.0])
    assert (engaged.times_ns.tolist(), engaged.values.tolist()) == ([start_ns, at(92)], [0.0, 1.0])
    assert len(clip.footage.signals["limit"].times_ns) == 0
    assert "ego.speed" not in clip.manifest.held
    assert clip.manifest.held == ("engaged", "gear")


def test_what_is_sent_at_the_start_itself_is_not_held(tmp_path: Path) -> None:
    clip = read_clip(driven(tmp_path, [a_fire(97)]).path)
    assert clip.manifest.start_ns == at(92)
    assert clip.manifest.held == ("gear",)
    assert clip.footage.signals["engaged"].values.tolist() == [1.0]


def test_a_clip_replayed_through_its_own_trigger_fires(tmp_path: Path) -> None:
    clip = read_clip(driven(tmp_path, [a_fire(90)]).path)
    signals = {name: SignalSeries(*samples.as_arrays()) for name, samples in clip.footage.signals.items()}
    write_drive(tmp_path / "clip.parquet", signals, start_ns=clip.manifest.start_ns)
    plan = make_plan(compile_source(SOURCE, filename="t", catalog=CATALOG))
    (result,) = run(plan, [Drive(tmp_path / "clip.parquet")], CATALOG, lambda _bytes: None).drives
    assert [fire.t_ns for fire in result.fires] == [5 * NS_PER_S]


def test_a_clip_that_is_cut_again_holds_the_values_of_its_new_start(tmp_path: Path) -> None:
    clip = driven(tmp_path, [a_fire(80), a_fire(90, 2), a_fire(98, 3)])
    first, last = recut(clip.path, [clip.fires[0], clip.fires[2]], SPAN_NS)
    for part, start_s, engaged in ((first, 75, 0.0), (last, 93, 1.0)):
        again = read_clip(part.path)
        assert again.manifest.start_ns == at(start_s)
        assert again.manifest.held == ("engaged", "gear")
        assert again.footage.signals["gear"].values.tolist() == [3.0]
        assert again.footage.signals["engaged"].values.tolist() == [engaged]


def test_charges_of_a_clip_with_held_samples_sum_to_its_size(tmp_path: Path) -> None:
    clip = driven(tmp_path, [a_fire(88), a_fire(90, 2)])
    assert sum(fire.charged_bytes for fire in clip.manifest.recording.fires) == clip.manifest.size_bytes


def test_time_that_runs_backwards_ends_what_is_held() -> None:
    ring = RingBuffer(max_span_ns=SPAN_NS, max_bytes=10**8)
    ring.keep(["gear"], [], NS_PER_S)
    ring.push_row(at(0), {"gear": 3.0})
    ring.push_row(at(50), {})
    ring.trim(at(50))
    assert ring.cut(at(49), at(50), ["gear"], [], ["gear"]).signals["gear"].values.tolist() == [3.0]
    ring.clear()
    ring.push_row(at(20), {})
    footage = ring.cut(at(20), at(20), ["gear"], [], ["gear"])
    assert (footage.held, len(footage.signals["gear"].times_ns)) == (frozenset(), 0)


def test_an_invalid_value_is_held_like_any_other() -> None:
    assert Samples(array("q"), array("d")).led_in(5, math.inf).values.tolist() == [math.inf]


def test_the_backtest_counts_the_held_samples_in_the_size(tmp_path: Path) -> None:
    t = np.arange(1001) / 10
    first = [True] + [False] * 1000
    table = {
        "t": t,
        "ego.speed": np.where(t >= 90, 60.0, 20.0),
        "gear": pa.array(["D" if told else None for told in first]),
        "engaged": pa.array([False if told else None for told in first]),
        "limit": pa.array([None] * 1001, pa.float64()),
    }
    pq.write_table(pa.table(table), tmp_path / "d.parquet")
    plan = make_plan(compile_source(SOURCE, filename="t", catalog=CATALOG))
    (result,) = run(plan, [Drive(tmp_path / "d.parquet")], CATALOG, lambda _bytes: None).drives
    # `limit` is only captured, and only read around fires: it is taken to have been told at the beginning
    assert result.clip_bytes["fast"].tolist() == [4096 + 4 * 190 + 21 * (101 + 3)]
