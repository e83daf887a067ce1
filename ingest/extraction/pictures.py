"""The pictures of a camera, decoded from its frames whatever their codec, within a bound on the work."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Any

import av
import av.error

from triggers.clips.codecs import CODECS
from triggers.clips.damage import Damaged, Remark
from triggers.clips.footage import VideoFrame

DECODERS = {
    "h264": "h264",
    "h265": "hevc",
    "hevc": "hevc",
    "vp9": "vp9",
    "av1": "libdav1d",
    "jpeg": "mjpeg",
    "jpg": "mjpeg",
    "mjpeg": "mjpeg",
    "png": "png",
    "webp": "webp",
}
"""FFmpeg's decoder of each codec in `triggers.clips.codecs.CODECS`."""
MAX_PICTURE_PIXELS = 8192 * 8192
MAX_CLIP_PIXELS = 2_000_000_000
"""All pictures of a clip's previews: some seconds of decoding. Beyond that only keyframes are decoded."""


def decodable(frames: Sequence[VideoFrame], camera: str, remarks: list[Remark]) -> Sequence[VideoFrame]:
    """The frames from the first keyframe on, without empty ones. Damaged when none can be decoded."""
    frames = _of_known_codecs(frames, camera, remarks)
    codec = frames[0].codec
    empty = sum(1 for frame in frames if not frame.data)
    if empty:
        detail = f"camera {camera}: {empty} of {len(frames)} frames are empty"
        remarks.append(Remark("video_frames_undecodable", detail, empty))
    filled = [frame for frame in frames if frame.data]
    first = next((index for index, frame in enumerate(filled) if frame.keyframe), None)
    if first is None:
        raise Damaged("video_without_keyframe", f"camera {camera} has {len(frames)} {codec} frames and no keyframe")
    if first:
        detail = f"camera {camera}: {first} of {len(frames)} frames are before its first keyframe"
        remarks.append(Remark("video_frames_undecodable", detail, first))
    return filled[first:]


def _of_known_codecs(frames: Sequence[VideoFrame], camera: str, remarks: list[Remark]) -> Sequence[VideoFrame]:
    """The frames that a decoder is known for, the others are told. Damaged if there are none."""
    known = [frame for frame in frames if frame.codec in CODECS]
    if len(known) < len(frames):
        unknown = next(frame.codec for frame in frames if frame.codec not in CODECS)
        if not known:
            raise Damaged("video_codec_unsupported", f"{unknown[:40]}: the format of the frames of camera {camera}")
        left_out = len(frames) - len(known)
        detail = f"{unknown[:40]}: the format of {left_out} of {len(frames)} frames of camera {camera}"
        remarks.append(Remark("video_codec_unsupported", detail, left_out))
    return known


class Pictures:
    """One pass over a camera's pictures, in order of time, each with the time of its frame in ns."""

    def __init__(self, frames: Sequence[VideoFrame], camera: str) -> None:
        """`frames` are decodable: they begin with a keyframe."""
        self.undecodable = 0
        self._frames = frames
        self._camera = camera
        self._pass = self._decoded()

    def __iter__(self) -> Iterator[tuple[int, av.VideoFrame]]:
        """Frames that cannot be decoded are counted. Damaged if a picture is too large."""
        return self._pass

    def first(self) -> av.VideoFrame | None:
        """The first picture, which the pass still gives; None if there is none. Damaged if it is too large."""
        for timed in self._pass:
            self._pass = chain([timed], self._pass)
            return timed[1]
        return None

    def _decoded(self) -> Iterator[tuple[int, av.VideoFrame]]:
        codec = ""
        decoder: Any = None
        for number, frame in enumerate(self._frames):
            if decoder is None or frame.codec != codec:
                yield from self._timed(decoder, None, 0)
                codec, decoder = frame.codec, self._opened(frame.codec)
            packet = av.Packet(frame.data)
            packet.pts = packet.dts = number
            yield from self._timed(decoder, packet, number)
        yield from self._timed(decoder, None, len(self._frames) - 1)

    def _opened(self, codec: str) -> Any:
        decoder: Any = av.CodecContext.create(DECODERS[codec], "r")
        # One thread: the worker's cores belong to its other clips, and no thread may outlive a decoder's crash.
        decoder.thread_count = 1
        decoder.options = {"max_pixels": str(MAX_PICTURE_PIXELS)}
        return decoder

    def _timed(self, decoder: Any, packet: Any, number: int) -> Iterator[tuple[int, av.VideoFrame]]:
        if decoder is None:
            return
        try:
            decoded = decoder.decode(packet)
        except MemoryError:  # FFmpeg's is one of its errors too, but says nothing about the frame
            raise
        except av.error.FFmpegError:
            self.undecodable += 1 if packet is not None else 0
            return
        for picture in decoded:
            if picture.width * picture.height > MAX_PICTURE_PIXELS:
                raise Damaged("video_too_large", f"camera {self._camera}: {picture.width} x {picture.height} pixels")
            at = picture.pts if picture.pts is not None else number
            yield self._frames[min(max(at, 0), len(self._frames) - 1)].t_ns, picture
