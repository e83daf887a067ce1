"""When tokens were last used: noted in memory with each request, and written together, at most once a minute."""

from __future__ import annotations

import logging
import threading
import time
from datetime import UTC, datetime

from storage import tokens
from storage.database import Database
from triggers.errors import LongtailError

WRITE_EVERY_S = 60.0

_log = logging.getLogger(__name__)


class UsedTokens:
    """The tokens used since the last write. What is not written yet is lost when the process is killed."""

    def __init__(self, database: Database, *, every_s: float = WRITE_EVERY_S) -> None:
        self._database = database
        self._every_s = every_s
        self._lock = threading.Lock()
        self._used: dict[int, datetime] = {}
        self._next_s = 0.0

    def note(self, token_id: int) -> None:
        """This token was used now; the first note after `every_s` writes all of them."""
        with self._lock:
            self._used[token_id] = datetime.now(UTC)
            now_s = time.monotonic()
            if now_s < self._next_s:
                return
            self._next_s = now_s + self._every_s
        self.write()

    def write(self) -> None:
        """Write what was noted; while the database cannot be written, it stays noted, and requests go on."""
        with self._lock:
            batch, self._used = self._used, {}
        if not batch:
            return
        try:
            with self._database.begin() as connection:
                tokens.mark_used(connection, batch)
        except LongtailError as error:
            _log.warning("when %d tokens were used could not be written: %s", len(batch), error)
            with self._lock:
                self._used = {**batch, **self._used}
