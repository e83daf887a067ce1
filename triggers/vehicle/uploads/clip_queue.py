"""The queue of finished clips: what waits for upload, in which order, and what is dropped.

A clip is a file in the clips directory and a row of the journal. The file is written first and removed last: a crash in
between leaves a file without a row, which the next start removes (its fires were counted as dropped by the restart).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from triggers.clips.writer import fsync_directory
from triggers.contracts.campaign import Network
from triggers.contracts.clip import ClipManifest
from triggers.contracts.fire import FireKey
from triggers.vehicle.journal import clips as rows
from triggers.vehicle.journal import fires, terminations
from triggers.vehicle.journal.clips import QueuedClip
from triggers.vehicle.journal.journal import Journal
from triggers.vehicle.recording.clips import FinishedClip
from triggers.vehicle.recording.fires import FireOutcome, Reason, VehicleFire


class ClipQueue:
    """The queued clips, limited in bytes on disk and in age."""

    def __init__(self, journal: Journal, directory: Path, *, max_bytes: int, max_age_ns: int) -> None:
        """Take over an earlier process's queue: count clips without a file, and remove files without a row."""
        self._journal = journal
        self._directory = directory
        self._max_bytes = max_bytes
        self._max_age_ns = max_age_ns
        directory.mkdir(parents=True, exist_ok=True)
        listed = {clip.path for clip in self.all()}
        for path in directory.iterdir():
            if path not in listed:
                path.unlink()
        for clip in self.all():
            if not clip.path.exists():
                self.give_up(clip, FireOutcome.FAILED, Reason.FILE_LOST)

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
        """Queue a finished clip. If the queue is full, drop and return clips: lowest priority, then oldest first."""
        with self._journal.transaction() as db:
            rows.insert(db, clip, now_ns)
        return self._shrink()

    def replace(
        self, old: QueuedClip, clips: Sequence[FinishedClip], refused: Iterable[FireKey], reason: Reason
    ) -> None:
        """In one transaction, conclude the refused fires of `old` and move the others to the clips cut for them."""
        with self._journal.transaction() as db:
            terminations.remember(db, old.clip_id)
            rows.unlink_fires(db, old.clip_id)
            fires.conclude(db, refused, FireOutcome.REFUSED, reason)
            rows.delete(db, old.clip_id)
            for clip in clips:
                rows.insert(db, clip, old.queued_at_ns)
        self._remove_file(old.path)

    def hand_over(self, clip: QueuedClip) -> None:
        """Conclude a clip whose upload was acknowledged completely: from now on the cloud accounts for its fires."""
        with self._journal.transaction() as db:
            fires.conclude(db, rows.unlink_fires(db, clip.clip_id), FireOutcome.HANDED_OVER, None)
            rows.delete(db, clip.clip_id)
        self._remove_file(clip.path)

    def give_up(self, clip: QueuedClip, outcome: FireOutcome, reason: Reason) -> None:
        """Conclude all fires of a clip and delete it, first the row, then the file; its upload will be terminated."""
        with self._journal.transaction() as db:
            terminations.remember(db, clip.clip_id)
            fires.conclude(db, rows.unlink_fires(db, clip.clip_id), outcome, reason)
            rows.delete(db, clip.clip_id)
        self._remove_file(clip.path)

    def remember_upload(self, clip: QueuedClip, url: str | None, network: Network | None) -> None:
        """Store a clip's upload and the network it was announced for, so that a later process can resume it."""
        with self._journal.transaction() as db:
            rows.set_upload(db, clip.clip_id, url, network)

    def postpone(self, clip: QueuedClip, next_attempt_ns: int, problem: str) -> None:
        """Note a failed attempt; the next one is not before `next_attempt_ns`."""
        with self._journal.transaction() as db:
            rows.set_attempted(db, clip.clip_id, next_attempt_ns, problem)

    def expire(self, now_ns: int) -> list[QueuedClip]:
        """Drop the clips that are older than the age limit."""
        expired = [clip for clip in self.all() if now_ns - clip.queued_at_ns > self._max_age_ns]
        for clip in expired:
            self.give_up(clip, FireOutcome.DROPPED, Reason.EXPIRED)
        return expired

    def _shrink(self) -> list[QueuedClip]:
        clips = self.all()
        total_bytes = sum(clip.size_bytes for clip in clips)
        dropped = []
        for clip in sorted(clips, key=lambda clip: (clip.priority, clip.queued_at_ns, clip.clip_id)):
            if total_bytes <= self._max_bytes:
                break
            self.give_up(clip, FireOutcome.DROPPED, Reason.QUEUE_FULL)
            total_bytes -= clip.size_bytes
            dropped.append(clip)
        return dropped

    def _remove_file(self, path: Path) -> None:
        path.unlink(missing_ok=True)
        fsync_directory(self._directory)
