"""Estimated clip sizes, from the samples in the capture windows of a drive's fires.

The model of a clip's size is `triggers/clips/size.py`; a camera adds the data rate of its video. Fires of one trigger
whose windows touch are one recording: its size is estimated, too, from the windows of its fires and their overlaps.
A recording begins with the latest sample of each signal that is sent on change, which counts like any other.

Signals that the programs read are counted during the run. Signals that are only captured are counted in a second pass
over the row groups that capture windows touch, so they are only read around fires.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from triggers.backtest.meters.recordings import OwnRecordings
from triggers.backtest.meters.windows import SampledRows, WindowCounts
from triggers.clips.size import CHANNEL_BYTES, FILE_BYTES, SAMPLE_BYTES
from triggers.contracts.campaign import CaptureWindow
from triggers.drives.batches import Batch
from triggers.drives.file import DriveFile
from triggers.drives.times import Times
from triggers.signals.catalog import SignalCatalog
from triggers.times import NS_PER_S

Bytes = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class ClipSizes:
    """Estimated bytes: of a clip for each fire alone, and of each recording of touching fires of the trigger."""

    by_fire: Bytes
    by_recording: Bytes


class ClipMeter:
    """Estimates the clip sizes of one drive from the batches of the drive and the fires in them.

    Signals and cameras that the drive does not have add nothing.
    """

    def __init__(
        self, file: DriveFile, catalog: SignalCatalog, captures: Mapping[str, CaptureWindow], read: Collection[str]
    ) -> None:
        """`read`: the signals that the batches will carry."""
        self._file, self._catalog, self._captures = file, catalog, captures
        self._read = {signal for capture in captures.values() for signal in capture.signals} & set(read)
        self._before_ns = max((capture.before_ns for capture in captures.values()), default=0)
        self._fires: dict[str, FireCounts] = {}
        self._latest: list[SampledRows] = []
        """Earlier rows, as far back as the windows of fires in the next batch may reach."""
        self._first_sample_ns: dict[str, int] = {}
        """By signal that is sent on change: since when it has a value to hold."""
        self._begins_ns: int | None = None

    def take(self, batch: Batch, fires_ns: Mapping[str, Times]) -> None:
        """Count the samples of a batch; `fires_ns` are the times of its fires by trigger."""
        if self._begins_ns is None:
            self._begins_ns = int(batch.t_ns[0])
        self._note_first_samples(batch)
        rows = SampledRows.of(batch)
        for name, t_ns in fires_ns.items():
            if name not in self._fires:
                signals = [signal for signal in self._captures[name].signals if signal in self._read]
                self._fires[name] = self._new_counts(name, signals, self._first_sample_ns)
            self._fires[name].add(t_ns, self._latest)
        for counts in self._fires.values():
            counts.take(rows)
        if self._read:
            from_ns = int(batch.t_ns[-1]) - self._before_ns
            self._latest = [earlier for earlier in self._latest if earlier.t_ns[-1] >= from_ns]
            self._latest.append(rows.tail(from_ns, self._read))

    def sizes(
        self, fires_ns: Mapping[str, Times], camera_bytes_per_s: Mapping[str, float], on_batch: Callable[[], None]
    ) -> dict[str, ClipSizes]:
        """The estimated bytes by trigger, in the order of `fires_ns` (ascending).

        Call this after all batches have been read, when the times of the file's row groups are known. `on_batch` is
        called after each batch of the second pass and may raise to end the work.
        """
        return sizes_of_all([(self, fires_ns)], camera_bytes_per_s, on_batch)[0]

    def second_pass(self, fires_ns: Mapping[str, Times]) -> SecondPass:
        """What is still to be counted for these fires; call it after all batches have been read."""
        unread = self._unread(fires_ns)
        signals = sorted(set[str]().union(*unread.values()))
        # Earlier row groups are not read; nearly every drive begins with the values of what is sent on change.
        held_since_ns = {s: self._begins_ns or 0 for s in signals if self._is_on_change(s)}
        counts = {name: self._new_counts(name, unread[name], held_since_ns) for name in unread}
        around_ns = {name: fires_ns[name] for name in unread}
        return SecondPass(signals, self._touched(around_ns) if unread else [], around_ns, counts)

    def sizes_after(
        self, further: SecondPass, fires_ns: Mapping[str, Times], camera_bytes_per_s: Mapping[str, float]
    ) -> dict[str, ClipSizes]:
        """The estimated bytes by trigger, after the second pass."""
        sizes = {}
        for name in fires_ns:
            capture = self._captures[name]
            video = sum(camera_bytes_per_s.get(camera, 0.0) for camera in capture.cameras)
            counted = [counts[name] for counts in (self._fires, further.counts) if name in counts]
            sizes[name] = _sizes(fires_ns[name], capture, counted, video, self._catalog.buffer_ns)
        return sizes

    def uncounted(self, triggers: Iterable[str]) -> set[str]:
        """The signals that these triggers capture and that the drive cannot give."""
        signals = {signal for name in triggers for signal in self._captures[name].signals}
        return {signal for signal in signals if not self._has(signal)}

    def row_groups(self, signals: Collection[str], groups: Sequence[int]) -> Iterator[Batch]:
        """The rows of some of the drive's row groups."""
        return self._file.batches(self._catalog, signals, groups)

    def _note_first_samples(self, batch: Batch) -> None:
        for signal in self._read:
            if signal in self._first_sample_ns or not self._is_on_change(signal):
                continue
            numbers = batch.columns[signal]
            if numbers is None:
                continue
            rows = np.flatnonzero(~np.isnan(numbers))
            if len(rows):
                self._first_sample_ns[signal] = int(batch.t_ns[rows[0]])

    def _new_counts(self, trigger: str, signals: list[str], first_sample_ns: Mapping[str, int]) -> FireCounts:
        return FireCounts(self._captures[trigger], signals, first_sample_ns, self._catalog.buffer_ns)

    def _unread(self, triggers: Iterable[str]) -> dict[str, list[str]]:
        """By trigger, the captured signals of the drive that no program reads; triggers without any are left out."""
        unread = {
            name: [signal for signal in self._captures[name].signals if signal not in self._read and self._has(signal)]
            for name in triggers
        }
        return {name: signals for name, signals in unread.items() if signals}

    def _has(self, signal: str) -> bool:
        is_declared = signal in self._catalog.signals or signal in self._catalog.objects
        return is_declared and self._file.problem(signal, self._catalog) is None

    def _is_on_change(self, signal: str) -> bool:
        declared = self._catalog.signals.get(signal)
        return declared is not None and declared.update == "on_change"

    def _touched(self, fires_ns: Mapping[str, Times]) -> list[int]:
        """The row groups that capture windows touch."""
        starts = np.array(self._file.group_starts_ns, np.int64)
        ends = np.append(starts[1:], np.iinfo(np.int64).max)
        touched = np.zeros(len(starts), bool)
        for name, t_ns in fires_ns.items():
            until_ns, from_ns = t_ns + self._captures[name].after_ns, t_ns - self._captures[name].before_ns
            touched |= np.searchsorted(until_ns, starts) < np.searchsorted(from_ns, ends, side="right")
        return np.flatnonzero(touched).tolist()


class SecondPass:
    """The counts of signals that are only captured, made from the row groups that capture windows touch."""

    def __init__(
        self, signals: list[str], groups: list[int], fires_ns: Mapping[str, Times], counts: dict[str, FireCounts]
    ) -> None:
        """`signals` and row `groups` are what has to be read; the fires are those of triggers that capture them."""
        self.signals, self.groups, self.counts = signals, groups, counts
        self._fires_ns = fires_ns
        self._added = dict.fromkeys(fires_ns, 0)

    def take(self, batch: Batch) -> None:
        """Count the samples of a batch, which may hold further signals and rows."""
        rows = SampledRows.of(batch)
        for name, t_ns in self._fires_ns.items():
            counts, added = self.counts[name], self._added[name]
            begun = int(np.searchsorted(t_ns, batch.t_ns[-1] + counts.before_ns, side="right"))
            counts.add(t_ns[added:begun])
            counts.take(rows)
            self._added[name] = max(added, begun)

    def end(self) -> None:
        """Open the windows of the fires that no batch has reached."""
        for name, t_ns in self._fires_ns.items():
            self.counts[name].add(t_ns[self._added[name] :])


def sizes_of_all(
    meters: Sequence[tuple[ClipMeter, Mapping[str, Times]]],
    camera_bytes_per_s: Mapping[str, float],
    on_batch: Callable[[], None],
) -> list[dict[str, ClipSizes]]:
    """The estimated bytes of several meters of one drive, each with its fires; see `ClipMeter.sizes`.

    What several have to read in a second pass is read once.
    """
    passes = [meter.second_pass(fires_ns) for meter, fires_ns in meters]
    groups = sorted({group for each in passes for group in each.groups})
    signals = sorted({signal for each in passes for signal in each.signals})
    for batch in meters[0][0].row_groups(signals, groups) if groups else ():
        for each in passes:
            each.take(batch)
        on_batch()
    for each in passes:
        each.end()
    return [
        meter.sizes_after(further, fires_ns, camera_bytes_per_s)
        for further, (meter, fires_ns) in zip(passes, meters, strict=True)
    ]


class FireCounts:
    """Samples in the windows of one trigger's fires, and in the overlaps of those that are in one recording."""

    def __init__(
        self,
        capture: CaptureWindow,
        signals: list[str],
        first_sample_ns: Mapping[str, int],
        max_span_ns: int,
    ) -> None:
        self._capture = capture
        self.before_ns = capture.before_ns
        self._first_sample_ns = first_sample_ns
        self._recordings = OwnRecordings(capture, max_span_ns)
        self._windows, self._overlaps = WindowCounts(signals), WindowCounts(signals)
        self._latest_ns = 0

    def add(self, fires_ns: Times, before: Iterable[SampledRows] = ()) -> None:
        """Open the windows of further fires, and count the rows `before` that are in them."""
        if not len(fires_ns):
            return
        from_ns, until_ns = fires_ns - self._capture.before_ns, fires_ns + self._capture.after_ns
        held = self._held(from_ns)
        self._windows.add(from_ns, until_ns, before, held)
        joined = self._recordings.joined(fires_ns)
        if joined.any():
            previous_until_ns = np.append(self._latest_ns, fires_ns[:-1])[joined] + self._capture.after_ns
            self._overlaps.add(from_ns[joined], previous_until_ns, before, held[:, joined])
        self._latest_ns = int(fires_ns[-1])

    def take(self, rows: SampledRows) -> None:
        """Count the next rows."""
        self._windows.take(rows)
        self._overlaps.take(rows)

    def totals(self) -> tuple[Bytes, Bytes, Bytes]:
        """Samples and channels of each fire's window, and the samples of each overlap, after the last rows."""
        return *self._windows.totals(), self._overlaps.totals()[0]

    def _held(self, from_ns: Times) -> Bytes:
        """For each signal and window, 1 if the window begins with a held sample: a value from before it."""
        since_ns = [self._first_sample_ns.get(s, np.iinfo(np.int64).max) for s in self._windows.signals]
        return (np.array(since_ns, np.int64)[:, None] < from_ns[None, :]).astype(np.int64)


def _sizes(
    fires_ns: Times, capture: CaptureWindow, counted: list[FireCounts], video_bytes_per_s: float, max_span_ns: int
) -> ClipSizes:
    joined = OwnRecordings(capture, max_span_ns).joined(fires_ns)
    samples, channels = np.zeros(len(fires_ns), np.int64), np.zeros(len(fires_ns), np.int64)
    twice = np.zeros(len(fires_ns), np.int64)
    for counts in counted:
        in_windows, with_samples, in_overlaps = counts.totals()
        samples, channels = samples + in_windows, channels + with_samples
        twice[joined] += in_overlaps
    video = video_bytes_per_s * (capture.before_ns + capture.after_ns) / NS_PER_S
    by_fire = samples * SAMPLE_BYTES + channels * CHANNEL_BYTES + round(FILE_BYTES + video)
    firsts = np.flatnonzero(~joined)
    spans_ns = fires_ns[np.append(firsts[1:], len(fires_ns)) - 1] - fires_ns[firsts]
    further_video = np.rint(video_bytes_per_s * spans_ns / NS_PER_S).astype(np.int64)
    by_recording = np.add.reduceat((samples - twice) * SAMPLE_BYTES, firsts)
    by_recording += np.maximum.reduceat(channels, firsts) * CHANNEL_BYTES + round(FILE_BYTES + video) + further_video
    return ClipSizes(by_fire, by_recording)
