"""Bins of a trace for plots: of each stretch of time the lowest, highest and last value of a part."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from triggers.drives.times import Times
from triggers.trace.run import Numbers


@dataclass(frozen=True, slots=True)
class Bins:
    """Values by bin, NaN where unknown throughout. A tick's value lasts until the next tick, so it reaches into bins.

    `has_unknown` says in which bins a value was unknown at some time.
    """

    low: Numbers
    high: Numbers
    last: Numbers
    has_unknown: NDArray[np.bool_]


def binned(t_ns: Times, values: Numbers, first_ns: int, last_ns: int, count: int) -> Bins:
    """The values at some ticks in `count` bins of equal length from one time to another."""
    span_ns = max(last_ns - first_ns, 1)
    low, high, last = (np.full(count, np.nan) for _ in range(3))
    has_unknown = np.ones(count, np.bool_)
    if not len(t_ns):
        return Bins(low, high, last, has_unknown)
    places = np.clip((t_ns - first_ns) * count // span_ns, 0, count - 1)
    held = np.nan
    starts = np.searchsorted(places, np.arange(count + 1))
    begun = False
    for place in range(count):
        inside = values[starts[place] : starts[place + 1]]
        carried = (
            [held] if begun and (not len(inside) or t_ns[starts[place]] > first_ns + span_ns * place / count) else []
        )
        if not len(inside) and not begun:
            continue
        both = np.concatenate((carried, inside))
        known = both[~np.isnan(both)]
        has_unknown[place] = len(known) < len(both)
        if len(known):
            low[place], high[place] = known.min(), known.max()
        last[place] = held = both[-1]
        begun = True
    return Bins(low, high, last, has_unknown)
