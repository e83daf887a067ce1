"""Ranges of ids, evenly spread among all: an id is a digest, so the clips in them are a fair sample."""

from __future__ import annotations

_DIGITS = 8
_ALL: int = 16**_DIGITS


def block_of(count: int) -> int:
    """How many ids lie between the beginnings of so many ranges, by their first digits."""
    return _ALL // count


def spread(count: int, width: int, first: int = 0) -> list[tuple[str, str]]:
    """So many ranges of `width` ids; the first one begins after `first` ids, and none has the id at its end.

    >>> spread(2, 16, first=1)
    [('00000001', '00000011'), ('80000001', '80000011')]
    """
    starts = range(first, _ALL, block_of(count))
    return [(f"{start:0{_DIGITS}x}", f"{start + width:0{_DIGITS}x}") for start in starts]
