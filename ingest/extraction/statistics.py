"""Statistics of a clip's signals: how many samples each has, and minimum, maximum and mean of the finite ones."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from ingest.extraction.outputs import Statistics
from triggers.drives.series import SignalSeries


def statistics(name: str, series: SignalSeries, *, end_ns: int | None = None, held: bool = False) -> Statistics:
    """The statistics of a signal with samples; minimum, maximum and mean are None when no sample is finite.

    `held`: the first sample repeats what was sent before the recording. With `end_ns`, the recording's end, each sample
    holds until the next one and the mean is over time. Infinite samples ("measured but invalid") and NaN end what held
    before them, and count for nothing.
    """
    finite = np.isfinite(series.values)
    values = series.values[finite]
    weights = None if end_ns is None else _held_ns(series.t_ns, end_ns)[finite]
    over_time = weights is not None and weights.sum() > 0
    return Statistics(
        signal=name,
        samples=len(series.values) - held,
        minimum=float(values.min()) if len(values) else None,
        maximum=float(values.max()) if len(values) else None,
        mean=_mean(values, weights if over_time else None),
        mean_over="time" if over_time else "samples",
    )


def _held_ns(t_ns: NDArray[np.int64], end_ns: int) -> NDArray[np.float64]:
    """How long each sample held within the recording."""
    ends = np.append(t_ns[1:], end_ns)
    held: NDArray[np.int64] = np.maximum(np.minimum(ends, end_ns) - t_ns, 0)
    return held.astype(np.float64)


def _mean(values: NDArray[np.float64], weights: NDArray[np.float64] | None) -> float | None:
    if not len(values):
        return None
    # Divide before summing: the sum of large samples may overflow.
    parts = values / len(values) if weights is None else values * (weights / weights.sum())
    mean = math.fsum(parts.tolist())
    return min(max(mean, float(values.min())), float(values.max()))
