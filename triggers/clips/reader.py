"""The reader of clips (MCAP files, https://mcap.dev/spec): the manifest, samples by signal or list, frames by camera.

This is the only reader of the format: a vehicle uses it to cut its own clip again, and extraction uses it on hostile
bytes. It keeps whatever it can read, and tells what it could not: a file that was cut off gives what precedes the cut,
and a broken chunk or message costs only itself.
"""

from __future__ import annotations

import struct
from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from triggers.clips.blocks import RECORD, Blocks, Opcode
from triggers.clips.channels import Channels, missing, text_at, topics_of
from triggers.clips.damage import Damaged, Remark
from triggers.clips.footage import Footage, Samples
from triggers.clips.messages.objects import ObjectSamples
from triggers.clips.messages.schemas import SAMPLE_TAG
from triggers.clips.writer import MANIFEST_KEY, MANIFEST_RECORD, uncharged
from triggers.contracts.clip import MAX_MESSAGES, Fire, RecordingManifest
from triggers.errors import InvalidInput
from triggers.times import NS_PER_S

MAX_MALFORMED = 10_000
MAX_OTHER_RECORDS = 50_000
"""Schemas, channels and metadata: several times what a recording of the most signals needs."""
MAX_TIME_BESIDE_NS = 3600 * NS_PER_S
"""A message this long before or after its recording cannot belong to it."""
_MESSAGE = struct.Struct("<HIQQ")
_SAMPLE_BYTES = 9
_SAMPLE_RECORD = np.dtype(
    [
        ("opcode", "<u1"),
        ("length", "<u8"),
        ("channel", "<u2"),
        ("sequence", "<u4"),
        ("log_time", "<u8"),
        ("publish_time", "<u8"),
        ("tag", "<u1"),
        ("value", "<f8"),
    ]
)
"""The record of a sample as every protobuf encoder writes it, unless its value is 0."""
_RUN = 1024
"""How many records are looked at together: enough to make a record cheap, few enough for short runs."""


@dataclass(frozen=True)
class ClipFile:
    """Everything in a clip's file; the manifest is without charges. `remarks` are what could not be read, or is odd."""

    manifest: RecordingManifest
    footage: Footage
    remarks: tuple[Remark, ...] = ()

    def require_sound(self) -> ClipFile:
        """This clip; Damaged if a part of it is missing."""
        for remark in self.remarks:
            if remark.damages:
                raise Damaged(remark.reason, remark.message)
        return self


def read_clip(path: Path, announced: RecordingManifest | None = None, *, max_messages: int = MAX_MESSAGES) -> ClipFile:
    """The content of a clip's file, samples and frames in order of time; of several samples at the same time, the last.

    `announced` is the manifest that the vehicle sent to the gateway: the file must be of the same recording, and only
    the signals and cameras that it lists are read, and messages that cost at most as much as `max_messages` samples
    (see `list_cost`). Raises Damaged if nothing can be kept:
    the file is not MCAP, has no manifest (a file that was cut off may lack it when it was announced), or is of another
    recording. Raises OSError if it cannot be opened or the disk fails.
    """
    allowed = min(max_messages, MAX_MESSAGES)
    with path.open("rb") as file:
        blocks = Blocks(file)
        content = _content(blocks, _Content(allowed))
        # Where a file has its summary, it repeats channels whose chunk is lost, and has those without any message.
        repeated = _content(blocks.repeated(), _Content(allowed))
        if content.channels.undeclared:
            blocks = Blocks(file)
            content = _content(blocks, repeated)
    remarks = blocks.remarks + content.remarks()
    manifest = _manifest(content.manifests, announced, remarks)
    if announced is not None:
        _require_same_recording(manifest, announced)
    listed = announced or manifest
    topics = topics_of(listed)
    is_whole = not content.malformed and not any(remark.damages for remark in remarks)
    remarks += content.channels.remarks(topics)
    if is_whole:  # what is lost of a file may have declared the others
        remarks += missing(topics - content.channels.topics - repeated.channels.topics)
    footage = _footage(content.channels, listed, remarks)
    return ClipFile(manifest, footage, tuple(_first_of_each_kind(remarks)))


@dataclass
class _Content:
    """What the blocks of a file held. `full`: it was more than `allowed` messages, and the rest is left out."""

    allowed: int
    channels: Channels = field(default_factory=Channels)
    manifests: list[str] = field(default_factory=list)
    messages: int = 0
    malformed: int = 0
    others: int = 0

    @property
    def full(self) -> bool:
        """Whether nothing more is read."""
        too_many = self.malformed >= MAX_MALFORMED or self.others >= MAX_OTHER_RECORDS
        return self.messages >= self.allowed or too_many

    def remarks(self) -> list[Remark]:
        """What was wrong with the records."""
        found = []
        if self.malformed:
            detail = f"{self.malformed} records are malformed"
            found.append(Remark("messages_unreadable", detail, self.malformed))
        if self.full:
            what = f"{self.messages} messages, {self.malformed} malformed and {self.others} other records"
            found.append(Remark("mcap_too_large", f"the file has {what} or more; the rest is left out"))
        return found

    def read(self, block: memoryview) -> None:
        """Every whole record of a block."""
        at, end = 0, len(block)
        while at + RECORD.size <= end and not self.full:
            opcode, length = RECORD.unpack_from(block, at)
            start = at + RECORD.size
            if start + length > end:
                return  # the rest was cut off
            if opcode == Opcode.MESSAGE and length == _MESSAGE.size + _SAMPLE_BYTES:
                at += self._samples(block, at)
                continue
            self._record(opcode, block[start : start + length])
            at = start + length

    def _samples(self, block: memoryview, at: int) -> int:
        """A run of records that are samples, or one record of the same size; returns their bytes."""
        size = _SAMPLE_RECORD.itemsize
        run = np.frombuffer(block, _SAMPLE_RECORD, min(_RUN, (len(block) - at) // size), at)
        fits = (run["opcode"] == Opcode.MESSAGE) & (run["length"] == size - RECORD.size) & (run["tag"] == SAMPLE_TAG)
        count = len(run) if fits.all() else int(fits.argmin())
        if not count:
            self._record(Opcode.MESSAGE, block[at + RECORD.size : at + size])
            return size
        self.messages += count
        self.channels.add_samples(run["channel"][:count], run["log_time"][:count], run["value"][:count])
        return size * count

    def _record(self, opcode: int, body: memoryview) -> None:
        try:
            if opcode == Opcode.MESSAGE:
                channel, _, log_time, _ = _MESSAGE.unpack_from(body)
                self.messages += self.channels.add_message(channel, log_time, body[_MESSAGE.size :])
                return
            self.others += 1
            if opcode == Opcode.SCHEMA:
                self.channels.add_schema(body)
            elif opcode == Opcode.CHANNEL:
                self.channels.add_channel(body)
            elif opcode == Opcode.METADATA:
                self._metadata(body)
            else:  # a chunk holds nothing else
                self.malformed += 1
        except (struct.error, ValueError):
            self.malformed += 1

    def _metadata(self, body: memoryview) -> None:
        """The manifest, if this is its record: a name, and a map of texts."""
        name, at = text_at(body, 0)
        if name != MANIFEST_RECORD:
            return
        (map_bytes,) = struct.unpack_from("<I", body, at)
        at, end = at + 4, min(len(body), at + 4 + map_bytes)
        while at < end:
            key, at = text_at(body, at)
            value, at = text_at(body, at)
            if key == MANIFEST_KEY:
                self.manifests.append(value)


def _content(blocks: Iterable[memoryview], content: _Content) -> _Content:
    """`content` with that of all blocks, as far as it may have more."""
    for block in blocks:
        content.read(block)
        if content.full:
            break
    content.channels.flush()
    return content


def _manifest(
    found: Sequence[str], announced: RecordingManifest | None, remarks: Sequence[Remark]
) -> RecordingManifest:
    """The manifest in the file; of a file that lost it, the announced one."""
    distinct = set(found)
    if not distinct and announced is not None and any(remark.damages for remark in remarks):
        return uncharged(announced)
    if len(distinct) != 1:
        raise Damaged("manifest_missing", f"the file has {len(distinct)} manifests in {MANIFEST_RECORD}, not one")
    try:
        return RecordingManifest.from_stored_json(found[0].encode(), what="the manifest in the file")
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


def _footage(channels: Channels, listed: RecordingManifest, remarks: list[Remark]) -> Footage:
    first_ns, last_ns = listed.start_ns - MAX_TIME_BESIDE_NS, listed.end_ns + MAX_TIME_BESIDE_NS
    signals, lists, cameras, beside = {}, {}, {}, 0
    for name in listed.signals:
        if (listing := channels.objects(name)) is not None:
            ordered = _in_order_of_time(listing)
            lists[name] = ordered.between(first_ns, last_ns)
            beside += len(ordered) - len(lists[name])
            continue
        samples = _in_order(channels.signal(name))
        signals[name] = samples.between(first_ns, last_ns)
        beside += len(samples.values) - len(signals[name].values)
    for name in listed.cameras:
        frames = sorted(channels.camera(name), key=lambda frame: frame.t_ns)
        cameras[name] = tuple(frame for frame in frames if first_ns <= frame.t_ns <= last_ns)
        beside += len(frames) - len(cameras[name])
    if beside:
        detail = f"{beside} messages have times more than an hour before or after the recording"
        remarks.append(Remark("messages_out_of_time", detail, beside))
    return Footage(listed.start_ns, listed.end_ns, signals, cameras, objects=lists)


def _in_order(samples: Samples) -> Samples:
    """The samples with strictly ascending times; of several at the same time, the last one in the file counts."""
    times, values = samples.as_arrays()
    if np.all(times[1:] > times[:-1]):  # what our own writer wrote
        return samples
    order = np.argsort(times, kind="stable")
    times, values = times[order], values[order]
    last = np.append(times[1:] != times[:-1], True)
    return Samples(array("q", times[last].tobytes()), array("d", values[last].tobytes()))


def _in_order_of_time(samples: ObjectSamples) -> ObjectSamples:
    """The same for the samples of a list."""
    times = np.array(samples.times_ns, np.int64)
    if np.all(times[1:] > times[:-1]):
        return samples
    order = np.argsort(times, kind="stable")
    last = order[np.append(times[order][1:] != times[order][:-1], True)]
    messages = [samples.messages[index] for index in last.tolist()]
    return ObjectSamples(samples.names, array("q", times[last].tobytes()), messages)


def _first_of_each_kind(remarks: Sequence[Remark], limit: int = 5) -> list[Remark]:
    """At most `limit` remarks of each reason; the last of them says how many there are."""
    kept: dict[str, list[Remark]] = {}
    for remark in remarks:
        kept.setdefault(remark.reason, []).append(remark)
    shown = []
    for same in kept.values():
        shown += same[:limit]
        if len(same) > limit:
            rest = f"{shown[-1].message}; and {len(same) - limit} more of this kind"
            shown[-1] = Remark(same[0].reason, rest, sum(remark.count for remark in same[limit - 1 :]))
    return shown
