"""The assembler's loop: polls cells, checks and spools them, and starts what finishes, parks or gives up a clip.

Offsets are committed after effects: a partition restarts at its first record whose clip is neither stored, parked,
failed nor ignored, so a crash at any point only repeats what may be repeated. Slow effects run in a background thread;
while they hold up the loop, partitions are paused and polling goes on, which keeps the lease. A clip that fails
unexpectedly is tried again a few times and then given up; the others go on.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Collection, Sequence

from ingest.assembler.background import Background
from ingest.assembler.cells import CellRejected, StagingLost, check_cell
from ingest.assembler.clip_store import ClipStore
from ingest.assembler.failures import ASSEMBLER_ERROR, MAX_FAILURES, NOT_COUNTED, Failures, described
from ingest.assembler.offsets import OffsetTracker
from ingest.assembler.open_clips import Counts, OpenClip
from ingest.assembler.positions import Positions
from ingest.assembler.spool import Spool, SpoolDamaged
from ingest.cell_record import CellRecord
from ingest.log.contract import CELLS_TOPIC, Log, LogConsumer, LogRecord, NotOwner
from storage.clips.writer import Ending
from triggers.errors import InvalidInput, Overloaded, Unreachable

LOGGER = logging.getLogger(__name__)
GROUP = "assembler"
MAX_POLL_RECORDS = 16
BUSY_POLL_S = 0.02
IDLE_POLL_S = 0.5
RETRY_PAUSE_S = 0.5
FAILURE_PAUSE_S = 0.2
REMEMBERED_CLOSED = 10_000
MAX_OPEN_CLIPS = 4096
"""Open clips of one worker; above it the oldest is parked, whatever its size."""


class Assembler:
    """One member of the assembler's consumer group. Only `counts` may be read from other threads."""

    def __init__(
        self,
        log: Log,
        effects: ClipStore,
        spool: Spool,
        *,
        member: str,
        park_after_s: float,
        revoke_within_s: float,
        monotonic_s: Callable[[], float] = time.monotonic,
        background: Background | None = None,
        failures: Failures | None = None,
    ) -> None:
        self.counts = Counts()
        self._effects = effects
        self._spool = spool
        self._park_after_s = park_after_s
        self._revoke_within_s = revoke_within_s
        self._now_s = monotonic_s
        self._background = background or Background("assembler-effects")
        self._failures = failures or Failures()
        self._clips: dict[str, OpenClip] = {}
        self._closed: OrderedDict[str, str] = OrderedDict()
        self._backlog: deque[LogRecord] = deque()
        self._retry_at_s = 0.0
        self._consumer: LogConsumer = log.consumer(
            CELLS_TOPIC, group=GROUP, member=member, on_assigned=self._on_assigned, on_revoked=self._on_revoked
        )
        self._positions = Positions(self._consumer)

    def run(self, stop: threading.Event) -> None:
        """Work until told to stop; then park what is open, commit and leave the group."""
        try:
            while not stop.is_set():
                try:
                    self.step()
                except (Unreachable, Overloaded) as error:
                    LOGGER.warning("the assembler waits %.1f s: %s", RETRY_PAUSE_S, error)
                    stop.wait(RETRY_PAUSE_S)
        finally:
            self.close()

    def close(self) -> None:
        """Park, commit, leave the group, and give the spool free."""
        try:
            self._consumer.close()
        except (Unreachable, Overloaded, NotOwner) as error:
            LOGGER.warning("the assembler leaves its group without saying so: %s", error)
        finally:
            for clip in list(self._clips.values()):
                self._drop(clip)
            self._background.close()
            self._spool.close()

    def step(self, timeout_s: float = IDLE_POLL_S) -> None:
        """One round: poll, take in what came, look after open clips, commit. Unreachable when the log is."""
        self._drop_backlog(self._positions.rewind())
        waiting = bool(self._backlog)
        held = sorted(self._consumer.assignment())
        (self._consumer.pause if waiting else self._consumer.resume)(held)
        busy = waiting or any(clip.task for clip in self._clips.values())
        records = self._consumer.poll(max_records=MAX_POLL_RECORDS, timeout_s=BUSY_POLL_S if busy else timeout_s)
        self._forget_partitions(self._positions.partitions - self._consumer.assignment())
        self._backlog.extend(records)
        self._collect()
        self._take_in()
        self._park_the_old()
        self._positions.commit(self._consumer.assignment())

    # Taking records in

    def _take_in(self) -> None:
        if self._now_s() < self._retry_at_s:
            return
        try:
            while self._backlog and self._take_or_retry(self._backlog[0]):
                self._backlog.popleft()
        except (Unreachable, Overloaded) as error:
            self._retry_at_s = self._now_s() + RETRY_PAUSE_S
            LOGGER.warning("the assembler pauses its partitions for %.1f s: %s", RETRY_PAUSE_S, error)

    def _take_or_retry(self, record: LogRecord) -> bool:
        """Deal with one record; after an unexpected error try again, and in the end leave it out."""
        try:
            return self._take(record)
        except NOT_COUNTED:
            raise
        except Exception:
            place = f"{CELLS_TOPIC}, partition {record.partition}, offset {record.offset}"
            LOGGER.exception("the record at %s could not be taken in", place)
            if self._failures.note(record.key.hex()) < 2 * MAX_FAILURES:
                self._retry_at_s = self._now_s() + RETRY_PAUSE_S
                return False
            LOGGER.error("the record at %s is left out: its upload will expire, and its vehicle begin again", place)  # noqa: TRY400
            self._positions.of(record.partition).saw(record.offset)
            return True

    def _take(self, record: LogRecord) -> bool:
        """Deal with one record; False when it has to wait for a task."""
        offsets = self._positions.of(record.partition)
        try:
            cell = CellRecord.decode(record.value)
        except InvalidInput as error:
            place = f"{CELLS_TOPIC}, partition {record.partition}, offset {record.offset}"
            self._effects.bury_record(record.value, place=place, error=error)
            self.counts.undecodable += 1
            offsets.saw(record.offset)
            return True
        clip = self._clips.get(cell.upload_id) or self._open(cell.upload_id, record.partition)
        if clip is None:
            self.counts.ignored[self._closed[cell.upload_id]] += 1
            offsets.saw(record.offset)
            return True
        if clip.task is not None and not clip.ends:
            return False
        return self._take_cell(clip, cell, record.offset, offsets)

    def _take_cell(self, clip: OpenClip, cell: CellRecord, offset: int, offsets: OffsetTracker) -> bool:
        if clip.task is not None or clip.has(cell.index):  # a copy of a good cell changes nothing, whatever it holds
            self.counts.duplicates += 1
        else:
            try:
                check_cell(clip.upload.manifest, cell.index, cell.payload)
            except CellRejected as error:
                self._fail(clip, error.reason, error.message, cell.payload)
            else:
                if not self._make_room(len(cell.payload)):
                    return False
                try:
                    clip.file.write(cell.index, cell.payload)
                except SpoolDamaged as error:
                    self._failed_unexpectedly(clip, error)
                    offsets.saw(offset)
                    return True
        if clip.task is None and not clip.file.sizes and not clip.whole:  # all that is known of it is parked
            offsets.saw(offset)
            self._clips.pop(clip.upload.id)
            return True
        offsets.opened(offset, clip.upload.id)
        if clip.task is None and clip.whole:
            self._start_storing(clip)
        return True

    def _open(self, upload_id: str, partition: int) -> OpenClip | None:
        """The clip of an upload that is still wanted; None, noting why, for every other."""
        if upload_id in self._closed:
            return None
        try:
            upload, parked = self._effects.look_up(upload_id)
        except InvalidInput as error:
            self._fail_unread(upload_id, "manifest_unreadable", error.message)
            return None
        except Exception as error:
            if isinstance(error, NOT_COUNTED) or self._failures.of(upload_id) + 1 < MAX_FAILURES:
                raise
            self._fail_unread(upload_id, ASSEMBLER_ERROR, described(error))
            return None
        if upload is None or not upload.wanted:
            state = "unknown" if upload is None else upload.state
            LOGGER.info("cells of upload %s are ignored: it is %s", upload_id, state)
            self._remember_closed(upload_id, state)
            return None
        clip = OpenClip(upload, partition, self._spool.new_file(upload_id), parked, self._now_s())
        self._clips[upload_id] = clip
        return clip

    def _fail_unread(self, upload_id: str, reason: str, detail: str) -> None:
        LOGGER.warning("upload %s is given up: %s", upload_id, detail)
        self._effects.fail_unread(upload_id, reason, detail)
        self.counts.failed += 1
        self._failures.forget(upload_id)
        self._remember_closed(upload_id, "failed")

    def _remember_closed(self, upload_id: str, state: str) -> None:
        self._closed[upload_id] = state
        while len(self._closed) > REMEMBERED_CLOSED:
            self._closed.popitem(last=False)

    # Ending and parking clips

    def _start_storing(self, clip: OpenClip) -> None:
        what = f"storing clip {clip.upload.clip_id}"
        self._start(clip, lambda: self._effects.store_clip(clip.upload, clip.file), what, ends=True)

    def _fail(self, clip: OpenClip, reason: str, detail: str, payload: bytes | None = None) -> None:
        LOGGER.warning("upload %s is given up: %s", clip.upload.id, detail)
        what = f"giving up upload {clip.upload.id}"
        self._start(clip, lambda: self._effects.fail(clip.upload, reason, detail, payload), what, ends=True)

    def _start_parking(self, clip: OpenClip) -> None:
        what = f"parking upload {clip.upload.id}"
        self._start(clip, lambda: self._effects.park(clip.upload, clip.file), what, ends=False)

    def _start(
        self, clip: OpenClip, effect: Callable[[], Ending | bool], what: str, *, ends: bool, after_s: float = 0.0
    ) -> None:
        clip.ends = ends
        clip.task = self._background.submit(effect, what=what, after_s=after_s)
        clip.repeat = lambda: self._start(clip, effect, what, ends=ends, after_s=FAILURE_PAUSE_S)

    def _make_room(self, size_bytes: int) -> bool:
        """Whether a cell fits; else the largest clip, of several the oldest, is being parked to make room."""
        if self._spool.fits(size_bytes):
            return True
        if not any(clip.task for clip in self._clips.values()):
            idle = [clip for clip in self._clips.values() if clip.file.sizes]
            self._start_parking(max(idle, key=lambda clip: (clip.file.used_bytes, -clip.opened_s)))
        return False

    def _park_the_old(self) -> None:
        idle = [clip for clip in self._clips.values() if clip.task is None and clip.file.sizes]
        latest_s = self._now_s() - self._park_after_s
        surplus = len(self._clips) - MAX_OPEN_CLIPS
        for position, clip in enumerate(sorted(idle, key=lambda clip: clip.opened_s)):
            if clip.opened_s <= latest_s or position < surplus:
                self._start_parking(clip)

    def _collect(self) -> None:
        """Take over the results of finished tasks, each failed one for itself."""
        for clip in [clip for clip in self._clips.values() if clip.task is not None and clip.task.done]:
            assert clip.task is not None  # noqa: S101 - for the type checker
            try:
                result = clip.task.future.result()
            except StagingLost as error:
                self._fail(clip, error.code, error.message)
            except NOT_COUNTED:
                raise
            except Exception as error:  # noqa: BLE001 - whatever it is, it is this clip's alone, and logged
                self._failed_unexpectedly(clip, error)
            else:
                self._settle(clip, result)

    def _failed_unexpectedly(self, clip: OpenClip, error: Exception) -> None:
        """Try a clip's effect again, at last give the clip up; when even that fails, let its upload expire."""
        upload_id = clip.upload.id
        failures = self._failures.note(upload_id)
        LOGGER.error("upload %s failed unexpectedly, time %d: %s", upload_id, failures, error, exc_info=error)
        if failures >= 2 * MAX_FAILURES:
            LOGGER.error("upload %s cannot even be given up: it will expire, and its vehicle begin again", upload_id)
            self._remember_closed(upload_id, "set aside")
            self._release(clip)
        elif failures >= MAX_FAILURES:
            self._fail(clip, ASSEMBLER_ERROR, described(error))
        elif isinstance(error, SpoolDamaged):
            self._read_again(clip)
        elif clip.repeat is not None:
            clip.repeat()

    def _read_again(self, clip: OpenClip) -> None:
        """Forget what is spooled of a clip; its cells come again from the log, where its offset was held back."""
        self._drop(clip)
        self._positions.read_again(clip.partition, clip.upload.id)

    def _settle(self, clip: OpenClip, result: Ending | bool) -> None:
        if isinstance(result, Ending):
            self._remember_closed(clip.upload.id, result.state)
            if result.won:
                self.counts.stored += result.state == "stored"
                self.counts.failed += result.state == "failed"
        else:
            self.counts.parked += result
        self._failures.forget(clip.upload.id)
        self._release(clip)

    def _release(self, clip: OpenClip) -> None:
        """Nothing of this clip is needed any more."""
        self._drop(clip)
        self._positions.settled(clip.upload.id)

    def _drop(self, clip: OpenClip) -> None:
        self._clips.pop(clip.upload.id, None)
        if clip.task is not None:
            clip.task.abandon()
        clip.file.drop()

    # Partitions and offsets

    def _on_assigned(self, partitions: Sequence[int]) -> None:
        self._forget_partitions(partitions)

    def _on_revoked(self, partitions: Sequence[int]) -> None:
        """Leave nothing behind that the next owner must read again, as far as one deadline allows.

        1. park the clips that are not whole (a whole one is stored by whoever reads its cells again)
        2. wait for these and for what is under way
        3. commit
        4. forget the partitions
        """
        deadline_s = time.monotonic() + self._revoke_within_s
        leaving = [clip for clip in self._clips.values() if clip.partition in partitions]
        for clip in leaving:
            if clip.task is None and clip.file.sizes:
                self._start_parking(clip)
        for clip in leaving:
            if clip.task is not None:
                clip.task.wait(deadline_s - time.monotonic())
        self._collect()
        try:
            self._positions.commit(partitions)
        except (Unreachable, Overloaded) as error:
            LOGGER.warning("partitions %s leave uncommitted: %s", list(partitions), error)
        self._forget_partitions(partitions)

    def _forget_partitions(self, partitions: Collection[int]) -> None:
        gone = set(partitions)
        if not gone:
            return
        self._drop_backlog(gone)
        for clip in [clip for clip in self._clips.values() if clip.partition in gone]:
            self._drop(clip)
        self._positions.forget(gone)

    def _drop_backlog(self, partitions: set[int]) -> None:
        if partitions:
            self._backlog = deque(record for record in self._backlog if record.partition not in partitions)
