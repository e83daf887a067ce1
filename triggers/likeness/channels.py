"""Channels: the signals of a clip on one grid of time around its fire, by the rules of the language, in one scale."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from triggers.drives.series import SignalSeries
from triggers.signals.catalog import Signal, SignalCatalog
from triggers.signals.units import parse_unit
from triggers.times import NS_PER_S

BEFORE_S, AFTER_S, RATE_HZ = 8, 4, 10
STEPS = (BEFORE_S + AFTER_S) * RATE_HZ + 1
AT_FIRE = BEFORE_S * RATE_HZ
"""The step of the grid at which the trigger fired."""
MAX_CHANNELS = 256
"""Of a clip with more signals, the first in the order of their names."""

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Channel:
    """What the catalog declares of a signal, as far as its likeness depends on it.

    A sample holds for `max_age_ns`; None: until the next one. `states` is the number of texts or truth values, 0 for a
    number; `base = number * scale + offset` is in the base unit of `dimension`.
    """

    max_age_ns: int | None
    states: int = 0
    dimension: tuple[int, ...] = ()
    scale: float = 1.0
    offset: float = 0.0

    @classmethod
    def of(cls, signal: Signal) -> Channel:
        """The channel of a declared signal."""
        unit = parse_unit(signal.unit)
        if signal.type != "number" or unit is None:
            return cls(signal.max_age_ns, states=len(signal.values) if signal.type == "text" else 2)
        return cls(signal.max_age_ns, dimension=unit.dimension, scale=float(unit.scale), offset=float(unit.offset))


def channels_of(catalogs: Iterable[SignalCatalog], names: Iterable[str]) -> dict[str, Channel]:
    """The channels of these signals, each as the first catalog that knows it declares it.

    The position is left out: likeness is about what happened, not where. So are signals that no catalog knows.
    """
    known = list(catalogs)
    places = {name for each in known if (p := each.position) for name in (p.latitude, p.longitude)}
    found: dict[str, Channel] = {}
    for name in sorted(set(names) - places):
        declared = next((each.signals[name] for each in known if name in each.signals), None)
        if declared is not None:
            found[name] = Channel.of(declared)
    return found


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
