"""Whether what people write about a clip may tell where it was recorded."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from storage.clips.positions.cells import bounds

_NAMES = re.compile(r"latitude|longitude|geo|gps|gnss|wgs|utm|ecef|mgrs|odometry|pose|place|address", re.IGNORECASE)
"""In keys and names of OpenLABEL: coordinate systems and odometry, and attributes that people call so."""
_NUMBER = re.compile(r"-?\d{1,3}[.,]\d+")
_MARGIN = 0.5
"""In degrees: a clip may go on for some kilometres after the cell in which it begins."""


def may_hold_position(document: Any, cell: str | None) -> bool:
    """Whether something in a JSON document is named like a position, or is a number of the clip's range of degrees.

    The range is that around its place cell, so the answer tells no more than the cell; there is none without. Whole
    numbers are none: pixels and counts are, and a position in whole degrees tells nothing.
    """
    spans = [] if cell is None else _spans(cell)
    for value in _values(document):
        if isinstance(value, str):
            if _NAMES.search(value):
                return True
            numbers = [float(found.replace(",", ".")) for found in _NUMBER.findall(value)]
        else:
            numbers = [value]
        if any(not number.is_integer() and low <= number <= high for number in numbers for low, high in spans):
            return True
    return False


def _spans(cell: str) -> list[tuple[float, float]]:
    west, south, east, north = bounds(cell)
    spans = [(south - _MARGIN, north + _MARGIN)]
    if west > east:
        return [*spans, (west - _MARGIN, 180.0), (-180.0, east + _MARGIN)]
    return [*spans, (west - _MARGIN, east + _MARGIN)]


def _values(document: Any) -> Iterator[str | float]:
    """Every text, key and number, however deep: with a stack, as a document may be nested beyond Python's own."""
    waiting = [document]
    while waiting:
        match waiting.pop():
            case dict() as members:
                yield from members
                waiting += members.values()
            case list() as items:
                waiting += items
            case str() as text:
                yield text
            case bool() | None:
                pass
            case int() | float() as number:
                yield float(number)
