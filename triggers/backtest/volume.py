"""Estimated clip sizes, from the samples in the capture windows of a drive's fires.

The model of a clip's size is `triggers/clips/size.py`; a camera adds the mean data rate of its video. Fires whose
windows overlap share a recording, so the sum over fires is an upper estimate.

Signals that the programs read are counted during the run. Signals that are only captured are counted in a second pass
over the row groups that capture windows touch, so they are only read around fires.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping

import numpy as np
from numpy.typing import NDArray

from triggers.backtest.windows import SampledRows, WindowCounts
from triggers.clips.size import CHANNEL_BYTES, FILE_BYTES, SAMPLE_BYTES
from triggers.contracts.campaign import CaptureWindow
from triggers.drives.batches import Batch
from triggers.drives.file import DriveFile
from triggers.drives.times import Times
from triggers.signals.catalog import SignalCatalog
from triggers.times import NS_PER_S


class ClipMeter:
    """Estimates the clip size of each fire of one drive from the batches of the drive and the fires in them.

    Signals and cameras that the drive does not have add nothing.
    """

    def __init__(
        self, file: DriveFile, catalog: SignalCatalog, captures: Mapping[str, CaptureWindow], read: Collection[str]
    ) -> None:
        """`read`: the signals that the batches will carry."""
        self._file, self._catalog, self._captures = file, catalog, captures
        self._read = {signal for capture in captures.values() for signal in capture.signals} & set(read)
        self._before_ns = max((capture.before_ns for capture in captures.values()), default=0)
        self._counts: dict[str, WindowCounts] = {}
        self._latest: list[SampledRows] = []
        """Earlier rows, as far back as the windows of fires in the next batch may reach."""

    def take(self, batch: Batch, fires_ns: Mapping[str, Times]) -> None:
        """Count the samples of a batch; `fires_ns` are the times of its fires by trigger."""
        rows = SampledRows.of(batch)
        for name, t_ns in fires_ns.items():
            if name not in self._counts:
                capture = self._captures[name]
                self._counts[name] = WindowCounts(capture, [s for s in capture.signals if s in self._read])
            self._counts[name].add(t_ns, self._latest)
        for counts in self._counts.values():
            counts.take(rows)
        if self._read:
            from_ns = int(batch.t_ns[-1]) - self._before_ns
            self._latest = [earlier for earlier in self._latest if earlier.t_ns[-1] >= from_ns]
            self._latest.append(rows.tail(from_ns, self._read))

    def sizes(
        self, fires_ns: Mapping[str, Times], camera_bytes_per_s: Mapping[str, float], on_batch: Callable[[], None]
    ) -> dict[str, NDArray[np.int64]]:
        """The estimated bytes of each fire's clip, by trigger, in the order of `fires_ns` (ascending).

        Call this after all batches have been read, when the times of the file's row groups are known. `on_batch` is
        called after each batch of the second pass and may raise to end the work.
        """
        unread = self._unread(fires_ns)
        further = self._second_pass({name: fires_ns[name] for name in unread}, unread, on_batch)
        sizes = {}
        for name in fires_ns:
            capture = self._captures[name]
            seconds = (capture.before_ns + capture.after_ns) / NS_PER_S
            video = sum(camera_bytes_per_s.get(camera, 0.0) for camera in capture.cameras) * seconds
            counted = [counts[name].totals() for counts in (self._counts, further) if name in counts]
            bytes_ = sum(samples * SAMPLE_BYTES + channels * CHANNEL_BYTES for samples, channels in counted)
            sizes[name] = bytes_ + np.full(len(fires_ns[name]), round(FILE_BYTES + video))
        return sizes

    def _unread(self, triggers: Iterable[str]) -> dict[str, list[str]]:
        """By trigger, the captured signals of the drive that no program reads; triggers without any are left out."""
        present = set(self._file.columns)
        unread = {
            name: [
                signal
                for signal in self._captures[name].signals
                if signal not in self._read
                and signal in self._catalog.signals
                and self._file.column_of(signal, self._catalog) in present
            ]
            for name in triggers
        }
        return {name: signals for name, signals in unread.items() if signals}

    def _second_pass(
        self, fires_ns: Mapping[str, Times], signals: Mapping[str, list[str]], on_batch: Callable[[], None]
    ) -> dict[str, WindowCounts]:
        counts = {name: WindowCounts(self._captures[name], signals[name]) for name in fires_ns}
        groups = self._touched(fires_ns)
        if not groups:
            return counts
        added = dict.fromkeys(fires_ns, 0)
        for batch in self._file.batches(self._catalog, sorted(set().union(*signals.values())), groups):
            rows = SampledRows.of(batch)
            for name, t_ns in fires_ns.items():
                begun = int(np.searchsorted(t_ns, batch.t_ns[-1] + self._captures[name].before_ns, side="right"))
                counts[name].add(t_ns[added[name] : begun])
                counts[name].take(rows)
                added[name] = max(added[name], begun)
            on_batch()
        return counts

    def _touched(self, fires_ns: Mapping[str, Times]) -> list[int]:
        """The row groups that capture windows touch."""
        starts = np.array(self._file.group_starts_ns, np.int64)
        ends = np.append(starts[1:], np.iinfo(np.int64).max)
        touched = np.zeros(len(starts), bool)
        for name, t_ns in fires_ns.items():
            until_ns, from_ns = t_ns + self._captures[name].after_ns, t_ns - self._captures[name].before_ns
            touched |= np.searchsorted(until_ns, starts) < np.searchsorted(from_ns, ends, side="right")
        return np.flatnonzero(touched).tolist()
