"""Statistics of a clip's signals: how many samples each has, and minimum, maximum and mean of the finite ones."""

from __future__ import annotations

import math

import numpy as np

from ingest.extraction.outputs import Statistics
from triggers.drives.series import SignalSeries


def statistics(name: str, series: SignalSeries) -> Statistics:
    """The statistics of one signal; minimum, maximum and mean are None when no sample is finite."""
    finite = series.values[np.isfinite(series.values)]
    if not len(finite):
        return Statistics(signal=name, samples=len(series.values), minimum=None, maximum=None, mean=None)
    return Statistics(
        signal=name,
        samples=len(series.values),
        minimum=float(finite.min()),
        maximum=float(finite.max()),
        # Divide before summing: the sum of large samples may overflow.
        mean=math.fsum(finite / len(finite)),
    )
