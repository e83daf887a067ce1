"""The schemas of a clip's MCAP channels: `longtail.Sample` for signals, `foxglove.CompressedVideo` for cameras.

Lists of objects are `longtail.Objects`, which is in `objects`.

Cameras may also be `foxglove.CompressedImage` (JPEG, PNG, WebP). Messages are read as protobuf, whoever encoded them:
fields in any order, unknown ones skipped, missing ones at their default.

MCAP's protobuf encoding needs a serialized `FileDescriptorSet` with all dependencies
(https://mcap.dev/spec/registry#protobuf). `longtail.Sample` is

    syntax = "proto3"; package longtail; message Sample { double value = 1; }

and is encoded by hand: the tag byte 0x09, then the IEEE 754 double, little-endian. Infinities ("measured but invalid")
and -0 keep their bits, and equal samples have equal bytes, whatever protobuf library is installed.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from typing import Any

from foxglove_schemas_protobuf.CompressedImage_pb2 import CompressedImage
from foxglove_schemas_protobuf.CompressedVideo_pb2 import CompressedVideo
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.message import DecodeError
from google.protobuf.timestamp_pb2 import Timestamp
from google.protobuf.unknown_fields import UnknownFieldSet

from triggers.clips.codecs import is_keyframe
from triggers.clips.footage import VideoFrame
from triggers.clips.messages import objects
from triggers.errors import InvalidInput
from triggers.times import NS_PER_S

SAMPLE_SCHEMA = "longtail.Sample"
VIDEO_SCHEMA = "foxglove.CompressedVideo"
IMAGE_SCHEMA = "foxglove.CompressedImage"
ENCODING = "protobuf"
SAMPLE_TAG = 0x09
_VALUE_NUMBER = 1
_SAMPLE = struct.Struct("<Bd")
_PICTURES: dict[str, Any] = {VIDEO_SCHEMA: CompressedVideo, IMAGE_SCHEMA: CompressedImage}


def _sample_file() -> descriptor_pb2.FileDescriptorProto:
    file = descriptor_pb2.FileDescriptorProto(name="longtail/Sample.proto", package="longtail", syntax="proto3")
    message = file.message_type.add(name="Sample")
    message.field.add(
        name="value",
        number=_VALUE_NUMBER,
        label=descriptor_pb2.FieldDescriptorProto.LABEL_OPTIONAL,
        type=descriptor_pb2.FieldDescriptorProto.TYPE_DOUBLE,
        json_name="value",
    )
    return file


_POOL = descriptor_pool.DescriptorPool()
_POOL.Add(_sample_file())
_Sample: Any = message_factory.GetMessageClass(_POOL.FindMessageTypeByName(SAMPLE_SCHEMA))


def sample_descriptor() -> bytes:
    """The `FileDescriptorSet` of `longtail.Sample`."""
    return descriptor_pb2.FileDescriptorSet(file=[_sample_file()]).SerializeToString(deterministic=True)


def video_descriptor() -> bytes:
    """The `FileDescriptorSet` of `foxglove.CompressedVideo`, dependencies first."""
    files: dict[str, descriptor_pb2.FileDescriptorProto] = {}

    def collect(descriptors: Iterable[Any]) -> None:
        for descriptor in descriptors:
            if descriptor.name not in files:
                collect(descriptor.dependencies)
                descriptor.CopyToProto(files.setdefault(descriptor.name, descriptor_pb2.FileDescriptorProto()))

    collect([CompressedVideo.DESCRIPTOR.file])
    return descriptor_pb2.FileDescriptorSet(file=list(files.values())).SerializeToString(deterministic=True)


def encode_sample(value: float) -> bytes:
    """A `longtail.Sample` message."""
    return _SAMPLE.pack(SAMPLE_TAG, value)


def decode_sample(data: bytes | memoryview) -> float:
    """The value of a `longtail.Sample`, whoever encoded it; 0.0 if it has none. InvalidInput if it is not one."""
    if len(data) == _SAMPLE.size and data[0] == SAMPLE_TAG:
        return float(_SAMPLE.unpack(data)[1])
    try:
        sample = _Sample.FromString(bytes(data))
    except DecodeError as error:
        raise InvalidInput(f"a signal's message is not a {SAMPLE_SCHEMA}: {error}") from error
    # To protobuf a `value` of another type is an unknown field, and the message one whose value is 0.0.
    unknown = UnknownFieldSet(sample)
    if any(unknown[index].field_number == _VALUE_NUMBER for index in range(len(unknown))):
        raise InvalidInput(f"a signal's message has a field {_VALUE_NUMBER} that is not a double")
    return float(sample.value)


def encode_frame(camera: str, frame: VideoFrame) -> bytes:
    """A `foxglove.CompressedVideo` message; `frame_id` is the camera's name."""
    stamp = Timestamp(seconds=frame.t_ns // NS_PER_S, nanos=frame.t_ns % NS_PER_S)
    video = CompressedVideo(timestamp=stamp, frame_id=camera, data=frame.data, format=frame.codec)
    return video.SerializeToString(deterministic=True)


def decode_frame(t_ns: int, data: bytes | memoryview, schema: str = VIDEO_SCHEMA) -> VideoFrame:
    """The frame of a message with one of the schemas for cameras; InvalidInput if it is not such a message."""
    try:
        picture = _PICTURES[schema].FromString(bytes(data))
    except DecodeError as error:
        raise InvalidInput(f"a camera's message is not a {schema}: {error}") from error
    codec = picture.format.lower() or "h264"
    return VideoFrame(t_ns, is_keyframe(picture.data, codec), picture.data, codec)


def signal_schema_problem(name: str, encoding: str, message_encoding: str, descriptor: bytes) -> str | None:
    """Why messages of a channel cannot be read as samples, of a signal or of a list; None if they can.

    `descriptor` is a `FileDescriptorSet`.
    """
    if name not in _OF_SAMPLES or (encoding, message_encoding) != (ENCODING, ENCODING):
        return _not_ours(name, encoding, message_encoding)
    try:
        files = descriptor_pb2.FileDescriptorSet.FromString(bytes(descriptor)).file
    except DecodeError:
        return None  # the messages may be readable all the same
    for file in files:
        for message in file.message_type:
            if f"{file.package}.{message.name}" == name:
                return _OF_SAMPLES[name](message)
    return None


def _field_problem(message: descriptor_pb2.DescriptorProto) -> str | None:
    """Another field 1 or another `value` would be read as something else."""
    for field in message.field:
        ours = field.name == "value" and field.number == 1
        if (field.number == 1 or field.name == "value") and not (
            ours and field.type == descriptor_pb2.FieldDescriptorProto.TYPE_DOUBLE
        ):
            return f"its {SAMPLE_SCHEMA} has a field {field.name} = {field.number} that is not `double value = 1`"
    return None


_OF_SAMPLES = {SAMPLE_SCHEMA: _field_problem, objects.OBJECTS_SCHEMA: objects.schema_problem}


def camera_schema_problem(name: str, encoding: str, message_encoding: str) -> str | None:
    """Why messages of a channel cannot be read as pictures; None if they can."""
    if name in _PICTURES and encoding == message_encoding == ENCODING:
        return None
    return _not_ours(name, encoding, message_encoding)


def _not_ours(name: str, encoding: str, message_encoding: str) -> str:
    return f"its schema is {name[:100]!r} ({encoding[:20]!r}), its messages are {message_encoding[:20]!r}"
