"""The assembler's loop: polls cells, checks and spools them, and commits offsets that need not be read again.

Offsets are committed after effects: a partition restarts at its first record whose clip is neither stored, parked,
failed nor ignored, so a crash at any point only repeats what may be repeated. While slow effects hold up the loop,
partitions are paused and polling continues, which keeps the lease.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Collection, Sequence

from ingest.assembler.background import Background
from ingest.assembler.cells import CellRejected, check_cell
from ingest.assembler.clip_store import ClipStore
from ingest.assembler.failures import ASSEMBLER_ERROR, MAX_FAILURES, NOT_COUNTED, Failures, described
from ingest.assembler.open_clips import OpenClips
from ingest.assembler.phases import Closing, OpenClip, Parking
from ingest.assembler.positions import Positions
from ingest.assembler.spool import Spool, SpoolDamaged
from ingest.assembler.status import AssemblerStatus, Counts
from ingest.cell_record import PROBE, CellRecord
from ingest.cells_topic import GROUP
from ingest.log.contract import CELLS_TOPIC, Log, LogConsumer, LogRecord, NotOwner
from ingest.readiness import Part, Readiness
from storage.clips.writer import PendingUpload
from triggers.errors import InvalidInput, LongtailError, Overloaded, Unreachable

LOGGER = logging.getLogger(__name__)
MAX_POLL_RECORDS = 256
BUSY_POLL_S = 0.02
IDLE_POLL_S = 0.5
RETRY_PAUSE_S = 0.5


class Assembler:
    """One member of the assembler's consumer group. Only `counts` may be read from other threads."""

    def __init__(
        self,
        log: Log,
        clip_store: ClipStore,
        spool: Spool,
        *,
        member: str,
        park_after_s: float,
        revoke_within_s: float,
        retry_pause_s: float = RETRY_PAUSE_S,
        monotonic_s: Callable[[], float] = time.monotonic,
        background: Background | None = None,
        failures: Failures | None = None,
    ) -> None:
        self.counts = Counts()
        self._clip_store = clip_store
        self._spool = spool
        self._park_after_s = park_after_s
        self._revoke_within_s = revoke_within_s
        self._retry_pause_s = retry_pause_s
        self._now_s = monotonic_s
        self._failures = failures or Failures()
        self._backlog: deque[LogRecord] = deque()
        self._ahead: dict[str, tuple[PendingUpload, frozenset[int]]] = {}
        self._retry_at_s = 0.0
        self._stalled: LongtailError | None = None
        """Why the oldest record could not be taken in, until it is: polls pass meanwhile, but no cell does."""
        self._consumer: LogConsumer = log.consumer(
            CELLS_TOPIC, group=GROUP, member=member, on_assigned=self._on_assigned, on_revoked=self._on_revoked
        )
        self._positions = Positions(self._consumer)
        self._clips = OpenClips(
            clip_store,
            spool,
            self._positions,
            counts=self.counts,
            background=background or Background("assembler-effects"),
            failures=self._failures,
            monotonic_s=monotonic_s,
        )

    def status(self) -> AssemblerStatus:
        """What this assembler holds at the moment."""
        return AssemblerStatus(open_clips=len(self._clips), spooled_bytes=self._spool.used_bytes)

    def run(self, stop: threading.Event, part: Part | None = None) -> None:
        """Work until told to stop; then park what is open, commit and leave the group. `part` is told how it goes."""
        told = part or Readiness().part("assembler")
        try:
            while not stop.is_set():
                try:
                    self.step()
                    if self._stalled is None:
                        told.passed()
                    else:
                        told.failed(self._stalled)
                except (Unreachable, Overloaded) as error:
                    told.failed(error)
                    LOGGER.warning("the assembler waits %.1f s: %s", self._retry_pause_s, error)
                    stop.wait(self._retry_pause_s)
        finally:
            LOGGER.info("the assembler stops with %s", self.status())
            self.close()

    def close(self) -> None:
        """Park open clips, commit, leave the group, and release the spool."""
        try:
            self._consumer.close()
        except (Unreachable, Overloaded, NotOwner) as error:
            LOGGER.warning("the assembler could not leave its group in good order: %s", error)
        finally:
            self._clips.close()

    def step(self, timeout_s: float = IDLE_POLL_S) -> None:
        """One round: poll, take in records, look after open clips, commit. Unreachable when the log is."""
        self._drop_backlog(self._positions.rewind())
        waiting = bool(self._backlog)
        held = sorted(self._consumer.assignment())
        (self._consumer.pause if waiting else self._consumer.resume)(held)
        busy = waiting or self._clips.busy
        records = self._consumer.poll(max_records=MAX_POLL_RECORDS, timeout_s=BUSY_POLL_S if busy else timeout_s)
        self._forget_partitions(self._positions.partitions - self._consumer.assignment())
        self._backlog.extend(records)
        self._clips.collect()
        self._take_in()
        self._clips.park_the_old(opened_before_s=self._now_s() - self._park_after_s)
        self._positions.commit(self._consumer.assignment())

    # Taking records in

    def _take_in(self) -> None:
        if self._now_s() < self._retry_at_s:
            return
        try:
            self._look_ahead()
            while self._backlog and self._take_or_retry(self._backlog[0]):
                self._backlog.popleft()
                self._stalled = None
        except (Unreachable, Overloaded) as error:
            self._stalled = error
            self._retry_at_s = self._now_s() + self._retry_pause_s
            LOGGER.warning("the assembler pauses its partitions for %.1f s: %s", self._retry_pause_s, error)
        finally:
            self._ahead.clear()

    def _look_ahead(self) -> None:
        """Look up the uploads of the backlog in one transaction; what it leaves out is looked up alone."""
        keys = {record.key.hex() for record in self._backlog}
        unknown = [key for key in keys if self._clips.get(key) is None and self._clips.closed_as(key) is None]
        if len(unknown) < 2:
            return
        try:
            self._ahead.update(self._clip_store.look_up_many(unknown))
        except NOT_COUNTED:
            raise
        except Exception as error:  # noqa: BLE001 - each is looked up alone, and its own error counts
            LOGGER.info("%d uploads are looked up one by one: %s", len(unknown), described(error))

    def _take_or_retry(self, record: LogRecord) -> bool:
        """Process one record; after an unexpected error try again a few times, and then skip it."""
        try:
            return self._take(record)
        except NOT_COUNTED:
            raise
        except Exception:
            LOGGER.exception("the record at %s could not be taken in", _place(record))
        if self._failures.note(record.key.hex()) < 2 * MAX_FAILURES:
            self._retry_at_s = self._now_s() + self._retry_pause_s
            return False
        LOGGER.error(
            "the record at %s is skipped: its upload will expire, and its vehicle will begin again", _place(record)
        )
        self._positions.of(record.partition).saw(record.offset)
        return True

    def _take(self, record: LogRecord) -> bool:
        """Process one record; False when it has to wait for an effect."""
        offsets = self._positions.of(record.partition)
        if (record.key, record.value) == PROBE:
            offsets.saw(record.offset)
            return True
        try:
            cell = CellRecord.decode(record.value)
        except InvalidInput as error:
            self._clip_store.bury_record(record.value, place=_place(record), error=error)
            self.counts.undecodable += 1
            offsets.saw(record.offset)
            return True
        clip = self._clips.get(cell.upload_id) or self._open(cell.upload_id, record.partition)
        if clip is None:
            self.counts.ignored[self._clips.closed_as(cell.upload_id) or "unknown"] += 1
            offsets.saw(record.offset)
            return True
        if isinstance(clip.phase, Parking) or not self._take_cell(clip, cell):
            return False
        self._note_offset(clip, record.offset)
        return True

    def _take_cell(self, clip: OpenClip, cell: CellRecord) -> bool:
        """Check and spool one cell, unless it is a duplicate; False when it has to wait for room."""
        if isinstance(clip.phase, Closing) or clip.has(cell.index):
            self.counts.duplicates += 1  # a copy of a good cell changes nothing, whatever it holds
            return True
        try:
            check_cell(clip.upload.cells, cell.index, cell.payload)
            if not self._clips.make_room(len(cell.payload)):
                return False
            clip.file.write(cell.index, cell.payload)
        except CellRejected as error:
            self._clips.fail(clip, error.reason, error.message, cell.payload)
        except SpoolDamaged as error:
            self._clips.resume(clip, error)
        return True

    def _note_offset(self, clip: OpenClip, offset: int) -> None:
        """Hold the offset back while the clip needs its record, and store the clip once it is whole."""
        if clip.collecting and not clip.file.sizes and not clip.whole:  # everything known of it is parked
            self._clips.drop(clip)
        offsets = self._positions.of(clip.partition)
        if clip not in self._clips:
            offsets.saw(offset)
            return
        offsets.opened(offset, clip.upload.id)
        if clip.collecting and clip.whole:
            self._clips.store(clip)

    def _open(self, upload_id: str, partition: int) -> OpenClip | None:
        """Open the clip of an upload that is being assembled; None, remembering why, for any other upload."""
        if self._clips.closed_as(upload_id) is not None:
            return None
        try:
            upload, parked = self._looked_up(upload_id)
        except InvalidInput as error:
            self._fail_unread(upload_id, "manifest_unreadable", error.message)
            return None
        except Exception as error:
            if isinstance(error, NOT_COUNTED) or self._failures.of(upload_id) + 1 < MAX_FAILURES:
                raise
            self._fail_unread(upload_id, ASSEMBLER_ERROR, described(error))
            return None
        if upload is None or not upload.is_assembling:
            state = "unknown" if upload is None else upload.state
            LOGGER.info("cells of upload %s are ignored: it is %s", upload_id, state)
            self._clips.remember_closed(upload_id, state)
            return None
        return self._clips.open(upload, partition, parked)

    def _looked_up(self, upload_id: str) -> tuple[PendingUpload | None, frozenset[int]]:
        if upload_id in self._ahead:
            return self._ahead.pop(upload_id)
        return self._clip_store.look_up(upload_id)

    def _fail_unread(self, upload_id: str, reason: str, detail: str) -> None:
        LOGGER.warning("upload %s is given up: %s", upload_id, detail)
        self._clip_store.fail_unread(upload_id, reason, detail)
        self.counts.failed += 1
        self._failures.forget(upload_id)
        self._clips.remember_closed(upload_id, "failed")

    # Partitions that come and go

    def _on_assigned(self, partitions: Sequence[int]) -> None:
        self._forget_partitions(partitions)

    def _on_revoked(self, partitions: Sequence[int]) -> None:
        """Leave as little for the next owner to read again as one deadline allows.

        1. park the clips that are not whole (a whole one is stored by the worker that reads its cells again)
        2. wait for these and for other effects in progress
        3. commit
        4. forget the partitions
        """
        deadline_s = time.monotonic() + self._revoke_within_s
        leaving = [clip for clip in self._clips if clip.partition in partitions]
        for clip in leaving:
            if clip.can_park:
                self._clips.park(clip)
        for clip in leaving:
            if clip.task is not None:
                clip.task.wait(deadline_s - time.monotonic())
        self._clips.collect()
        try:
            self._positions.commit(partitions)
        except (Unreachable, Overloaded) as error:
            LOGGER.warning("partitions %s are handed over uncommitted: %s", list(partitions), error)
        self._forget_partitions(partitions)

    def _forget_partitions(self, partitions: Collection[int]) -> None:
        gone = set(partitions)
        if not gone:
            return
        self._drop_backlog(gone)
        self._clips.drop_partitions(gone)
        self._positions.forget(gone)

    def _drop_backlog(self, partitions: set[int]) -> None:
        if partitions:
            self._backlog = deque(record for record in self._backlog if record.partition not in partitions)
            self._stalled = self._stalled if self._backlog else None


def _place(record: LogRecord) -> str:
    return f"{CELLS_TOPIC}, partition {record.partition}, offset {record.offset}"
