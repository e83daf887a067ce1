"""Video as vehicles may send it: every codec, and frames that are empty, corrupt, out of order or of another size."""

from __future__ import annotations

import os
import struct
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from ingest.extraction.outputs import ExtractionResult
from ingest.extraction.pictures import Pictures
from tests.ingest.extraction import footage
from tests.ingest.extraction.test_extract import assets, extracted, preview_times, reasons
from tests.support.fleet import T_NS
from triggers.clips.codecs import is_keyframe
from triggers.clips.footage import Footage, VideoFrame

ENCODERS: dict[str, tuple[str, str, dict[str, str]]] = {
    "h264": ("libx264", "yuv420p", {"preset": "ultrafast", "x264-params": "keyint=10:bframes=0:repeat-headers=1"}),
    "h265": (
        "libx265",
        "yuv420p",
        {"preset": "ultrafast", "x265-params": "keyint=10:bframes=0:repeat-headers=1:log-level=none"},
    ),
    "vp9": ("libvpx-vp9", "yuv420p", {"deadline": "realtime", "cpu-used": "8", "lag-in-frames": "0"}),
    "av1": ("libsvtav1", "yuv420p", {"preset": "12", "svtav1-params": "pred-struct=1:lookahead=0:lp=1"}),
    "jpeg": ("mjpeg", "yuvj420p", {}),
    "png": ("png", "rgb24", {}),
}


def frames(codec: str, count: int = 12, *, width: int = 320, height: int = 240, **options: str) -> list[VideoFrame]:
    """Pictures of a grey ramp in any codec, 25 per second, in the order of coding."""
    name, pixels, defaults = ENCODERS[codec]
    encoder: Any = av.CodecContext.create(name, "w")
    encoder.width, encoder.height, encoder.pix_fmt = width, height, pixels
    encoder.time_base, encoder.framerate, encoder.gop_size = Fraction(1, 25), Fraction(25), 10
    encoder.options = {**defaults, **options}
    units: list[bytes] = []
    for number in range(count):
        ramp = np.tile(np.arange(width, dtype=np.uint8)[None, :, None], (height, 1, 3))
        picture = av.VideoFrame.from_ndarray(np.ascontiguousarray(ramp + np.uint8(5 * number)), format="rgb24")
        picture = picture.reformat(format=pixels)
        picture.pts = number
        units += [bytes(packet) for packet in encoder.encode(picture)]
    units += [bytes(packet) for packet in encoder.encode(None)]
    return [
        VideoFrame(T_NS + i * footage.FRAME_NS, is_keyframe(unit, codec), unit, codec) for i, unit in enumerate(units)
    ]


def extracted_video(folder: Path, video: list[VideoFrame], **changes: Any) -> ExtractionResult:
    content = Footage(T_NS, T_NS + 10**9, footage.footage(()).signals, {"front": tuple(video)})
    return extracted(folder, content=content, **changes)


@pytest.mark.parametrize("codec", ENCODERS)
def test_every_codec_has_a_thumbnail_and_a_preview(tmp_path: Path, codec: str) -> None:
    result = extracted_video(tmp_path, frames(codec))
    assert (result.remarks, assets(result)) == ((), ["signals", "thumbnail", "preview"])
    assert preview_times(tmp_path)[0] == 0.0
    assert len(preview_times(tmp_path)) >= 4
    with av.open(str(tmp_path / "thumbnail.jpg")) as image:
        picture = next(image.decode(video=0))
    assert (picture.width, picture.height) == (320, 240)


def test_the_first_picture_is_known_before_the_pass_which_gives_it_too() -> None:
    pictures = Pictures(frames("h264", 12), "front")
    first = pictures.first()
    shown = [picture for _, picture in pictures]
    assert shown[0] is first
    assert [picture.pts for picture in shown] == list(range(12))


@pytest.mark.parametrize("codec", ["theora", "raw", "H266"])
def test_another_codec_is_refused_by_its_name(tmp_path: Path, codec: str) -> None:
    result = extracted_video(tmp_path, [VideoFrame(T_NS, True, b"x" * 100, codec)])
    (remark,) = result.remarks
    assert remark.reason == "video_codec_unsupported"
    assert remark.message.startswith(f"{codec.lower()}: ")
    assert assets(result) == ["signals"]


def test_a_frame_of_another_codec_is_told_and_costs_only_itself(tmp_path: Path) -> None:
    video = frames("jpeg")
    video[5] = video[5]._replace(codec="raw")
    result = extracted_video(tmp_path, video)
    assert [(remark.reason, remark.count) for remark in result.remarks] == [("video_codec_unsupported", 1)]
    assert "raw: the format of 1 of 12 frames" in result.remarks[0].message
    assert "preview" in assets(result)


def test_frames_before_the_first_keyframe_are_told(tmp_path: Path) -> None:
    result = extracted_video(tmp_path, frames("h264", 16)[3:])
    assert [(remark.reason, remark.count) for remark in result.remarks] == [("video_frames_undecodable", 7)]
    assert "7 of 13 frames are before its first keyframe" in result.remarks[0].message
    assert "preview" in assets(result)


def test_frames_of_no_bytes_are_counted_and_the_rest_is_shown(tmp_path: Path) -> None:
    video = frames("h264")
    video[5] = video[5]._replace(data=b"")
    result = extracted_video(tmp_path, video)
    assert reasons(result) == ["video_frames_undecodable"]
    assert "1 of 12 frames are empty" in result.remarks[0].message
    assert "preview" in assets(result)


def test_the_pictures_after_a_change_of_size_are_shown_too(tmp_path: Path) -> None:
    later = [frame._replace(t_ns=frame.t_ns + 10**9) for frame in frames("h264", width=640, height=480)]
    result = extracted_video(tmp_path, [*frames("h264"), *later])
    assert result.remarks == ()
    assert max(preview_times(tmp_path)) > 1


def test_a_camera_that_changes_its_codec_is_shown(tmp_path: Path) -> None:
    later = [frame._replace(t_ns=frame.t_ns + 10**9) for frame in frames("h265")]
    result = extracted_video(tmp_path, [*frames("h264"), *later])
    assert result.remarks == ()
    assert max(preview_times(tmp_path)) > 1


def test_b_frames_in_the_order_of_coding_are_decoded(tmp_path: Path) -> None:
    with_b = frames("h264", **{"x264-params": "keyint=10:bframes=2:repeat-headers=1", "preset": "veryfast"})
    result = extracted_video(tmp_path, with_b)
    assert result.remarks == ()
    times = preview_times(tmp_path)
    assert times == sorted(times)


def test_corrupt_frames_between_sound_ones_do_not_end_the_preview(tmp_path: Path) -> None:
    video = frames("h264", 25)
    for at in range(3, 8):
        video[at] = video[at]._replace(data=video[at].data[:10] + os.urandom(60))
    result = extracted_video(tmp_path, video)
    assert {remark.reason for remark in result.remarks} <= {"video_frames_undecodable"}
    assert max(preview_times(tmp_path)) > 0.8


@pytest.mark.parametrize("start", [b"", b"\x00\x00\x01\x65", b"\x00\x00\x01\x26\x01", b"\xff\xd8\xff", b"\x89PNG"])
@pytest.mark.parametrize("codec", ENCODERS)
def test_random_bytes_are_never_more_than_damage(tmp_path: Path, codec: str, start: bytes) -> None:
    video = [VideoFrame(T_NS + i, True, start + os.urandom(200), codec) for i in range(5)]
    possible = {"video_without_keyframe", "video_undecodable", "video_frames_undecodable"}
    assert set(reasons(extracted_video(tmp_path, video))) <= possible


def test_length_prefixes_instead_of_start_codes_are_damage(tmp_path: Path) -> None:
    video = [frame._replace(data=struct.pack(">I", len(frame.data) - 4) + frame.data[4:]) for frame in frames("h264")]
    assert reasons(extracted_video(tmp_path, video))[0] in ("video_without_keyframe", "video_undecodable")


def test_frames_of_one_time_are_shown(tmp_path: Path) -> None:
    video = [frame._replace(t_ns=T_NS) for frame in frames("jpeg")]
    assert extracted_video(tmp_path, video).remarks == ()
    assert preview_times(tmp_path) == [0.0]


def test_a_preview_that_does_not_fit_is_left_out_and_told(tmp_path: Path) -> None:
    result = extracted_video(tmp_path, frames("h264"), derived_bytes=5000)
    assert assets(result) == ["signals", "thumbnail"]
    (remark,) = result.remarks
    assert (remark.reason, remark.message[:12]) == ("asset_left_out", "preview has ")
    assert not (tmp_path / "preview.mp4").exists()


def test_a_preview_is_made_to_fit_its_share(tmp_path: Path) -> None:
    generator = np.random.default_rng(3)
    encoder: Any = av.CodecContext.create("mjpeg", "w")
    encoder.width, encoder.height, encoder.pix_fmt, encoder.time_base = 640, 480, "yuvj420p", Fraction(1, 25)
    units: list[bytes] = []
    for _ in range(50):
        noise = generator.integers(0, 255, (480, 640, 3), dtype=np.uint8)
        units += [bytes(packet) for packet in encoder.encode(av.VideoFrame.from_ndarray(noise, format="rgb24"))]
    video = [VideoFrame(T_NS + i * footage.FRAME_NS, True, unit, "jpeg") for i, unit in enumerate(units)]
    result = extracted_video(tmp_path, video, derived_bytes=150_000)
    assert "preview" in assets(result)
    assert (tmp_path / "preview.mp4").stat().st_size < 120_000


def test_many_huge_cameras_are_bounded_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ingest.extraction.video.MAX_CLIP_PIXELS", 320 * 240 * 5)
    cameras = tuple(f"c{number}" for number in range(6))
    video = tuple(frames("jpeg", 3))
    content = Footage(T_NS, T_NS + 10**9, {}, dict.fromkeys(cameras, video))
    result = extracted(tmp_path, cameras=cameras, content=content)
    assert set(reasons(result)) == {"asset_left_out", "channel_missing"}, "its signals are listed, but there are none"
    assert assets(result) == ["signals", "thumbnail", "preview", "preview.c1", "preview.c2"]


def test_huge_cameras_show_their_keyframes_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ingest.extraction.video.MAX_CLIP_PIXELS", 320 * 240 * 5)
    result = extracted_video(tmp_path, frames("h264", 25))
    assert result.remarks == ()
    assert preview_times(tmp_path) == pytest.approx([0.0, 0.4, 0.8])
