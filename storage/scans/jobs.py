"""Scans as jobs, held under the leases of storage.job_leases: begun, moved on page by page, ended, forgotten.

What a page gave and where the next one begins are written in one transaction, so a scan whose process died goes on
where it was, and no clip counts twice. A scan that its user removes is gone at once: its holder notices soon after.
"""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, func, insert, select, true, update
from sqlalchemy.exc import IntegrityError

from storage import job_leases
from storage.clips.records import locked
from storage.rows import columns_of
from storage.tables import scan_hits, scans
from triggers.contracts.api.labels import OPEN_JOBS
from triggers.errors import NotFound, TooMany

MAX_ATTEMPTS = 3
"""How often a scan is begun again without having moved on before it is given up."""
KEPT_OF_A_USER = 20
"""Scans of one user; a new one displaces the oldest."""
MAX_REASONS = 50
"""Different reasons of left-out clips; further ones are counted together."""
OTHER_REASONS = "for other reasons"
_RETRY_AFTER_S = 10
_EXPIRED_AT_ONCE = 100
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


_COLUMNS = columns_of(Scan, scans)


def create(connection: Connection, new: NewScan, *, user_id: int, keep_s: float) -> Scan:
    """A new scan of a user; TooMany, naming the other one, while one of theirs is not over.

    Call it first in its transaction, which a refusal leaves unusable.
    """
    open_one = connection.execute(select(_c.id).where(_c.user_id == user_id, _c.state.in_(OPEN_JOBS))).scalar()
    if open_one is not None:
        raise _one_at_a_time(open_one)
    try:
        row = connection.execute(
            insert(scans)
            .values(
                id=secrets.token_hex(16),
                user_id=user_id,
                filter=new.filter,
                filter_lang=new.filter_lang,
                condition=new.condition,
                wanted=new.wanted,
                sees_positions=new.sees_positions,
                warnings=[dict(warning) for warning in new.warnings],
                expires_at=func.now() + func.make_interval(0, 0, 0, 0, 0, 0, keep_s),
            )
            .returning(*_COLUMNS)
        ).one()
    except IntegrityError as error:  # another request of this user was faster
        raise _one_at_a_time("another") from error
    mine = select(_c.id).where(_c.user_id == user_id).order_by(_c.created_at.desc(), _c.id)
    _forget(connection, connection.execute(mine.offset(KEPT_OF_A_USER)).scalars().all())
    return Scan(*row)


def _one_at_a_time(other: str) -> TooMany:
    return TooMany(
        f"each user may have 1 scan at a time, and yours is not over yet: {other}",
        retry_after_s=_RETRY_AFTER_S,
        remedy="wait for it, or end it: `DELETE /v1/scans/ID`",
    )


def get(connection: Connection, scan_id: str, *, user_id: int | None = None) -> Scan:
    """A scan that is kept still; with `user_id` only if it is this user's. NotFound otherwise."""
    mine = true() if user_id is None else _c.user_id == user_id
    row = connection.execute(select(*_COLUMNS).where(_c.id == scan_id, mine, _c.expires_at > func.now())).one_or_none()
    if row is None:
        raise NotFound(f"there is no scan {scan_id[:100]!r} of yours", remedy="it may have expired: begin another")
    return Scan(*row)


def list_of(connection: Connection, user_id: int) -> list[Scan]:
    """A user's scans, the newest first."""
    rows = connection.execute(
        select(*_COLUMNS)
        .where(_c.user_id == user_id, _c.expires_at > func.now())
        .order_by(_c.created_at.desc(), _c.id)
        .limit(KEPT_OF_A_USER)
    )
    return [Scan(*row) for row in rows]


def remove(connection: Connection, scan_id: str) -> None:
    """Forget a scan with its results; one that runs ends with its next page."""
    _forget(connection, [scan_id])


def claim(connection: Connection, *, worker: str, lease_s: float) -> Scan | None:
    """Take the scan that has waited longest, or whose holder is gone, for `lease_s` seconds."""
    taken = job_leases.claim(
        connection,
        scans,
        among=_c.expires_at > func.now(),
        order_by=(_c.created_at,),
        holder={"worker": worker},
        count=1,
        lease_s=lease_s,
        max_attempts=MAX_ATTEMPTS,
    )
    return Scan(*(getattr(taken[0], column.name) for column in _COLUMNS)) if taken else None


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
        .returning(*_COLUMNS)
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
    due = select(_c.id).where(_c.expires_at <= func.now()).limit(_EXPIRED_AT_ONCE)
    return _forget(connection, connection.execute(due).scalars().all())


def _forget(connection: Connection, scan_ids: Sequence[str]) -> int:
    # First the hits, in the order in which the erasure of clips takes them: the two wait for each other one way only.
    hit = scan_hits.c
    mine = select(hit.scan_id, hit.number).where(hit.scan_id.in_(scan_ids)).order_by(hit.scan_id, hit.number)
    connection.execute(mine.with_for_update())
    return connection.execute(delete(scans).where(_c.id.in_(scan_ids))).rowcount
