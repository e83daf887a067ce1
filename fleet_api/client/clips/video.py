"""The frames of one camera from a clip's MCAP file: by its chunk index, only the chunks that hold them travel."""

from __future__ import annotations

import io
from collections.abc import Iterator

from mcap.exceptions import McapError
from mcap.reader import SeekingReader

from fleet_api.client.clips.ranges import LinkedFile
from triggers.clips.footage import VideoFrame
from triggers.clips.messages.schemas import decode_frame
from triggers.clips.writer import CAMERA_TOPICS, CHUNK_BYTES
from triggers.errors import InvalidInput

MAX_RECORD_BYTES = 512 * 1024**2


def read_frames(
    file: LinkedFile, camera: str, *, first_ns: int | None = None, last_ns: int | None = None
) -> list[VideoFrame]:
    """The frames of a camera from `first_ns` to `last_ns`, and those before back to a keyframe, without which no
    decoder could begin. InvalidInput if the clip has no such camera, or its file cannot be read.
    """
    topic = CAMERA_TOPICS + camera
    try:
        reader = SeekingReader(io.BufferedReader(file, CHUNK_BYTES // 16), record_size_limit=MAX_RECORD_BYTES)
        summary = reader.get_summary()
        topics = [] if summary is None else [channel.topic for channel in summary.channels.values()]
        if topic not in topics:
            cameras = ", ".join(sorted(name.removeprefix(CAMERA_TOPICS) for name in topics if CAMERA_TOPICS in name))
            raise InvalidInput(f"the clip has no camera {camera!r}", remedy=f"its cameras are {cameras or 'none'}")
        lead_in = [] if first_ns is None else _back_to_a_keyframe(reader, topic, first_ns)
        return lead_in + list(_frames(reader, topic, first_ns, last_ns))
    except (McapError, EOFError, ValueError, KeyError) as error:
        raise InvalidInput(f"the clip's recording cannot be read ({str(error)[:200]})") from error


def _frames(
    reader: SeekingReader, topic: str, first_ns: int | None, last_ns: int | None, *, reverse: bool = False
) -> Iterator[VideoFrame]:
    before = None if last_ns is None else last_ns + 1
    messages = reader.iter_messages(topics=[topic], starting_at=first_ns, ending_before=before, reverse=reverse)
    for schema, _, message in messages:
        yield decode_frame(message.log_time, message.data, "" if schema is None else schema.name)


def _back_to_a_keyframe(reader: SeekingReader, topic: str, first_ns: int) -> list[VideoFrame]:
    """The frames before a time, from the last keyframe on; none if the first frame from that time on is one."""
    following = next(_frames(reader, topic, first_ns, None), None)
    if following is None or following.keyframe:
        return []
    frames: list[VideoFrame] = []
    for frame in _frames(reader, topic, None, first_ns - 1, reverse=True):
        frames.append(frame)
        if frame.keyframe:
            break
    return frames[::-1]
