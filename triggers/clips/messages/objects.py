"""Samples of lists of objects in clips: the message `longtail.Objects`, and a list's samples over a span of time.

    syntax = "proto3"; package longtail; message Objects { repeated sfixed64 keys = 1; repeated double values = 2; }

`values` has the first field of all objects, then the second one of all, and so on; the channel's metadata name the
fields. The message is encoded by hand, as every proto3 encoder writes it: for each of the two fields that is not empty
its tag, the length of its bytes as a varint, and the numbers in little-endian. So keys are exact, infinities ("measured
but invalid") and -0 keep their bits, and equal samples have equal bytes; NaN, which is null, has always the same bits.
"""

from __future__ import annotations

import math
import re
import sys
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.message import DecodeError
from numpy.typing import NDArray

from triggers.errors import InvalidInput
from triggers.signals.object_columns import ObjectColumn, ObjectSeries, starts_of
from triggers.signals.objects import MAX_CARRIED_OBJECTS, MAX_FIELDS, ObjectSample
from triggers.signals.raw import held_exactly

OBJECTS_SCHEMA = "longtail.Objects"
KEY_METADATA, FIELDS_METADATA = "key", "fields"
"""Metadata of a list's channel: the name of the key, and those of the value fields, joined by commas."""
_KEYS_TAG, _VALUES_TAG = 0x0A, 0x12
_NUMBER_BYTES = 8
_NAN_BITS = np.array(math.nan).view(np.int64)
_NAME = re.compile(r"[a-z][a-z0-9_]{0,63}", re.ASCII)
_FIELD = descriptor_pb2.FieldDescriptorProto


def _objects_file() -> descriptor_pb2.FileDescriptorProto:
    file = descriptor_pb2.FileDescriptorProto(name="longtail/Objects.proto", package="longtail", syntax="proto3")
    message = file.message_type.add(name="Objects")
    for number, (name, kind) in enumerate((("keys", _FIELD.TYPE_SFIXED64), ("values", _FIELD.TYPE_DOUBLE)), start=1):
        message.field.add(name=name, number=number, label=_FIELD.LABEL_REPEATED, type=kind, json_name=name)
    return file


_POOL = descriptor_pool.DescriptorPool()
_POOL.Add(_objects_file())
_Objects: Any = message_factory.GetMessageClass(_POOL.FindMessageTypeByName(OBJECTS_SCHEMA))


def objects_descriptor() -> bytes:
    """The `FileDescriptorSet` of `longtail.Objects`."""
    return descriptor_pb2.FileDescriptorSet(file=[_objects_file()]).SerializeToString(deterministic=True)


def channel_metadata(names: Sequence[str]) -> dict[str, str]:
    """The metadata of a list's channel; `names` are the key and the value fields."""
    return {KEY_METADATA: names[0], FIELDS_METADATA: ",".join(names[1:])}


def names_in(metadata: Mapping[str, str]) -> tuple[str, ...]:
    """The names of the key and the value fields. Raises InvalidInput if metadata do not tell them."""
    if KEY_METADATA not in metadata or FIELDS_METADATA not in metadata:
        raise InvalidInput(
            f"its metadata lack `{KEY_METADATA}` and `{FIELDS_METADATA}`, the names of the objects' fields"
        )
    fields = metadata[FIELDS_METADATA]
    names = (metadata[KEY_METADATA], *(fields.split(",", MAX_FIELDS) if fields else ()))
    if len(names) > MAX_FIELDS:
        raise InvalidInput(f"its metadata name more than {MAX_FIELDS} fields")
    if len(set(names)) != len(names) or not all(map(_NAME.fullmatch, names)):
        raise InvalidInput(f"its metadata name the fields {','.join(names)[:100]!r}, which are not names of fields")
    return names


def encode_objects(sample: ObjectSample) -> bytes:
    """A `longtail.Objects` message. Integers that a float64 would round are infinite, and so never other ones."""
    values = array("d", [_held(value) for column in zip(*sample.values, strict=True) for value in column])
    return _message(_little(array("q", sample.keys)), _little(values))


def encode_column(keys: NDArray[np.int64], values: NDArray[np.float64]) -> bytes:
    """The same of arrays; `values` has the fields in rows and the objects in columns."""
    held = np.where(np.isnan(values), math.nan, values)
    return _message(keys.astype("<i8").tobytes(), held.astype("<f8").tobytes())


def decode_objects(data: bytes | memoryview, fields: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """The keys and values (fields, objects) of a message, whoever encoded it. InvalidInput if it is not one."""
    keys, values = _split(data) or _parsed(data)
    if len(keys) > MAX_CARRIED_OBJECTS:
        raise InvalidInput(f"a list's message has {len(keys):,} objects, more than {MAX_CARRIED_OBJECTS:,}")
    if len(values) != fields * len(keys):
        raise InvalidInput(f"a list's message has {len(values)} values for {len(keys)} objects of {fields} fields")
    return keys, values.reshape(fields, len(keys))


def canonical(data: bytes | memoryview, fields: int) -> bytes:
    """A message as we encode it. InvalidInput if it is not one."""
    keys, values = decode_objects(data, fields)
    if _split(data) is None or (values.view(np.int64)[np.isnan(values)] != _NAN_BITS).any():
        return encode_column(keys, values)
    return bytes(data)


@dataclass(frozen=True)
class ObjectSamples:
    """The samples of one list: times (ns since the Unix epoch, ascending), and a message as we encode it for each.

    `names` are the key and the value fields.
    """

    names: tuple[str, ...]
    times_ns: array[int] = field(default_factory=lambda: array("q"))
    messages: list[bytes] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.messages)

    def between(self, start_ns: int, end_ns: int) -> ObjectSamples:
        """The samples in the closed interval."""
        first, last = bisect_left(self.times_ns, start_ns), bisect_right(self.times_ns, end_ns)
        return ObjectSamples(self.names, self.times_ns[first:last], self.messages[first:last])

    @property
    def object_counts(self) -> list[int]:
        """How many objects each sample has."""
        fields = len(self.names) - 1
        return [len(decode_objects(message, fields)[0]) for message in self.messages]

    def series(self) -> ObjectSeries:
        """The samples as arrays."""
        fields = len(self.names) - 1
        decoded = [decode_objects(message, fields) for message in self.messages]
        keys = np.concatenate([np.empty(0, np.int64), *(keys for keys, _ in decoded)])
        values = np.concatenate([np.empty((fields, 0)), *(values for _, values in decoded)], axis=1)
        column = ObjectColumn(
            starts_of(np.array([len(keys) for keys, _ in decoded], np.int64)),
            np.ones(len(decoded), np.bool_),
            keys,
            tuple(values),
        )
        return ObjectSeries(np.array(self.times_ns, np.int64), column, self.names)


def _held(value: float) -> float:
    held = value if isinstance(value, float) else held_exactly(value)
    return math.nan if math.isnan(held) else held


def _little(numbers: array[Any]) -> bytes:
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers.tobytes()


def _message(keys: bytes, values: bytes) -> bytes:
    parts = [(_KEYS_TAG, keys), (_VALUES_TAG, values)]
    return b"".join(bytes((tag,)) + _varint(len(numbers)) + numbers for tag, numbers in parts if numbers)


def _varint(number: int) -> bytes:
    encoded = bytearray()
    while number >= 0x80:
        encoded.append(number & 0x7F | 0x80)
        number >>= 7
    encoded.append(number)
    return bytes(encoded)


def _split(data: bytes | memoryview) -> tuple[NDArray[np.int64], NDArray[np.float64]] | None:
    """The numbers of a message that is encoded as we do it; None: it is encoded otherwise, or none at all."""
    keys, at = _packed(data, 0, _KEYS_TAG)
    values, at = _packed(data, at, _VALUES_TAG)
    if at != len(data):
        return None
    return np.frombuffer(keys, "<i8").astype(np.int64), np.frombuffer(values, "<f8").astype(np.float64)


def _packed(data: bytes | memoryview, at: int, tag: int) -> tuple[bytes | memoryview, int]:
    """The numbers of a field that begins here, and where the next one does; none if another one begins here."""
    if at >= len(data) or data[at] != tag:
        return b"", at
    length, shift, next_at = 0, 0, at + 1
    while next_at < len(data) and data[next_at] >= 0x80 and shift < 21:
        length |= (data[next_at] & 0x7F) << shift
        shift, next_at = shift + 7, next_at + 1
    if next_at >= len(data) or data[next_at] >= 0x80 or (shift and not data[next_at]):  # not ended, or not the shortest
        return b"", at
    length |= data[next_at] << shift
    next_at += 1
    end = next_at + length
    if length % _NUMBER_BYTES or not length or end > len(data):
        return b"", at
    return data[next_at:end], end


def _parsed(data: bytes | memoryview) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    try:
        message = _Objects.FromString(bytes(data))
    except DecodeError as error:
        raise InvalidInput(f"a list's message is not a {OBJECTS_SCHEMA}: {error}") from error
    return np.array(message.keys, np.int64), np.array(message.values, np.float64)


def schema_problem(message: descriptor_pb2.DescriptorProto) -> str | None:
    """Why messages of a descriptor with this name cannot be read: other fields of the same numbers or names."""
    kinds = {1: ("keys", _FIELD.TYPE_SFIXED64), 2: ("values", _FIELD.TYPE_DOUBLE)}
    names = {name for name, _ in kinds.values()}
    for told in message.field:
        if (told.number in kinds or told.name in names) and (told.name, told.type) != kinds.get(told.number):
            return (
                f"its {OBJECTS_SCHEMA} has a field {told.name} = {told.number} that is neither"
                " `repeated sfixed64 keys = 1` nor `repeated double values = 2`"
            )
    return None
