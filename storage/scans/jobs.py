"""Scans as jobs, held under the leases of storage.job_leases: begun, moved on page by page, ended, forgotten.

What a page gave and where the next one begins are written in one transaction, so a scan whose process died goes on
where it was, and no clip counts twice. A scan that its user removes is gone at once: its holder notices soon after.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, insert, select, update

from storage import job_leases
from storage.clips.records import locked
from storage.tables import scan_hits, scans
from storage.user_jobs import UserJobs

MAX_ATTEMPTS = 3
"""How often a scan is begun again without having moved on before it is given up."""
MAX_REASONS = 50
"""Different reasons of left-out clips; further ones are counted together."""
OTHER_REASONS = "for other reasons"
_c = scans.c


@dataclass(frozen=True, slots=True)
class Scan:
    """A scan as its row has it; `left_out` is [clips, one of them] by reason."""

    id: str
    user_id: int
    filter: str | None
    filter_lang: str
    condition: str
    wanted: int | None
    sees_positions: bool
    state: str
    attempts: int
    token: int
    reason: str | None
    created_at: datetime
    finished_at: datetime | None
    expires_at: datetime
    position: str | None
    clips: int | None
    scanned: int
    found: int
    instants: int
    read_bytes: int
    run_s: float
    left_out: dict[str, Any]
    warnings: list[dict[str, Any]]
    stopped: str | None


@dataclass(frozen=True, slots=True)
class NewScan:
    """What a user asks for."""

    filter: str | None
    filter_lang: str
    condition: str
    wanted: int | None
    warnings: Sequence[Mapping[str, Any]] = ()
    sees_positions: bool = True


@dataclass(frozen=True, slots=True)
class Hit:
    """A clip in which the condition became true: the first instants, and how many there are."""

    clip_id: str
    t_ns: tuple[int, ...]
    instants: int


@dataclass(frozen=True, slots=True)
class PageDone:
    """What a page of clips gave. `left_out` are (clip, reason); `position` is None after the last page."""

    scanned: int
    hits: Sequence[Hit]
    left_out: Sequence[tuple[str, str]]
    read_bytes: int
    run_s: float
    position: str | None


_jobs = UserJobs(Scan, scans, "scan", "it may have expired", 10)


def create(connection: Connection, new: NewScan, *, user_id: int, keep_s: float) -> Scan:
    """A new scan of a user; errors as in `UserJobs.create`."""
    values = {
        "filter": new.filter,
        "filter_lang": new.filter_lang,
        "condition": new.condition,
        "wanted": new.wanted,
        "sees_positions": new.sees_positions,
        "warnings": [dict(warning) for warning in new.warnings],
    }
    scan, displaced = _jobs.create(connection, values, user_id=user_id, keep_s=keep_s)
    _forget(connection, displaced)
    return scan


def get(connection: Connection, scan_id: str, *, user_id: int | None = None) -> Scan:
    """A scan that is kept still; with `user_id` only if it is this user's. NotFound otherwise."""
    return _jobs.get(connection, scan_id, user_id=user_id)


def list_of(connection: Connection, user_id: int) -> list[Scan]:
    """A user's scans, the newest first."""
    return _jobs.list_of(connection, user_id)


def remove(connection: Connection, scan_id: str) -> None:
    """Forget a scan with its results; one that runs ends with its next page."""
    _forget(connection, [scan_id])


def claim(connection: Connection, *, worker: str, lease_s: float) -> Scan | None:
    """Take the scan that has waited longest, or whose holder is gone, for `lease_s` seconds."""
    return _jobs.claim(connection, worker=worker, lease_s=lease_s, max_attempts=MAX_ATTEMPTS)


def renew(connection: Connection, scan: Scan, *, lease_s: float) -> None:
    """Keep a scan for longer; LeaseLost when another has it, NotFound when it was removed."""
    job_leases.renew(connection, scans, {"id": scan.id}, token=scan.token, lease_s=lease_s)


def set_clips(connection: Connection, scan: Scan, count: int | None) -> None:
    """Note how many clips there are to scan."""
    connection.execute(update(scans).where(_c.id == scan.id, _c.token == scan.token).values(clips=count))


def take_page(connection: Connection, scan: Scan, page: PageDone, *, lease_s: float) -> Scan:
    """Write what a page gave, and keep the scan for longer; errors as in `renew`. Clips erased meanwhile leave no hit.

    It moved on, so the attempts count anew.
    """
    renew(connection, scan, lease_s=lease_s)
    alive = locked(connection, [hit.clip_id for hit in page.hits])
    hits = [hit for hit in page.hits if hit.clip_id in alive]
    if hits:
        connection.execute(insert(scan_hits), [_hit_row(scan, number, hit) for number, hit in enumerate(hits)])
    row = connection.execute(
        update(scans)
        .where(_c.id == scan.id)
        .values(
            attempts=1,
            position=page.position,
            scanned=_c.scanned + page.scanned,
            found=_c.found + len(hits),
            instants=_c.instants + sum(hit.instants for hit in hits),
            read_bytes=_c.read_bytes + page.read_bytes,
            run_s=_c.run_s + page.run_s,
            left_out=_added(scan.left_out, page.left_out),
        )
        .returning(*_jobs.columns)
    ).one()
    return Scan(*row)


def _hit_row(scan: Scan, number: int, hit: Hit) -> dict[str, Any]:
    return {
        "scan_id": scan.id,
        "number": scan.found + number,
        "clip_id": hit.clip_id,
        "t_ns": list(hit.t_ns),
        "instants": hit.instants,
    }


def _added(before: Mapping[str, Any], left_out: Sequence[tuple[str, str]]) -> dict[str, Any]:
    """The counts by reason with those of another page."""
    counts = Counter({reason: count for reason, (count, _) in before.items()})
    examples = {reason: example for reason, (_, example) in before.items()}
    for clip_id, reason in left_out:
        known = reason if reason in counts or len(counts) < MAX_REASONS else OTHER_REASONS
        counts[known] += 1
        examples.setdefault(known, clip_id)
    return {reason: [count, examples[reason]] for reason, count in counts.items()}


def finish(connection: Connection, scan: Scan, *, stopped: str | None = None) -> None:
    """End a scan. `stopped` says why it ended before all clips were scanned. Errors as in `renew`."""
    job_leases.finish(connection, scans, {"id": scan.id}, token=scan.token)
    connection.execute(update(scans).where(_c.id == scan.id).values(stopped=stopped))


def abandon(connection: Connection, scan: Scan, *, reason: str) -> None:
    """End a scan that cannot go on. Errors as in `renew`."""
    job_leases.abandon(connection, scans, {"id": scan.id}, token=scan.token, reason=reason)


def give_back(connection: Connection, scan: Scan, *, reason: str, delay_s: float = 0.0, counts: bool = True) -> None:
    """Let another process, or this one later, go on with a scan. Errors as in `renew`."""
    job_leases.fail(
        connection,
        scans,
        {"id": scan.id},
        token=scan.token,
        reason=reason,
        max_attempts=MAX_ATTEMPTS,
        delay_s=delay_s,
        counts=counts,
    )


def expire(connection: Connection) -> int:
    """Delete scans whose time is over, some at a time; returns how many."""
    return _forget(connection, _jobs.expired(connection))


def _forget(connection: Connection, scan_ids: Sequence[str]) -> int:
    # First the hits, in the order in which the erasure of clips takes them: the two wait for each other one way only.
    hit = scan_hits.c
    mine = select(hit.scan_id, hit.number).where(hit.scan_id.in_(scan_ids)).order_by(hit.scan_id, hit.number)
    connection.execute(mine.with_for_update())
    return connection.execute(delete(scans).where(_c.id.in_(scan_ids))).rowcount
