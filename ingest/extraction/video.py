"""Thumbnail (JPEG) and preview (MP4, not re-encoded) of a camera, from its H.264 access units (Annex B)."""

from __future__ import annotations

import io
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import av.error

from triggers.clips.damage import Damaged
from triggers.clips.footage import VideoFrame
from triggers.times import NS_PER_S

THUMBNAIL_WIDTH = 320
MAX_THUMBNAIL_HEIGHT = 1280
FRAMES_TO_TRY = 30
"""How many access units the decoder may take before it yields the first picture."""
TICKS_PER_SECOND = 90_000


def from_first_keyframe(frames: Sequence[VideoFrame], camera: str) -> Sequence[VideoFrame]:
    """The frames that can be decoded; Damaged when there are frames but no keyframe."""
    first = next((index for index, frame in enumerate(frames) if frame.keyframe), None)
    if first is None:
        raise Damaged("video_without_keyframe", f"camera {camera} has {len(frames)} frames and no keyframe")
    return frames[first:]


def write_thumbnail(path: Path, frames: Sequence[VideoFrame], camera: str) -> None:
    """Write the first picture as a JPEG, THUMBNAIL_WIDTH pixels wide. Damaged when none can be decoded."""
    try:
        picture = _first_picture(frames)
        if picture is None:
            raise Damaged("video_undecodable", f"camera {camera}: no picture in its first {FRAMES_TO_TRY} frames")
        height = THUMBNAIL_WIDTH * picture.height // picture.width // 2 * 2
        small = picture.reformat(
            width=THUMBNAIL_WIDTH, height=min(max(height, 2), MAX_THUMBNAIL_HEIGHT), format="yuvj420p"
        )
        encoder = av.CodecContext.create("mjpeg", "w")
        encoder.width, encoder.height, encoder.pix_fmt = small.width, small.height, "yuvj420p"
        encoder.time_base = Fraction(1, 25)
        small.pts = 0
        small.time_base = encoder.time_base
        packets = [*encoder.encode(small), *encoder.encode(None)]
        path.write_bytes(b"".join(bytes(packet) for packet in packets))
    except av.error.FFmpegError as error:
        raise Damaged("video_undecodable", f"camera {camera}: {error}") from error


def _first_picture(frames: Sequence[VideoFrame]) -> av.VideoFrame | None:
    decoder = av.CodecContext.create("h264", "r")
    decoder.thread_count = 1
    for frame in frames[:FRAMES_TO_TRY]:
        for picture in decoder.decode(av.Packet(frame.data)):
            return picture
    for picture in decoder.decode(None):
        return picture
    return None


def write_preview(path: Path, frames: Sequence[VideoFrame], camera: str) -> None:
    """Write the access units unchanged into an MP4, with their own times. Damaged when they are not a video."""
    try:
        with (
            av.open(io.BytesIO(frames[0].data), format="h264") as template,
            av.open(str(path), "w", format="mp4", options={"movflags": "faststart"}) as output,
        ):
            stream = output.add_stream_from_template(template.streams.video[0])
            stream.time_base = Fraction(1, TICKS_PER_SECOND)
            previous = -1
            for frame in frames:
                ticks = max(previous + 1, (frame.t_ns - frames[0].t_ns) * TICKS_PER_SECOND // NS_PER_S)
                packet = av.Packet(frame.data)
                packet.pts = packet.dts = previous = ticks
                packet.time_base = stream.time_base
                packet.stream = stream
                packet.is_keyframe = frame.keyframe
                output.mux(packet)
    except (av.error.FFmpegError, IndexError) as error:
        raise Damaged("video_unreadable", f"camera {camera}: {error}") from error
