"""The channels of a clip's file while it is read: samples and frames by topic, and what was wrong with messages."""

from __future__ import annotations

import struct
from array import array
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from triggers.clips.damage import Remark
from triggers.clips.footage import Samples, VideoFrame
from triggers.clips.messages import objects, schemas
from triggers.clips.messages.cost import list_cost
from triggers.clips.messages.objects import ObjectSamples
from triggers.clips.writer import CAMERA_TOPICS, SIGNAL_TOPICS
from triggers.contracts.clip import RecordingManifest
from triggers.errors import InvalidInput

_GROUPED_AT = 200_000
MAX_TIME_NS = 2**63 - 1
_LATE = "their times are after the year 2262"
_SHOWN = 3
"""How many missing channels a remark names."""


class Schema(NamedTuple):
    """A schema record."""

    name: str = ""
    encoding: str = ""
    data: bytes = b""


class SignalChannel:
    """The samples of one signal, in the order of the file."""

    def __init__(self) -> None:
        self.samples = Samples(array("q"), array("d"))
        self.unreadable: Counter[str] = Counter()
        self.absent = 0
        """Messages with NaN, which is no sample, as in drives and on vehicles."""

    def add_many(self, times_ns: NDArray[np.uint64], values: NDArray[np.float64]) -> None:
        """Many samples at once."""
        possible = times_ns <= MAX_TIME_NS
        if not possible.all():
            self.unreadable[_LATE] += int(np.count_nonzero(~possible))
            times_ns, values = times_ns[possible], values[possible]
        measured = ~np.isnan(values)
        if not measured.all():
            self.absent += int(np.count_nonzero(~measured))
            times_ns, values = times_ns[measured], values[measured]
        self.samples.times_ns.frombytes(times_ns.astype(np.int64).tobytes())
        self.samples.values.frombytes(values.tobytes())

    def __len__(self) -> int:
        return len(self.samples.values)


class ListChannel:
    """The samples of one list of objects, in the order of the file."""

    def __init__(self, names: tuple[str, ...]) -> None:
        self.samples = ObjectSamples(names)
        self.unreadable: Counter[str] = Counter()

    def add(self, t_ns: int, data: memoryview) -> None:
        """One message. InvalidInput if it is not the list of some objects with these fields."""
        if t_ns > MAX_TIME_NS:
            raise InvalidInput(_LATE)
        self.samples.messages.append(objects.canonical(data, len(self.samples.names) - 1))
        self.samples.times_ns.append(t_ns)

    def __len__(self) -> int:
        return len(self.samples)


class CameraChannel:
    """The frames of one camera, in the order of the file."""

    def __init__(self, schema: str) -> None:
        self.frames: list[VideoFrame] = []
        self.unreadable: Counter[str] = Counter()
        self._schema = schema

    def add(self, t_ns: int, data: memoryview) -> None:
        """One message. InvalidInput if it is not a picture."""
        if t_ns > MAX_TIME_NS:
            raise InvalidInput(_LATE)
        self.frames.append(schemas.decode_frame(t_ns, data, self._schema))

    def __len__(self) -> int:
        return len(self.frames)


class Pending:
    """Samples of all channels in the order of the file, until they are grouped by channel."""

    def __init__(self) -> None:
        self._runs: list[tuple[NDArray[np.uint16], NDArray[np.uint64], NDArray[np.float64]]] = []
        self._single: tuple[array[int], array[int], array[float]] = (array("H"), array("Q"), array("d"))
        self._in_runs = 0

    def __len__(self) -> int:
        return self._in_runs + len(self._single[0])

    def add(self, identity: int, t_ns: int, value: float) -> None:
        """One sample."""
        ids, times, values = self._single
        ids.append(identity)
        times.append(t_ns)
        values.append(value)

    def add_many(self, ids: NDArray[np.uint16], times: NDArray[np.uint64], values: NDArray[np.float64]) -> None:
        """A run of samples, which is copied: it may be a view of a whole chunk."""
        self._end_single()
        self._runs.append((ids.copy(), times.copy(), values.copy()))
        self._in_runs += len(ids)

    def _end_single(self) -> None:
        if self._single[0]:
            ids, times, values = self._single
            self._runs.append((np.array(ids, np.uint16), np.array(times, np.uint64), np.array(values, np.float64)))
            self._in_runs += len(ids)
            self._single = (array("H"), array("Q"), array("d"))

    def grouped(self) -> Iterator[tuple[int, NDArray[np.uint64], NDArray[np.float64]]]:
        """The samples by channel, each in the order of the file; afterwards there are none."""
        self._end_single()
        if not self._runs:
            return
        ids, times, values = (np.concatenate(parts) for parts in zip(*self._runs, strict=True))
        self._runs, self._in_runs = [], 0
        order = np.argsort(ids, kind="stable")
        ids, times, values = ids[order], times[order], values[order]
        starts = np.flatnonzero(np.append(True, ids[1:] != ids[:-1])).tolist()
        for start, end in zip(starts, [*starts[1:], len(ids)], strict=True):
            yield int(ids[start]), times[start:end], values[start:end]


Channel = SignalChannel | ListChannel | CameraChannel


class Channels:
    """Everything that the channels of a file gave. Nothing that a message holds makes it raise."""

    def __init__(self) -> None:
        self._schemas: dict[int, Schema] = {}
        self._by_id: dict[int, Channel | None] = {}
        self._by_topic: dict[str, Channel] = {}
        self._unsupported: dict[str, str] = {}
        self._first_of_topic: dict[str, int] = {}
        self._shared: NDArray[np.uint16] | None = None
        """By channel id, the first channel of its topic: of samples with equal times the last in the file counts, so
        those of several channels are kept in one order. None while each topic has one channel."""
        self.undeclared = 0
        self._pending = Pending()

    @property
    def topics(self) -> set[str]:
        """The topics of signals and cameras that have a channel, whether it can be read or not."""
        return {*self._by_topic, *self._unsupported}

    def signal(self, name: str) -> Samples:
        """The samples of a signal, in the order of the file."""
        channel = self._by_topic.get(SIGNAL_TOPICS + name)
        return channel.samples if isinstance(channel, SignalChannel) else Samples(array("q"), array("d"))

    def objects(self, name: str) -> ObjectSamples | None:
        """The samples of a list of objects, in the order of the file; None if its channel has no objects."""
        channel = self._by_topic.get(SIGNAL_TOPICS + name)
        return channel.samples if isinstance(channel, ListChannel) else None

    def camera(self, name: str) -> list[VideoFrame]:
        """The frames of a camera, in the order of the file."""
        channel = self._by_topic.get(CAMERA_TOPICS + name)
        return channel.frames if isinstance(channel, CameraChannel) else []

    def add_schema(self, body: memoryview) -> None:
        """A schema record: id, name, encoding, data. ValueError or struct.error if it is none."""
        (identity,) = struct.unpack_from("<H", body)
        name, at = text_at(body, 2)
        encoding, at = text_at(body, at)
        (length,) = struct.unpack_from("<I", body, at)
        self._schemas.setdefault(identity, Schema(name, encoding, bytes(body[at + 4 : at + 4 + length])))

    def add_channel(self, body: memoryview) -> None:
        """A channel record: id, schema's id, topic, encoding of messages, metadata. The first one with an id counts."""
        identity, schema_id = struct.unpack_from("<HH", body)
        if identity not in self._by_id:
            topic, at = text_at(body, 4)
            encoding, at = text_at(body, at)
            schema = self._schemas.get(schema_id, Schema())
            metadata = texts_at(body, at) if schema.name == objects.OBJECTS_SCHEMA else {}
            self._by_id[identity] = self._opened(topic, schema, encoding, metadata)
            if self._by_id[identity] is not None:
                self._share(identity, self._first_of_topic.setdefault(topic, identity))

    def _share(self, identity: int, first: int) -> None:
        if identity == first:
            return
        if self._shared is None:
            self._shared = np.arange(2**16, dtype=np.uint16)
        self._shared[identity] = first

    def _opened(self, topic: str, schema: Schema, encoding: str, metadata: Mapping[str, str]) -> Channel | None:
        """The channel of a topic, which several records may share; None for what is not a clip's, or not readable."""
        signal, camera = topic.startswith(SIGNAL_TOPICS), topic.startswith(CAMERA_TOPICS)
        if not signal and not camera:
            return None
        if signal:
            problem = schemas.signal_schema_problem(schema.name, schema.encoding, encoding, schema.data)
        else:
            problem = schemas.camera_schema_problem(schema.name, schema.encoding, encoding)
        try:
            channel = None if problem else self._of_topic(topic, schema, metadata)
        except InvalidInput as error:
            channel, problem = None, error.message
        if problem:
            self._unsupported.setdefault(topic, problem)
        return channel

    def _of_topic(self, topic: str, schema: Schema, metadata: Mapping[str, str]) -> Channel:
        """The one channel of a topic. Raises InvalidInput if this record says of it what an earlier one does not."""
        if schema.name == objects.OBJECTS_SCHEMA:
            names = objects.names_in(metadata)
            channel = self._by_topic.setdefault(topic, ListChannel(names))
            if not isinstance(channel, ListChannel) or channel.samples.names != names:
                raise InvalidInput("its records differ in the schema, or in the fields of its objects")
            return channel
        is_signal = topic.startswith(SIGNAL_TOPICS)
        channel = self._by_topic.setdefault(topic, SignalChannel() if is_signal else CameraChannel(schema.name))
        if isinstance(channel, ListChannel):
            raise InvalidInput("its records differ in the schema")
        return channel

    def add_message(self, identity: int, t_ns: int, data: memoryview) -> int:
        """A message; one that cannot be read is counted. Returns how many samples it takes the room and time of."""
        if identity not in self._by_id:
            self.undeclared += 1
            return 1
        channel = self._by_id[identity]
        if channel is None:
            return 1
        try:
            if isinstance(channel, SignalChannel):
                first = identity if self._shared is None else int(self._shared[identity])
                self._pending.add(first, t_ns, schemas.decode_sample(data))
            else:
                channel.add(t_ns, data)
        except InvalidInput as error:
            channel.unreadable[error.message] += 1
        return list_cost(len(data)) if isinstance(channel, ListChannel) else 1

    def add_samples(self, ids: NDArray[np.uint16], times: NDArray[np.uint64], values: NDArray[np.float64]) -> None:
        """Many messages at once that all are a sample, in the order of the file."""
        self._pending.add_many(ids if self._shared is None else self._shared[ids], times, values)
        if len(self._pending) >= _GROUPED_AT:
            self.flush()

    def flush(self) -> None:
        """Give the pending samples to their channels: grouping many at once is much cheaper than run by run."""
        for identity, times, values in self._pending.grouped():
            channel = self._by_id.get(identity)
            if isinstance(channel, SignalChannel):
                channel.add_many(times, values)
            else:
                for t_ns, value in zip(times.tolist(), values.tolist(), strict=True):
                    self.add_message(identity, t_ns, memoryview(schemas.encode_sample(value)))

    def remarks(self, listed: Collection[str]) -> Iterator[Remark]:
        """What is wrong with the channels, given the topics of what the manifest lists."""
        for topic, problem in self._unsupported.items():
            yield Remark("schema_unsupported", f"the channel {topic[:100]!r} cannot be read: {problem}")
        for topic, channel in self._by_topic.items():
            if topic not in listed:
                if len(channel) or channel.unreadable:
                    yield Remark("channel_unlisted", f"the manifest does not list the channel {topic[:100]!r}")
                continue
            if isinstance(channel, SignalChannel) and channel.absent:
                of = f"{channel.absent} of {channel.absent + len(channel)} messages of {topic[:100]!r}"
                yield Remark("messages_unreadable", f"{of} are NaN, which is no sample", channel.absent)
            unreadable = channel.unreadable.total()
            if unreadable:
                reason = "messages_unreadable" if len(channel) else "channel_unreadable"
                of = f"{unreadable} of {unreadable + len(channel)} messages of {topic[:100]!r}"
                yield Remark(reason, f"{of}: {next(iter(channel.unreadable))}", unreadable)
        if self.undeclared:
            detail = f"{self.undeclared} messages belong to channels that the file does not declare"
            yield Remark("messages_unreadable", detail, self.undeclared)


def missing(topics: Collection[str]) -> Iterator[Remark]:
    """What is wrong if a manifest lists topics of which its file has no channel: there is one for each, used or not."""
    if topics:
        shown = ", ".join(repr(topic[:100]) for topic in sorted(topics)[:_SHOWN])
        number = "1 signal or camera" if len(topics) == 1 else f"{len(topics)} signals and cameras"
        detail = f"the manifest lists {number} that the file has no channel of: {shown}"
        yield Remark("channel_missing", detail + (", ..." if len(topics) > _SHOWN else ""), len(topics))


def topics_of(manifest: RecordingManifest) -> set[str]:
    """The topics of the signals and cameras that a manifest lists."""
    return {*(SIGNAL_TOPICS + name for name in manifest.signals), *(CAMERA_TOPICS + name for name in manifest.cameras)}


def texts_at(body: memoryview, at: int) -> dict[str, str]:
    """A map of texts of a record; ValueError if the record is shorter."""
    (map_bytes,) = struct.unpack_from("<I", body, at)
    at, end = at + 4, min(len(body), at + 4 + map_bytes)
    texts = {}
    while at < end:
        key, at = text_at(body, at)
        texts[key], at = text_at(body, at)
    return texts


def text_at(body: memoryview, at: int) -> tuple[str, int]:
    """A length-prefixed text of a record, and where the next field begins; ValueError if the record is shorter."""
    (length,) = struct.unpack_from("<I", body, at)
    end = at + 4 + length
    if end > len(body):
        raise ValueError("a text is longer than its record")
    return bytes(body[at + 4 : end]).decode(errors="replace"), end
