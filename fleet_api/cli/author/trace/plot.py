"""Plots of a trace in a terminal: numbers as block characters, conditions as T, F and ?, texts as runs of their values.

Each plot is a line of one character per bin.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from fleet_api.cli.tables import display_width
from triggers.foreign_text import escaped

if TYPE_CHECKING:
    from triggers.language.parts import ConditionPart
    from triggers.trace.bins import Bins

BLOCKS = "▁▂▃▄▅▆▇█"
UNKNOWN = "?"
_CHANGE, _LASTING, _CUT = "│", "─", "…"


def drawn(part: ConditionPart, bins: Bins) -> str:
    """The plot of a part, as its type has it."""
    if part.type == "condition":
        return _bar(bins)
    return _line(bins) if part.type == "number" else "".join(_runs(part, bins))


def _bar(bins: Bins) -> str:
    """A condition: `T` where it was true at some time, else `?` where it was unknown at some time, else `F`."""
    signs = []
    for high, has_unknown in zip(bins.high, bins.has_unknown, strict=True):
        signs.append("T" if high == 1 else UNKNOWN if has_unknown else "F")
    return "".join(signs)


def _line(bins: Bins) -> str:
    """A number: the height of its latest value between its lowest and its highest; `?` where it is unknown."""
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


def _runs(part: ConditionPart, bins: Bins) -> Iterator[str]:
    """A text: each of its values from where it begins on, after a mark if it was another one before; `?` if unknown."""
    was_known = False
    for run in bins.runs():
        width = run.end - run.begin
        if run.value is None:
            yield UNKNOWN * width
        else:
            mark = _CHANGE if was_known else ""
            yield mark + _labelled(part.values[run.value], width - len(mark))
        was_known = run.value is not None


def _labelled(value: str, width: int) -> str:
    """A value in the cells of its run: whole, or as much as fits."""
    label = escaped(value)
    if display_width(label) > width:
        while label and display_width(label) >= width:
            label = label[:-1]
        label += _CUT[:width]
    return label + _LASTING * (width - display_width(label))


def shown(part: ConditionPart, value: float) -> str:
    """A value for people, without its unit."""
    if np.isnan(value):
        return UNKNOWN
    if part.type == "condition":
        return "T" if value == 1 else "F"
    if part.type == "text":
        return part.values[int(value)]
    return f"{value:.5g}"


def extent(part: ConditionPart, bins: Bins) -> str:
    """From where to where a number went, with its unit; empty for what is no number."""
    if part.type != "number" or bins.extent is None:
        return ""
    low, high = (f"{value:.4g}" for value in bins.extent)
    return (low if low == high else f"{low} to {high}") + (f" {part.unit}" if part.unit else "")
