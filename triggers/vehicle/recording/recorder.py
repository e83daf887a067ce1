"""The recorder: groups fires whose capture windows touch into recordings, and takes their footage from the ring.

A recording's span is the union of its fires' windows, its signals and cameras the union of what they ask for. A fire
joins the open recordings that its window touches (and makes them one), as long as that stays within the longest
span; else it begins a new one. A recording is finished when no fire still to come can join it: the windows of the
assigned campaigns reach back `before_ns` at most, so that is when data time has passed its end by `before_ns` (or
filled the longest span). What recordings come out therefore depends on the fires alone, not on how the rows were
handed in.
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

    @classmethod
    def of(cls, fire: VehicleFire, max_span_ns: int) -> Recording:
        """The recording of one fire."""
        start_ns, end_ns = fire.window(max_span_ns)
        return cls(start_ns, end_ns, [fire], set(fire.capture.signals), set(fire.capture.cameras))

    def touches(self, other: Recording) -> bool:
        """Do the two spans have a moment in common?"""
        return self.start_ns <= other.end_ns and other.start_ns <= self.end_ns

    def fits(self, other: Recording, max_span_ns: int) -> bool:
        """Would both together stay within the limits?"""
        return (
            max(self.end_ns, other.end_ns) - min(self.start_ns, other.start_ns) <= max_span_ns
            and len(self.fires) + len(other.fires) <= MAX_FIRES
            and len(self.signals | other.signals) <= MAX_SIGNALS
            and len(self.cameras | other.cameras) <= MAX_CAMERAS
        )

    def absorb(self, other: Recording) -> None:
        """Become the union of both."""
        self.start_ns, self.end_ns = min(self.start_ns, other.start_ns), max(self.end_ns, other.end_ns)
        self.fires = other.fires + self.fires
        self.signals |= other.signals
        self.cameras |= other.cameras


@dataclass(frozen=True)
class FinishedRecording:
    """A closed recording; `footage` is None when nothing of it was left in the ring.

    `lost` are fires whose own moment had left the ring. The footage's span is what is there of the union of windows.
    """

    fires: tuple[VehicleFire, ...]
    lost: tuple[VehicleFire, ...]
    footage: Footage | None


class Recorder:
    """Open recordings over one ring buffer. Fires come in the order of their times."""

    def __init__(self, ring: RingBuffer, *, max_span_ns: int) -> None:
        self._ring = ring
        self._max_span_ns = max_span_ns
        self._open: list[Recording] = []
        self.before_ns = 0
        """The longest pre-roll of any campaign that may still fire."""

    def add(self, fire: VehicleFire) -> list[FinishedRecording]:
        """Record a fire; the recordings that its time shows to be finished."""
        finished = self.advance(fire.t_ns - 1)
        recording = Recording.of(fire, self._max_span_ns)
        asked = Recording.of(fire, self._max_span_ns)  # apart, since `recording` grows: the fire's own window decides
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
        """All fires up to `now_ns` were added: finish the recordings that no later one can join."""
        finished = self._finish([r for r in self._open if self._joinable_until_ns(r) <= now_ns])
        self._ring.trim(now_ns)
        return finished

    def finish(self) -> list[FinishedRecording]:
        """The drive ends, or time runs backwards: finish all recordings with what is there."""
        return self._finish(list(self._open))

    def wanted(self) -> tuple[set[str], set[str]]:
        """Signals and cameras that open recordings still need, whatever is assigned now."""
        signals = set[str]().union(*(r.signals for r in self._open))
        cameras = set[str]().union(*(r.cameras for r in self._open))
        return signals, cameras

    def _joinable_until_ns(self, recording: Recording) -> int:
        """No window of a later fire touches the recording, or none still fits."""
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
        )
        return FinishedRecording(kept, lost, footage)

    def _pin(self) -> None:
        self._ring.pin_ns = min((r.start_ns for r in self._open), default=None)
