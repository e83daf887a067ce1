"""The writer of clips (MCAP files, https://mcap.dev/spec): signals, lists, cameras, and the manifest as metadata.

Equal input gives equal bytes: messages are ordered by (time, channel), channels by their topics, and nothing depends on
the wall clock or on a library's version string. The manifest is in the metadata record `longtail.recording` under the
key `manifest`, as canonical JSON. A file cannot state which share of its own size each fire is charged, so the fires in
it have `charged_bytes` 0; the charges are in the manifest that goes to the gateway.
"""

from __future__ import annotations

import contextlib
import heapq
import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from mcap.writer import CompressionType, Writer

from triggers.clips.footage import Footage
from triggers.clips.messages import objects, schemas
from triggers.contracts.clip import RecordingManifest

PROFILE = ""
LIBRARY = "longtail"
CHUNK_BYTES = 1024 * 1024
MANIFEST_RECORD = "longtail.recording"
MANIFEST_KEY = "manifest"
SIGNAL_TOPICS = "/signals/"
CAMERA_TOPICS = "/cameras/"
PARTIAL_SUFFIX = ".partial"


def write_clip(path: Path, manifest: RecordingManifest, footage: Footage) -> None:
    """Write a clip durably: the file gets its name only once every byte is on disk. Raises OSError if writing fails."""
    partial = path.with_name(path.name + PARTIAL_SUFFIX)
    try:
        with partial.open("wb") as file:
            write_mcap(file, manifest, footage)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    except OSError:
        with contextlib.suppress(OSError):
            partial.unlink(missing_ok=True)
        raise
    fsync_directory(path.parent)


def fsync_directory(directory: Path) -> None:
    """Make renames and removals in a directory survive a power cut."""
    handle = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_mcap(file: BinaryIO, manifest: RecordingManifest, footage: Footage) -> None:
    """Write the MCAP bytes of a clip."""
    writer = Writer(file, chunk_size=CHUNK_BYTES, compression=CompressionType.ZSTD, enable_data_crcs=True)
    writer.start(profile=PROFILE, library=LIBRARY)
    writer.add_metadata(MANIFEST_RECORD, {MANIFEST_KEY: uncharged(manifest).canonical_json().decode()})
    sequences: dict[int, int] = {}
    for t_ns, channel, data in heapq.merge(*_channels(writer, footage), key=lambda message: message[:2]):
        sequences[channel] = sequence = sequences.get(channel, 0) + 1
        writer.add_message(channel_id=channel, log_time=t_ns, data=data, publish_time=t_ns, sequence=sequence)
    writer.finish()  # type: ignore[no-untyped-call]


def uncharged(manifest: RecordingManifest) -> RecordingManifest:
    """The manifest as it is in the file: without charges."""
    fires = tuple(fire.model_copy(update={"charged_bytes": 0}) for fire in manifest.fires)
    return manifest.model_copy(update={"fires": fires})


def _channels(writer: Writer, footage: Footage) -> list[Iterator[tuple[int, int, bytes]]]:
    """Register the channels of the footage; one stream of (time, channel, message) for each of them."""
    streams = []
    if footage.cameras:
        schema = writer.register_schema(schemas.VIDEO_SCHEMA, schemas.ENCODING, schemas.video_descriptor())
        for camera in sorted(footage.cameras):
            channel = writer.register_channel(CAMERA_TOPICS + camera, schemas.ENCODING, schema)
            streams.append(_frames(footage, camera, channel))
    if footage.signals:
        schema = writer.register_schema(schemas.SAMPLE_SCHEMA, schemas.ENCODING, schemas.sample_descriptor())
        for signal in sorted(footage.signals):
            channel = writer.register_channel(SIGNAL_TOPICS + signal, schemas.ENCODING, schema)
            streams.append(_samples(footage, signal, channel))
    if footage.objects:
        schema = writer.register_schema(objects.OBJECTS_SCHEMA, schemas.ENCODING, objects.objects_descriptor())
        for name in sorted(footage.objects):
            metadata = objects.channel_metadata(footage.objects[name].names)
            channel = writer.register_channel(SIGNAL_TOPICS + name, schemas.ENCODING, schema, metadata)
            streams.append(_lists(footage, name, channel))
    return streams


def _frames(footage: Footage, camera: str, channel: int) -> Iterator[tuple[int, int, bytes]]:
    for frame in footage.cameras[camera]:
        yield frame.t_ns, channel, schemas.encode_frame(camera, frame)


def _lists(footage: Footage, name: str, channel: int) -> Iterator[tuple[int, int, bytes]]:
    samples = footage.objects[name]
    for t_ns, message in zip(samples.times_ns, samples.messages, strict=True):
        yield t_ns, channel, message


def _samples(footage: Footage, signal: str, channel: int) -> Iterator[tuple[int, int, bytes]]:
    samples = footage.signals[signal]
    for t_ns, value in zip(samples.times_ns, samples.values, strict=True):
        yield t_ns, channel, schemas.encode_sample(value)
