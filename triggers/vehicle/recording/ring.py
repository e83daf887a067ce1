"""The ring buffer: the latest samples and encoded frames of everything that an assigned campaign may capture.

It is bounded in time and in bytes. It keeps the longest pre-roll, measured back from the time up to which all fires are
known (`trim`; rows wait for their evaluation, and after a gap the next row may come long after a fire), and everything
since the start of the earliest open recording (`pin_ns`). If that exceeds the bytes, the oldest data is dropped and
counted, and a recording holds what is left. A camera always begins with a keyframe.
"""

from __future__ import annotations

import math
from array import array
from bisect import bisect_left, bisect_right
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from triggers.clips.footage import HELD_SAMPLE_BYTES, Footage, Samples, VideoFrame, frames_in
from triggers.clips.messages.objects import ObjectSamples, encode_objects
from triggers.signals.objects import ObjectSample
from triggers.signals.raw import held_exactly

HELD_LIST_BYTES = 64
"""Size of a list's sample in memory, besides its message: the time, and the object that holds the bytes."""
OVERFLOW_STEPS = 16
"""An overflowing ring drops a sixteenth of its span at a time, so that dropping costs little per sample."""


@dataclass
class RingDrops:
    """What was dropped from the ring, although it was still needed, because it did not fit."""

    samples: int = 0
    frames: int = 0
    bytes: int = 0


class _SignalTrack:
    """The samples of one signal in two arrays; discarded samples are skipped by an index and removed now and then."""

    def __init__(self) -> None:
        self.times_ns: array[int] = array("q")
        self.values: array[float] = array("d")
        self.head = 0
        self._discarded: float | None = None
        """The value of the latest sample that was discarded, which may still be the signal's value."""

    def append(self, t_ns: int, value: float) -> None:
        self.times_ns.append(t_ns)
        self.values.append(value)

    def discard_before(self, t_ns: int) -> int:
        """Discard samples before `t_ns`; returns how many."""
        head = bisect_left(self.times_ns, t_ns, self.head)
        discarded, self.head = head - self.head, head
        if discarded:
            self._discarded = self.values[head - 1]
        if self.head * 2 > len(self.times_ns):
            del self.times_ns[: self.head], self.values[: self.head]
            self.head = 0
        return discarded

    def between(self, start_ns: int, end_ns: int) -> Samples:
        first = bisect_left(self.times_ns, start_ns, self.head)
        last = bisect_right(self.times_ns, end_ns, self.head)
        return Samples(self.times_ns[first:last], self.values[first:last])

    def latest_before(self, t_ns: int) -> float | None:
        """The value of the latest sample before a time, however long ago; None if there was none."""
        place = bisect_left(self.times_ns, t_ns, self.head)
        return self.values[place - 1] if place > self.head else self._discarded


class _ListTrack:
    """The samples of one list of objects, as messages of clips, so that each takes up what it has objects."""

    def __init__(self, names: tuple[str, ...]) -> None:
        self.samples = ObjectSamples(names)
        self._head = 0

    def append(self, t_ns: int, sample: ObjectSample) -> int:
        """Add a sample; returns its bytes."""
        message = encode_objects(sample)
        self.samples.times_ns.append(t_ns)
        self.samples.messages.append(message)
        return HELD_LIST_BYTES + len(message)

    def discard_before(self, t_ns: int) -> tuple[int, int]:
        """Discard samples before `t_ns`; returns how many, and their bytes."""
        head = bisect_left(self.samples.times_ns, t_ns, self._head)
        count = head - self._head
        freed = sum(HELD_LIST_BYTES + len(message) for message in self.samples.messages[self._head : head])
        self.samples.messages[self._head : head] = [b""] * count  # their memory is free from now on
        self._head = head
        if self._head * 2 > len(self.samples):
            del self.samples.times_ns[: self._head], self.samples.messages[: self._head]
            self._head = 0
        return count, freed

    @property
    def bytes(self) -> int:
        return sum(HELD_LIST_BYTES + len(message) for message in self.samples.messages[self._head :])

    def between(self, start_ns: int, end_ns: int) -> ObjectSamples:
        first = bisect_left(self.samples.times_ns, start_ns, self._head)
        last = bisect_right(self.samples.times_ns, end_ns, self._head)
        return ObjectSamples(self.samples.names, self.samples.times_ns[first:last], self.samples.messages[first:last])


class _CameraTrack:
    """The encoded frames of one camera, in whole groups of pictures: the first frame is a keyframe."""

    def __init__(self) -> None:
        self.frames: deque[VideoFrame] = deque()
        self.keyframes_ns: deque[int] = deque()

    def append(self, frame: VideoFrame) -> bool:
        """Add a frame; False if it is left out, because no keyframe or already a later frame came before it."""
        if not self.frames and not frame.keyframe:
            return False
        if self.frames and frame.t_ns < self.frames[-1].t_ns:
            return False
        if frame.keyframe:
            self.keyframes_ns.append(frame.t_ns)
        self.frames.append(frame)
        return True

    def discard_before(self, t_ns: int, *, keep_decodable: bool) -> list[VideoFrame]:
        """Discard whole groups of pictures before `t_ns`; `keep_decodable` keeps the one that spans `t_ns`."""
        begins_ns = self._new_beginning(t_ns, keep_decodable=keep_decodable)
        gone: list[VideoFrame] = []
        while self.frames and (begins_ns is None or self.frames[0].t_ns < begins_ns):
            gone.append(self.frames.popleft())
        while self.keyframes_ns and (begins_ns is None or self.keyframes_ns[0] < begins_ns):
            self.keyframes_ns.popleft()
        return gone

    def _new_beginning(self, t_ns: int, *, keep_decodable: bool) -> int | None:
        index = bisect_left(self.keyframes_ns, t_ns)
        if keep_decodable and (index == len(self.keyframes_ns) or self.keyframes_ns[index] != t_ns):
            index = max(0, index - 1)
        return self.keyframes_ns[index] if index < len(self.keyframes_ns) else None


class RingBuffer:
    """Samples and frames in order of time; call `clear` when time runs backwards."""

    def __init__(self, *, max_span_ns: int, max_bytes: int) -> None:
        self.max_span_ns = max_span_ns
        self.max_bytes = max_bytes
        self.drops = RingDrops()
        self.pin_ns: int | None = None
        """Data from this time on is kept, whatever its age, as long as it fits."""
        self.bytes = 0
        self._empty = True
        self._covered_from_ns = 0
        self._latest_ns = 0
        self._before_ns = 0
        self._signals: dict[str, _SignalTrack] = {}
        self._cameras: dict[str, _CameraTrack] = {}
        self._lists: dict[str, _ListTrack] = {}

    def keep(
        self,
        signals: Iterable[str],
        cameras: Iterable[str],
        before_ns: int,
        lists: Mapping[str, tuple[str, ...]] = MappingProxyType({}),
    ) -> None:
        """Hold these signals and cameras for `before_ns`; those already held keep their contents.

        Those of the signals that are `lists` of objects, each with the names of its fields, are held as such.
        """
        self._before_ns = min(before_ns, self.max_span_ns)
        old_signals, old_cameras, old_lists = self._signals, self._cameras, self._lists
        self._signals = {name: old_signals.get(name) or _SignalTrack() for name in signals if name not in lists}
        self._lists = {name: _ListTrack(names) for name, names in lists.items()}
        same = {name for name, names in lists.items() if name in old_lists and old_lists[name].samples.names == names}
        self._lists |= {name: old_lists[name] for name in same}
        self._cameras = {name: old_cameras.get(name) or _CameraTrack() for name in cameras}
        self.bytes = sum((len(track.times_ns) - track.head) * HELD_SAMPLE_BYTES for track in self._signals.values())
        self.bytes += sum(len(frame.data) for track in self._cameras.values() for frame in track.frames)
        self.bytes += sum(track.bytes for track in self._lists.values())

    @property
    def covered_from_ns(self) -> int | None:
        """The time since when the ring has everything it should hold; None while it is empty."""
        return None if self._empty else self._covered_from_ns

    @property
    def latest_ns(self) -> int | None:
        """Time of the newest row or frame; None while the ring is empty."""
        return None if self._empty else self._latest_ns

    @property
    def signals(self) -> frozenset[str]:
        """The signals and lists held."""
        return frozenset((*self._signals, *self._lists))

    @property
    def cameras(self) -> frozenset[str]:
        """The cameras held."""
        return frozenset(self._cameras)

    def push_row(
        self, t_ns: int, samples: Mapping[str, float], objects: Mapping[str, ObjectSample] = MappingProxyType({})
    ) -> None:
        """Add a row's samples of the signals and lists that are held; NaN is not a sample.

        An integer that a float64 would round is held as infinite, so that no clip has another one in its place.
        """
        self._reach(t_ns)
        for name, value in samples.items():
            track = self._signals.get(name)
            if track is None:
                continue
            held = value if isinstance(value, float) else held_exactly(value)
            if not math.isnan(held):
                track.append(t_ns, held)
                self.bytes += HELD_SAMPLE_BYTES
        for name, sample in objects.items():
            if name in self._lists:
                self.bytes += self._lists[name].append(t_ns, sample)
        if self.bytes > self.max_bytes:
            self._overflow()

    def push_frame(self, camera: str, frame: VideoFrame) -> None:
        """Add a frame of a camera that is held; a frame out of order is dropped and counted."""
        self._reach(frame.t_ns)
        track = self._cameras.get(camera)
        if track is None:
            return
        if track.append(frame):
            self.bytes += len(frame.data)
        else:
            self._count_frames([frame])
        if self.bytes > self.max_bytes:
            self._overflow()

    def trim(self, until_ns: int) -> None:
        """Discard what no open recording and no fire after `until_ns` can reach; all earlier fires must be known."""
        if self._empty:
            return
        wanted_from_ns = min(until_ns, self._latest_ns) - self._before_ns
        if self.pin_ns is not None:
            wanted_from_ns = min(wanted_from_ns, self.pin_ns)
        if wanted_from_ns > self._covered_from_ns:
            self._forget_before(wanted_from_ns)

    def cut(
        self,
        start_ns: int,
        end_ns: int,
        signals: Iterable[str],
        cameras: Iterable[str],
        on_change: Iterable[str] = (),
    ) -> Footage:
        """The footage of a span; empty for a signal or camera that the ring does not hold.

        Those of the signals that are sent `on_change` begin with their latest value before the span, if there was one
        since the ring holds them and time last ran backwards.
        """
        signals = list(signals)
        empty_signal, empty_camera = _SignalTrack(), _CameraTrack()
        footage = Footage(
            start_ns=start_ns,
            end_ns=end_ns,
            signals={
                name: self._signals.get(name, empty_signal).between(start_ns, end_ns)
                for name in signals
                if name not in self._lists
            },
            objects={name: self._lists[name].between(start_ns, end_ns) for name in signals if name in self._lists},
            cameras={
                name: frames_in(tuple(self._cameras.get(name, empty_camera).frames), start_ns, end_ns)
                for name in cameras
            },
        )
        held = [name for name in on_change if name in footage.signals]
        return footage.led_in({name: self._signals.get(name, empty_signal).latest_before(start_ns) for name in held})

    def clear(self) -> None:
        """Discard all data, but keep holding the same signals and cameras."""
        self._signals = {name: _SignalTrack() for name in self._signals}
        self._cameras = {name: _CameraTrack() for name in self._cameras}
        self._lists = {name: _ListTrack(track.samples.names) for name, track in self._lists.items()}
        self.bytes, self.pin_ns, self._empty = 0, None, True

    def _reach(self, t_ns: int) -> None:
        if self._empty:
            self._covered_from_ns = self._latest_ns = t_ns
            self._empty = False
        self._latest_ns = max(self._latest_ns, t_ns)

    def _forget_before(self, t_ns: int) -> None:
        for track in self._signals.values():
            self.bytes -= track.discard_before(t_ns) * HELD_SAMPLE_BYTES
        for objects in self._lists.values():
            self.bytes -= objects.discard_before(t_ns)[1]
        for camera in self._cameras.values():
            self.bytes -= sum(len(frame.data) for frame in camera.discard_before(t_ns, keep_decodable=True))
        self._covered_from_ns = t_ns

    def _overflow(self) -> None:
        step_ns = max(1, (self._latest_ns - self._covered_from_ns) // OVERFLOW_STEPS)
        while self.bytes > self.max_bytes:
            self._covered_from_ns = min(self._covered_from_ns + step_ns, self._latest_ns + 1)
            for track in self._signals.values():
                discarded = track.discard_before(self._covered_from_ns)
                self.bytes -= discarded * HELD_SAMPLE_BYTES
                self.drops.samples += discarded
                self.drops.bytes += discarded * HELD_SAMPLE_BYTES
            for objects in self._lists.values():
                discarded, freed = objects.discard_before(self._covered_from_ns)
                self.bytes -= freed
                self.drops.samples += discarded
                self.drops.bytes += freed
            for camera in self._cameras.values():
                gone = camera.discard_before(self._covered_from_ns, keep_decodable=False)
                self.bytes -= sum(len(frame.data) for frame in gone)
                self._count_frames(gone)

    def _count_frames(self, gone: list[VideoFrame]) -> None:
        self.drops.frames += len(gone)
        self.drops.bytes += sum(len(frame.data) for frame in gone)
