"""Queued clips in the journal: a row for each clip file, to which the rows of its fires refer.

Functions that write run within the caller's transaction.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from triggers.contracts.campaign import Network
from triggers.contracts.clip import ClipManifest
from triggers.contracts.fire import FireKey
from triggers.errors import Conflict
from triggers.language.rows import MAX_T_NS
from triggers.vehicle.recording.clips import FinishedClip
from triggers.vehicle.recording.fires import FireOutcome, VehicleFire

IN_ORDER = """
SELECT clip_id, file, size_bytes, priority, queued_at_ns, routes, upload_url, upload_network, attempts, next_attempt_ns,
    problem FROM clips ORDER BY priority DESC, queued_at_ns, clip_id
"""


@dataclass(frozen=True)
class QueuedClip:
    """A clip waiting for upload; `problem` tells people why its latest attempt failed."""

    clip_id: str
    path: Path
    size_bytes: int
    priority: int
    queued_at_ns: int
    routes: frozenset[tuple[Network, int | None]]
    """The networks it may be uploaded on, each with the largest size there (bytes; None: any)."""
    upload_url: str | None
    upload_network: Network | None
    attempts: int
    next_attempt_ns: int
    problem: str

    def may_travel(self, network: Network) -> bool:
        """Whether the campaign of one of its fires allows a clip of this size on this network."""
        return any(network == on and (limit is None or self.size_bytes <= limit) for on, limit in self.routes)


def all_clips(db: sqlite3.Connection, directory: Path) -> list[QueuedClip]:
    """Every clip in upload order: highest priority first, then oldest first. The files are in `directory`."""
    return [_queued(row, directory) for row in db.execute(IN_ORDER)]


def manifest_of(db: sqlite3.Connection, clip_id: str) -> ClipManifest:
    """The manifest of a clip."""
    (row,) = db.execute("SELECT manifest FROM clips WHERE clip_id = ?", (clip_id,))
    return ClipManifest.from_stored_json(bytes(row["manifest"]), what="a clip's manifest in the journal")


def fires_of(db: sqlite3.Connection, clip_id: str) -> list[VehicleFire]:
    """The fires of a clip, with what they asked to be recorded."""
    rows = db.execute("SELECT captured FROM fires WHERE clip_id = ?", (clip_id,))
    return [VehicleFire.from_stored_json(bytes(row["captured"]), what="a fire in the journal") for row in rows]


def insert(db: sqlite3.Connection, clip: FinishedClip, queued_at_ns: int) -> None:
    """Queue a clip and link its fires to it. Raises Conflict if one of them is not waiting for a clip."""
    routes = sorted({(route.network, route.up_to_bytes or 0) for fire in clip.fires for route in fire.upload})
    clip_id = clip.manifest.clip_id
    db.execute(
        "INSERT INTO clips (clip_id, file, manifest, size_bytes, priority, queued_at_ns, next_attempt_ns, routes)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (
            clip_id,
            clip.path.name,
            clip.manifest.canonical_json(),
            clip.manifest.size_bytes,
            max(fire.priority for fire in clip.fires),
            _storable(queued_at_ns),
            _storable(queued_at_ns),  # not 0: a clock that stands before 1970 would wait until then
            json.dumps(routes),
        ),
    )
    _link(db, clip_id, [fire.key for fire in clip.fires])


def _link(db: sqlite3.Connection, clip_id: str, fires: Sequence[FireKey]) -> None:
    for fire in fires:
        changed = db.execute(
            "UPDATE fires SET clip_id = ? WHERE campaign = ? AND version = ? AND ordinal = ?"
            " AND outcome = ? AND clip_id IS NULL",
            (clip_id, *fire, FireOutcome.IN_FLIGHT),
        ).rowcount
        if changed != 1:
            raise Conflict(f"fire {fire.ordinal} of {fire.campaign} version {fire.version} is not waiting for a clip")


def unlink_fires(db: sqlite3.Connection, clip_id: str) -> list[FireKey]:
    """Unlink a clip's fires; they are still in flight and wait for another clip or an outcome."""
    rows = db.execute("SELECT campaign, version, ordinal FROM fires WHERE clip_id = ?", (clip_id,)).fetchall()
    db.execute("UPDATE fires SET clip_id = NULL WHERE clip_id = ?", (clip_id,))
    return [FireKey(*row) for row in rows]


def delete(db: sqlite3.Connection, clip_id: str) -> None:
    """Delete a clip whose fires were unlinked before."""
    db.execute("DELETE FROM clips WHERE clip_id = ?", (clip_id,))


def set_upload(db: sqlite3.Connection, clip_id: str, url: str | None, network: Network | None) -> None:
    """Store the URL of a clip's upload and the network that it was announced for."""
    db.execute("UPDATE clips SET upload_url = ?, upload_network = ? WHERE clip_id = ?", (url, network, clip_id))


def set_attempted(db: sqlite3.Connection, clip_id: str, next_attempt_ns: int, problem: str) -> None:
    """Count a failed attempt, and store its reason (at most 1000 characters)."""
    db.execute(
        "UPDATE clips SET attempts = attempts + 1, next_attempt_ns = ?, problem = ? WHERE clip_id = ?",
        (_storable(next_attempt_ns), problem[:1000], clip_id),
    )


def move_times(db: sqlite3.Connection, jump_ns: int) -> None:
    """Move the times of all clips by as much as the clock was set; the times of data are not touched."""
    rows = db.execute("SELECT clip_id, queued_at_ns, next_attempt_ns FROM clips").fetchall()
    moved = [(_storable(row[1] + jump_ns), _storable(row[2] + jump_ns), row[0]) for row in rows]
    db.executemany("UPDATE clips SET queued_at_ns = ?, next_attempt_ns = ? WHERE clip_id = ?", moved)


def _storable(t_ns: int) -> int:
    """The nearest time that SQLite can hold."""
    return max(-MAX_T_NS, min(t_ns, MAX_T_NS))


def _queued(row: sqlite3.Row, directory: Path) -> QueuedClip:
    return QueuedClip(
        clip_id=row["clip_id"],
        path=directory / row["file"],
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
