"""The schemas of a clip's MCAP channels: `longtail.Sample` for signals, `foxglove.CompressedVideo` for cameras.

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

from foxglove_schemas_protobuf.CompressedVideo_pb2 import CompressedVideo
from google.protobuf import descriptor_pb2
from google.protobuf.message import DecodeError
from google.protobuf.timestamp_pb2 import Timestamp

from triggers.clips.footage import VideoFrame
from triggers.errors import InvalidInput
from triggers.times import NS_PER_S

SAMPLE_SCHEMA = "longtail.Sample"
VIDEO_SCHEMA = "foxglove.CompressedVideo"
ENCODING = "protobuf"
VIDEO_FORMAT = "h264"
_SAMPLE = struct.Struct("<Bd")
_SAMPLE_TAG = 0x09
_NAL_TYPE, _NAL_KEYFRAME = 0x1F, 5


def sample_descriptor() -> bytes:
    """The `FileDescriptorSet` of `longtail.Sample`."""
    file = descriptor_pb2.FileDescriptorProto(name="longtail/Sample.proto", package="longtail", syntax="proto3")
    message = file.message_type.add(name="Sample")
    message.field.add(
        name="value",
        number=1,
        label=descriptor_pb2.FieldDescriptorProto.LABEL_OPTIONAL,
        type=descriptor_pb2.FieldDescriptorProto.TYPE_DOUBLE,
        json_name="value",
    )
    return descriptor_pb2.FileDescriptorSet(file=[file]).SerializeToString(deterministic=True)


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
    return _SAMPLE.pack(_SAMPLE_TAG, value)


def decode_sample(data: bytes) -> float:
    """The value of a message that `encode_sample` wrote."""
    if len(data) != _SAMPLE.size or data[0] != _SAMPLE_TAG:
        raise InvalidInput("a signal's message is not a longtail.Sample as this project writes it")
    return float(_SAMPLE.unpack(data)[1])


def encode_frame(camera: str, frame: VideoFrame) -> bytes:
    """A `foxglove.CompressedVideo` message; `frame_id` is the camera's name."""
    stamp = Timestamp(seconds=frame.t_ns // NS_PER_S, nanos=frame.t_ns % NS_PER_S)
    video = CompressedVideo(timestamp=stamp, frame_id=camera, data=frame.data, format=VIDEO_FORMAT)
    return video.SerializeToString(deterministic=True)


def decode_frame(t_ns: int, data: bytes) -> VideoFrame:
    """The frame of a message that `encode_frame` wrote."""
    try:
        video = CompressedVideo.FromString(data)
    except DecodeError as error:
        raise InvalidInput(f"a camera's message is not a {VIDEO_SCHEMA}: {error}") from error
    return VideoFrame(t_ns, is_keyframe(video.data), video.data)


def is_keyframe(access_unit: bytes) -> bool:
    """Whether this Annex B access unit holds an IDR slice (nal_unit_type 5; ITU-T H.264, table 7-1)."""
    start = access_unit.find(b"\x00\x00\x01")
    while 0 <= start < len(access_unit) - 3:
        kind = access_unit[start + 3] & _NAL_TYPE
        if kind == _NAL_KEYFRAME:
            return True
        if 1 <= kind < _NAL_KEYFRAME:
            return False
        start = access_unit.find(b"\x00\x00\x01", start + 3)
    return False
