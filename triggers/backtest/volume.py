"""The size a clip would have, estimated from the samples that lie in its capture window.

Model: a clip is an MCAP file whose chunks are compressed by zstd. A sample costs SAMPLE_BYTES (a message of 40
bytes and its index entry of 16, compressed), a channel CHANNEL_BYTES, the file FILE_BYTES (schemas, manifest,
summary). The figures are those of clips of recorded cars at 50 to 2,400 samples a second, which lie within 15 %
of the model. A camera costs its video's mean bytes a second. Fires whose windows overlap share a recording, so
the sum over fires is an upper estimate.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from triggers.catalog import SignalCatalog
from triggers.contracts.base import NS_PER_S
from triggers.contracts.campaign import CaptureWindow
from triggers.drives import Drive

SAMPLE_BYTES = 21
CHANNEL_BYTES = 190
FILE_BYTES = 4096
_MAX_BINS = 1_000_000


@dataclass(frozen=True, slots=True)
class SampleCounts:
    """Samples of each signal, counted in equal bins over a drive; bytes a second of each camera."""

    start_ns: int
    bin_ns: int
    cumulative: dict[str, NDArray[np.int64]]
    camera_bytes_per_s: dict[str, float]

    @classmethod
    def of(cls, drive: Drive, catalog: SignalCatalog, signals: Iterable[str], span_ns: tuple[int, int]) -> SampleCounts:
        """Count a drive's samples; signals that the drive does not have count nothing.

        `span_ns` is the time of the first and the last row. Bins are one second, longer in very long drives.
        """
        start_ns, end_ns = span_ns
        bin_ns = max(NS_PER_S, (end_ns - start_ns) // _MAX_BINS + 1)
        bins = (end_ns - start_ns) // bin_ns + 1
        present = set(drive.columns)
        recorded = [signal for signal in sorted(signals) if catalog.column(signal) in present]
        counts = {signal: np.zeros(bins, np.int64) for signal in recorded}
        for batch in drive.batches(catalog, recorded):
            places = (batch.t_ns - start_ns) // bin_ns
            for signal, numbers in batch.columns.items():
                counts[signal] += np.bincount(places[~np.isnan(numbers)], minlength=bins)
        cumulative = {signal: np.concatenate(([0], np.cumsum(count))) for signal, count in counts.items()}
        seconds = max((end_ns - start_ns) / NS_PER_S, 1.0)
        videos = {name: video.stat().st_size / seconds for name, video in drive.cameras.items()}
        return cls(start_ns, bin_ns, cumulative, videos)

    def between(self, signal: str, from_ns: int, until_ns: int) -> float:
        """Samples of a signal in a span, spread evenly within a bin; 0 for one that was not recorded."""
        counts = self.cumulative.get(signal)
        if counts is None:
            return 0.0
        edges = (np.array([from_ns, until_ns], np.float64) - self.start_ns) / self.bin_ns
        low, high = np.interp(edges, np.arange(len(counts)), counts)
        return float(high - low)


def clip_bytes(capture: CaptureWindow, fire_ns: int, counts: SampleCounts) -> int:
    """Estimated bytes of the clip of one fire."""
    from_ns, until_ns = fire_ns - capture.before_ns, fire_ns + capture.after_ns
    samples = [counts.between(signal, from_ns, until_ns) for signal in capture.signals]
    channels = sum(1 for number in samples if number)
    seconds = (until_ns - from_ns) / NS_PER_S
    video = sum(counts.camera_bytes_per_s.get(camera, 0.0) for camera in capture.cameras) * seconds
    return round(FILE_BYTES + channels * CHANNEL_BYTES + sum(samples) * SAMPLE_BYTES + video)
