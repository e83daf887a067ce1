"""What an extraction finds in a clip's file, and what it calls damaged."""

from __future__ import annotations

import io
import math
from pathlib import Path
from typing import Any

import av
import pyarrow.parquet as pq
import pytest
from mcap.writer import Writer

from ingest.extraction.extract import extract
from ingest.extraction.outputs import CLIP_FILE, ExtractionRequest, ExtractionResult
from tests.ingest.extraction import footage
from tests.support.fleet import T_NS
from triggers.clips.footage import Footage, Samples, VideoFrame


def extracted(folder: Path, data: bytes | None = None, **changes: Any) -> ExtractionResult:
    cameras = changes.pop("cameras", ("front",))
    manifest = footage.recording(cameras)
    content = changes.pop("content", None) or footage.footage(cameras)
    (folder / CLIP_FILE).write_bytes(footage.clip_bytes(manifest, content) if data is None else data)
    request = ExtractionRequest(
        recording=manifest.model_copy(update=changes), latitude="ego.latitude", longitude="ego.longitude"
    )
    return extract(folder, request)


def test_signals_become_a_table_in_the_layout_of_a_recorded_drive(tmp_path: Path) -> None:
    assert extracted(tmp_path).damage is None
    table = pq.read_table(tmp_path / "signals.parquet")
    assert table.schema.metadata[b"longtail.start_ns"] == str(T_NS).encode()
    assert table.column_names == ["t", "ego.latitude", "ego.longitude", "speed"]
    assert table["t"].to_pylist() == pytest.approx([i / 10 for i in range(10)])
    assert table["speed"].to_pylist() == [float(i) for i in range(10)]
    assert table["ego.latitude"].to_pylist() == [48.0, *[None] * 8, 48.001]


def test_statistics_count_all_samples_and_measure_the_finite_ones(tmp_path: Path) -> None:
    values = [1.0, math.inf, -3.0, math.nan]
    speed = Samples.of((T_NS + i, value) for i, value in enumerate(values))
    content = Footage(T_NS, T_NS + 10**9, {"speed": speed}, {})
    by_name = {row.signal: row for row in extracted(tmp_path, cameras=(), content=content).statistics}
    assert (by_name["speed"].samples, by_name["speed"].minimum, by_name["speed"].maximum) == (4, -3.0, 1.0)
    assert by_name["speed"].mean == -1.0
    assert (by_name["ego.latitude"].samples, by_name["ego.latitude"].mean) == (0, None)


def test_the_track_follows_the_catalogs_position(tmp_path: Path) -> None:
    assert extracted(tmp_path).track == ((48.0, 11.0), (48.001, 11.0))


def test_the_thumbnail_is_a_jpeg_320_pixels_wide(tmp_path: Path) -> None:
    files = {output.asset: output.file for output in extracted(tmp_path).files}
    with av.open(str(tmp_path / files["thumbnail"])) as image:
        picture = next(image.decode(video=0))
    assert (picture.width, picture.height) == (320, 240)


def test_the_preview_holds_every_frame_at_its_time(tmp_path: Path) -> None:
    files = {output.asset: output.file for output in extracted(tmp_path).files}
    with av.open(str(tmp_path / files["preview"])) as movie:
        times = [picture.time for picture in movie.decode(video=0)]
    assert times == pytest.approx([i * 0.04 for i in range(25)])


def test_every_camera_has_a_preview(tmp_path: Path) -> None:
    assets = [output.asset for output in extracted(tmp_path, cameras=("front", "rear")).files]
    assert assets == ["signals", "thumbnail", "preview", "preview.rear"]


@pytest.mark.parametrize("cut", [0, 10, 1000, -20])
def test_a_truncated_file_is_damaged(tmp_path: Path, cut: int) -> None:
    data = footage.clip_bytes(footage.recording(), footage.footage())[:cut]
    assert (extracted(tmp_path, data).damage or "").startswith(("mcap_unreadable:", "manifest_missing:"))


def test_a_flipped_byte_in_the_messages_is_damage(tmp_path: Path) -> None:
    data = bytearray(footage.clip_bytes(footage.recording(), footage.footage()))
    data[len(data) // 3] ^= 0xFF
    assert extracted(tmp_path, bytes(data)).damage


@pytest.mark.parametrize("change", [{"recording_id": "other"}, {"end_ns": T_NS + 2}, {"vehicle_id": "car-9"}])
def test_a_file_of_another_recording_is_damaged(tmp_path: Path, change: dict[str, Any]) -> None:
    damage = extracted(tmp_path, **change).damage or ""
    assert damage.startswith("manifest_mismatch:")
    assert next(iter(change)) in damage


def test_other_fires_in_the_file_are_damage(tmp_path: Path) -> None:
    fires = footage.recording().fires
    assert (extracted(tmp_path, fires=fires).damage or "").startswith("manifest_mismatch: the fires")


def test_an_mcap_without_the_manifest_is_damaged(tmp_path: Path) -> None:
    file = io.BytesIO()
    writer = Writer(file)
    writer.start()
    writer.finish()
    assert (extracted(tmp_path, file.getvalue()).damage or "").startswith("manifest_missing:")


def test_damaged_video_keeps_the_signals(tmp_path: Path) -> None:
    frames = tuple(VideoFrame(T_NS + i, True, b"\x00\x00\x01\x65" + bytes(50)) for i in range(3))
    content = footage.footage(())
    content = Footage(content.start_ns, content.end_ns, content.signals, {"front": frames})
    result = extracted(tmp_path, content=content)
    assert (result.damage or "").startswith("video_")
    assert [output.asset for output in result.files] == ["signals"]
    assert len(result.statistics) == 3


def test_frames_without_any_keyframe_are_damage(tmp_path: Path) -> None:
    content = footage.footage()
    frames = tuple(frame for frame in content.cameras["front"] if not frame.keyframe)
    content = Footage(content.start_ns, content.end_ns, content.signals, {"front": frames})
    assert (extracted(tmp_path, content=content).damage or "").startswith("video_without_keyframe:")
