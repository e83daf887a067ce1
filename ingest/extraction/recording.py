"""Reads a clip's MCAP file (https://mcap.dev/spec): the manifest in it, samples by signal, frames by camera."""

from __future__ import annotations

from array import array
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

import numpy as np
from mcap.reader import McapReader, make_reader
from numpy.typing import NDArray

from ingest.extraction.damage import Damaged
from triggers.clips import schemas as mcap_schemas
from triggers.clips.footage import VideoFrame
from triggers.clips.writer import CAMERA_TOPICS, MANIFEST_KEY, MANIFEST_RECORD, SIGNAL_TOPICS
from triggers.contracts.clip import Fire, RecordingManifest
from triggers.errors import InvalidInput

MAX_SAMPLES = 50_000_000


@dataclass
class SignalSamples:
    """Samples of one signal in the order of the file."""

    times_ns: array[int] = field(default_factory=lambda: array("q"))
    values: array[float] = field(default_factory=lambda: array("d"))

    def in_order(self) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Times (ns, strictly rising) and values; of several samples at one time the last of the file counts."""
        times = np.frombuffer(self.times_ns, dtype=np.int64)
        values = np.frombuffer(self.values, dtype=np.float64)
        order = np.argsort(times, kind="stable")
        times, values = times[order], values[order]
        last = np.append(times[1:] != times[:-1], True)[: len(times)]
        return times[last], values[last]


@dataclass
class ClipFile:
    """Everything of a clip's file that is extracted."""

    signals: dict[str, SignalSamples]
    cameras: dict[str, list[VideoFrame]]


def read(path: Path, expected: RecordingManifest) -> ClipFile:
    """The file's content; Damaged when it is not MCAP, or not of the recording that the vehicle announced."""
    try:
        with path.open("rb") as file:
            reader = _reader(file)
            _check_manifest(_embedded(reader), expected)
            return _content(reader, expected)
    except (Damaged, MemoryError):
        raise
    except InvalidInput as error:
        raise Damaged("message_unreadable", error.message) from error
    except Exception as error:  # whatever a parser raises over a hostile file is the file's fault
        raise Damaged("mcap_unreadable", f"the file cannot be read as MCAP: {error!r}") from error


def _reader(file: BinaryIO) -> McapReader:
    return make_reader(file, validate_crcs=True)


def _embedded(reader: McapReader) -> RecordingManifest:
    records = [record.metadata for record in reader.iter_metadata() if record.name == MANIFEST_RECORD]
    if len(records) != 1 or MANIFEST_KEY not in records[0]:
        raise Damaged("manifest_missing", f"the file has {len(records)} metadata records {MANIFEST_RECORD}, not one")
    try:
        return RecordingManifest.from_json(records[0][MANIFEST_KEY].encode(), what="the manifest in the file")
    except InvalidInput as error:
        raise Damaged("manifest_unreadable", error.message) from error


def _check_manifest(embedded: RecordingManifest, expected: RecordingManifest) -> None:
    """The two must tell of the same recording; charges are not known when a file is written."""
    for name in ("vehicle_id", "recording_id", "start_ns", "end_ns"):
        in_file, announced = getattr(embedded, name), getattr(expected, name)
        if in_file != announced:
            raise Damaged("manifest_mismatch", f"{name} is {in_file!r} in the file, {announced!r} in the upload")
    if _uncharged(embedded) != _uncharged(expected):
        raise Damaged("manifest_mismatch", "the fires in the file are not those of the upload")


def _uncharged(manifest: RecordingManifest) -> list[Fire]:
    fires = [fire.model_copy(update={"charged_bytes": 0}) for fire in manifest.fires]
    return sorted(fires, key=lambda fire: (fire.campaign, fire.version, fire.ordinal))


def _content(reader: McapReader, expected: RecordingManifest) -> ClipFile:
    clip = ClipFile({name: SignalSamples() for name in expected.signals}, {name: [] for name in expected.cameras})
    count = 0
    for _, channel, message in reader.iter_messages(log_time_order=False):
        count += 1
        if count > MAX_SAMPLES:
            raise Damaged("too_many_messages", f"the file has more than {MAX_SAMPLES} messages")
        if channel.topic.startswith(SIGNAL_TOPICS):
            samples = clip.signals.get(channel.topic.removeprefix(SIGNAL_TOPICS))
            if samples is not None:
                samples.times_ns.append(message.log_time)
                samples.values.append(mcap_schemas.decode_sample(message.data))
                continue
        elif channel.topic.startswith(CAMERA_TOPICS):
            frames = clip.cameras.get(channel.topic.removeprefix(CAMERA_TOPICS))
            if frames is not None:
                frames.append(mcap_schemas.decode_frame(message.log_time, message.data))
                continue
        raise Damaged("manifest_mismatch", f"the manifest does not list the channel {channel.topic[:100]!r}")
    for frames in clip.cameras.values():
        frames.sort(key=lambda frame: frame.t_ns)
    return clip
