"""Footage: the samples and encoded frames of a span of time, as the ring buffer provides and a clip holds them."""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from triggers.clips.messages.objects import ObjectSamples

HELD_SAMPLE_BYTES = 16
"""Size of a sample in memory: its time (int64) and value (float64)."""


class VideoFrame(NamedTuple):
    """One encoded picture: for H.264 and H.265 an access unit in Annex B form, with parameter sets at each keyframe."""

    t_ns: int
    keyframe: bool
    data: bytes
    codec: str = "h264"
    """How it is encoded, as `foxglove.CompressedVideo` and `foxglove.CompressedImage` name it in `format`."""


class Samples(NamedTuple):
    """The samples of one signal: times (ns since the Unix epoch, ascending) and values, of equal length."""

    times_ns: array[int]
    values: array[float]

    @classmethod
    def of(cls, pairs: Iterable[tuple[int, float]]) -> Samples:
        """Samples from (time, value) pairs in the order of time."""
        samples = cls(array("q"), array("d"))
        for t_ns, value in pairs:
            samples.times_ns.append(t_ns)
            samples.values.append(value)
        return samples

    def between(self, start_ns: int, end_ns: int) -> Samples:
        """The samples in the closed interval."""
        first, last = bisect_left(self.times_ns, start_ns), bisect_right(self.times_ns, end_ns)
        return Samples(self.times_ns[first:last], self.values[first:last])

    def latest_before(self, t_ns: int) -> float | None:
        """The value of the latest sample before a time; None if there is none."""
        place = bisect_left(self.times_ns, t_ns)
        return self.values[place - 1] if place else None

    def led_in(self, t_ns: int, value: float | None) -> Samples:
        """These samples, which are not before `t_ns`, with a held one at that time; the same if one is there."""
        if value is None or (len(self.times_ns) and self.times_ns[0] == t_ns):
            return self
        return Samples(array("q", [t_ns]) + self.times_ns, array("d", [value]) + self.values)

    def as_arrays(self) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Times and values as NumPy arrays over the same memory."""
        return np.frombuffer(self.times_ns, np.int64), np.frombuffer(self.values, np.float64)


@dataclass(frozen=True)
class Footage:
    """What was measured in `[start_ns, end_ns]`, by signal, by list of objects and by camera.

    A camera begins with the latest keyframe not after `start_ns`, so that its picture at `start_ns` can be decoded;
    these lead-in frames may be before the span. Without such a keyframe it begins with the first keyframe in the span.
    A signal in `held` begins with a sample at `start_ns` that repeats its latest value before; only signals that are
    sent on change are.
    """

    start_ns: int
    end_ns: int
    signals: Mapping[str, Samples]
    cameras: Mapping[str, tuple[VideoFrame, ...]]
    held: frozenset[str] = frozenset()
    objects: Mapping[str, ObjectSamples] = field(default_factory=dict)

    @property
    def names(self) -> tuple[str, ...]:
        """The names of signals and lists, as a manifest lists them."""
        return tuple(sorted((*self.signals, *self.objects)))

    def cut(
        self,
        start_ns: int,
        end_ns: int,
        signals: Iterable[str],
        cameras: Iterable[str],
        on_change: Iterable[str] = (),
    ) -> Footage:
        """A part of this footage: fewer signals and cameras, or a shorter span, led in by signals sent `on_change`."""
        kept = {name: self.signals[name].between(start_ns, end_ns) for name in signals if name in self.signals}
        earlier = {name: self.signals[name].latest_before(start_ns) for name in on_change if name in kept}
        part = Footage(
            start_ns=start_ns,
            end_ns=end_ns,
            signals=kept,
            cameras={name: frames_in(self.cameras[name], start_ns, end_ns) for name in cameras if name in self.cameras},
            objects={name: self.objects[name].between(start_ns, end_ns) for name in signals if name in self.objects},
            held=self.held & kept.keys() if start_ns == self.start_ns else frozenset(),
        )
        return part.led_in(earlier)

    def led_in(self, earlier: Mapping[str, float | None]) -> Footage:
        """This footage with the latest values before it (None: there is none) as held samples at its start."""
        signals = dict(self.signals)
        held = set(self.held)
        for name, value in earlier.items():
            signals[name] = self.signals[name].led_in(self.start_ns, value)
            if len(signals[name].times_ns) > len(self.signals[name].times_ns):
                held.add(name)
        return replace(self, signals=signals, held=frozenset(held))


def frames_in(frames: Sequence[VideoFrame], start_ns: int, end_ns: int) -> tuple[VideoFrame, ...]:
    """The frames up to `end_ns`, from the latest keyframe not after `start_ns`, or else from the first one after it."""
    first = None
    for index, frame in enumerate(frames):
        if frame.t_ns > start_ns and first is not None:
            break
        if frame.keyframe:
            first = index
    if first is None:
        return ()
    return tuple(frame for frame in frames[first:] if frame.t_ns <= end_ns)
