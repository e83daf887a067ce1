"""What the API's metrics are read from: the database at every scrape, and a count of everything once a minute."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from fleet_api.watching.families import of_fleet, of_queues
from fleet_api.watching.series import MAX_SERIES, OfCampaigns, Series, campaign_series, chosen
from ingest.metrics import names
from ingest.metrics.names import Family
from storage.database import Database
from storage.ledger.limits import FleetTerms
from storage.objects import store_directory
from storage.settings import Settings
from storage.watching.cancelling import canceller
from storage.watching.fleet import FleetNumbers, fleet_numbers
from storage.watching.numbers import numbers
from triggers.errors import LongtailError

COUNT_EVERY_S = 60.0
FIRST_WAIT_S = 5.0
"""How long a scrape waits for the first count; later ones take what there is."""
CLOSE_S = 5.0
"""How long the end of the process waits for a count."""
CANCEL_EVERY_S = 0.2
"""A count is of several statements, and the first to be cancelled may have ended just then."""
_log = logging.getLogger(__name__)


def watched_folders(settings: Settings) -> dict[str, Path]:
    """The folders whose disks the API watches: where the embedded parts and the objects are, if on this machine."""
    found = {"data": settings.data_dir, "objects": store_directory(settings)}
    return {disk: folder for disk, folder in found.items() if folder is not None}


@dataclass(frozen=True, slots=True)
class Count:
    """One count of everything, and what follows from it for campaigns."""

    fleet: FleetNumbers
    of_campaigns: OfCampaigns


class Counted:
    """The numbers over everything: counted in a thread when they are asked for and older than COUNT_EVERY_S."""

    def __init__(self, count: Callable[[], Count], *, monotonic_s: Callable[[], float] = time.monotonic) -> None:
        self._count = count
        self._now_s = monotonic_s
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._tried_s = float("-inf")
        self._began_s = monotonic_s()
        self._found: tuple[float, Count] | None = None
        self._is_closed = False

    def newest(self) -> tuple[float, Count] | None:
        """The age in s of the newest count, and the count; None when there is none yet."""
        with self._lock:
            due = not self._is_closed and self._thread is None
            if due and self._now_s() - self._tried_s >= COUNT_EVERY_S:
                self._tried_s = self._now_s()
                self._thread = threading.Thread(target=self._run, name="counting", daemon=True)
                self._thread.start()
            running = self._thread
        if self._found is None and running is not None:
            running.join(FIRST_WAIT_S)
        return None if self._found is None else (self._now_s() - self._found[0], self._found[1])

    def age_s(self) -> float:
        """How old the newest count is; without any, for how long there has been none."""
        return self._now_s() - (self._began_s if self._found is None else self._found[0])

    def close(self, cancel: Callable[[], None]) -> None:
        """End a count in progress, by `cancel` of what it waits for; after CLOSE_S it is left to its time limits."""
        with self._lock:
            self._is_closed = True
            running = self._thread
        until_s = time.monotonic() + CLOSE_S
        while running is not None and running.is_alive() and time.monotonic() < until_s:
            cancel()
            running.join(CANCEL_EVERY_S)

    def _run(self) -> None:
        began_s = self._now_s()
        try:
            self._found = began_s, self._count()
        except LongtailError as error:
            if not self._is_closed:
                _log.warning("fires, vehicles and label jobs could not be counted for metrics: %s", error)
        finally:
            with self._lock:
                self._thread = None


class WatchSource:
    """The API's own source of metrics, on connections of its own."""

    name = "database"

    def __init__(self, database: Database, fleet: FleetTerms) -> None:
        self._database = database
        self._fleet = fleet
        self._counted = Counted(self._count)
        self._cancel: Callable[[], None] | None = None

    def families(self) -> Iterator[Family]:
        """Everything that the database says; what is counted once a minute is missing before the first count."""
        counted = self._counted.newest()
        with self._database.begin() as connection:
            now = numbers(connection, self._fleet)
        yield from of_queues(now)
        yield names.SNAPSHOT_AGE.family([((), self._counted.age_s())])
        if counted is not None:
            yield from of_fleet(counted[1].fleet)
        of_campaigns = counted[1].of_campaigns if counted is not None else None
        campaigns = chosen(campaign_series(now, of_campaigns), MAX_SERIES)
        yield names.LEFT_OUT.family([((), campaigns.left_out)])
        yield names.TRIGGERS_LEFT_OUT.family([((), campaigns.triggers_left_out)])
        yield from _families(campaigns.series)

    def close(self) -> None:
        """End a count in progress, and close the connections."""
        self._counted.close(self._cancel_count)
        self._database.close()

    def _cancel_count(self) -> None:
        if self._cancel is not None:
            self._cancel()

    def _count(self) -> Count:
        with self._database.begin() as connection:
            self._cancel = canceller(connection)
            fleet = fleet_numbers(connection)
        return Count(fleet, OfCampaigns.of(fleet))


def _families(series: list[Series]) -> Iterator[Family]:
    by_metric: dict[str, list[tuple[tuple[str, ...], float]]] = {}
    for metric, labels, value in series:
        by_metric.setdefault(metric.name, []).append((labels, value))
    for name, samples in by_metric.items():
        yield names.METRICS[name].family(samples)
