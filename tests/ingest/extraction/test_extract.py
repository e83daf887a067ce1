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
from ingest.extraction.outputs import ExtractionRequest, ExtractionResult
from tests.ingest.extraction import footage
from tests.support.fleet import T_NS
from triggers.clips.footage import Footage, Samples, VideoFrame
from triggers.contracts.api.clips import RECORDING_ASSET


def extracted(folder: Path, data: bytes | None = None, **changes: Any) -> ExtractionResult:
    cameras = changes.pop("cameras", ("front",))
    manifest = changes.pop("manifest", None) or footage.recording(cameras)
    derived_bytes, sent_on_change = changes.pop("derived_bytes", 10**7), changes.pop("sent_on_change", ())
    content = changes.pop("content", None) or footage.footage(cameras)
    (folder / RECORDING_ASSET).write_bytes(footage.clip_bytes(manifest, content) if data is None else data)
    request = ExtractionRequest(
        recording=manifest.model_copy(update=changes),
        latitude="ego.latitude",
        longitude="ego.longitude",
        derived_bytes=derived_bytes,
        sent_on_change=sent_on_change,
    )
    return extract(folder, request)


def assets(result: ExtractionResult) -> list[str]:
    return [output.asset for output in result.files]


def reasons(result: ExtractionResult) -> list[str]:
    return [remark.reason for remark in result.remarks]


def preview_times(folder: Path) -> list[float]:
    with av.open(str(folder / "preview.mp4")) as movie:
        return [float(picture.time or 0.0) for picture in movie.decode(video=0)]


def test_signals_become_a_table_in_the_layout_of_a_recorded_drive(tmp_path: Path) -> None:
    assert extracted(tmp_path).remarks == ()
    table = pq.read_table(tmp_path / "signals.parquet")
    assert table.schema.metadata[b"longtail.start_ns"] == str(T_NS).encode()
    assert table.column_names == ["t", "ego.latitude", "ego.longitude", "speed"]
    assert table["t"].to_pylist() == pytest.approx([i / 10 for i in range(10)])
    assert table["speed"].to_pylist() == [float(i) for i in range(10)]
    assert table["ego.latitude"].to_pylist() == [48.0, *[None] * 8, 48.001]


def test_statistics_count_infinite_samples_and_measure_the_finite_ones(tmp_path: Path) -> None:
    values = [1.0, math.inf, -3.0, math.nan]  # NaN is no sample
    speed = Samples.of((T_NS + i, value) for i, value in enumerate(values))
    content = Footage(T_NS, T_NS + 10**9, {"speed": speed}, {})
    by_name = {row.signal: row for row in extracted(tmp_path, cameras=(), content=content).statistics}
    assert (by_name["speed"].samples, by_name["speed"].minimum, by_name["speed"].maximum) == (3, -3.0, 1.0)
    assert by_name["speed"].mean == -1.0
    assert list(by_name) == ["speed"], "a signal without samples has no statistics"


def test_a_sample_holds_until_the_next_one_whatever_nan_is_between(tmp_path: Path) -> None:
    speed = Samples.of([(T_NS, 1.0), (T_NS + 10**8, math.nan), (T_NS + 5 * 10**8, 3.0)])
    content = Footage(T_NS, T_NS + 10**9, {"speed": speed}, {})
    result = extracted(tmp_path, cameras=(), content=content, sent_on_change=("speed",))
    (row,) = result.statistics
    assert (row.samples, row.mean, row.mean_over) == (2, 2.0, "time")
    told = [(remark.reason, remark.count) for remark in result.remarks]
    assert told == [("messages_unreadable", 1), ("channel_missing", 2)], "the position, which the manifest lists"


def test_a_camera_that_the_manifest_names_twice_is_one_camera(tmp_path: Path) -> None:
    result = extracted(tmp_path, cameras=("front", "front"))
    assert sorted(assets(result)) == ["preview", "signals", "thumbnail"]


def test_the_track_follows_the_catalogs_position(tmp_path: Path) -> None:
    assert extracted(tmp_path).track == ((48.0, 11.0), (48.001, 11.0))


def test_the_thumbnail_is_a_jpeg_320_pixels_wide(tmp_path: Path) -> None:
    assert "thumbnail" in assets(extracted(tmp_path))
    with av.open(str(tmp_path / "thumbnail.jpg")) as image:
        picture = next(image.decode(video=0))
    assert (picture.width, picture.height) == (320, 240)


def test_the_preview_is_small_and_holds_ten_pictures_per_second_at_their_times(tmp_path: Path) -> None:
    assert "preview" in assets(extracted(tmp_path))
    assert preview_times(tmp_path) == pytest.approx([0.0, 0.12, 0.2, 0.32, 0.4, 0.52, 0.6, 0.72, 0.8, 0.92])
    with av.open(str(tmp_path / "preview.mp4")) as movie:
        assert (movie.streams.video[0].width, movie.streams.video[0].height) == (384, 288)


def test_every_camera_has_a_preview(tmp_path: Path) -> None:
    assert assets(extracted(tmp_path, cameras=("front", "rear"))) == ["signals", "thumbnail", "preview", "preview.rear"]


def test_a_preview_is_told_with_its_first_pictures_time_and_the_size_of_the_cameras_pictures(tmp_path: Path) -> None:
    content = footage.footage(("front", "rear"))
    content.cameras["rear"] = content.cameras["rear"][12:]  # its first keyframe is the one of 0.8 s
    found = {
        output.asset: output.picture for output in extracted(tmp_path, cameras=("front", "rear"), content=content).files
    }
    front, rear = found["preview"], found["preview.rear"]
    assert front is not None and rear is not None
    assert (front.offset_ns, front.width, front.height) == (0, 640, 480)
    assert (rear.offset_ns, rear.width, rear.height) == (20 * footage.FRAME_NS, 640, 480)
    assert found["signals"] is None and found["thumbnail"] is None


@pytest.mark.parametrize(("cut", "reason"), [(0, "mcap_unreadable"), (10, "mcap_truncated"), (-20, "mcap_truncated")])
def test_a_truncated_file_is_damaged(tmp_path: Path, cut: int, reason: str) -> None:
    manifest = footage.recording()
    data = footage.clip_bytes(manifest, footage.footage())[:cut]
    assert reasons(extracted(tmp_path, data, manifest=manifest)) == [reason]


def test_a_file_without_its_end_keeps_signals_track_thumbnail_and_preview(tmp_path: Path) -> None:
    manifest = footage.recording()
    data = footage.clip_bytes(manifest, footage.footage())
    result = extracted(tmp_path, data[: data.rindex(b"longtail.recording") - 300], manifest=manifest)
    assert reasons(result) == ["mcap_truncated"]
    assert "no footer" in result.remarks[0].message
    assert assets(result) == ["signals", "thumbnail", "preview"]
    assert result.track


def test_a_flipped_byte_in_the_messages_is_damage(tmp_path: Path) -> None:
    manifest = footage.recording()
    data = bytearray(footage.clip_bytes(manifest, footage.footage()))
    data[len(data) // 2] ^= 0xFF
    assert reasons(extracted(tmp_path, bytes(data), manifest=manifest))[0] in (
        "mcap_chunk_unreadable",
        "mcap_crc_mismatch",
    )


@pytest.mark.parametrize("change", [{"recording_id": "other"}, {"end_ns": T_NS + 2}, {"vehicle_id": "car-9"}])
def test_a_file_of_another_recording_is_damaged(tmp_path: Path, change: dict[str, Any]) -> None:
    (remark,) = extracted(tmp_path, **change).remarks
    assert remark.reason == "manifest_mismatch"
    assert next(iter(change)) in remark.message


def test_other_fires_in_the_file_are_damage(tmp_path: Path) -> None:
    fires = footage.recording().fires
    (remark,) = extracted(tmp_path, fires=fires).remarks
    assert (remark.reason, remark.message[:9]) == ("manifest_mismatch", "the fires")


def test_an_mcap_without_the_manifest_is_damaged(tmp_path: Path) -> None:
    file = io.BytesIO()
    writer = Writer(file)
    writer.start()
    writer.finish()
    assert reasons(extracted(tmp_path, file.getvalue())) == ["manifest_missing"]


def test_damaged_video_keeps_the_signals(tmp_path: Path) -> None:
    frames = tuple(VideoFrame(T_NS + i, True, b"\x00\x00\x01\x65" + bytes(50)) for i in range(3))
    content = footage.footage(())
    content = Footage(content.start_ns, content.end_ns, content.signals, {"front": frames})
    result = extracted(tmp_path, content=content)
    assert reasons(result) == ["video_undecodable"]
    assert assets(result) == ["signals"]
    assert len(result.statistics) == 3


def test_frames_without_any_keyframe_are_damage(tmp_path: Path) -> None:
    content = footage.footage()
    frames = tuple(frame for frame in content.cameras["front"] if not frame.keyframe)
    content = Footage(content.start_ns, content.end_ns, content.signals, {"front": frames})
    assert reasons(extracted(tmp_path, content=content)) == ["video_without_keyframe"]


def test_a_signal_that_is_sent_on_change_has_a_mean_over_time(tmp_path: Path) -> None:
    """From 0.2 s to 0.4 s the brake is on, in a recording of one second that begins with it off."""
    tenth_ns = 10**8
    brake = Samples.of([(T_NS, 0.0), (T_NS + 2 * tenth_ns, 1.0), (T_NS + 4 * tenth_ns, 0.0)])
    content = Footage(T_NS, T_NS + 10**9, {"speed": brake}, {})
    held = extracted(tmp_path, cameras=(), content=content, sent_on_change=("speed",), end_ns=T_NS + 10**9).statistics[
        0
    ]
    plain = extracted(tmp_path, cameras=(), content=content).statistics[0]
    assert (held.mean, held.mean_over) == (pytest.approx(0.2), "time")
    assert (plain.mean, plain.mean_over) == (pytest.approx(1 / 3), "samples")


def test_a_value_that_held_for_no_time_at_all_has_a_plain_mean(tmp_path: Path) -> None:
    end_ns = footage.recording().end_ns
    content = Footage(T_NS, end_ns, {"speed": Samples.of([(end_ns, 4.0)])}, {})
    (row,) = extracted(tmp_path, cameras=(), content=content, sent_on_change=("speed",)).statistics
    assert (row.mean, row.mean_over) == (4.0, "samples")


def test_a_held_sample_gives_the_signal_its_value_and_is_not_counted_as_one(tmp_path: Path) -> None:
    """The wiper was on before the recording began, and nothing was sent in it."""
    content = Footage(T_NS, T_NS + 10**9, {"speed": Samples.of([(T_NS, 2.0)])}, {}, held=frozenset({"speed"}))
    end = {"end_ns": T_NS + 10**9}
    manifest = footage.recording(()).model_copy(update={"held": ("speed",), **end})
    (row,) = extracted(tmp_path, cameras=(), content=content, manifest=manifest).statistics
    assert (row.samples, row.minimum, row.maximum, row.mean, row.mean_over) == (0, 2.0, 2.0, 2.0, "time")
    table = pq.read_table(tmp_path / "signals.parquet")
    assert (table["t"].to_pylist(), table["speed"].to_pylist()) == ([0.0], [2.0])


def test_a_manifest_that_lists_a_signal_as_held_that_is_not_is_not_believed(tmp_path: Path) -> None:
    content = Footage(T_NS, T_NS + 10**9, {"speed": Samples.of([(T_NS + 5, 2.0)])}, {})
    manifest = footage.recording(()).model_copy(update={"held": ("speed",)})
    (row,) = extracted(tmp_path, cameras=(), content=content, manifest=manifest).statistics
    assert row.samples == 1
