"""A clip's file as docs/vehicle-clips.md describes it, written with the official MCAP and protobuf libraries."""

from __future__ import annotations

import io
import json
import math
from dataclasses import dataclass, field
from typing import Any

from foxglove_schemas_protobuf.CompressedVideo_pb2 import CompressedVideo
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from mcap.writer import CompressionType, Writer

MESSAGE_OVERHEAD_BYTES = 47
SAMPLE_MESSAGE_BYTES = 9
Fire = dict[str, Any]
Sample = tuple[int, float]
Frame = tuple[int, bool, bytes]
"""Time, whether it is a keyframe, and the access unit."""
Objects = list[tuple[int, dict[str, float]]]
"""A sample of a list: each object's key, and its fields by name."""


@dataclass
class Content:
    """What a clip holds: samples by signal and by list of objects, frames by camera, of a span."""

    start_ns: int
    end_ns: int
    signals: dict[str, list[Sample]] = field(default_factory=dict)
    cameras: dict[str, list[Frame]] = field(default_factory=dict)
    lists: dict[str, list[tuple[int, bytes]]] = field(default_factory=dict)
    """By list, times and messages."""
    fields: dict[str, list[str]] = field(default_factory=dict)
    """By list, the names of its fields, the key first."""
    held: list[str] = field(default_factory=list)
    """Signals whose first sample is what held at the start."""


def written(recording: dict[str, Any], content: Content) -> bytes:
    """The bytes of the file."""
    out = io.BytesIO()
    writer = Writer(out, chunk_size=1024 * 1024, compression=CompressionType.ZSTD, enable_data_crcs=True)
    writer.start(profile="", library="longtail")
    text = json.dumps(recording, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    writer.add_metadata("longtail.recording", {"manifest": text})
    messages: list[tuple[int, int, bytes]] = []
    if content.cameras:
        schema = writer.register_schema("foxglove.CompressedVideo", "protobuf", _video_schema())
        for camera in sorted(content.cameras):
            channel = writer.register_channel(f"/cameras/{camera}", "protobuf", schema)
            messages += [(t_ns, channel, _video(camera, t_ns, data)) for t_ns, _, data in content.cameras[camera]]
    if content.signals:
        schema = writer.register_schema("longtail.Sample", "protobuf", _SAMPLE_SCHEMA)
        for signal in sorted(content.signals):
            channel = writer.register_channel(f"/signals/{signal}", "protobuf", schema)
            messages += [(t_ns, channel, _sample(value)) for t_ns, value in content.signals[signal]]
    if content.lists:
        schema = writer.register_schema("longtail.Objects", "protobuf", _OBJECTS_SCHEMA)
        for name in sorted(content.lists):
            key, *fields = content.fields[name]
            metadata = {"key": key, "fields": ",".join(fields)}
            channel = writer.register_channel(f"/signals/{name}", "protobuf", schema, metadata)
            messages += [(t_ns, channel, message) for t_ns, message in content.lists[name]]
    numbers: dict[int, int] = {}
    for t_ns, channel, data in sorted(messages, key=lambda message: message[:2]):
        numbers[channel] = numbers.get(channel, 0) + 1
        writer.add_message(channel, t_ns, data, t_ns, sequence=numbers[channel])
    writer.finish()  # type: ignore[no-untyped-call]
    return out.getvalue()


def charges(
    fires: list[dict[str, Any]], captures: list[dict[str, Any]], content: Content, size_bytes: int
) -> list[int]:
    """What each fire pays, in the order of the manifest: the first k fires pay the share of their own recording."""
    weights = [_weight(content, fires[: k + 1], captures[: k + 1]) for k in range(len(fires))]
    weights[-1] = max(1, _weight(content, fires, captures, everything=True))
    if weights[-1] == 1:
        weights = [1] * len(fires)
    due = [size_bytes * weight // weights[-1] for weight in weights]
    return [after - before for before, after in zip([0, *due], due, strict=False)]


def _weight(content: Content, fires: list[Fire], captures: list[dict[str, Any]], *, everything: bool = False) -> int:
    start_ns = min(fire["window_start_ns"] for fire in fires)
    end_ns = max(fire["window_end_ns"] for fire in fires)
    signals = {name for capture in captures for name in capture["signals"]}
    cameras = {name for capture in captures for name in capture["cameras"]}
    weight = 0
    for name, samples in content.signals.items():
        if everything or name in signals:
            inside = sum(everything or start_ns <= t_ns <= end_ns for t_ns, _ in samples)
            weight += inside * (SAMPLE_MESSAGE_BYTES + MESSAGE_OVERHEAD_BYTES)
    for name, told in content.lists.items():
        if everything or name in signals:
            inside = [message for t_ns, message in told if everything or start_ns <= t_ns <= end_ns]
            weight += sum(len(message) + MESSAGE_OVERHEAD_BYTES for message in inside)
    for name, frames in content.cameras.items():
        if everything or name in cameras:
            for t_ns, _, data in frames:
                if everything or start_ns <= max(t_ns, content.start_ns) <= end_ns:
                    weight += len(data) + MESSAGE_OVERHEAD_BYTES
    return weight


def _message_type(name: str, **fields: tuple[int, int]) -> tuple[Any, bytes]:
    """A message of numbered fields, each with its label and type, and its schema."""
    file = descriptor_pb2.FileDescriptorProto(name=f"longtail/{name}.proto", package="longtail", syntax="proto3")
    message = file.message_type.add(name=name)
    for number, (told, (label, kind)) in enumerate(fields.items(), start=1):
        message.field.add(name=told, number=number, label=label, type=kind, json_name=told)  # type: ignore[arg-type]
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    made = message_factory.GetMessageClass(pool.FindMessageTypeByName(f"longtail.{name}"))
    return made, descriptor_pb2.FileDescriptorSet(file=[file]).SerializeToString(deterministic=True)


_OPTIONAL, _REPEATED, _DOUBLE, _SFIXED64 = 1, 3, 1, 16
_SampleMessage, _SAMPLE_SCHEMA = _message_type("Sample", value=(_OPTIONAL, _DOUBLE))
_ObjectsMessage, _OBJECTS_SCHEMA = _message_type("Objects", keys=(_REPEATED, _SFIXED64), values=(_REPEATED, _DOUBLE))


def objects_message(sample: Objects, fields: list[str]) -> bytes:
    """A sample of a list; `fields` are those beside the key."""
    values = [numbers.get(name, math.nan) for name in fields for _, numbers in sample]
    message: bytes = _ObjectsMessage(keys=[key for key, _ in sample], values=values).SerializeToString()
    return message


def _sample(value: float) -> bytes:
    """A sample; 0.0 is written out, too, although proto3 leaves it out by default."""
    data: bytes = _SampleMessage(value=value).SerializeToString()
    return data or b"\x09" + bytes(8)


def _video(camera: str, t_ns: int, data: bytes) -> bytes:
    video = CompressedVideo(frame_id=camera, data=data, format="h264")
    video.timestamp.seconds, video.timestamp.nanos = divmod(t_ns, 10**9)
    return video.SerializeToString(deterministic=True)


def _video_schema() -> bytes:
    files: dict[str, descriptor_pb2.FileDescriptorProto] = {}

    def collect(descriptor: Any) -> None:
        if descriptor.name not in files:
            for needed in descriptor.dependencies:
                collect(needed)
            descriptor.CopyToProto(files.setdefault(descriptor.name, descriptor_pb2.FileDescriptorProto()))

    collect(CompressedVideo.DESCRIPTOR.file)
    return descriptor_pb2.FileDescriptorSet(file=list(files.values())).SerializeToString(deterministic=True)
