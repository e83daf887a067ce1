"""Closes uploads whose acknowledged cells are gone from the log: its topic was deleted, or dropped them too early.

Nothing else would ever end them, and their bytes would stay reserved. A cell is gone when the assembler has committed
past every record that the log had when the cell was acknowledged, and the cell is neither parked nor in the catalog:
offsets are committed after effects, so nobody holds it any more. The log's records are never searched.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass

from ingest.cell_record import PROBE
from ingest.cells_topic import GROUP
from ingest.log import CELLS_TOPIC, Log, ensure_cells_topic
from storage.clips import writer
from storage.database import Connection, Database
from storage.settings import Settings
from storage.tables.uploads import UploadState
from storage.uploads import endings
from storage.uploads.acknowledged import Acknowledged, acknowledged, are_parked
from triggers.errors import InvalidInput, NotFound

LOGGER = logging.getLogger(__name__)
STILL_LOOKS = 5
"""A partition stands still when its offset was the same at so many looks; open clips are parked within fewer."""
_DETAIL = "the log no longer has cells that were acknowledged; the vehicle may send the clip again if it still has it"


@dataclass(frozen=True, slots=True)
class _Note:
    """An upload as it was once, and where its partition ended then: after all of its acknowledged cells."""

    upload: Acknowledged
    end_offset: int


class LostCells:
    """Remembers, from one look to the next, which uploads had which cells. Several workers may do this at once."""

    def __init__(self, database: Database, log: Log, settings: Settings) -> None:
        self._database = database
        self._log = log
        self._settings = settings
        self._notes: dict[str, _Note] = {}
        self._stood_at: dict[int, tuple[int, int]] = {}
        """By partition, the committed offset, and at how many looks in a row it was the same."""

    def look(self) -> int:
        """Close the uploads that were noted before and whose cells are gone; returns how many. Note the others.

        A topic that was deleted is created again first. Uploads are read before the log's ends, so that their cells
        lie before these.
        """
        self._require_topic()
        committed = self._log.committed_offsets(CELLS_TOPIC, GROUP)
        before = self._log.end_offsets(CELLS_TOPIC)
        closed = sum(self._close_if_gone(note.upload) for note in self._passed(committed, before))
        with self._database.begin() as connection:
            uploads = acknowledged(connection)
        ends = self._log.end_offsets(CELLS_TOPIC)
        self._notes = {upload.upload_id: self._noted(upload, ends) for upload in uploads}
        self._probe_the_still(committed, ends)
        return closed

    def _require_topic(self) -> None:
        try:
            self._log.partitions(CELLS_TOPIC)
        except NotFound as error:
            LOGGER.error("%s: every cell in it is gone, and it is created again", error)  # noqa: TRY400 - no defect
            ensure_cells_topic(self._log, self._settings)

    def _passed(self, committed: Mapping[int, int], ends: Mapping[int, int]) -> list[_Note]:
        """The notes whose partition was read to the end that it had then, or is no more.

        An offset beyond the partition's end is from before the topic was created again, and says nothing.
        """
        passed = []
        for note in self._notes.values():
            partition = note.upload.partition
            if partition not in ends or note.end_offset <= committed.get(partition, 0) <= ends[partition]:
                passed.append(note)
        return passed

    def _noted(self, upload: Acknowledged, ends: Mapping[int, int]) -> _Note:
        """The note of an upload: the first one, unless it was received since, or its partition began again."""
        end_offset = ends.get(upload.partition, 0)
        note = self._notes.get(upload.upload_id)
        if note is not None and note.upload.state == upload.state and note.end_offset <= end_offset:
            return note
        return _Note(upload, end_offset)

    def _probe_the_still(self, committed: Mapping[int, int], ends: Mapping[int, int]) -> None:
        """Append a probe where uploads wait and nothing moves: a reader that skips what is gone commits only after it.

        One is enough: while it is not read, the partition's end is beyond that of the notes.
        """
        noted = [(note.upload.partition, note.end_offset) for note in self._notes.values()]
        for partition, end_offset in ends.items():
            of_this = [noted_end for at, noted_end in noted if at == partition]
            at, before = committed.get(partition, 0), self._stood_at.get(partition, (-1, 0))
            looks = before[1] + 1 if before[0] == at else 1
            self._stood_at[partition] = (at, looks)
            nothing_came = bool(of_this) and min(of_this) == end_offset
            if nothing_came and at < end_offset and looks >= STILL_LOOKS:
                self._log.append(CELLS_TOPIC, partition, [PROBE])

    def _close_if_gone(self, upload: Acknowledged) -> bool:
        with self._database.begin() as connection:
            state = _state(connection, upload.upload_id)
            if state != upload.state:  # other cells have come since, which the note says nothing about
                return False
            if state == UploadState.RECEIVED:
                closed = _fail(connection, upload.upload_id)
            else:
                closed = not are_parked(connection, upload) and endings.lose(connection, upload.upload_id)
        if closed:
            LOGGER.error("upload %s is closed: %s", upload.upload_id, _DETAIL)
        return closed


def _state(connection: Connection, upload_id: str) -> str | None:
    try:
        upload = writer.find_upload(connection, upload_id)
    except InvalidInput:
        return UploadState.RECEIVED
    return upload.state if upload is not None else None


def _fail(connection: Connection, upload_id: str) -> bool:
    """Fail an upload whose vehicle was told that all has arrived, with a dead letter for its fires."""
    try:
        upload = writer.find_upload(connection, upload_id)
    except InvalidInput:
        return writer.fail_unread(connection, upload_id, reason=endings.CELLS_LOST, detail=_DETAIL)
    return upload is not None and writer.fail_upload(connection, upload, reason=endings.CELLS_LOST, detail=_DETAIL).won
