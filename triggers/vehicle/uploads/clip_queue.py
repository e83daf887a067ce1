"""The queue of finished clips: what waits for upload, in which order, and what is dropped.

A clip is a file in the clips directory and a row of the journal. The file is written first and removed last: a crash in
between leaves a file without a row, which the next start removes (its fires were counted as dropped by the restart).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from triggers.clips.writer import fsync_directory
from triggers.contracts.campaign import Network
from triggers.contracts.clip import ClipManifest
from triggers.contracts.fire import FireKey
from triggers.errors import Misconfigured
from triggers.private_files import private_folder
from triggers.times import NS_PER_S
from triggers.vehicle.journal import clips as rows
from triggers.vehicle.journal import fires, terminations
from triggers.vehicle.journal.clips import QueuedClip
from triggers.vehicle.journal.journal import Journal, JournalFull
from triggers.vehicle.journal.space import free_bytes
from triggers.vehicle.recording.clips import FinishedClip
from triggers.vehicle.recording.fires import FireOutcome, Reason, VehicleFire

CLOCK = "queue_clock_ns"
"""The fact that says when the queue last looked at the clock."""
NOTE_CLOCK_NS = 60 * NS_PER_S
"""How often the clock is noted."""
SET_BACK_NS = 2 * NOTE_CLOCK_NS
SET_FORWARD_NS = 180 * 86_400 * NS_PER_S
"""A clock that jumps by more was set: no vehicle that is parked for so long has clips that are worth their upload."""


class ClipQueue:
    """The queued clips, limited in bytes on disk and in age."""

    def __init__(self, journal: Journal, directory: Path, *, max_bytes: int, max_age_ns: int) -> None:
        """Take over an earlier process's queue: count clips without a file, and remove files without a row."""
        self._journal = journal
        self._directory = directory
        self._deleted: set[str] = set()
        """Clips whose files were deleted because the journal needed room; their rows follow with its next write."""
        self._in_flight = ""
        """The clip that is being uploaded, which is not dropped meanwhile."""
        self._max_bytes = max_bytes
        self._max_age_ns = max_age_ns
        journal.on_full = self._delete_files
        self._remove_strays()
        for clip in self.all():
            if not clip.path.exists():
                self.give_up(clip, FireOutcome.FAILED, Reason.FILE_LOST)

    def _remove_strays(self) -> None:
        """Remove files without a row, which an earlier process left when it was killed; folders are left alone."""
        listed = {clip.path for clip in self.all()}
        try:
            private_folder(self._directory)
            for path in self._directory.iterdir():
                if path not in listed and not path.is_dir():
                    path.unlink()
        except OSError as error:
            raise Misconfigured(
                f"the folder of waiting clips {self._directory} cannot be used: {error}",
                remedy="make it a folder that the agent may write to",
            ) from error

    def all(self) -> list[QueuedClip]:
        """Every clip in upload order: highest priority first, then oldest first."""
        return rows.all_clips(self._journal.reading, self._directory)

    def manifest(self, clip: QueuedClip) -> ClipManifest:
        """The manifest of a clip."""
        return rows.manifest_of(self._journal.reading, clip.clip_id)

    def fires(self, clip: QueuedClip) -> list[VehicleFire]:
        """The fires of a clip, with what they asked to be recorded."""
        return rows.fires_of(self._journal.reading, clip.clip_id)

    def add(self, clip: FinishedClip, now_ns: int) -> list[QueuedClip]:
        """Queue a finished clip. If the queue is full, drop and return clips: lowest priority, then oldest first.

        Raises JournalFull, and deletes the file, if the disk has no room for its row.
        """
        self._follow_clock(now_ns)
        try:
            self._journal.write(lambda db: rows.insert(db, clip, now_ns))
        except JournalFull:
            self._remove_file(clip.path)
            raise
        return self._shrink()

    def replace(
        self,
        old: QueuedClip,
        clips: Sequence[FinishedClip],
        *,
        refused: Iterable[FireKey] = (),
        waiting: Sequence[FinishedClip] = (),
        wait_until_ns: int = 0,
        problem: str = "",
    ) -> None:
        """In one transaction, conclude the refused fires of `old` and move the others to the clips cut for them.

        Clips in `waiting` are not tried before `wait_until_ns`, for the reason given by `problem`.
        """

        def replace(db: sqlite3.Connection) -> None:
            terminations.remember(db, old.clip_id)
            rows.unlink_fires(db, old.clip_id)
            fires.conclude(db, refused, FireOutcome.REFUSED, Reason.BUDGET)
            rows.delete(db, old.clip_id)
            for clip in (*clips, *waiting):
                rows.insert(db, clip, old.queued_at_ns)
            for clip in waiting:
                rows.set_attempted(db, clip.manifest.clip_id, wait_until_ns, problem)

        self._journal.write(replace)
        self._remove_file(old.path)

    def hand_over(self, clip: QueuedClip) -> None:
        """Conclude a clip whose upload was acknowledged completely: from now on the cloud accounts for its fires."""
        self._journal.write(partial(_conclude, clip.clip_id, FireOutcome.HANDED_OVER, None))
        self._remove_file(clip.path)

    def give_up(self, clip: QueuedClip, outcome: FireOutcome, reason: Reason) -> None:
        """Conclude all fires of a clip and delete it, first the row, then the file; its upload will be terminated."""
        self._journal.write(partial(_give_up, clip.clip_id, outcome, reason))
        self._remove_file(clip.path)

    def remember_upload(self, clip: QueuedClip, url: str | None, network: Network | None) -> None:
        """Store a clip's upload and the network it was announced for, so that a later process can resume it."""
        self._journal.write(lambda db: rows.set_upload(db, clip.clip_id, url, network))

    def postpone(self, clip: QueuedClip, next_attempt_ns: int, problem: str) -> None:
        """Note a failed attempt; the next one is not before `next_attempt_ns`."""
        self._journal.write(lambda db: rows.set_attempted(db, clip.clip_id, next_attempt_ns, problem))

    def expire(self, now_ns: int) -> list[QueuedClip]:
        """Drop the clips that are older than the age limit, by a clock that may have been set since the last call."""
        self._follow_clock(now_ns)
        expired = [clip for clip in self.all() if now_ns - clip.queued_at_ns > self._max_age_ns]
        for clip in expired:
            self.give_up(clip, FireOutcome.DROPPED, Reason.EXPIRED)
        return expired

    def _follow_clock(self, now_ns: int) -> None:
        """Keep ages and waits if the clock was set: by how much it jumped, all times of the queue are moved."""
        last_ns = int(self._journal.fact(CLOCK) or now_ns)
        jump_ns = now_ns - last_ns
        if not -SET_BACK_NS <= jump_ns <= SET_FORWARD_NS:
            self._journal.write(lambda db: rows.move_times(db, jump_ns))
        elif 0 <= jump_ns < NOTE_CLOCK_NS and self._journal.fact(CLOCK) is not None:
            return
        self._journal.set_facts({CLOCK: str(now_ns).encode()})

    @contextmanager
    def in_flight(self, clip: QueuedClip) -> Iterator[None]:
        """Keep a clip while it is uploaded, whatever room the recording that goes on needs."""
        self._in_flight = clip.clip_id
        try:
            yield
        finally:
            self._in_flight = ""

    def make_room(self, needed_bytes: int, priority: int, *, spare: str = "") -> bool:
        """Drop clips of at most this priority but `spare`, least value first, until the disk has `needed_bytes` free.

        False, and nothing is dropped, if all of them together would not be enough. At least one clip is dropped.
        """
        missing_bytes = max(1, needed_bytes - free_bytes(self._directory))
        dropped: list[QueuedClip] = []
        for clip in self._by_value():
            if clip.priority > priority or missing_bytes <= 0:
                break
            if clip.clip_id == spare:
                continue
            missing_bytes -= clip.size_bytes
            dropped.append(clip)
        if missing_bytes > 0:
            return False
        self._drop(dropped, Reason.DISK_FULL)
        return True

    def refill_reserve(self) -> None:
        """Take up the journal's reserve again, and drop clips of the least value if the disk lacks the space."""
        reserve = self._journal.reserve
        freed_bytes = 0
        for clip in self._by_value():
            # What others write to the disk may take the space at once: clips are not all given up for that.
            if freed_bytes > 2 * reserve.size_bytes or reserve.fill():
                return
            self._drop([clip], Reason.DISK_FULL)
            freed_bytes += clip.size_bytes
        reserve.fill()

    def _shrink(self) -> list[QueuedClip]:
        clips = self._by_value()
        total_bytes = sum(clip.size_bytes for clip in self.all() if clip.clip_id not in self._deleted)
        dropped = []
        for clip in clips:
            if total_bytes <= self._max_bytes:
                break
            total_bytes -= clip.size_bytes
            dropped.append(clip)
        self._drop(dropped, Reason.QUEUE_FULL)
        return dropped

    def _by_value(self) -> list[QueuedClip]:
        """The clips in the order in which they are dropped: lowest priority first, then the oldest."""
        held = [clip for clip in self.all() if clip.clip_id not in {*self._deleted, self._in_flight}]
        return sorted(held, key=lambda clip: (clip.priority, clip.queued_at_ns, clip.clip_id))

    def _drop(self, clips: Sequence[QueuedClip], reason: Reason) -> None:
        for clip in clips:
            self.give_up(clip, FireOutcome.DROPPED, reason)

    def _delete_files(self, needed_bytes: int) -> bool:
        """Delete files before their rows, since the journal has no room; False if they would not make enough.

        If the process is killed before the journal's next write, the next start counts these clips as lost files.
        """
        clips = self._by_value()
        if sum(clip.size_bytes for clip in clips) + free_bytes(self._directory) < needed_bytes:
            return False
        for clip in clips:
            self._remove_file(clip.path)
            self._deleted.add(clip.clip_id)
            self._journal.write_after(partial(_give_up, clip.clip_id, FireOutcome.DROPPED, Reason.DISK_FULL))
            needed_bytes -= clip.size_bytes
            if needed_bytes <= 0:
                break
        return bool(clips)

    def _remove_file(self, path: Path) -> None:
        path.unlink(missing_ok=True)
        fsync_directory(self._directory)


def _conclude(clip_id: str, outcome: FireOutcome, reason: Reason | None, db: sqlite3.Connection) -> None:
    fires.conclude(db, rows.unlink_fires(db, clip_id), outcome, reason)
    rows.delete(db, clip_id)


def _give_up(clip_id: str, outcome: FireOutcome, reason: Reason, db: sqlite3.Connection) -> None:
    terminations.remember(db, clip_id)
    _conclude(clip_id, outcome, reason, db)
