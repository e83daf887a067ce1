"""The reader of clips (MCAP files, https://mcap.dev/spec): the manifest, samples by signal, frames by camera.

This is the only reader of the format: a vehicle uses it to cut its own clip again, and extraction uses it on hostile
bytes. Therefore anything that a parser raises because of the bytes is reported as damage, with a stable reason.
"""

from __future__ import annotations

import errno
from array import array
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from mcap.reader import McapReader, make_reader

from triggers.clips import schemas
from triggers.clips.damage import Damaged
from triggers.clips.footage import Footage, Samples, VideoFrame
from triggers.clips.writer import CAMERA_TOPICS, MANIFEST_KEY, MANIFEST_RECORD, SIGNAL_TOPICS, uncharged
from triggers.contracts.clip import Fire, RecordingManifest
from triggers.errors import InvalidInput

MAX_MESSAGES = 50_000_000


@dataclass(frozen=True)
class ClipFile:
    """Everything in a clip's file; the manifest is the file's own, without charges."""

    manifest: RecordingManifest
    footage: Footage


def read_clip(path: Path, announced: RecordingManifest | None = None) -> ClipFile:
    """The content of a clip's file, samples and frames in order of time; of several samples at the same time, the last.

    `announced` is the manifest that the vehicle sent to the gateway: the file must be of the same recording and may
    only hold the signals and cameras that it lists. Raises Damaged if the file violates its format or this manifest,
    and OSError if it cannot be opened or the disk fails.
    """
    with path.open("rb") as file:
        try:
            reader = make_reader(file, validate_crcs=True)
            embedded = _embedded_manifest(reader)
            if announced is not None:
                _require_same_recording(embedded, announced)
            return ClipFile(embedded, _footage(reader, announced or embedded))
        except (Damaged, MemoryError):
            raise
        except InvalidInput as error:
            raise Damaged("message_unreadable", error.message) from error
        except Exception as error:
            # EINVAL comes from the parser seeking to an offset in a damaged file; other OSErrors come from the disk.
            if isinstance(error, OSError) and error.errno != errno.EINVAL:
                raise
            raise Damaged("mcap_unreadable", f"the file cannot be read as MCAP: {error!r}") from error


def _embedded_manifest(reader: McapReader) -> RecordingManifest:
    records = [record.metadata for record in reader.iter_metadata() if record.name == MANIFEST_RECORD]
    if len(records) != 1 or MANIFEST_KEY not in records[0]:
        raise Damaged("manifest_missing", f"the file has {len(records)} metadata records {MANIFEST_RECORD}, not one")
    try:
        return RecordingManifest.from_json(records[0][MANIFEST_KEY].encode(), what="the manifest in the file")
    except InvalidInput as error:
        raise Damaged("manifest_unreadable", error.message) from error


def _require_same_recording(embedded: RecordingManifest, announced: RecordingManifest) -> None:
    """Both must describe the same recording, apart from the charges, which are not yet known when a file is written."""
    for name in ("vehicle_id", "recording_id", "start_ns", "end_ns"):
        in_file, in_upload = getattr(embedded, name), getattr(announced, name)
        if in_file != in_upload:
            raise Damaged("manifest_mismatch", f"{name} is {in_file!r} in the file, {in_upload!r} in the upload")
    if _fires_by_identity(embedded) != _fires_by_identity(announced):
        raise Damaged("manifest_mismatch", "the fires in the file are not those of the upload")


def _fires_by_identity(manifest: RecordingManifest) -> list[Fire]:
    return sorted(uncharged(manifest).fires, key=lambda fire: fire.key)


def _footage(reader: McapReader, listed: RecordingManifest) -> Footage:
    signals = {name: Samples(array("q"), array("d")) for name in listed.signals}
    cameras: dict[str, list[VideoFrame]] = {name: [] for name in listed.cameras}
    # Not sorted by the library: for a hostile file with overlapping chunks it would hold all of them in memory.
    for number, (_, channel, message) in enumerate(reader.iter_messages(log_time_order=False)):
        if number == MAX_MESSAGES:
            raise Damaged("too_many_messages", f"the file has more than {MAX_MESSAGES} messages")
        topic = channel.topic
        samples = signals.get(topic.removeprefix(SIGNAL_TOPICS)) if topic.startswith(SIGNAL_TOPICS) else None
        frames = cameras.get(topic.removeprefix(CAMERA_TOPICS)) if topic.startswith(CAMERA_TOPICS) else None
        if samples is not None:
            samples.times_ns.append(message.log_time)
            samples.values.append(schemas.decode_sample(message.data))
        elif frames is not None:
            frames.append(schemas.decode_frame(message.log_time, message.data))
        else:
            raise Damaged("manifest_mismatch", f"the manifest does not list the channel {topic[:100]!r}")
    return Footage(
        listed.start_ns,
        listed.end_ns,
        {name: _in_order(samples) for name, samples in signals.items()},
        {name: tuple(sorted(frames, key=lambda frame: frame.t_ns)) for name, frames in cameras.items()},
    )


def _in_order(samples: Samples) -> Samples:
    """The samples with strictly ascending times; of several at the same time, the last one in the file counts."""
    times, values = samples.as_arrays()
    if np.all(times[1:] > times[:-1]):  # what our own writer wrote
        return samples
    order = np.argsort(times, kind="stable")
    times, values = times[order], values[order]
    last = np.append(times[1:] != times[:-1], True)
    return Samples(array("q", times[last].tobytes()), array("d", values[last].tobytes()))
