"""Clips that others write: by the official `mcap` and protobuf libraries, with any of their options."""

from __future__ import annotations

import io
import math
import struct
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from foxglove_schemas_protobuf.CompressedImage_pb2 import CompressedImage
from foxglove_schemas_protobuf.CompressedVideo_pb2 import CompressedVideo
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from mcap.writer import CompressionType, IndexType, Writer
from mcap_protobuf.writer import Writer as ProtobufWriter

from tests.triggers.clips.test_round_trip import START_NS, manifest_of
from triggers.clips.blocks import Opcode
from triggers.clips.footage import Footage, Samples
from triggers.clips.messages import schemas
from triggers.clips.reader import ClipFile, read_clip
from triggers.clips.writer import MANIFEST_KEY, MANIFEST_RECORD
from triggers.contracts.clip import RecordingManifest

SIGNAL = "/signals/ego.speed"
FRONT = "/cameras/front"
MANIFEST = manifest_of(Footage(START_NS, START_NS + 10**9, {"ego.speed": Samples.of([])}, {"front": ()})).model_copy(
    update={"cameras": ("front",)}
)
VALUES = [(START_NS + i * 1000, i / 4) for i in range(40)]


def sample_class(*, number: int = 1, kind: int = descriptor_pb2.FieldDescriptorProto.TYPE_DOUBLE) -> Any:
    """`longtail.Sample` as another team would compile it."""
    file = descriptor_pb2.FileDescriptorProto(name="longtail/Sample.proto", package="longtail", syntax="proto3")
    file.message_type.add(name="Sample").field.add(name="value", number=number, label=1, type=kind)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("longtail.Sample"))


Sample = sample_class()


class File:
    """An MCAP file while the official library writes it."""

    def __init__(self, *, declares: Sequence[str] = (SIGNAL, FRONT), **options: Any) -> None:
        """It has a channel for each topic that it `declares`, with or without messages."""
        self.bytes = io.BytesIO()
        self.writer = Writer(self.bytes, **options)
        self.writer.start()
        self.writer.add_metadata(MANIFEST_RECORD, {MANIFEST_KEY: MANIFEST.canonical_json().decode()})
        self.undeclared = set(declares)

    def channel(self, topic: str = SIGNAL, *, name: str = schemas.SAMPLE_SCHEMA, **changes: Any) -> int:
        self.undeclared.discard(topic)
        data = changes.get("data", schemas.sample_descriptor())
        schema = self.writer.register_schema(name, changes.get("encoding", "protobuf"), data)
        return self.writer.register_channel(topic, changes.get("messages", "protobuf"), schema, {"made by": "them"})

    def send(self, channel: int, *messages: tuple[int, bytes]) -> None:
        for topic in sorted(self.undeclared):
            self.channel(topic, name=schemas.SAMPLE_SCHEMA if topic.startswith("/signals/") else schemas.VIDEO_SCHEMA)
        for t_ns, data in messages:
            self.writer.add_message(channel, t_ns, data, t_ns)

    def read(self, folder: Path) -> ClipFile:
        self.writer.finish()
        return read(folder, self.bytes.getvalue())


def read(folder: Path, data: bytes, manifest: RecordingManifest = MANIFEST) -> ClipFile:
    (folder / "c.mcap").write_bytes(data)
    return read_clip(folder / "c.mcap", announced=manifest)


def speed(clip: ClipFile) -> list[tuple[int, float]]:
    samples = clip.footage.signals["ego.speed"]
    return list(zip(samples.times_ns, samples.values, strict=True))


def encoded(value: float) -> bytes:
    data: bytes = Sample(value=value).SerializeToString()
    return data


def options() -> Iterator[dict[str, Any]]:
    for compression in CompressionType:
        for chunked in (True, False):
            yield {"compression": compression, "use_chunking": chunked, "chunk_size": 300}
    yield {"enable_crcs": False}
    yield {"enable_data_crcs": True, "use_chunking": False}
    yield {"index_types": IndexType.NONE, "use_statistics": False, "use_summary_offsets": False}
    yield {"repeat_channels": False, "repeat_schemas": False}


@pytest.mark.parametrize("chosen", list(options()), ids=str)
def test_every_option_of_the_official_writer_is_read(tmp_path: Path, chosen: dict[str, Any]) -> None:
    file = File(**chosen)
    file.send(file.channel(), *((t_ns, encoded(value)) for t_ns, value in VALUES))
    file.writer.add_attachment(START_NS, START_NS, "notes.txt", "text/plain", b"x" * 1000)
    clip = file.read(tmp_path)
    assert clip.remarks == ()
    assert speed(clip) == VALUES, "0.0 is a message without bytes in proto3"


def test_the_official_protobuf_writer_is_read(tmp_path: Path) -> None:
    """It writes no metadata: the manifest comes from a file that was written with it at hand."""
    output = io.BytesIO()
    with ProtobufWriter(output) as writer:
        for t_ns, value in VALUES:
            writer.write_message(SIGNAL, Sample(value=value), log_time=t_ns, publish_time=t_ns)
        video = CompressedVideo(data=b"\x00\x00\x01\x65x", format="h264")
        writer.write_message(FRONT, video, log_time=START_NS, publish_time=START_NS)
    header = 8 + 9 + int.from_bytes(output.getvalue()[9:17], "little")
    clip = read(tmp_path, output.getvalue()[:header] + manifest_record() + output.getvalue()[header:])
    assert (clip.remarks, speed(clip), len(clip.footage.cameras["front"])) == ((), VALUES, 1)


def manifest_record() -> bytes:
    """The metadata record alone, as the official writer puts it right behind the header."""
    data = File().bytes.getvalue()
    return data[8 + 9 + int.from_bytes(data[9:17], "little") :]


@pytest.mark.parametrize("summary", [True, False], ids=["with summary", "cut off before it"])
def test_a_lost_chunk_costs_only_itself_where_the_summary_repeats_its_channels(tmp_path: Path, summary: bool) -> None:
    file = File(chunk_size=300, compression=CompressionType.NONE)
    file.send(file.channel(), *((t_ns, encoded(value)) for t_ns, value in VALUES))
    file.writer.finish()
    data = file.bytes.getvalue()
    changed = data.find(b"longtail.Sample") + 3  # in the first chunk, which declares the channel
    data = data[:changed] + b"x" + data[changed + 1 :]
    clip = read(tmp_path, data if summary else data[: data.index(struct.pack("<BQ", Opcode.DATA_END, 4))])
    read_again = speed(clip)
    assert read_again == (VALUES[-len(read_again) :] if summary else [])
    assert (len(read_again) > 20) is summary
    reasons = [remark.reason for remark in clip.remarks]
    lost = ["mcap_crc_mismatch"]
    assert reasons == (lost if summary else [*lost, "mcap_truncated", "messages_unreadable"])


@pytest.mark.parametrize(
    ("data", "value"),
    [
        (b"", 0.0),
        (encoded(1.5) + b"\x10\x01", 1.5),
        (b"\x10\x01" + encoded(1.5), 1.5),
        (b"\x12\x03abc" + encoded(2.5), 2.5),
        (encoded(1.5) + encoded(3.5), 3.5),
        (b"\x89\x00" + encoded(7.0)[1:], 7.0),
        (encoded(-0.0), -0.0),
        (encoded(math.inf), math.inf),
    ],
    ids=[
        "empty",
        "unknown field behind",
        "unknown field before",
        "unknown text",
        "twice",
        "long tag",
        "-0",
        "infinity",
    ],
)
def test_a_sample_is_read_as_protobuf(tmp_path: Path, data: bytes, value: float) -> None:
    file = File()
    file.send(file.channel(), (START_NS, data))
    clip = file.read(tmp_path)
    assert (clip.remarks, speed(clip)) == ((), [(START_NS, value)])


@pytest.mark.parametrize(
    "bad",
    [
        *(b"\x09\x00", b"\xff" * 12, b"\x0a\x05ab", b"\x09" + b"x" * 7),
        b"\x08\x01",  # an integer, a float and a text as field 1
        b"\x0d" + struct.pack("<f", 1.5),
        b"\x0a\x01x",
        encoded(1.5) + b"\x08\x01",
    ],
)
def test_a_bad_message_is_counted_and_costs_only_itself(tmp_path: Path, bad: bytes) -> None:
    file = File()
    channel = file.channel()
    file.send(channel, (START_NS, encoded(1.0)), (START_NS + 1, bad), (START_NS + 2, encoded(2.0)))
    clip = file.read(tmp_path)
    (remark,) = clip.remarks
    assert (remark.reason, remark.count, remark.damages) == ("messages_unreadable", 1, False)
    assert "1 of 3 messages of '/signals/ego.speed'" in remark.message
    assert speed(clip) == [(START_NS, 1.0), (START_NS + 2, 2.0)]


def test_a_channel_without_any_readable_message_is_damage(tmp_path: Path) -> None:
    file = File()
    file.send(file.channel(), (START_NS, b"\xff"), (START_NS + 1, b"\xff"))
    (remark,) = file.read(tmp_path).remarks
    assert (remark.reason, remark.count, remark.damages) == ("channel_unreadable", 2, True)


@pytest.mark.parametrize(
    "change",
    [
        {"name": "their.Speed"},
        {"encoding": "jsonschema", "messages": "json", "data": b'{"type": "object"}'},
        {
            "data": descriptor_pb2.FileDescriptorSet(
                file=[
                    sample_class(number=2).DESCRIPTOR.file.serialized_pb
                    and descriptor_pb2.FileDescriptorProto.FromString(
                        sample_class(number=2).DESCRIPTOR.file.serialized_pb
                    )
                ]
            ).SerializeToString()
        },
    ],
    ids=["another name", "json", "another field"],
)
def test_a_schema_that_is_not_ours_is_refused_by_its_name(tmp_path: Path, change: dict[str, Any]) -> None:
    file = File()
    file.send(file.channel(**change), (START_NS, b"{}"))
    (remark,) = file.read(tmp_path).remarks
    assert (remark.reason, remark.damages) == ("schema_unsupported", True)
    assert SIGNAL in remark.message


def test_several_schemas_and_channels_of_one_name_are_one_signal(tmp_path: Path) -> None:
    file = File()
    first, second = file.channel(), file.channel()
    file.send(second, (START_NS + 1, encoded(2.0)))
    file.send(first, (START_NS, encoded(1.0)))
    clip = file.read(tmp_path)
    assert (clip.remarks, speed(clip)) == ((), [(START_NS, 1.0), (START_NS + 1, 2.0)])


@pytest.mark.parametrize("zero", [0.0, 1.0], ids=["a message of no bytes", "whole messages"])
def test_of_samples_of_one_time_in_several_channels_the_last_in_the_file_counts(tmp_path: Path, zero: float) -> None:
    file = File()
    first, second = file.channel(), file.channel()
    file.send(second, (START_NS, encoded(2.0)), (START_NS + 1, encoded(3.0)))
    file.send(first, (START_NS, encoded(zero)))
    clip = file.read(tmp_path)
    assert (clip.remarks, speed(clip)) == ((), [(START_NS, zero), (START_NS + 1, 3.0)])


def test_nan_is_no_sample_and_counted(tmp_path: Path) -> None:
    file = File()
    file.send(
        file.channel(), (START_NS, encoded(1.0)), (START_NS, encoded(math.nan)), (START_NS + 1, encoded(math.nan))
    )
    clip = file.read(tmp_path)
    assert speed(clip) == [(START_NS, 1.0)]
    (remark,) = clip.remarks
    assert (remark.reason, remark.count, remark.damages) == ("messages_unreadable", 2, False)
    assert "2 of 3 messages of '/signals/ego.speed' are NaN" in remark.message


def test_channels_that_are_no_clips_business_are_passed_over(tmp_path: Path) -> None:
    file = File()
    file.send(file.channel("/tf", name="foxglove.FrameTransform"), (START_NS, b"whatever"))
    file.send(file.channel(), (START_NS, encoded(1.0)))
    clip = file.read(tmp_path)
    assert (clip.remarks, speed(clip)) == ((), [(START_NS, 1.0)])


@pytest.mark.parametrize("t_ns", [2**64 - 1, 2**63, 0, START_NS + 10**15])
@pytest.mark.parametrize("data", [encoded(3.0), b""])
def test_a_message_of_an_impossible_time_is_counted_and_left_out(tmp_path: Path, t_ns: int, data: bytes) -> None:
    file = File()
    channel = file.channel()
    file.send(channel, (START_NS, encoded(1.0)), (t_ns, data), (START_NS + 1, encoded(2.0)))
    clip = file.read(tmp_path)
    assert speed(clip) == [(START_NS, 1.0), (START_NS + 1, 2.0)]
    assert [(remark.damages, remark.count) for remark in clip.remarks] == [(False, 1)]


PICTURES: list[tuple[str, Callable[..., Any], str, bytes, bool]] = [
    ("foxglove.CompressedVideo", CompressedVideo, "h264", b"\x00\x00\x00\x01\x09\x10\x00\x00\x01\x65", True),
    ("foxglove.CompressedVideo", CompressedVideo, "h264", b"\x00\x00\x01\x41", False),
    ("foxglove.CompressedVideo", CompressedVideo, "h265", b"\x00\x00\x01\x40\x01\x00\x00\x01\x26\x01", True),
    ("foxglove.CompressedVideo", CompressedVideo, "h265", b"\x00\x00\x01\x02\x01", False),
    ("foxglove.CompressedVideo", CompressedVideo, "vp9", b"\x82\x49\x83\x42", True),
    ("foxglove.CompressedVideo", CompressedVideo, "vp9", b"\x86\x00", False),
    ("foxglove.CompressedVideo", CompressedVideo, "av1", b"\x12\x00\x0a\x01\x00", True),
    ("foxglove.CompressedVideo", CompressedVideo, "av1", b"\x12\x00\x32\x01\x00", False),
    ("foxglove.CompressedImage", CompressedImage, "jpeg", b"\xff\xd8", True),
]


@pytest.mark.parametrize(("schema", "message", "codec", "data", "keyframe"), PICTURES)
def test_pictures_keep_their_codec_and_keyframes_are_known_by_it(
    tmp_path: Path, schema: str, message: Callable[..., Any], codec: str, data: bytes, keyframe: bool
) -> None:
    file = File()
    file.send(file.channel(FRONT, name=schema), (START_NS, message(data=data, format=codec).SerializeToString()))
    clip = file.read(tmp_path)
    assert clip.remarks == ()
    assert clip.footage.cameras["front"] == ((START_NS, keyframe, data, codec),)


@pytest.mark.parametrize("repeats", [True, False], ids=["with summary", "without"])
def test_what_the_manifest_lists_and_no_channel_has_is_told(tmp_path: Path, repeats: bool) -> None:
    file = File(declares=(SIGNAL,), repeat_channels=repeats)
    file.send(file.channel(), (START_NS, encoded(1.0)))
    clip = file.read(tmp_path)
    (remark,) = clip.remarks
    assert (remark.reason, remark.count, remark.damages) == ("channel_missing", 1, False)
    assert remark.message == f"the manifest lists 1 signal or camera that the file has no channel of: {FRONT!r}"


def test_a_channel_whose_record_is_malformed_is_not_told_as_one_that_is_missing(tmp_path: Path) -> None:
    file = File(use_chunking=False, enable_crcs=False)
    file.send(file.channel(), (START_NS, encoded(1.0)))
    file.writer.finish()
    topic = FRONT.encode()
    data = file.bytes.getvalue().replace(struct.pack("<I", len(topic)) + topic, struct.pack("<I", 1000) + topic)
    clip = read(tmp_path, data)
    assert [(remark.reason, remark.damages) for remark in clip.remarks] == [("messages_unreadable", False)]
    assert speed(clip) == [(START_NS, 1.0)]
    assert speed(clip) == [(START_NS, 1.0)]


def test_a_channel_without_any_message_is_not_missing(tmp_path: Path) -> None:
    file = File()
    file.channel()
    file.channel(FRONT, name=schemas.VIDEO_SCHEMA)
    assert file.read(tmp_path).remarks == (), "the summary alone has it"


def test_of_many_missing_channels_some_are_named(tmp_path: Path) -> None:
    listed = MANIFEST.model_copy(update={"signals": tuple(f"s{number}" for number in range(5))})
    file = File()
    file.channel(FRONT, name=schemas.VIDEO_SCHEMA)
    file.writer.finish()
    (remark,) = read(tmp_path, file.bytes.getvalue(), listed).remarks
    assert remark.count == 5
    assert remark.message.endswith("no channel of: '/signals/s0', '/signals/s1', '/signals/s2', ...")
