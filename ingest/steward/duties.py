"""The steward's duties: folding the ledger, expiring uploads, moving campaigns on, erasure, retention, cleaning up.

Every duty is safe to run at the same time in several workers.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime

from ingest.extractor_version import EXTRACTOR_VERSION
from ingest.log import Log
from ingest.steward import campaigns, erasure, rates, tiers
from ingest.steward.forecasts.make import Forecasting
from ingest.steward.loop import Duty
from ingest.steward.staging import clean_staging
from storage import ledger, retention, usage
from storage.backtests import jobs as backtests
from storage.clips import extraction_jobs
from storage.clips.properties import indexed_signals
from storage.costs import rollup
from storage.database import Connection, Database
from storage.ledger.limits import fleet_terms
from storage.likeness import jobs as vector_jobs
from storage.objects import ObjectStore
from storage.scans import jobs as scans
from storage.settings import Settings
from storage.tiers.moves import Due
from storage.tiers.rules import parse_tiers
from storage.uploads import endings, vehicle_days
from triggers.likeness.version import EMBEDDING_ID

LOGGER = logging.getLogger(__name__)


REST_S = 600.0
"""How long nothing is looked for in the whole catalog after nothing was found there."""


class Rest:
    """Whether a look at the whole catalog can wait: the last one found nothing, a moment ago, and nothing has changed.

    Clips that arrive do not depend on it; the look is for those that were there before a new version of Longtail, or a
    new signal catalog.
    """

    def __init__(self, monotonic_s: Callable[[], float]) -> None:
        self._now_s = monotonic_s
        self._until_s = float("-inf")
        self._seen: object = None

    def holds(self, now_is: object = None) -> bool:
        """Whether there need not be a look; `now_is` is what must not have changed since the last one."""
        return self._now_s() < self._until_s and now_is == self._seen

    def after(self, found: int | None, now_is: object = None) -> None:
        """A look found so many (None: it could not look)."""
        self._until_s = self._now_s() + REST_S if found == 0 else float("-inf")
        self._seen = now_is


class Duties:
    """The duties of one deployment."""

    def __init__(
        self,
        database: Database,
        log: Log,
        store: ObjectStore,
        settings: Settings,
        *,
        monotonic_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._extractions, self._declarations, self._vectors = (Rest(monotonic_s) for _ in range(3))
        self._database = database
        self._log = log
        self._store = store
        self._settings = settings
        self._staging_after = ""
        self._tiers = parse_tiers(settings.object_tiers)
        self._moved: Due | None = None
        self._forecasting = Forecasting(database, fleet_terms(settings))

    def all(self) -> list[Duty]:
        """Every duty with its period in seconds; duties that users wait for have short periods."""
        return [
            Duty("folding the ledger", 2.0, self._fold),
            Duty("folding usage", 2.0, self._fold_usage),
            Duty("summing up days of costs", 300.0, self._sum_up_costs),
            Duty("starting and completing campaigns", 2.0, self._move_campaigns_on),
            Duty("expiring uploads", 5.0, self._expire_uploads),
            Duty("cleaning the staging area", 30.0, self._clean_staging),
            Duty("erasing vehicles", 2.0, lambda: erasure.erase_vehicles(self._database)),
            Duty("erasing expired clips", 10.0, lambda: erasure.expire_clips(self._database)),
            Duty("deleting erased objects", 2.0, lambda: erasure.delete_objects(self._database, self._store)),
            Duty("moving recordings to their tiers", 60.0, self._move_recordings),
            Duty("extracting older clips again", 10.0, self._extract_again),
            Duty("indexing signals", 10.0, self._index_signals),
            Duty("queueing vectors of older clips", 10.0, self._queue_vectors),
            Duty("dropping old segments of the log", 60.0, self._drop_segments),
            Duty("deleting sent events", 3600.0, self._forget_events),
            Duty("dropping manifests of closed uploads", 60.0, self._drop_manifests),
            Duty("forgetting closed uploads", 3600.0, self._forget_uploads),
            Duty("deleting old vehicle-days", 3600.0, self._forget_vehicle_days),
            Duty("deleting hours of usage that are old", 3600.0, self._forget_hours),
            Duty("forgetting expired scans and backtests", 60.0, self._forget_asked),
            Duty("recording rates", 900.0, self._record_rates),
            Duty("forecasting budgets", 300.0, self._forecasting.go_on),
            Duty("removing unfinished object writes", 3600.0, self._remove_leftovers),
        ]

    def _fold(self) -> bool:
        with self._database.begin() as connection:
            entries = ledger.fold(connection)
        with self._database.begin() as connection:
            return entries + ledger.fold_receipts(connection) > 0

    def _fold_usage(self) -> bool:
        with self._database.begin() as connection:
            return usage.fold(connection) > 0

    def _sum_up_costs(self) -> bool:
        with self._database.begin() as connection:
            return rollup.sum_up(connection, self._settings.cost_zone)

    def _move_campaigns_on(self) -> bool:
        with self._database.begin() as connection:
            changed = campaigns.move_on(connection)
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

    def _move_recordings(self) -> bool:
        self._moved = tiers.move_recordings(self._database, self._store, self._tiers, after=self._moved)
        return self._moved is not None

    def _extract_again(self) -> bool:
        """Clips whose results an older extractor wrote, a few at a time so that new clips need not wait."""
        return self._look(
            self._extractions,
            lambda connection: extraction_jobs.add_for_older_clips(connection, EXTRACTOR_VERSION),
            "older clips queued for extraction",
        )

    def _index_signals(self) -> bool:
        """Signals that were declared `indexed` after clips had them: the statistics of these, a batch at a time."""
        with self._database.begin() as connection:
            newest = indexed_signals.newest_version(connection)
            if not self._declarations.holds(newest):
                declared = indexed_signals.declare(connection)
                self._declarations.after(declared, newest)
                _did(declared, "signals are declared `indexed`")
        with self._database.begin() as connection:
            return _did(indexed_signals.complete(connection), "statistics of earlier clips indexed")

    def _queue_vectors(self) -> bool:
        """Clips from before this embedding, a few at a time."""
        return self._look(
            self._vectors,
            lambda connection: vector_jobs.queue_older_clips(connection, EMBEDDING_ID),
            "older clips queued for their vectors",
        )

    def _look(self, rest: Rest, queue: Callable[[Connection], int | None], what: str) -> bool:
        """Queue some of the older clips, unless there were none a moment ago; more can wait for the next period."""
        if not rest.holds():
            with self._database.begin() as connection:
                queued = queue(connection)
            rest.after(queued)
            _did(queued, what)
        return False

    def _drop_segments(self) -> bool:
        _did(self._log.enforce_retention(), "log segments dropped")
        return False

    def _forget_events(self) -> bool:
        with self._database.begin() as connection:
            return retention.forget_sent_events(connection) > 0

    def _drop_manifests(self) -> bool:
        with self._database.begin() as connection:
            return retention.drop_manifests(connection, after_s=self._settings.log_retention_s) > 0

    def _forget_uploads(self) -> bool:
        with self._database.begin() as connection:
            return retention.forget_closed_uploads(connection, after_s=self._settings.closed_upload_s) > 0

    def _forget_vehicle_days(self) -> bool:
        with self._database.begin() as connection:
            vehicle_days.forget(connection)
            return retention.forget_vehicle_days(connection) > 0

    def _forget_hours(self) -> bool:
        with self._database.begin() as connection:
            return _did(usage.forget_hours(connection), "sums of usage by hour deleted; those of their days stay")

    def _forget_asked(self) -> bool:
        with self._database.begin() as connection:
            return scans.expire(connection) + backtests.expire(connection) > 0

    def _record_rates(self) -> bool:
        rates.record_rates(self._database)
        return False

    def _remove_leftovers(self) -> bool:
        _did(self._store.remove_leftovers(), "unfinished object writes removed")
        return False


def _did(count: int | None, what: str) -> bool:
    """Log what was done, if anything; returns whether anything was."""
    if count:
        LOGGER.info("%d %s", count, what)
    return bool(count)
