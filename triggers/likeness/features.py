"""Features of one channel: fixed kernels pooled by their share of positive values, and plain statistics.

The kernels are those of MiniRocket (Dempster, Schmidt, Webb, "MiniRocket: A Very Fast (Almost) Deterministic Transform
for Time Series Classification", KDD 2021, arXiv 2012.08791): all 84 of length 9 with three weights 2 and six -1. Their
weights sum to 0, so they see changes and not levels; levels are left to the statistics. Unlike there, a grid is
continued at its ends by its first and last value instead of by zeros, which would be a change.
"""

from __future__ import annotations

from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from triggers.likeness.grids import AT_FIRE, RATE_HZ, STEPS, Array

LENGTH = 9
DILATIONS = (1, 2, 4, 8, 16)
QUANTILES = (0.15, 0.5, 0.85)
"""Of the reference set, for each kernel and dilation: the thresholds above which values are counted."""
THRESHOLDS = (-0.5, 0.5)
"""Of the scaled channel."""
CLEARLY = 1e-6
"""By how much a value must be above a threshold: what a constant grid gives is 0 but for its rounding."""
LIMIT = 5.0
"""Scaled values beyond this count as this."""


def _kernels() -> Array:
    places = list(combinations(range(LENGTH), 3))
    weights = np.full((len(places), LENGTH), -1.0)
    for row, chosen in enumerate(places):
        weights[row, list(chosen)] = 2.0
    return weights


KERNELS = _kernels()
CONVOLUTIONS = len(KERNELS) * len(DILATIONS)
STATISTICS = 9 + len(THRESHOLDS)
FEATURES = CONVOLUTIONS * len(QUANTILES) + STATISTICS


def _taken(dilation: int) -> NDArray[np.int64]:
    """Which steps of the grid each weight of a kernel meets, at each step."""
    offsets = (np.arange(LENGTH) - LENGTH // 2) * dilation
    taken: NDArray[np.int64] = np.clip(np.arange(STEPS)[None, :] + offsets[:, None], 0, STEPS - 1)
    return taken


_TAKEN = tuple(_taken(dilation) for dilation in DILATIONS)


def convolved(grid: Array) -> Array:
    """A scaled grid without gaps, under every kernel and dilation: `CONVOLUTIONS` rows of `STEPS` values."""
    return np.concatenate([KERNELS @ grid[taken] for taken in _TAKEN])


def features(grid: Array, biases: Array) -> Array:
    """The `FEATURES` of a scaled grid without gaps. `biases`: `len(QUANTILES)` for each of `CONVOLUTIONS`."""
    values = convolved(grid)
    shares = [(values > biases[:, [column]] + CLEARLY).mean(axis=1) for column in range(biases.shape[1])]
    return np.concatenate([*shares, _statistics(grid)])


def _statistics(grid: Array) -> Array:
    steps_1_s = grid[RATE_HZ:] - grid[:-RATE_HZ]
    near = grid[AT_FIRE - RATE_HZ : AT_FIRE + RATE_HZ]
    plain = (grid.min(), grid.max(), grid.mean(), grid[AT_FIRE], near.min(), near.max(), grid[-1] - grid[0])
    return np.array(
        [*plain, steps_1_s.min(), steps_1_s.max(), *((grid > level + CLEARLY).mean() for level in THRESHOLDS)]
    )
