"""The recorder: it groups fires whose capture windows touch into recordings, and takes their footage from the ring.

The span of a recording is the union of its fires' windows; its signals and cameras are the union of what they ask for.
A fire joins (and merges) the open recordings that its window touches, as long as the result is within the longest span;
otherwise it begins a new recording. A recording is finished when no later fire can join it: the windows of the assigned
campaigns reach back at most `before_ns`, so that is when data time has passed its end by `before_ns` (or the longest
span is filled). The recordings therefore depend only on the fires, not on how the rows were passed in.
"""

from __future__ import annotations

from dataclasses import dataclass

from triggers.clips.footage import Footage
from triggers.contracts.clip import MAX_CAMERAS, MAX_FIRES, MAX_SIGNALS
from triggers.vehicle.recording.fires import VehicleFire
from triggers.vehicle.recording.ring import RingBuffer


@dataclass(eq=False)
class Recording:
    """An open recording: its fires so far and the union of their windows."""

    start_ns: int
    end_ns: int
    fires: list[VehicleFire]
    signals: set[str]
    cameras: set[str]
    lists: dict[str, tuple[str, ...]]

    @classmethod
    def of(cls, fire: VehicleFire, max_span_ns: int) -> Recording:
        """The recording of one fire."""
        start_ns, end_ns = fire.window(max_span_ns)
        capture = fire.capture
        return cls(start_ns, end_ns, [fire], set(capture.signals), set(capture.cameras), dict(capture.lists))

    def touches(self, other: Recording) -> bool:
        """Whether the two spans overlap or touch."""
        return self.start_ns <= other.end_ns and other.start_ns <= self.end_ns

    def fits(self, other: Recording, max_span_ns: int) -> bool:
        """Whether both together stay within the limits."""
        return (
            max(self.end_ns, other.end_ns) - min(self.start_ns, other.start_ns) <= max_span_ns
            and len(self.fires) + len(other.fires) <= MAX_FIRES
            and len(self.signals | other.signals) <= MAX_SIGNALS
            and len(self.cameras | other.cameras) <= MAX_CAMERAS
        )

    def absorb(self, other: Recording) -> None:
        """Merge the other recording into this one."""
        self.start_ns, self.end_ns = min(self.start_ns, other.start_ns), max(self.end_ns, other.end_ns)
        self.fires = other.fires + self.fires
        self.signals |= other.signals
        self.cameras |= other.cameras
        self.lists |= other.lists


@dataclass(frozen=True)
class FinishedRecording:
    """A closed recording; `footage` is None if nothing of it was left in the ring.

    `lost` are fires whose own moment was no longer in the ring. The footage spans what is left of the union of windows.
    """

    fires: tuple[VehicleFire, ...]
    lost: tuple[VehicleFire, ...]
    footage: Footage | None


class Recorder:
    """The open recordings of one ring buffer. Fires must be added in order of time."""

    def __init__(self, ring: RingBuffer, *, max_span_ns: int) -> None:
        self._ring = ring
        self._max_span_ns = max_span_ns
        self._open: list[Recording] = []
        self.before_ns = 0
        """The longest pre-roll of any campaign that may still fire."""

    def add(self, fire: VehicleFire) -> list[FinishedRecording]:
        """Record a fire; returns the recordings that are finished by its time."""
        finished = self.advance(fire.t_ns - 1)
        recording = Recording.of(fire, self._max_span_ns)
        asked = Recording.of(fire, self._max_span_ns)  # separate: `recording` grows, the fire's own window decides
        apart = []
        for other in self._open:
            if asked.touches(other) and recording.fits(other, self._max_span_ns):
                recording.absorb(other)
            else:
                apart.append(other)
        self._open = [*apart, recording]
        self._pin()
        return finished

    def advance(self, now_ns: int) -> list[FinishedRecording]:
        """Finish the recordings that no later fire can join, given that all fires up to `now_ns` were added."""
        finished = self._finish([r for r in self._open if self._joinable_until_ns(r) <= now_ns])
        self._ring.trim(now_ns)
        return finished

    def finish(self) -> list[FinishedRecording]:
        """Finish all recordings with the data so far, because the drive ends or time runs backwards."""
        return self._finish(list(self._open))

    def wanted(self) -> tuple[set[str], set[str]]:
        """The signals and cameras that open recordings still need, whatever is assigned now."""
        signals = set[str]().union(*(r.signals for r in self._open))
        cameras = set[str]().union(*(r.cameras for r in self._open))
        return signals, cameras

    def wanted_lists(self) -> dict[str, tuple[str, ...]]:
        """Those of the signals that are lists of objects, with the names of their fields."""
        return {name: fields for recording in self._open for name, fields in recording.lists.items()}

    def _joinable_until_ns(self, recording: Recording) -> int:
        """The time from which no later fire can join: its window does not touch the recording, or does not fit."""
        return max(recording.end_ns, min(recording.end_ns + self.before_ns, recording.start_ns + self._max_span_ns))

    def _finish(self, recordings: list[Recording]) -> list[FinishedRecording]:
        finished = [self._close(recording) for recording in recordings]
        if finished:
            self._open = [recording for recording in self._open if recording not in recordings]
            self._pin()
        return finished

    def _close(self, recording: Recording) -> FinishedRecording:
        covered_from_ns, latest_ns = self._ring.covered_from_ns, self._ring.latest_ns
        if covered_from_ns is None or latest_ns is None:
            return FinishedRecording((), tuple(recording.fires), None)
        kept = tuple(fire for fire in recording.fires if covered_from_ns <= fire.t_ns <= latest_ns)
        lost = tuple(fire for fire in recording.fires if not covered_from_ns <= fire.t_ns <= latest_ns)
        if not kept:
            return FinishedRecording((), lost, None)
        windows = [fire.window(self._max_span_ns) for fire in kept]
        footage = self._ring.cut(
            max(covered_from_ns, min(start_ns for start_ns, _ in windows)),
            min(latest_ns, max(end_ns for _, end_ns in windows)),
            sorted({name for fire in kept for name in fire.capture.signals}),
            sorted({name for fire in kept for name in fire.capture.cameras}),
            sorted({name for fire in kept for name in fire.capture.on_change}),
        )
        return FinishedRecording(kept, lost, footage)

    def _pin(self) -> None:
        self._ring.pin_ns = min((r.start_ns for r in self._open), default=None)
