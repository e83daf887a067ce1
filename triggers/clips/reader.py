"""Reads back a clip that this vehicle wrote, so that it can be cut again for fewer fires."""

from __future__ import annotations

import struct
from array import array
from pathlib import Path

import zstandard
from mcap.exceptions import McapError
from mcap.reader import make_reader

from triggers.clips import schemas
from triggers.clips.footage import Footage, Samples, VideoFrame
from triggers.clips.writer import CAMERA_TOPICS, MANIFEST_KEY, MANIFEST_RECORD, SIGNAL_TOPICS
from triggers.contracts.clip import RecordingManifest
from triggers.errors import InvalidInput


def read_clip(path: Path) -> tuple[RecordingManifest, Footage]:
    """The manifest (without charges) and the footage of a clip; InvalidInput where the file is damaged."""
    try:
        with path.open("rb") as file:
            reader = make_reader(file, validate_crcs=True)
            manifest = _manifest({record.name: record.metadata for record in reader.iter_metadata()}, path)
            signals = {name: Samples(array("q"), array("d")) for name in manifest.signals}
            cameras: dict[str, list[VideoFrame]] = {name: [] for name in manifest.cameras}
            for _, channel, message in reader.iter_messages():
                if channel.topic.startswith(SIGNAL_TOPICS):
                    samples = signals[channel.topic.removeprefix(SIGNAL_TOPICS)]
                    samples.times_ns.append(message.log_time)
                    samples.values.append(schemas.decode_sample(message.data))
                else:
                    frames = cameras[channel.topic.removeprefix(CAMERA_TOPICS)]
                    frames.append(schemas.decode_frame(message.log_time, message.data))
    except (McapError, zstandard.ZstdError, struct.error, ValueError, KeyError, EOFError) as error:
        raise InvalidInput(f"the clip {path.name} cannot be read back: {error!r}") from error
    footage = Footage(
        manifest.start_ns, manifest.end_ns, signals, {name: tuple(frames) for name, frames in cameras.items()}
    )
    return manifest, footage


def _manifest(metadata: dict[str, dict[str, str]], path: Path) -> RecordingManifest:
    text = metadata[MANIFEST_RECORD][MANIFEST_KEY]
    return RecordingManifest.from_json(text.encode(), what=f"the manifest in {path.name}")
