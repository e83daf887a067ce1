"""Plots of a trace in a terminal: numbers as a line of block characters, conditions as bars of T, F and ?."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from triggers.language.parts import ConditionPart
    from triggers.trace.bins import Bins

BLOCKS = "▁▂▃▄▅▆▇█"
UNKNOWN = "?"


def bar(bins: Bins) -> str:
    """A condition: `T` where it was true at some time, else `?` where it was unknown at some time, else `F`."""
    signs = []
    for high, has_unknown in zip(bins.high, bins.has_unknown, strict=True):
        signs.append("T" if high == 1 else UNKNOWN if has_unknown else "F")
    return "".join(signs)


def line(bins: Bins) -> str:
    """A number or text: the height of its latest value between its lowest and its highest; `?` where it is unknown."""
    known = bins.last[~np.isnan(bins.last)]
    if not len(known):
        return UNKNOWN * len(bins.last)
    low, high = float(known.min()), float(known.max())
    return "".join(UNKNOWN if np.isnan(value) else _block(value, low, high) for value in bins.last.tolist())


def _block(value: float, low: float, high: float) -> str:
    if high == low:
        return BLOCKS[len(BLOCKS) // 2]
    share = (value / 2 - low / 2) / (high / 2 - low / 2)  # halves, as the difference itself may be infinite
    return BLOCKS[min(int(share * len(BLOCKS)), len(BLOCKS) - 1)]


def shown(part: ConditionPart, value: float) -> str:
    """A value for people, with its unit."""
    if np.isnan(value):
        return UNKNOWN
    if part.type == "condition":
        return "T" if value == 1 else "F"
    if part.type == "text":
        return part.values[int(value)] if 0 <= int(value) < len(part.values) else UNKNOWN
    return f"{value:.5g}"


def extent(part: ConditionPart, bins: Bins) -> str:
    """From where to where a number went, with its unit; empty for what is no number."""
    if part.type != "number" or bins.extent is None:
        return ""
    low, high = (f"{value:.4g}" for value in bins.extent)
    return (low if low == high else f"{low} to {high}") + (f" {part.unit}" if part.unit else "")
