"""What has to happen now and then, in any worker: folding, expiry, campaigns that are due, retention, tidying.

Every duty has a period of its own and is safe beside the same duty in other workers. One that fails is logged and
waits for its next turn; the others go on.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from ingest.log import Log
from ingest.steward.staging import clean_staging
from storage import ledger, retention
from storage.campaigns.completion import complete_due
from storage.database import Database
from storage.objects import ObjectStore
from storage.uploads import endings
from triggers.errors import Misconfigured, Overloaded, Unreachable

LOGGER = logging.getLogger(__name__)
FAILED_PAUSE_S = 2.0
"""A duty that failed waits at least so long."""


@dataclass
class Duty:
    """Something to do every `period_s`, or at once again when `work` says that there is more."""

    name: str
    period_s: float
    work: Callable[[], bool]
    due_s: float = float("-inf")


class Maintenance:
    """Does duties when they are due, one after the other; not thread-safe."""

    def __init__(self, duties: Sequence[Duty], *, monotonic_s: Callable[[], float] = time.monotonic) -> None:
        self._duties = duties
        self._now_s = monotonic_s

    def run(self, stop: threading.Event) -> None:
        """Rounds until `stop` is set. Misconfigured when a duty finds a setting that cannot work."""
        while not stop.is_set():
            stop.wait(self.round())

    def round(self) -> float:
        """Every duty that is due, once; returns the seconds until the next one is."""
        for duty in self._duties:
            if duty.due_s <= self._now_s():
                duty.due_s = self._now_s() + self._do(duty)
        return max(0.0, min(duty.due_s for duty in self._duties) - self._now_s())

    @staticmethod
    def _do(duty: Duty) -> float:
        """Do it; returns the seconds until its next turn."""
        try:
            return 0.0 if duty.work() else duty.period_s
        except Misconfigured:
            raise
        except (Unreachable, Overloaded) as error:
            LOGGER.warning("%s waits: %s", duty.name, error)
        except Exception:
            LOGGER.exception("%s failed and waits for its next turn", duty.name)
        return max(duty.period_s, FAILED_PAUSE_S)


class Duties:
    """The duties of one deployment."""

    def __init__(self, database: Database, log: Log, store: ObjectStore) -> None:
        self._database = database
        self._log = log
        self._store = store
        self._staging_after = ""

    def all(self) -> list[Duty]:
        """Each with its period in seconds; the short ones are what users wait for."""
        return [
            Duty("folding the ledger", 2.0, self._fold),
            Duty("beginning and completing campaigns", 2.0, self._complete_campaigns),
            Duty("expiring uploads", 5.0, self._expire_uploads),
            Duty("tidying the staging area", 30.0, self._clean_staging),
            Duty("dropping old segments of the log", 60.0, self._drop_segments),
            Duty("forgetting sent events", 3600.0, self._forget_events),
            Duty("forgetting vehicle-days", 3600.0, self._forget_vehicle_days),
            Duty("removing unfinished object writes", 3600.0, self._remove_leftovers),
        ]

    def _fold(self) -> bool:
        with self._database.begin() as connection:
            return ledger.fold(connection) > 0

    def _complete_campaigns(self) -> bool:
        with self._database.begin() as connection:
            changed = complete_due(connection)
        for version in changed:
            LOGGER.info("campaign %s version %d: now %s", version.campaign, version.version, version.state)
        return False

    def _expire_uploads(self) -> bool:
        with self._database.begin() as connection:
            expired = endings.expire(connection, now=datetime.now(UTC))
        return _did(expired, "uploads expired")

    def _clean_staging(self) -> bool:
        removed, self._staging_after = clean_staging(self._database, self._store, after=self._staging_after)
        return _did(removed, "staging objects removed")

    def _drop_segments(self) -> bool:
        _did(self._log.enforce_retention(), "log segments dropped")
        return False

    def _forget_events(self) -> bool:
        with self._database.begin() as connection:
            return retention.forget_sent_events(connection) > 0

    def _forget_vehicle_days(self) -> bool:
        with self._database.begin() as connection:
            return retention.forget_vehicle_days(connection) > 0

    def _remove_leftovers(self) -> bool:
        _did(self._store.remove_leftovers(), "unfinished object writes removed")
        return False


def _did(count: int, what: str) -> bool:
    """Note in the log what was done, if anything was."""
    if count:
        LOGGER.info("%d %s", count, what)
    return count > 0
