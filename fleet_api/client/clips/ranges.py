"""A file behind a link, of which only the bytes that are read travel: a seekable file over HTTP range requests."""

from __future__ import annotations

import io
from bisect import bisect_right
from collections.abc import Callable, Iterable
from itertools import pairwise
from typing import Any

READ_AHEAD_BYTES = 64 * 1024
"""What a read brings at least: the next one is likely to continue there."""
CLOSE_BYTES = 64 * 1024
"""Ranges with less than this between them are one request, since that is faster than another one."""

Span = tuple[int, int]
"""The first byte, and the one after the last."""
ReadRange = Callable[[int, int], bytes]
"""Reads bytes from `start` to before `end`."""


class LinkedFile(io.RawIOBase):
    """Reads what is asked for, keeps what it has read, and counts the bytes that travelled."""

    def __init__(self, read_range: ReadRange, size_bytes: int) -> None:
        self._read_range = read_range
        self._size_bytes = size_bytes
        self._at = 0
        self._starts: list[int] = []
        self._pieces: list[bytes] = []
        self.read_bytes = 0
        self.requests = 0

    def readable(self) -> bool:
        """Always."""
        return True

    def seekable(self) -> bool:
        """Always."""
        return True

    def tell(self) -> int:
        """Where the next read begins."""
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to a place; nothing is read."""
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size_bytes}[whence]
        self._at = max(0, base + offset)
        return self._at

    def readinto(self, buffer: Any) -> int:
        """Fill the buffer, as far as the file goes."""
        view = memoryview(buffer).cast("B")
        wanted = max(0, min(len(view), self._size_bytes - self._at))
        filled = 0
        while filled < wanted:
            piece = self._known(self._at) or self._fetched(self._at, max(wanted - filled, READ_AHEAD_BYTES))
            count = min(wanted - filled, len(piece))
            view[filled : filled + count] = piece[:count]
            self._at += count
            filled += count
        return filled

    def fetch(self, spans: Iterable[Span]) -> None:
        """Read these parts now, those close together in one request; later reads find them."""
        for start, end in merged(spans):
            missing = start + len(self._known(start) or b"")
            if missing < end:
                self._fetched(missing, end - missing)

    def _known(self, at: int) -> memoryview | None:
        """What is there already from a place on."""
        index = bisect_right(self._starts, at) - 1
        if index < 0 or at >= self._starts[index] + len(self._pieces[index]):
            return None
        return memoryview(self._pieces[index])[at - self._starts[index] :]

    def _fetched(self, at: int, length: int) -> memoryview:
        index = bisect_right(self._starts, at)
        end = min(at + length, self._size_bytes)
        if index < len(self._starts):
            end = min(end, self._starts[index])
        piece = self._read_range(at, end)
        self.requests += 1
        self.read_bytes += len(piece)
        self._starts.insert(index, at)
        self._pieces.insert(index, piece)
        return memoryview(piece)


def merged(spans: Iterable[Span]) -> list[Span]:
    """The spans in order, joined where they touch or are close.

    >>> merged([(200_000, 300_000), (0, 10), (20, 30)])
    [(0, 30), (200000, 300000)]
    """
    ordered = sorted(spans)
    if not ordered:
        return []
    breaks = [index for index, (one, other) in enumerate(pairwise(ordered), 1) if other[0] - one[1] > CLOSE_BYTES]
    parts = [ordered[first:last] for first, last in pairwise([0, *breaks, len(ordered)])]
    return [(part[0][0], max(end for _, end in part)) for part in parts]
