"""The size a clip would have, estimated from the samples that lie in its capture window.

Model: a clip is an MCAP file whose chunks are compressed by zstd. A sample costs SAMPLE_BYTES (a message of 40
bytes and its index entry of 16, compressed), a channel CHANNEL_BYTES, the file FILE_BYTES (schemas, manifest,
summary). The figures are those of clips of recorded cars at 50 to 2,400 samples a second, which lie within 15 %
of the model. A camera costs its video's mean bytes a second. Fires whose windows overlap share a recording, so
the sum over fires is an upper estimate.

Samples are counted in a second pass over the row groups that capture windows touch, so that a drive's length costs
no memory and columns that are captured, but not watched, are read around fires alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from triggers.catalog import SignalCatalog
from triggers.contracts.base import NS_PER_S
from triggers.contracts.campaign import CaptureWindow
from triggers.drive_batches import Batch
from triggers.drive_columns import Times
from triggers.drive_file import DriveFile

SAMPLE_BYTES = 21
CHANNEL_BYTES = 190
FILE_BYTES = 4096


def nominal_clip_bytes(capture: CaptureWindow, catalog: SignalCatalog) -> int:
    """What a clip has by the declared rates of its signals; those without a rate, and cameras, count nothing."""
    seconds = (capture.before_ns + capture.after_ns) / NS_PER_S
    rates = [catalog.signals[name].rate or 0.0 for name in capture.signals if name in catalog.signals]
    channels = sum(1 for rate in rates if rate)
    return round(FILE_BYTES + channels * CHANNEL_BYTES + sum(rates) * seconds * SAMPLE_BYTES)


def clip_bytes(
    file: DriveFile,
    catalog: SignalCatalog,
    captures: Mapping[str, CaptureWindow],
    fires_ns: Mapping[str, Times],
    camera_bytes_per_s: Mapping[str, float],
    *,
    on_batch: Callable[[], None],
) -> dict[str, NDArray[np.int64]]:
    """Estimated bytes of the clip of each fire, by trigger, in the order of `fires_ns` (ascending).

    The file must have been read before, which tells the times of its row groups. Signals and cameras that the drive
    does not have count nothing. `on_batch` is called after each batch, and may raise to end the work.
    """
    present = set(file.columns)
    windows = {}
    for name, t_ns in fires_ns.items():
        recorded = [s for s in captures[name].signals if s in catalog.signals and file.column_of(s, catalog) in present]
        windows[name] = _Windows(captures[name], recorded, t_ns)
    groups = _touched(file, list(windows.values()))
    signals = sorted({signal for each in windows.values() for signal in each.signals})
    if groups and signals:
        for batch in file.batches(catalog, signals, groups):
            sampled = {signal: _sample_times(batch, signal) for signal in signals}
            for each in windows.values():
                each.count(batch, sampled)
            on_batch()
    return {name: each.sizes(camera_bytes_per_s) for name, each in windows.items()}


def _sample_times(batch: Batch, signal: str) -> Times:
    numbers = batch.columns[signal]
    return batch.t_ns[:0] if numbers is None else batch.t_ns[~np.isnan(numbers)]


def _touched(file: DriveFile, windows: list[_Windows]) -> list[int]:
    """The row groups in whose time a capture window lies, wholly or in part."""
    starts = np.array(file.group_starts_ns, np.int64)
    ends = np.append(starts[1:], np.iinfo(np.int64).max)
    touched = np.zeros(len(starts), bool)
    for each in windows:
        touched |= np.searchsorted(each.until_ns, starts) < np.searchsorted(each.from_ns, ends, side="right")
    return np.flatnonzero(touched).tolist()


class _Windows:
    """The capture windows of one trigger's fires, and what was counted in them.

    Batches come in order of time, so the windows that a batch touches are a range that only moves forwards.
    """

    def __init__(self, capture: CaptureWindow, signals: list[str], t_ns: Times) -> None:
        self.signals = signals
        self.from_ns = t_ns - capture.before_ns
        self.until_ns = t_ns + capture.after_ns
        self._capture = capture
        self._samples = np.zeros(len(t_ns), np.int64)
        self._channels = np.zeros(len(t_ns), np.int64)
        self._first = 0
        self._seen = np.zeros((len(signals), 0), bool)
        """Of the windows from `_first` on, which may go on in the next batch: has the signal a sample in it?"""

    def count(self, batch: Batch, sampled: Mapping[str, Times]) -> None:
        """Count the samples of a batch, given by their times."""
        first = int(np.searchsorted(self.until_ns, batch.t_ns[0]))
        end = max(first, int(np.searchsorted(self.from_ns, batch.t_ns[-1], side="right")))
        self._settle(first, end)
        if first == end:
            return
        for index, signal in enumerate(self.signals):
            t_ns = sampled[signal]
            counts = np.searchsorted(t_ns, self.until_ns[first:end], side="right")
            counts -= np.searchsorted(t_ns, self.from_ns[first:end])
            self._samples[first:end] += counts
            self._seen[index] |= counts > 0

    def _settle(self, first: int, end: int) -> None:
        """Make `first` to `end` the open windows; count the channels of those before."""
        done = min(first - self._first, self._seen.shape[1])
        self._channels[self._first : self._first + done] = self._seen[:, :done].sum(axis=0)
        still_open = self._seen[:, done : done + end - first]
        self._seen = np.zeros((len(self.signals), end - first), bool)
        self._seen[:, : still_open.shape[1]] = still_open
        self._first = first

    def sizes(self, camera_bytes_per_s: Mapping[str, float]) -> NDArray[np.int64]:
        """Bytes of each window's clip, after the last batch."""
        self._settle(len(self.from_ns), len(self.from_ns))
        seconds = (self._capture.before_ns + self._capture.after_ns) / NS_PER_S
        video = sum(camera_bytes_per_s.get(camera, 0.0) for camera in self._capture.cameras) * seconds
        counted: NDArray[np.int64] = self._channels * CHANNEL_BYTES + self._samples * SAMPLE_BYTES
        return counted + round(FILE_BYTES + video)
