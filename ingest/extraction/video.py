"""Thumbnail (JPEG) and preview (MP4, small, H.264) of a camera, made in one pass over its pictures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import av.error
from av.video.reformatter import VideoReformatter

from ingest.extraction.pictures import MAX_CLIP_PIXELS, Pictures, decodable
from triggers.clips.damage import Damaged, Remark
from triggers.clips.footage import VideoFrame
from triggers.times import NS_PER_S

THUMBNAIL_WIDTH = 320
PREVIEW_WIDTH = 384
MAX_HEIGHT_RATIO = 4
PREVIEW_INTERVAL_NS = NS_PER_S // 10
"""A preview has at most ten pictures per second."""
QUALITY = 30
"""x264's constant rate factor, from 0 (lossless) to 51."""
MIN_BITS_PER_S = 20_000
TICKS_PER_SECOND = 90_000
_INTERPOLATION = "AREA"
"""The cheapest way of scaling down that does not alias."""


@dataclass
class Budget:
    """What the previews of a clip may still use: bytes in the store, and pixels to decode."""

    left_bytes: int
    cameras: int
    left_pixels: int = field(default_factory=lambda: MAX_CLIP_PIXELS)

    def share_bytes(self) -> int:
        """The next camera's share of what is left."""
        return max(0, self.left_bytes) // max(1, self.cameras)


@dataclass(frozen=True)
class PreviewFiles:
    """Where to write: the thumbnail of the first camera (None: not wanted), and the preview."""

    thumbnail: Path | None
    preview: Path


@dataclass(frozen=True, slots=True)
class First:
    """The first picture of a preview: its time, and its width and height in pixels before it was made smaller."""

    t_ns: int
    width: int
    height: int


def write_previews(
    files: PreviewFiles, frames: Sequence[VideoFrame], camera: str, budget: Budget, remarks: list[Remark]
) -> First | None:
    """Write a camera's files, the preview with at most its share of the budget; returns the preview's first picture.

    None when nothing is written as the budget is used up. Damaged when no picture can be decoded. The previews of clips
    with many or large cameras show keyframes only: see MAX_CLIP_PIXELS.
    """
    chosen = decodable(frames, camera, remarks)
    if budget.left_pixels <= 0:
        detail = f"the preview of camera {camera}: other cameras have {MAX_CLIP_PIXELS} pixels already"
        remarks.append(Remark("asset_left_out", detail))
        return None
    pictures = _affordable(chosen, camera, budget)
    seconds = max(1.0, (chosen[-1].t_ns - chosen[0].t_ns) / NS_PER_S)
    first = _write(files, pictures, _Rate(budget.share_bytes(), seconds), camera)
    if first is None:
        raise Damaged("video_undecodable", f"camera {camera}: no picture in {len(chosen)} {chosen[0].codec} frames")
    if pictures.undecodable:
        detail = f"camera {camera}: {pictures.undecodable} of {len(chosen)} frames cannot be decoded"
        remarks.append(Remark("video_frames_undecodable", detail, pictures.undecodable))
    return first


def _affordable(frames: Sequence[VideoFrame], camera: str, budget: Budget) -> Pictures:
    """All pictures, or only those of keyframes where all would be too much work; at least one, as the budget allows."""
    pictures = Pictures(frames, camera)
    first = pictures.first()
    pixels = 1 if first is None else first.width * first.height
    most = max(1, budget.left_pixels // max(1, budget.cameras) // pixels)
    chosen = frames if len(frames) <= most else [frame for frame in frames if frame.keyframe]
    if len(chosen) > most:
        step = -(-len(chosen) // most)
        chosen = chosen[::step]
    budget.left_pixels -= len(chosen) * pixels
    if chosen is not frames:  # a pass of its own, after the one that told the size
        budget.left_pixels -= pixels
        pictures = Pictures(chosen, camera)
    return pictures


@dataclass(frozen=True)
class _Rate:
    """The bytes that a camera's files may have, and the seconds that its preview lasts."""

    limit_bytes: int
    seconds: float

    def options(self, thumbnail_bytes: int) -> str:
        """x264's limits on the bits per second, and on how many come at once, with room for the file's index."""
        bits = max(0, self.limit_bytes - thumbnail_bytes) * 8 * 0.8
        kilobits = max(MIN_BITS_PER_S, int(bits / self.seconds)) // 1000
        buffer = max(1, int(kilobits * min(1.0, self.seconds / 4)))
        return f"vbv-maxrate={kilobits}:vbv-bufsize={buffer}:bframes=0"


def _write(files: PreviewFiles, pictures: Pictures, rate: _Rate, camera: str) -> First | None:
    """Write both files; returns the preview's first picture, None if there is none."""
    first = None
    due_ns = None
    preview = None
    try:
        for t_ns, picture in pictures:
            if due_ns is not None and t_ns < due_ns:
                continue
            if preview is None:
                first = First(t_ns, picture.width, picture.height)
                thumbnail_bytes = 0 if files.thumbnail is None else files.thumbnail.write_bytes(jpeg(picture))
                preview = _Preview(files.preview, picture, t_ns, rate.options(thumbnail_bytes))
            preview.add(t_ns, picture)
            due_ns = t_ns + PREVIEW_INTERVAL_NS if due_ns is None else _next_due(due_ns, t_ns)
    except MemoryError:
        raise
    except av.error.FFmpegError as error:
        raise Damaged("video_undecodable", f"camera {camera}: {error}") from error
    finally:
        if preview is not None:
            preview.close()
    return first


def _next_due(due_ns: int, t_ns: int) -> int:
    """The next point of the grid after `t_ns`."""
    return due_ns + PREVIEW_INTERVAL_NS * (1 + (t_ns - due_ns) // PREVIEW_INTERVAL_NS)


class _Preview:
    """The MP4 while it is written; all pictures get the size of the first one."""

    def __init__(self, path: Path, first: av.VideoFrame, start_ns: int, limits: str) -> None:
        width, height = scaled(first, PREVIEW_WIDTH)
        self._output = av.open(str(path), "w", format="mp4", options={"movflags": "faststart"})
        stream: Any = self._output.add_stream("libx264", rate=NS_PER_S // PREVIEW_INTERVAL_NS)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.codec_context.time_base = Fraction(1, TICKS_PER_SECOND)
        stream.codec_context.thread_count = 1
        stream.codec_context.gop_size = 10
        stream.codec_context.options = {"preset": "ultrafast", "crf": str(QUALITY), "x264-params": limits}
        self._stream = stream
        self._scaler = VideoReformatter()
        self._start_ns = start_ns
        self._last = -1

    def add(self, t_ns: int, picture: av.VideoFrame) -> None:
        """Encode a picture at its own time."""
        small = _small(self._scaler, picture, self._stream.width, self._stream.height, "yuv420p")
        ticks = (t_ns - self._start_ns) * TICKS_PER_SECOND // NS_PER_S
        small.pts = self._last = max(self._last + 1, ticks)
        small.time_base = Fraction(1, TICKS_PER_SECOND)
        self._output.mux(self._stream.encode(small))

    def close(self) -> None:
        """Write what the encoder still holds, and the file's index."""
        try:
            self._output.mux(self._stream.encode(None))
        finally:
            self._output.close()


def jpeg(picture: av.VideoFrame) -> bytes:
    """The picture as a JPEG, at most THUMBNAIL_WIDTH pixels wide."""
    width, height = scaled(picture, THUMBNAIL_WIDTH)
    small = _small(VideoReformatter(), picture, width, height, "yuvj420p")
    encoder: Any = av.CodecContext.create("mjpeg", "w")
    encoder.width, encoder.height, encoder.pix_fmt = width, height, "yuvj420p"
    encoder.time_base = Fraction(1, 25)
    encoder.thread_count = 1
    small.pts, small.time_base = 0, encoder.time_base
    return b"".join(bytes(packet) for packet in [*encoder.encode(small), *encoder.encode(None)])


def scaled(picture: av.VideoFrame, width: int) -> tuple[int, int]:
    """Width and height, both even, of the picture at this width; never larger than it is, never extremely tall."""
    width = min(width, max(2, picture.width // 2 * 2))
    height = width * picture.height // picture.width // 2 * 2
    return width, min(max(height, 2), MAX_HEIGHT_RATIO * width)


def _small(scaler: VideoReformatter, picture: av.VideoFrame, width: int, height: int, pixels: str) -> av.VideoFrame:
    """The picture at this size. A scaler keeps its tables for the next picture, which cost more than scaling one."""
    small = scaler.reformat(picture, width, height, pixels, interpolation=_INTERPOLATION, threads=1)
    small.pict_type = 0
    return small
