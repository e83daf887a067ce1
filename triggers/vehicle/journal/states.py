"""States of evaluators in the journal, kept between two drives. Every function runs in the caller's transaction."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping

from triggers.vehicle.journal.fires import ensure_version


def forget(campaign: str, version: int, db: sqlite3.Connection) -> None:
    """Delete the state of a version."""
    db.execute("UPDATE versions SET state = NULL WHERE campaign = ? AND version = ?", (campaign, version))


def save(states: Mapping[tuple[str, int, str], bytes], db: sqlite3.Connection) -> None:
    """Store states by campaign, version and program digest; they become the newest ones."""
    (number,) = db.execute("SELECT coalesce(max(state_number), 0) + 1 FROM versions").fetchone()
    for (campaign, version, program_digest), state in states.items():
        ensure_version(db, campaign, version)
        db.execute(
            "UPDATE versions SET state = ?, program_digest = ?, state_number = ? WHERE campaign = ? AND version = ?",
            (state, program_digest, number, campaign, version),
        )


def keep(newest: int, db: sqlite3.Connection) -> None:
    """Delete all states but the `newest` ones."""
    db.execute(
        "UPDATE versions SET state = NULL WHERE state IS NOT NULL AND (campaign, version) NOT IN"
        " (SELECT campaign, version FROM versions WHERE state IS NOT NULL"
        " ORDER BY state_number DESC, campaign, version LIMIT ?)",
        (newest,),
    )
