"""Lists of objects in clips: bit for bit what was recorded, whoever encoded it, and damage that costs only itself."""

from __future__ import annotations

import io
import math
import struct
from array import array
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from hypothesis import given
from hypothesis import strategies as st
from mcap.reader import make_reader
from mcap.writer import Writer

from tests.triggers.clips.test_round_trip import START_NS, manifest_of
from triggers.clips.footage import Footage, Samples
from triggers.clips.messages import schemas
from triggers.clips.messages.objects import (
    OBJECTS_SCHEMA,
    ObjectSamples,
    canonical,
    decode_objects,
    encode_column,
    encode_objects,
    objects_descriptor,
)
from triggers.clips.reader import ClipFile, read_clip
from triggers.clips.writer import MANIFEST_KEY, MANIFEST_RECORD, write_mcap
from triggers.contracts.clip import RecordingManifest
from triggers.errors import InvalidInput
from triggers.signals.objects import MAX_CARRIED_OBJECTS, MAX_KEY, MIN_KEY, ObjectSample

NAMES = ("id", "kind", "x")
OBJECTS = st.lists(st.tuples(st.integers(MIN_KEY, MAX_KEY), st.floats(), st.floats()), max_size=5)


def sample(*objects: tuple[int, float, float]) -> ObjectSample:
    return ObjectSample(tuple(each[0] for each in objects), tuple(each[1:] for each in objects))


def tracked(*samples: tuple[int, ObjectSample]) -> ObjectSamples:
    times = array("q", [START_NS + ms * 10**6 for ms, _ in samples])
    return ObjectSamples(NAMES, times, [encode_objects(each) for _, each in samples])


def footage_of(**objects: ObjectSamples) -> Footage:
    speed = Samples.of([(START_NS, 1.5), (START_NS + 10**8, 2.5)])
    return Footage(START_NS, START_NS + 10**9, {"speed": speed}, {}, objects=objects)


def listed(content: Footage) -> RecordingManifest:
    return manifest_of(content).model_copy(update={"signals": content.names})


def written(content: Footage) -> bytes:
    file = io.BytesIO()
    write_mcap(file, listed(content), content)
    return file.getvalue()


def read(folder: Path, data: bytes, manifest: RecordingManifest) -> ClipFile:
    (folder / "c.mcap").write_bytes(data)
    return read_clip(folder / "c.mcap", announced=manifest)


def official() -> Any:
    """`longtail.Objects` as another team would compile it from docs/vehicle-clips.md, and one not packed."""
    fields = descriptor_pb2.FieldDescriptorProto
    file = descriptor_pb2.FileDescriptorProto(name="o.proto", package="longtail", syntax="proto3")
    for name, packed in (("Objects", True), ("Unpacked", False)):
        message = file.message_type.add(name=name)
        for number, (told, kind) in enumerate(
            (("keys", fields.TYPE_SFIXED64), ("values", fields.TYPE_DOUBLE)), start=1
        ):
            added = message.field.add(name=told, number=number, label=fields.LABEL_REPEATED, type=kind)
            added.options.packed = packed
        message.field.add(name="note", number=3, label=fields.LABEL_OPTIONAL, type=fields.TYPE_STRING)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return [
        message_factory.GetMessageClass(pool.FindMessageTypeByName(f"longtail.{n}")) for n in ("Objects", "Unpacked")
    ]


Objects, Unpacked = official()


@given(OBJECTS)
def test_a_message_is_what_an_official_encoder_writes_and_reads(objects: list[tuple[int, float, float]]) -> None:
    keys = [each[0] for each in objects]
    values = [each[field] for field in (1, 2) for each in objects]
    held = [math.nan if math.isnan(value) else value for value in values]
    message = encode_objects(sample(*objects))
    assert message == Objects(keys=keys, values=held).SerializeToString()
    for other in (Objects(keys=keys, values=values, note="x"), Unpacked(keys=keys, values=values)):
        assert canonical(other.SerializeToString(), 2) == message
    decoded_keys, decoded = decode_objects(message, 2)
    assert decoded_keys.tolist() == keys
    assert decoded.tobytes() == struct.pack(f"<{len(held)}d", *held)
    assert encode_column(decoded_keys, decoded) == message


@pytest.mark.parametrize("length", [b"\x88\x00", b"\x88\x80\x00", b"\x88\x80\x80\x80\x00"])
def test_a_length_that_is_written_longer_than_it_need_be_is_written_anew(length: bytes) -> None:
    number = (7).to_bytes(8, "little")
    assert canonical(b"\x0a" + length + number, 0) == b"\x0a\x08" + number


def test_a_length_without_an_end_is_none() -> None:
    with pytest.raises(InvalidInput, match=r"is not a longtail\.Objects"):
        canonical(bytes.fromhex("0a8880808080") + bytes(8), 0)
    with pytest.raises(InvalidInput):
        canonical(bytes.fromhex("0a88"), 0)


def test_an_empty_list_is_no_bytes_and_keys_need_no_fields() -> None:
    assert encode_objects(sample()) == b""
    assert decode_objects(b"", 2)[1].shape == (2, 0)
    alone = encode_objects(ObjectSample((MAX_KEY, MIN_KEY), ((), ())))
    assert alone == Objects(keys=[MAX_KEY, MIN_KEY]).SerializeToString()
    assert decode_objects(alone, 0)[0].tolist() == [MAX_KEY, MIN_KEY]


def test_integers_that_a_double_would_round_become_infinite() -> None:
    _, values = decode_objects(encode_objects(sample((1, 2**53 + 1, 2**53))), 2)
    assert values.tolist() == [[math.inf], [2.0**53]]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"\x0a", "is not a longtail.Objects"),
        (b"\x0a\x08\x01\x02", "is not a longtail.Objects"),
        (b"\x0a\x07" + bytes(7), "is not a longtail.Objects"),
        (b"\x0a" + b"\xff" * 9 + b"\x01", "is not a longtail.Objects"),
        (b"\x12\x08" + bytes(8), "has 1 values for 0 objects of 2 fields"),
        (Objects(keys=[1, 2], values=[1.0, 2.0, 3.0]).SerializeToString(), "has 3 values for 2 objects of 2 fields"),
        (Objects(keys=[1] * (MAX_CARRIED_OBJECTS + 1)).SerializeToString(), "has 4,097 objects, more than 4,096"),
    ],
)
def test_what_is_not_a_list_of_the_fields_is_refused(data: bytes, said: str) -> None:
    with pytest.raises(InvalidInput, match=said):
        decode_objects(data, 2)


@given(st.binary(max_size=60), st.integers(0, 3))
def test_bytes_from_anywhere_are_a_list_or_refused(data: bytes, fields: int) -> None:
    try:
        keys, values = decode_objects(data, fields)
    except InvalidInput:
        return
    assert values.shape == (fields, len(keys))
    assert canonical(canonical(data, fields), fields) == canonical(data, fields)


@given(st.lists(st.tuples(st.integers(0, 1000), OBJECTS), max_size=8, unique_by=lambda each: each[0]))
def test_a_clip_gives_lists_back_bit_for_bit(tmp_path_factory: Any, rows: list[Any]) -> None:
    content = footage_of(tracked=tracked(*((ms, sample(*objects)) for ms, objects in sorted(rows))), empty=tracked())
    clip = read(tmp_path_factory.getbasetemp(), written(content), listed(content))
    assert clip.remarks == ()
    assert clip.footage.objects == content.objects
    assert clip.footage.signals == content.signals
    assert written(clip.footage) == written(content)


def test_a_clip_explains_its_lists_to_others() -> None:
    content = footage_of(tracked=tracked((5, sample((7, 1.0, 2.0)))))
    reader = make_reader(io.BytesIO(written(content)))
    ((schema, channel, message),) = reader.iter_messages(topics=["/signals/tracked"])
    assert schema is not None
    assert (schema.name, schema.encoding, schema.data) == (OBJECTS_SCHEMA, "protobuf", objects_descriptor())
    assert channel.metadata == {"key": "id", "fields": "kind,x"}
    decoded = Objects.FromString(message.data)
    assert (list(decoded.keys), list(decoded.values)) == ([7], [1.0, 2.0])


def test_a_part_of_footage_has_the_lists_of_its_span() -> None:
    content = footage_of(tracked=tracked((0, sample((1, 0.0, 0.0))), (500, sample((2, 0.0, 0.0)))))
    part = content.cut(START_NS + 10**8, content.end_ns, ["tracked", "speed"], [])
    assert part.objects["tracked"].times_ns.tolist() == [START_NS + 5 * 10**8]
    assert content.cut(content.start_ns, content.end_ns, ["speed"], []).objects == {}


def test_samples_as_arrays_have_a_row_each() -> None:
    samples = tracked((0, sample((1, 1.0, 2.0), (2, 3.0, 4.0))), (1, sample()), (2, sample((3, 5.0, math.inf))))
    series = samples.series()
    assert series.names == NAMES
    assert [series.column.sample(row) for row in range(3)] == [
        sample((1, 1.0, 2.0), (2, 3.0, 4.0)), sample(), sample((3, 5.0, math.inf)),
    ]  # fmt: skip
    assert tracked().series().column.fields[1].tolist() == []
    assert series.t_ns.dtype == np.int64


class Foreign:
    """A clip that the official library writes."""

    def __init__(self) -> None:
        self.file = io.BytesIO()
        self.writer = Writer(self.file, chunk_size=200)
        self.writer.start()
        self.content = footage_of(tracked=tracked())
        manifest = listed(self.content)
        self.writer.add_metadata(MANIFEST_RECORD, {MANIFEST_KEY: manifest.canonical_json().decode()})

    def channel(self, metadata: dict[str, str], name: str = OBJECTS_SCHEMA, data: bytes | None = None) -> int:
        schema = self.writer.register_schema(name, "protobuf", objects_descriptor() if data is None else data)
        return self.writer.register_channel("/signals/tracked", "protobuf", schema, metadata)

    def send(self, channel: int, *messages: tuple[int, bytes]) -> None:
        for ms, data in messages:
            self.writer.add_message(channel, START_NS + ms * 10**6, data, START_NS)

    def read(self, folder: Path) -> ClipFile:
        schema = self.writer.register_schema(schemas.SAMPLE_SCHEMA, "protobuf", schemas.sample_descriptor())
        self.writer.register_channel("/signals/speed", "protobuf", schema)
        self.writer.finish()  # type: ignore[no-untyped-call]
        return read(folder, self.file.getvalue(), listed(self.content))


def test_other_encodings_and_orders_are_read_and_bad_messages_cost_themselves(tmp_path: Path) -> None:
    clip = Foreign()
    channel = clip.channel({"fields": "kind,x", "key": "id", "made by": "them"})
    one, two = Objects(keys=[1], values=[1.0, 2.0]), Unpacked(keys=[2], values=[3.0, 4.0], note="n")
    clip.send(channel, (9, two.SerializeToString()), (3, one.SerializeToString()), (4, b"\x0a"), (5, b""))
    clip.send(
        channel,
        (3, Objects(keys=[3], values=[5.0, 6.0]).SerializeToString()),
        (6, Objects(keys=[1]).SerializeToString()),
    )
    found = clip.read(tmp_path)
    assert found.footage.objects["tracked"] == tracked(
        (3, sample((3, 5.0, 6.0))), (5, sample()), (9, sample((2, 3.0, 4.0)))
    )
    assert [(remark.reason, remark.count) for remark in found.remarks] == [("messages_unreadable", 2)]


def test_keys_alone_that_look_like_a_sample_are_read_as_keys(tmp_path: Path) -> None:
    clip = Foreign()
    channel = clip.channel({"key": "id", "fields": ""})
    clip.send(channel, (1, Unpacked(keys=[2**62 + 1]).SerializeToString()))
    found = clip.read(tmp_path).footage.objects["tracked"]
    assert found.series().column.sample(0) == ObjectSample((2**62 + 1,), ((),))


@pytest.mark.parametrize(
    ("metadata", "said"),
    [
        ({}, "its metadata lack `key` and `fields`"),
        ({"key": "id", "fields": "x,x"}, "name the fields 'id,x,x'"),
        ({"key": "id", "fields": "a b"}, "name the fields 'id,a b'"),
        ({"key": "", "fields": ""}, "name the fields ''"),
        ({"key": "id", "fields": ",".join(f"f{n}" for n in range(64))}, "name more than 64 fields"),
    ],
)
def test_a_channel_that_does_not_name_its_fields_is_unsupported(
    tmp_path: Path, metadata: dict[str, str], said: str
) -> None:
    clip = Foreign()
    clip.send(clip.channel(metadata), (1, b""))
    found = clip.read(tmp_path)
    assert [remark.reason for remark in found.remarks] == ["schema_unsupported"]
    assert said in found.remarks[0].message


def test_channels_of_one_topic_that_disagree_are_unsupported(tmp_path: Path) -> None:
    clip = Foreign()
    first = clip.channel({"key": "id", "fields": "kind,x"})
    same = clip.channel({"key": "id", "fields": "kind,x"})
    other = clip.channel({"key": "id", "fields": "x,kind"})
    signal = clip.channel({}, schemas.SAMPLE_SCHEMA, schemas.sample_descriptor())
    clip.send(first, (1, encode_objects(sample((1, 1.0, 1.0)))))
    clip.send(same, (2, encode_objects(sample((2, 1.0, 1.0)))))
    clip.send(other, (3, encode_objects(sample((3, 1.0, 1.0)))))
    clip.send(signal, (4, schemas.encode_sample(1.0)))
    found = clip.read(tmp_path)
    assert len(found.footage.objects["tracked"]) == 2
    assert [remark.reason for remark in found.remarks] == ["schema_unsupported"]


def test_another_message_of_the_name_is_unsupported(tmp_path: Path) -> None:
    file = descriptor_pb2.FileDescriptorProto(name="o.proto", package="longtail", syntax="proto3")
    kind = descriptor_pb2.FieldDescriptorProto.TYPE_UINT64
    file.message_type.add(name="Objects").field.add(name="keys", number=1, label=3, type=kind)
    clip = Foreign()
    channel = clip.channel(
        {"key": "id", "fields": ""}, data=descriptor_pb2.FileDescriptorSet(file=[file]).SerializeToString()
    )
    clip.send(channel, (1, b""))
    found = clip.read(tmp_path)
    assert "a field keys = 1 that is neither" in found.remarks[0].message


def test_many_objects_count_as_the_messages_that_they_cost_as_much_as(tmp_path: Path) -> None:
    many = sample(*((n, 1.0, 1.0) for n in range(MAX_CARRIED_OBJECTS)))
    content = footage_of(tracked=tracked(*((ms, many) for ms in range(20))))
    (tmp_path / "c.mcap").write_bytes(written(content))
    clip = read_clip(tmp_path / "c.mcap", max_messages=5000)
    assert [remark.reason for remark in clip.remarks] == ["mcap_too_large"]
    assert 0 < len(clip.footage.objects["tracked"]) < 20
