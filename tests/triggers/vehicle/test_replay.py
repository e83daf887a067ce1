"""A replayed drive fires where a backtest of it fires, and its clips hold the drive's own samples and pictures."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tests.support.paths import RECORDED_DRIVES
from tests.triggers.vehicle.cloud import Cloud
from tests.triggers.vehicle.conftest import MakeConfig
from tests.triggers.vehicle.support import CATALOG, EPOCH_NS, SPEEDING, ManualClock, compiled, offer
from triggers.clips.codecs import is_keyframe
from triggers.clips.reader import read_clip
from triggers.contracts.bundle import make_bundle
from triggers.contracts.clip import DriveSource
from triggers.drives.find import find_drives
from triggers.errors import InvalidInput
from triggers.language.compile import compile_source
from triggers.language.rows import Row
from triggers.language.webassembly.host.evaluator import Evaluator
from triggers.replay.replay import play
from triggers.replay.video import video_frames
from triggers.signals.catalog import SignalCatalog
from triggers.times import NS_PER_S
from triggers.vehicle.agent import VehicleAgent


@pytest.fixture
def agent(make_config: MakeConfig, clock: ManualClock) -> Iterator[VehicleAgent]:
    with VehicleAgent(make_config(), clock=clock) as running:
        yield running


def write_video(path: Path, *, seconds: int = 6, rate: int = 10, b_frames: int = 0, codec: str = "libx264") -> Path:
    """A moving gradient as MP4."""
    with av.open(path, "w") as container:
        stream = container.add_stream(codec, rate=rate)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        stream.gop_size = rate
        stream.codec_context.max_b_frames = b_frames
        for index in range(seconds * rate):
            picture = np.indices((48, 64)).sum(axis=0) * 3 + index * 5
            frame = av.VideoFrame.from_ndarray(np.stack([picture % 256] * 3, axis=2).astype(np.uint8), format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def write_drive(folder: Path, seconds: int = 60) -> Path:
    folder.mkdir()
    t = np.arange(seconds * 10) / 10
    speed = np.where((t >= 30) & (t < 31), 40.0, 20.0)
    table = pa.table({"t": t, "ego.speed": speed, "ego.brake": np.zeros(len(t))})
    pq.write_table(table, folder / "signals.parquet")
    return folder


@pytest.mark.parametrize(
    ("codec", "b_frames"), [("libx264", 0), ("libx264", 2), ("mpeg4", 0)], ids=["as-it-is", "b-frames", "other-codec"]
)
def test_every_video_comes_as_annex_b_with_parameter_sets_in_order_and_decodable(
    tmp_path: Path, codec: str, b_frames: int
) -> None:
    path = write_video(tmp_path / "front.mp4", codec=codec, b_frames=b_frames)
    frames = list(video_frames(path, EPOCH_NS))
    assert [frame.t_ns for frame in frames] == [EPOCH_NS + index * NS_PER_S // 10 for index in range(60)]
    assert frames[0].keyframe
    keyframes = [frame for frame in frames if frame.keyframe]
    assert len(keyframes) >= 6
    for frame in keyframes:
        assert b"\x00\x00\x01\x67" in frame.data
        assert b"\x00\x00\x01\x68" in frame.data
        assert is_keyframe(frame.data)
    for start in (0, frames.index(keyframes[2])):
        decoder = av.CodecContext.create("h264", "r")
        pictures = []
        for frame in frames[start:]:
            pictures += decoder.decode(av.Packet(frame.data))
        pictures += decoder.decode(None)
        assert len(pictures) == len(frames) - start


def test_a_file_that_is_not_a_video_is_named(tmp_path: Path) -> None:
    (tmp_path / "front.mp4").write_bytes(b"nothing of the kind")
    with pytest.raises(InvalidInput, match=r"front\.mp4"):
        list(video_frames(tmp_path / "front.mp4"))


def test_a_played_drive_gives_a_clip_with_signals_pictures_and_its_source(
    cloud: Cloud, agent: VehicleAgent, key: Ed25519PrivateKey, tmp_path: Path
) -> None:
    folder = write_drive(tmp_path / "drive_7")
    write_video(folder / "front.mp4", seconds=60)
    write_video(folder / "rear.mp4", seconds=1)
    offer(cloud, key, compiled(SPEEDING), revision=1)
    agent.check_in()
    (drive,) = find_drives([folder])
    times: list[int] = []
    played = play(agent, drive, SignalCatalog.parse(CATALOG, name="t"), offset_ns=EPOCH_NS, on_progress=times.append)
    assert (played.rows, played.start_ns, played.end_ns) == (600, EPOCH_NS, EPOCH_NS + 599 * NS_PER_S // 10)
    assert len(times) == 60
    (clip,) = agent.status().queued
    content = read_clip(clip.path)
    manifest, held = content.manifest, content.footage
    assert manifest.source == DriveSource(drive="drive_7", offset_ns=EPOCH_NS)
    assert (manifest.start_ns, manifest.end_ns) == (EPOCH_NS + 28 * NS_PER_S, EPOCH_NS + 32 * NS_PER_S)
    assert len(held.signals["ego.speed"].values) == 41
    assert held.cameras["front"] == tuple(
        frame
        for frame in video_frames(folder / "front.mp4", EPOCH_NS)
        if manifest.start_ns <= frame.t_ns <= manifest.end_ns
    )


def test_an_offset_that_would_move_heartbeats_is_refused(agent: VehicleAgent, tmp_path: Path) -> None:
    (drive,) = find_drives([write_drive(tmp_path / "d")])
    with pytest.raises(InvalidInput, match="100 ms"):
        play(agent, drive, SignalCatalog.parse(CATALOG, name="t"), offset_ns=EPOCH_NS + 1)


def test_at_a_speed_it_takes_the_drives_time_divided_by_it(agent: VehicleAgent, tmp_path: Path) -> None:
    (drive,) = find_drives([write_drive(tmp_path / "d")])
    clock = ManualClock()
    play(agent, drive, SignalCatalog.parse(CATALOG, name="t"), offset_ns=EPOCH_NS, speed=4.0, clock=clock)
    assert sum(clock.slept_s) == pytest.approx(59.9 / 4, abs=0.01)


CSS_CATALOG = """
max_gap: 2.0
signals:
  ego.speed: {unit: m/s, rate: 2, column: obd_speed}
  gps.speed: {unit: m/s, rate: 1, column: gps_speed}
"""
HARD_BRAKING = """
trigger hard_braking {
    when rate(ego.speed over 1.5 s) < -2 m/s^2
    cooldown 30 s
    capture 5 s before, 5 s after
}
campaign braking { collect hard_braking budget 100 clips }
"""


@pytest.mark.drives
def test_the_recorded_car_gives_its_clips_where_a_backtest_fires(
    cloud: Cloud, agent: VehicleAgent, key: Ed25519PrivateKey
) -> None:
    if not (RECORDED_DRIVES / "css_car_a").is_dir():
        pytest.skip("the recorded drives are not here")
    catalog = SignalCatalog.parse(CSS_CATALOG, name="css")
    compilation = compile_source(HARD_BRAKING, filename="b", catalog=catalog)
    assert compilation.ok, compilation.diagnostics
    campaign = compilation.campaigns["braking"]
    offer(cloud, key, make_bundle(campaign.settings, 1, campaign.program), revision=1)
    agent.check_in()
    (drive,) = find_drives([RECORDED_DRIVES / "css_car_a"])
    evaluator = Evaluator(campaign.program)
    backtested = [firing.t_ns for firing in evaluator.run(drive.rows(catalog, evaluator.inputs))]
    play(agent, drive, catalog, offset_ns=EPOCH_NS)
    assert agent.upload_pending(deadline_s=30).handed_over == len(backtested)
    recordings = [upload.manifest.recording for upload in cloud.uploads.values()]
    fires = sorted(fire.t_ns - EPOCH_NS for recording in recordings for fire in recording.fires)
    assert fires == backtested
    for expected_s in (105.9, 2240):
        assert any(abs(t_ns - expected_s * NS_PER_S) < Fraction(3, 2) * NS_PER_S for t_ns in fires)
    for recording in recordings:
        assert recording.end_ns - recording.start_ns == 10 * NS_PER_S


@pytest.mark.drives
def test_the_recorded_camera_is_passed_on_as_it_is() -> None:
    path = RECORDED_DRIVES / "dashcam" / "solidWhiteRight.mp4"
    if not path.is_file():
        pytest.skip("the recorded drives are not here")
    frames = list(video_frames(path))
    assert len(frames) == 221
    assert frames[0].keyframe
    assert frames[-1].t_ns == 220 * NS_PER_S // 25
    assert sum(len(frame.data) for frame in frames) >= path.stat().st_size * 0.95


RAW_CATALOG = """
signals:
  ego.speed: {unit: m/s, rate: 10, column: can_speed, scale: 0.01, offset: -5, invalid: [65535], max: 100}
"""


def test_raw_samples_on_a_vehicle_fire_and_are_recorded_like_a_drive_of_them(
    cloud: Cloud, make_config: MakeConfig, clock: ManualClock, key: Ed25519PrivateKey, tmp_path: Path
) -> None:
    """One vehicle plays the drive, which is converted as it is read; the other gets the raw numbers of its bus."""
    catalog = SignalCatalog.parse(RAW_CATALOG, name="signals.yaml")
    t = np.arange(600) / 10
    raw = np.where((t >= 30) & (t < 31), 4500, 2500)
    raw[100], raw[200] = 65535, 20_000
    pq.write_table(pa.table({"t": t, "can_speed": pa.array(raw, pa.uint16())}), tmp_path / "drive.parquet")
    source = "trigger fast { when ego.speed > 30 m/s } campaign c { collect fast budget 100 clips }"
    compilation = compile_source(source, filename="t", catalog=catalog)
    campaign = compilation.campaigns["c"]
    offer(cloud, key, make_bundle(campaign.settings, 1, campaign.program), revision=1)
    (drive,) = find_drives([tmp_path / "drive.parquet"])
    clips, problems = [], []
    for fed_raw in (False, True):
        config = make_config(state_directory=tmp_path / f"vehicle_{fed_raw}", signals=catalog)
        with VehicleAgent(config, clock=clock) as agent:
            agent.check_in()
            if fed_raw:
                agent.feed_raw(Row(EPOCH_NS + n * 10**8, {"ego.speed": int(x)}) for n, x in enumerate(raw))
                agent.finish_drive()
            else:
                play(agent, drive, catalog, offset_ns=EPOCH_NS)
            (clip,) = agent.status().queued
            clips.append(read_clip(clip.path).footage.signals["ego.speed"])
            agent.check_in()
            problems.append(cloud.check_ins[-1].problems)
    assert list(clips[0].values) == list(clips[1].values)
    assert max(clips[0].values) == 4500 * 0.01 - 5
    assert problems[1] == (
        "2 samples of ego.speed in this drive were values that it cannot have by the signal catalog",
    )


def test_raw_samples_without_a_catalog_are_refused(agent: VehicleAgent) -> None:
    with pytest.raises(InvalidInput, match="raw samples need the signal catalog"):
        agent.feed_raw([Row(EPOCH_NS, {"ego.speed": 1})])
