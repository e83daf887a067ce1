"""What has waited too long: uploads, extractions, events, deletions of objects and dead letters."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, exists, func, select, text

from storage.tables import clips, dead_letters, extraction_jobs, object_deletions, outbox, uploads


@dataclass(frozen=True, slots=True)
class Backlog:
    """Counts of things that should not stay for long. Ages are by the database's clock."""

    overdue_uploads: int
    """Open although they have expired: `longtail ingest` does not run."""
    unassembled_uploads: int
    """Wholly received, announced more than `patience_s` ago, and not in the catalog: `longtail ingest` does not run."""
    waiting_extractions: int
    failed_extractions: int
    """Not repaired by a later extraction, and not acknowledged by discarding their dead letter."""
    unsent_events: int
    open_dead_letters: int
    overdue_deletions: int
    """Objects of erased and expired clips that should be gone: the steward does not run, or the store refuses."""


def database_time(connection: Connection) -> datetime:
    """The database's clock, now (not at the transaction's start)."""
    moment: datetime = connection.execute(text("SELECT clock_timestamp()")).scalar_one()
    return moment


def backlog(connection: Connection, *, patience_s: int) -> Backlog:
    """Count what waits; `patience_s` is how long a step may take before it counts as delayed."""
    before = func.now() - func.make_interval(0, 0, 0, 0, 0, 0, patience_s)
    last_news = func.coalesce(uploads.c.closed_at, uploads.c.created_at)

    def count(table: object, *conditions: object) -> int:
        return int(connection.execute(select(func.count()).select_from(table).where(*conditions)).scalar_one())  # type: ignore[arg-type]

    repaired = exists().where(clips.c.id == extraction_jobs.c.clip_id, clips.c.state == "ready")
    acknowledged = exists().where(
        dead_letters.c.clip_id == extraction_jobs.c.clip_id, dead_letters.c.state == "discarded"
    )
    open_jobs = extraction_jobs.c.state.in_(("ready", "leased"))
    return Backlog(
        overdue_uploads=count(uploads, uploads.c.state == "open", uploads.c.expires_at < before),
        unassembled_uploads=count(uploads, uploads.c.state == "received", last_news < before),
        waiting_extractions=count(extraction_jobs, open_jobs, extraction_jobs.c.created_at < before),
        failed_extractions=count(extraction_jobs, extraction_jobs.c.state == "failed", ~repaired, ~acknowledged),
        unsent_events=count(outbox, outbox.c.sent_at.is_(None), outbox.c.created_at < before),
        open_dead_letters=count(dead_letters, dead_letters.c.state == "open"),
        overdue_deletions=count(object_deletions, object_deletions.c.due_at < before),
    )


def received_anything(connection: Connection) -> bool:
    """Whether a gateway has ever acknowledged bytes, so that the log must have had them."""
    return bool(connection.execute(select(exists().where(uploads.c.offset_bytes > 0))).scalar_one())
