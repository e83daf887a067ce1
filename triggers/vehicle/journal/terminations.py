"""Uploads to be terminated, in the journal. Functions that write run within the caller's transaction."""

from __future__ import annotations

import sqlite3

MAX_KEPT = 256
"""How many uploads are remembered; beyond that, the oldest are left to expire."""


def remember(db: sqlite3.Connection, clip_id: str) -> None:
    """Remember the upload of a clip that is given up, if it has one; part of the transaction that gives it up."""
    db.execute(
        "INSERT OR IGNORE INTO terminations (url)"
        " SELECT upload_url FROM clips WHERE clip_id = ? AND upload_url IS NOT NULL",
        (clip_id,),
    )
    db.execute(
        "DELETE FROM terminations WHERE id NOT IN (SELECT id FROM terminations ORDER BY id DESC LIMIT ?)", (MAX_KEPT,)
    )


def due(db: sqlite3.Connection, limit: int) -> list[tuple[int, str]]:
    """Number and URL of the next uploads to terminate: those refused least often, then the oldest."""
    rows = db.execute("SELECT id, url FROM terminations ORDER BY refusals, id LIMIT ?", (limit,))
    return [(row["id"], row["url"]) for row in rows]


def forget(db: sqlite3.Connection, number: int) -> None:
    """Forget an upload that is terminated or gone."""
    db.execute("DELETE FROM terminations WHERE id = ?", (number,))


def count_refusal(db: sqlite3.Connection, number: int, max_refusals: int) -> None:
    """Count a refusal by the gateway; after `max_refusals` the upload is left to expire."""
    db.execute("UPDATE terminations SET refusals = refusals + 1 WHERE id = ?", (number,))
    db.execute("DELETE FROM terminations WHERE refusals >= ?", (max_refusals,))
