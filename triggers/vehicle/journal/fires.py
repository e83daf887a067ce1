"""Fires in the journal: written once, concluded once, and folded into counts when they are old.

Every function here runs within the caller's transaction.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import astuple, dataclass, field

from triggers.contracts.compared import Compared, EventCounts, HeadSides
from triggers.contracts.fire import FireKey
from triggers.errors import Conflict
from triggers.vehicle.recording.fires import FireOutcome, Reason, VehicleFire


@dataclass(frozen=True)
class NewFire:
    """A new fire, and whether it is recorded (otherwise it is sampled out)."""

    fire: VehicleFire
    sampled_in: bool


@dataclass(frozen=True)
class RunIncrement:
    """What happened to one campaign version since it was last written; the counts are increments."""

    campaign: str
    version: int
    suppressed: int = 0
    armed_ns: int = 0
    distance_mm: int = 0
    fires: tuple[NewFire, ...] = field(default=())
    compared: Mapping[str, Compared] = field(default_factory=dict)
    """Pairs by head."""
    events: Mapping[HeadSides, EventCounts] = field(default_factory=dict)
    """Matched events by head and sides."""


def record(db: sqlite3.Connection, increment: RunIncrement) -> None:
    """Write a version's new fires and increments. Raises Conflict if an ordinal is not the next one."""
    ensure_version(db, increment.campaign, increment.version)
    for new in increment.fires:
        _insert_fire(db, new)
    db.execute(
        "UPDATE versions SET suppressed = suppressed + ?, armed_ns = armed_ns + ?,"
        " distance_mm = distance_mm + ? WHERE campaign = ? AND version = ?",
        (increment.suppressed, increment.armed_ns, increment.distance_mm, increment.campaign, increment.version),
    )
    _add_compared(db, increment)
    _add_events(db, increment)


def drop_unfinished(db: sqlite3.Connection) -> None:
    """Conclude fires whose recording an earlier process did not finish, since no clip will ever hold them."""
    db.execute(
        "UPDATE fires SET outcome = ?, reason = ?, captured = NULL WHERE outcome = ? AND clip_id IS NULL",
        (FireOutcome.DROPPED, Reason.RESTART, FireOutcome.IN_FLIGHT),
    )


def conclude(db: sqlite3.Connection, fires: Iterable[FireKey], outcome: FireOutcome, reason: Reason | None) -> None:
    """Give fires in flight their outcome. Raises Conflict if one already has an outcome."""
    for fire in fires:
        changed = db.execute(
            "UPDATE fires SET outcome = ?, reason = ?, captured = NULL, clip_id = NULL"
            " WHERE campaign = ? AND version = ? AND ordinal = ? AND outcome = ?",
            (outcome, reason or "", *fire, FireOutcome.IN_FLIGHT),
        ).rowcount
        if changed != 1:
            raise Conflict(f"fire {fire.ordinal} of {fire.campaign} version {fire.version} is not in flight")


def outcome_of(db: sqlite3.Connection, fire: FireKey) -> tuple[FireOutcome, str] | None:
    """A fire's outcome and reason; None if it is unknown or was folded into a count."""
    row = db.execute(
        "SELECT outcome, reason FROM fires WHERE campaign = ? AND version = ? AND ordinal = ?", fire
    ).fetchone()
    return None if row is None else (FireOutcome(row["outcome"]), row["reason"])


def compact(db: sqlite3.Connection, kept_rows: int) -> int:
    """Fold concluded fires, except for the latest `kept_rows`, into counts; returns how many were folded."""
    rows = db.execute(
        "SELECT campaign, version, ordinal, trigger, outcome, reason FROM fires WHERE outcome <> ?"
        " ORDER BY t_ns DESC, campaign, version, ordinal LIMIT -1 OFFSET ?",
        (FireOutcome.IN_FLIGHT, kept_rows),
    ).fetchall()
    for row in rows:
        db.execute(
            "INSERT INTO folded VALUES (?, ?, ?, ?, ?, 1) ON CONFLICT DO UPDATE SET fires = fires + 1",
            (row["campaign"], row["version"], row["trigger"], row["outcome"], row["reason"]),
        )
        db.execute(
            "DELETE FROM fires WHERE campaign = ? AND version = ? AND ordinal = ?",
            (row["campaign"], row["version"], row["ordinal"]),
        )
    return len(rows)


def ensure_version(db: sqlite3.Connection, campaign: str, version: int) -> None:
    db.execute("INSERT OR IGNORE INTO versions (campaign, version) VALUES (?, ?)", (campaign, version))


def _insert_fire(db: sqlite3.Connection, new: NewFire) -> None:
    key = new.fire.key
    advanced = db.execute(
        "UPDATE versions SET fired = fired + 1 WHERE campaign = ? AND version = ? AND fired = ? - 1", key
    ).rowcount
    if advanced != 1:
        raise Conflict(f"{key.ordinal} is not the next ordinal of {key.campaign} {key.version}")
    outcome = FireOutcome.IN_FLIGHT if new.sampled_in else FireOutcome.SAMPLED_OUT
    captured = new.fire.canonical_json() if new.sampled_in else None
    db.execute(
        "INSERT INTO fires (campaign, version, ordinal, trigger, t_ns, outcome, captured) VALUES (?, ?, ?, ?, ?, ?, ?)",
        (*key, new.fire.trigger, new.fire.t_ns, outcome, captured),
    )


def _add_compared(db: sqlite3.Connection, increment: RunIncrement) -> None:
    db.executemany(
        "INSERT INTO compared (campaign, version, head, neither, only_shadow, only_active, both, unknown)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET neither = neither + excluded.neither,"
        " only_shadow = only_shadow + excluded.only_shadow, only_active = only_active + excluded.only_active,"
        " both = both + excluded.both, unknown = unknown + excluded.unknown",
        [(increment.campaign, increment.version, head, *astuple(pairs)) for head, pairs in increment.compared.items()],
    )


def _add_events(db: sqlite3.Connection, increment: RunIncrement) -> None:
    db.executemany(
        "INSERT INTO events (campaign, version, head, sides, matched, only_first, only_second, unresolved_first,"
        " unresolved_second) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET"
        " matched = matched + excluded.matched, only_first = only_first + excluded.only_first,"
        " only_second = only_second + excluded.only_second,"
        " unresolved_first = unresolved_first + excluded.unresolved_first,"
        " unresolved_second = unresolved_second + excluded.unresolved_second",
        [
            (increment.campaign, increment.version, head, sides, *astuple(counts))
            for (head, sides), counts in increment.events.items()
        ],
    )
