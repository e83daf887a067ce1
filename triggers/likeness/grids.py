"""Grids: the signals of a clip at the same times around its fire, held as the language holds them, in base units."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from triggers.drives.series import SignalSeries
from triggers.likeness.channels import MAX_CHANNELS, Channel
from triggers.times import NS_PER_S

BEFORE_S, AFTER_S, RATE_HZ = 8, 4, 10
STEPS = (BEFORE_S + AFTER_S) * RATE_HZ + 1
AT_FIRE = BEFORE_S * RATE_HZ
"""The step of the grid at which the trigger fired."""

Array = NDArray[np.float64]


def on_grid(series: SignalSeries, channel: Channel, fire_ns: int) -> Array:
    """The signal in its base unit at `STEPS` moments around the fire, NaN where the language would not know it."""
    grid_ns = fire_ns + (np.arange(STEPS, dtype=np.int64) - AT_FIRE) * (NS_PER_S // RATE_HZ)
    finite = np.isfinite(series.values)
    t_ns, values = series.t_ns[finite], series.values[finite]
    if not len(t_ns):
        return np.full(STEPS, np.nan)
    last = np.searchsorted(t_ns, grid_ns, side="right") - 1
    known = last >= 0
    if channel.max_age_ns is not None:
        known &= grid_ns - t_ns[last] <= channel.max_age_ns
    return np.where(known, values[last] * channel.scale + channel.offset, np.nan)


def grids(signals: Mapping[str, SignalSeries], channels: Mapping[str, Channel], fire_ns: int) -> dict[str, Array]:
    """Every channel with a known value around the fire, at most `MAX_CHANNELS`, by name."""
    found: dict[str, Array] = {}
    for name in sorted(set(signals) & set(channels)):
        grid = on_grid(signals[name], channels[name], fire_ns)
        if np.isfinite(grid).any() and len(found) < MAX_CHANNELS:
            found[name] = grid
    return found


def filled(grid: Array) -> Array:
    """A grid without gaps: each is filled with the value before it, the first one with the value after it."""
    known = np.flatnonzero(np.isfinite(grid))
    places = np.searchsorted(known, np.arange(len(grid)), side="right") - 1
    result: Array = grid[known[np.maximum(places, 0)]]
    return result
