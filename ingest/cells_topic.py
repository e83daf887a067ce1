"""The topic of cells for those who append to it: created when it is gone, and checked by what gets through."""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from contextlib import suppress

from ingest.cell_record import PROBE, CellRecord
from ingest.log import ensure_cells_topic, open_log
from ingest.log.contract import CELLS_TOPIC, Log
from ingest.log.trials import Trials
from storage.database import Database
from storage.settings import Settings
from triggers.errors import LongtailError, NotFound

GROUP = "assembler"
"""The consumer group that reads the topic."""
_log = logging.getLogger(__name__)


class PartitionGone(LongtailError):
    """The topic has fewer partitions than when an upload got its own: it was deleted, and created again with fewer."""


class CellsTopic:
    """The log's topic of cells, opened when first needed, so that a gateway can start without its log. Thread-safe."""

    def __init__(self, settings: Settings, database: Database) -> None:
        self._settings = settings
        self._database = database
        self._lock = threading.Lock()
        self._opened: Log | None = None
        self._trials = Trials()
        self.partitions: int | None = None

    def open(self) -> int:
        """Make sure that the topic exists; returns how many partitions it has."""
        with self._lock:
            if self._opened is None:
                self._opened = open_log(self._settings, self._database)
            if self.partitions is None:
                ensure_cells_topic(self._opened, self._settings)
                self.partitions = self._opened.partitions(CELLS_TOPIC)
            return self.partitions

    def append(self, partition: int, cells: Sequence[CellRecord]) -> None:
        """Append cells in order; durable on return. Unreachable at once while another thread tries after a failure.

        PartitionGone where the topic does not have the partition any more.
        """
        self._append(partition, [cell.encode() for cell in cells])

    def check(self) -> None:
        """Unreachable or Misconfigured when the log does not work.

        Where the last append failed, a probe has to get through: a log that describes itself need not take records.
        """
        self.open()
        self._create_if_gone()
        self._log().check()
        for partition in self._trials.failed():
            with suppress(PartitionGone):
                self._append(partition, [PROBE])

    def close(self) -> None:
        """Close the log if it was opened."""
        if self._opened is not None:
            self._opened.close()

    def _append(self, partition: int, records: Sequence[tuple[bytes, bytes]]) -> None:
        with self._trials.attempt(partition):
            self.open()
            try:
                self._log().append(CELLS_TOPIC, partition, records)
            except NotFound as error:
                self._create_if_gone()
                if partition >= self._recount():
                    self._trials.forget(partition)
                    raise PartitionGone(f"partition {partition} of the topic {CELLS_TOPIC} is gone") from error
                self._log().append(CELLS_TOPIC, partition, records)

    def _recount(self) -> int:
        """How many partitions the topic has now: new uploads must not get one that it had before."""
        self.partitions = None
        return self.open()

    def _create_if_gone(self) -> None:
        """Create the topic again if it was deleted. What it held is lost either way; ingest closes those uploads."""
        try:
            self._log().partitions(CELLS_TOPIC)
        except NotFound:
            _log.error("the log's topic %s is gone, with every cell in it, and is created again", CELLS_TOPIC)
            self._recount()

    def _log(self) -> Log:
        assert self._opened is not None  # noqa: S101 - open() came first
        return self._opened
