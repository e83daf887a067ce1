"""Tracks the offset at which a partition may restart: every record before it is no longer needed."""

from __future__ import annotations


class OffsetTracker:
    """Open work of one partition. Pure bookkeeping: no clock, no log, no thread."""

    def __init__(self) -> None:
        self._first: dict[str, int] = {}
        self._next: int | None = None

    def saw(self, offset: int) -> None:
        """Note that a record was read and is not needed any more.

        Offsets rise, except after `rewound` and when the topic was deleted and created again: then those from before
        must not be committed, as they would pass over records of the new one.
        """
        self._next = offset + 1

    def opened(self, offset: int, upload_id: str) -> None:
        """Note that a record was read that is needed until its upload is settled."""
        self.saw(offset)
        self._first[upload_id] = min(offset, self._first.get(upload_id, offset))

    def settled(self, upload_id: str) -> None:
        """Note that no record of this upload read so far is needed any more."""
        self._first.pop(upload_id, None)

    def first_of(self, upload_id: str) -> int | None:
        """The offset of the first record that this upload still needs; None when it needs none."""
        return self._first.get(upload_id)

    def rewound(self, offset: int) -> None:
        """Note that records are read again from `offset` on, and count as unread."""
        if self._next is not None:
            self._next = min(self._next, offset)

    @property
    def restart_at(self) -> int | None:
        """The offset of the first record that is still needed, else the next one; None when nothing was read yet."""
        return None if self._next is None else min([self._next, *self._first.values()])
