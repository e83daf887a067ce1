"""The assembler's positions in the partitions it holds: what was read, what was committed, where to read again."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable

from ingest.assembler.offsets import OffsetTracker
from ingest.log.contract import LogConsumer, NotOwner

LOGGER = logging.getLogger(__name__)


class Positions:
    """One tracker for each partition held. A partition that was lost is only logged: its new owner continues."""

    def __init__(self, consumer: LogConsumer) -> None:
        self._consumer = consumer
        self._trackers: dict[int, OffsetTracker] = {}
        self._committed: dict[int, int] = {}
        self._rewind_to: dict[int, int] = {}

    @property
    def partitions(self) -> frozenset[int]:
        """The partitions that have a tracker."""
        return frozenset(self._trackers)

    def of(self, partition: int) -> OffsetTracker:
        """The partition's tracker; a new one when nothing was read from it yet."""
        return self._trackers.setdefault(partition, OffsetTracker())

    def forget(self, partitions: Iterable[int]) -> None:
        """Forget partitions that are no longer held, or were assigned again."""
        for partition in partitions:
            self._trackers.pop(partition, None)
            self._committed.pop(partition, None)
            self._rewind_to.pop(partition, None)

    def settled(self, upload_id: str) -> None:
        """Note that no record of this upload read so far is needed any more."""
        for tracker in self._trackers.values():
            tracker.settled(upload_id)

    def read_again(self, partition: int, upload_id: str) -> None:
        """At the next `rewind`, go back to the first record that the upload still needs."""
        offset = self.of(partition).first_of(upload_id)
        if offset is not None:
            self._rewind_to[partition] = min(offset, self._rewind_to.get(partition, offset))

    def rewind(self) -> set[int]:
        """Go back where `read_again` asked for it; returns the partitions whose records are read again."""
        gone_back = set()
        for partition, offset in list(self._rewind_to.items()):
            try:
                self._consumer.seek(partition, offset)
            except NotOwner as error:
                LOGGER.warning("partition %d was given to another worker: %s", partition, error)
            else:
                self.of(partition).rewound(offset)
                gone_back.add(partition)
            del self._rewind_to[partition]
        return gone_back

    def commit(self, partitions: Collection[int]) -> None:
        """Commit where each of these may restart, if that changed: together, or each alone when one was lost."""
        changed = {}
        for partition in partitions:
            tracker = self._trackers.get(partition)
            restart_at = tracker.restart_at if tracker else None
            if restart_at is not None and restart_at != self._committed.get(partition):
                changed[partition] = restart_at
        if not changed:
            return
        try:
            self._consumer.commit(changed)
            self._committed |= changed
        except NotOwner:
            for partition, restart_at in changed.items():
                self._commit_one(partition, restart_at)

    def _commit_one(self, partition: int, restart_at: int) -> None:
        try:
            self._consumer.commit({partition: restart_at})
        except NotOwner as error:
            LOGGER.warning("partition %d was given to another worker: %s", partition, error)
        else:
            self._committed[partition] = restart_at
