"""Uploads of clips that the vehicle gave up: terminated at the gateway, which frees the budget they reserved at once.

Best effort. An upload is remembered, in the transaction that gives its clip up, until the gateway says that it is
terminated, gone, or whole. What is lost here costs nothing but time: the gateway lets the upload expire.
"""

from __future__ import annotations

import logging
import sqlite3

from triggers.errors import LongtailError, Overloaded, Unauthenticated, Unreachable
from triggers.vehicle.journal import Journal
from triggers.vehicle.uploads.tus import TusClient

LOGGER = logging.getLogger(__name__)
MAX_KEPT = 256
"""Uploads remembered at most; of more, the oldest are left to expire."""
MAX_REFUSALS = 5
"""After so many refusals (an outage is none) an upload is left to expire."""
PER_PASS = 32


def remember(db: sqlite3.Connection, clip_id: str) -> None:
    """Within the transaction that gives a clip up: its upload, if it has one, is to be terminated."""
    db.execute(
        "INSERT OR IGNORE INTO terminations (url)"
        " SELECT upload_url FROM clips WHERE clip_id = ? AND upload_url IS NOT NULL",
        (clip_id,),
    )
    db.execute(
        "DELETE FROM terminations WHERE id NOT IN (SELECT id FROM terminations ORDER BY id DESC LIMIT ?)", (MAX_KEPT,)
    )


class Terminator:
    """Brings the terminations that the journal remembers to the gateway."""

    def __init__(self, journal: Journal, tus: TusClient) -> None:
        self._journal = journal
        self._tus = tus

    def run(self) -> int:
        """Terminate some uploads, the oldest first, and return how many are done with; ends early in an outage."""
        done = 0
        for row in self._journal.read("SELECT id, url FROM terminations ORDER BY refusals, id LIMIT ?", PER_PASS):
            try:
                self._tus.terminate(row["url"])
            except (Unreachable, Overloaded, Unauthenticated) as error:
                LOGGER.info("uploads that were given up wait to be terminated: %s", error)
                break
            except LongtailError as error:
                self._refused(row["id"], error)
            else:
                done += self._forget(row["id"])
        return done

    def _forget(self, termination: int) -> int:
        with self._journal.transaction() as db:
            return db.execute("DELETE FROM terminations WHERE id = ?", (termination,)).rowcount

    def _refused(self, termination: int, error: LongtailError) -> None:
        LOGGER.warning("an upload that was given up is not terminated: %s", error)
        with self._journal.transaction() as db:
            db.execute("UPDATE terminations SET refusals = refusals + 1 WHERE id = ?", (termination,))
            db.execute("DELETE FROM terminations WHERE refusals >= ?", (MAX_REFUSALS,))
