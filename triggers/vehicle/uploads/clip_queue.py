"""The queue of finished clips in the journal: what waits for upload, in which order, and what no longer fits.

A clip is a file in the clips directory and a row. The file comes first and goes last: a crash between the two leaves
a file without a row, which the next start removes (its fires were counted as dropped by the restart).
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from triggers.clips.writer import fsync_directory
from triggers.contracts.campaign import Network
from triggers.contracts.clip import ClipManifest
from triggers.contracts.fire import FireKey
from triggers.errors import Conflict
from triggers.vehicle.journal import Journal, settle
from triggers.vehicle.recording.clips import FinishedClip
from triggers.vehicle.recording.fires import FireOutcome, Reason, VehicleFire
from triggers.vehicle.uploads.terminations import remember

IN_ORDER = """
SELECT clip_id, file, size_bytes, priority, queued_at_ns, routes, upload_url, upload_network, attempts, next_attempt_ns,
    problem FROM clips ORDER BY priority DESC, queued_at_ns, clip_id
"""


@dataclass(frozen=True)
class QueuedClip:
    """A clip that waits; `problem` is why its latest attempt did not succeed, for people to read."""

    clip_id: str
    path: Path
    size_bytes: int
    priority: int
    queued_at_ns: int
    routes: frozenset[tuple[Network, int | None]]
    """Networks it may travel on, and the largest size there (bytes; None: any)."""
    upload_url: str | None
    upload_network: Network | None
    attempts: int
    next_attempt_ns: int
    problem: str

    def may_travel(self, network: Network) -> bool:
        """Does the campaign of one of its fires let a clip of this size travel on this network?"""
        return any(network == on and (limit is None or self.size_bytes <= limit) for on, limit in self.routes)


class ClipQueue:
    """Queued clips, bounded in bytes on disk and in age."""

    def __init__(self, journal: Journal, directory: Path, *, max_bytes: int, max_age_ns: int) -> None:
        """Take over the queue of an earlier process: what has no file is counted, what has no row is removed."""
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
        """Every clip, in the order of upload: highest priority first, then the oldest."""
        return [self._clip(row) for row in self._journal.read(IN_ORDER)]

    def manifest(self, clip: QueuedClip) -> ClipManifest:
        """What a clip is declared as."""
        (row,) = self._journal.read("SELECT manifest FROM clips WHERE clip_id = ?", clip.clip_id)
        return ClipManifest.from_json(bytes(row["manifest"]), what="a clip's manifest in the journal")

    def fires(self, clip: QueuedClip) -> list[VehicleFire]:
        """The fires of a clip, with what they asked for."""
        rows = self._journal.read("SELECT captured FROM fires WHERE clip_id = ?", clip.clip_id)
        return [VehicleFire.from_json(bytes(row["captured"]), what="a fire in the journal") for row in rows]

    def add(self, clip: FinishedClip, now_ns: int) -> list[QueuedClip]:
        """Queue a finished clip, then make it fit: the lowest priority, then the oldest is dropped, and returned."""
        with self._journal.transaction() as db:
            self._insert(db, clip, now_ns)
        return self._shrink()

    def replace(
        self, old: QueuedClip, clips: Sequence[FinishedClip], refused: Iterable[FireKey], reason: Reason
    ) -> None:
        """In one step: the refused fires of `old` are settled, and the others move to the clips cut for them."""
        with self._journal.transaction() as db:
            remember(db, old.clip_id)
            settle(db, refused, FireOutcome.REFUSED, reason)
            db.execute("UPDATE fires SET clip_id = NULL WHERE clip_id = ?", (old.clip_id,))
            db.execute("DELETE FROM clips WHERE clip_id = ?", (old.clip_id,))
            for clip in clips:
                self._insert(db, clip, old.queued_at_ns)
        self._remove_file(old.path)

    def hand_over(self, clip: QueuedClip) -> None:
        """The clip's upload was acknowledged whole: from here on the cloud accounts for its fires."""
        with self._journal.transaction() as db:
            self._close(db, clip, FireOutcome.HANDED_OVER, None)
        self._remove_file(clip.path)

    def give_up(self, clip: QueuedClip, outcome: FireOutcome, reason: Reason) -> None:
        """Settle all fires of a clip and forget it, row first, then file; its upload is to be terminated."""
        with self._journal.transaction() as db:
            remember(db, clip.clip_id)
            self._close(db, clip, outcome, reason)
        self._remove_file(clip.path)

    def remember_upload(self, clip: QueuedClip, upload_url: str | None, network: Network | None) -> None:
        """Keep a clip's upload and the network it was announced for, so that a later process can resume it."""
        self._update(clip, "upload_url = ?, upload_network = ?", upload_url, network)

    def postpone(self, clip: QueuedClip, next_attempt_ns: int, problem: str) -> None:
        """An attempt did not succeed: not before `next_attempt_ns` again."""
        self._update(clip, "attempts = attempts + 1, next_attempt_ns = ?, problem = ?", next_attempt_ns, problem[:1000])

    def expire(self, now_ns: int) -> list[QueuedClip]:
        """Drop what is older than the age limit."""
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

    def _insert(self, db: sqlite3.Connection, clip: FinishedClip, queued_at_ns: int) -> None:
        clip_id = clip.manifest.clip_id
        db.execute(
            "INSERT INTO clips (clip_id, file, manifest, size_bytes, priority, queued_at_ns, routes)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            (
                clip_id,
                clip.path.name,
                clip.manifest.canonical_json(),
                clip.manifest.size_bytes,
                max(fire.priority for fire in clip.fires),
                queued_at_ns,
                json.dumps(sorted({(route.network, route.up_to_bytes or 0) for f in clip.fires for route in f.upload})),
            ),
        )
        for fire in clip.fires:
            changed = db.execute(
                "UPDATE fires SET clip_id = ? WHERE campaign = ? AND version = ? AND ordinal = ?"
                " AND outcome = ? AND clip_id IS NULL",
                (clip_id, *fire.key, FireOutcome.IN_FLIGHT),
            ).rowcount
            if changed != 1:
                raise Conflict(f"fire {fire.ordinal} of {fire.campaign} version {fire.version} awaits no clip")

    @staticmethod
    def _close(db: sqlite3.Connection, clip: QueuedClip, outcome: FireOutcome, reason: Reason | None) -> None:
        rows = db.execute("SELECT campaign, version, ordinal FROM fires WHERE clip_id = ?", (clip.clip_id,))
        settle(db, [FireKey(*row) for row in rows.fetchall()], outcome, reason)
        db.execute("DELETE FROM clips WHERE clip_id = ?", (clip.clip_id,))

    def _update(self, clip: QueuedClip, assignment: str, *values: object) -> None:
        with self._journal.transaction() as db:
            db.execute(f"UPDATE clips SET {assignment} WHERE clip_id = ?", (*values, clip.clip_id))  # noqa: S608 - constants

    def _remove_file(self, path: Path) -> None:
        path.unlink(missing_ok=True)
        fsync_directory(self._directory)

    def _clip(self, row: sqlite3.Row) -> QueuedClip:
        return QueuedClip(
            clip_id=row["clip_id"],
            path=self._directory / row["file"],
            size_bytes=row["size_bytes"],
            priority=row["priority"],
            queued_at_ns=row["queued_at_ns"],
            routes=frozenset((Network(on), limit or None) for on, limit in json.loads(row["routes"])),
            upload_url=row["upload_url"],
            upload_network=Network(row["upload_network"]) if row["upload_network"] else None,
            attempts=row["attempts"],
            next_attempt_ns=row["next_attempt_ns"],
            problem=row["problem"],
        )
