"""Video files as the H.264 frames that a vehicle's camera would deliver: Annex B, no B-frames.

Video that already has that form (apart from MP4's length prefixes) is passed on bit for bit; anything else is encoded
again, with a keyframe every second.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
from av.bitstream import BitStreamFilterContext

from triggers.clips.codecs import is_keyframe
from triggers.clips.footage import VideoFrame
from triggers.errors import InvalidInput, Misconfigured
from triggers.times import NS_PER_S

ENCODERS = ("libx264", "libopenh264")
DEFAULT_RATE_HZ = 25


def video_frames(path: Path, offset_ns: int = 0) -> Iterator[VideoFrame]:
    """The frames of a video in order of time; the first one is at `offset_ns`.

    Raises InvalidInput if the file is not a readable video. Memory is bounded by a few frames.
    """
    try:
        as_it_is = _is_ready(path)
        with av.open(path) as container:
            stream = _video_stream(container, path)
            packets = _repackaged(container, stream) if as_it_is else _encoded_again(container, stream)
            start = None
            for data, seconds in packets:
                start = seconds if start is None else start
                yield VideoFrame(offset_ns + round((seconds - start) * NS_PER_S), is_keyframe(data), data)
    except (av.FFmpegError, OSError) as error:
        raise InvalidInput(f"{path}: not a readable video ({error})") from error


def _video_stream(container: Any, path: Path) -> Any:
    if not container.streams.video:
        raise InvalidInput(f"{path}: has no video")
    return container.streams.video[0]


def _is_ready(path: Path) -> bool:
    """Whether it is H.264 whose frames are shown in coding order (no B-frames)."""
    with av.open(path) as container:
        stream = _video_stream(container, path)
        if stream.codec_context.name != "h264":
            return False
        latest = None
        for packet in container.demux(stream):
            if packet.dts is None:
                continue
            if packet.pts is None or (latest is not None and packet.pts <= latest):
                return False
            latest = packet.pts
    return latest is not None


def _repackaged(container: Any, stream: Any) -> Iterator[tuple[bytes, Fraction]]:
    """Access units with start codes, and parameter sets before each keyframe."""
    annex_b = BitStreamFilterContext("h264_mp4toannexb", stream)
    for packet in container.demux(stream):
        if packet.dts is None:
            continue
        seconds = Fraction(packet.pts) * Fraction(stream.time_base)
        for filtered in annex_b.filter(packet):
            yield bytes(filtered), seconds


def _encoded_again(container: Any, stream: Any) -> Iterator[tuple[bytes, Fraction]]:
    """The video encoded again: no B-frames, no delay, a keyframe every second."""
    rate = Fraction(stream.average_rate or DEFAULT_RATE_HZ)
    encoder = _encoder()
    encoder.width, encoder.height = stream.codec_context.width, stream.codec_context.height
    encoder.pix_fmt = "yuv420p"
    encoder.framerate = rate
    encoder.time_base = stream.time_base
    encoder.gop_size = max(1, round(rate))
    encoder.max_b_frames = 0
    encoder.thread_count = 1
    if encoder.name == "libx264":
        encoder.options = {"tune": "zerolatency", "preset": "veryfast"}
    for frame in container.decode(stream):
        plain = frame.reformat(format="yuv420p")
        plain.pts, plain.time_base = frame.pts, stream.time_base
        plain.pict_type = 0
        yield from _timed(encoder.encode(plain), stream.time_base)
    yield from _timed(encoder.encode(None), stream.time_base)


def _timed(packets: Any, time_base: Fraction) -> Iterator[tuple[bytes, Fraction]]:
    for packet in packets:
        yield bytes(packet), Fraction(packet.pts) * Fraction(packet.time_base or time_base)


def _encoder() -> Any:
    for name in ENCODERS:
        if name in av.codecs_available:
            return av.CodecContext.create(name, "w")
    raise Misconfigured(
        "PyAV has no H.264 encoder, and this video needs to be encoded again",
        remedy="install the `av` wheel from PyPI, which has libx264",
    )
