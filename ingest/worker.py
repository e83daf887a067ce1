"""The ingest worker's process: assembler, extraction, outbox and steward, each a loop in a thread of its own.

A loop that ends with an unexpected error is logged and started again after a growing pause; what it was doing is
replayed or claimed again. A setting that cannot work ends the process.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from ingest.assembler.assembler import Assembler
from ingest.assembler.clip_store import ClipStore
from ingest.assembler.failures import Failures
from ingest.assembler.spool import Spool
from ingest.extraction.loop import ExtractionLoop
from ingest.extraction.version import EXTRACTOR_VERSION
from ingest.log import Log, ensure_cells_topic, open_log
from ingest.steward import events
from ingest.steward.duties import Duties
from ingest.steward.loop import Steward
from storage.database import Database
from storage.objects import ObjectStore, open_store
from storage.settings import Settings
from triggers.errors import Misconfigured, Overloaded, Unreachable

LOGGER = logging.getLogger(__name__)
OUTBOX_PAUSE_S = 0.2
OUTAGE_PAUSE_S = 2.0
FIRST_RESTART_PAUSE_S = 0.5
LONGEST_RESTART_PAUSE_S = 30.0
STEADY_S = 60.0
"""A loop that ran so long before it failed starts again after the shortest pause."""
SHUTDOWN_S = 30.0

Loop = Callable[[threading.Event], None]


def _nothing() -> None:
    return None


@dataclass(frozen=True)
class Parts:
    """What the loops share. The database's pool is thread-safe, and so are log and store."""

    settings: Settings
    database: Database
    log: Log
    store: ObjectStore
    failures: Failures = field(default_factory=Failures)
    """Only the assembler uses it, but it outlives each of the assembler's lives."""
    ready: Callable[[], None] = _nothing


def run(settings: Settings, stop: threading.Event, ready: Callable[[], None] = _nothing) -> None:
    """Work until `stop` is set. Misconfigured or Unreachable when it cannot start; any loop's fatal error is raised.

    `ready` is called once the assembler has its spool and begins to read, and again whenever it had to start over.
    """
    database = Database.from_settings(settings)
    try:
        log = open_log(settings, database)
        ensure_cells_topic(log, settings)
        _supervise(_loops(Parts(settings, database, log, open_store(settings), ready=ready)), stop)
        log.close()
    finally:
        database.close()


def _loops(parts: Parts) -> dict[str, Loop]:
    loops: dict[str, Loop] = {
        "assembler": lambda stop: _assemble(parts, stop),
        "outbox": lambda stop: _repeat(lambda: _dispatch(parts.database), OUTBOX_PAUSE_S, stop),
        "steward": Steward(Duties(parts.database, parts.log, parts.store).all()).run,
    }
    for number in range(parts.settings.extraction_workers):
        name = f"{parts.settings.worker_id}/{number}"
        loops[f"extraction-{number}"] = ExtractionLoop(parts.settings, parts.database, parts.store, worker=name).run
    return loops


def _assemble(parts: Parts, stop: threading.Event) -> None:
    settings = parts.settings
    effects = ClipStore(
        parts.database,
        parts.store,
        single_put_bytes=settings.single_put_bytes,
        extractor_version=EXTRACTOR_VERSION,
    )
    spool = Spool(settings.require_data_dir() / "spool" / settings.worker_id, limit_bytes=settings.spool_bytes)
    assembler = Assembler(
        parts.log,
        effects,
        spool,
        member=settings.worker_id,
        park_after_s=settings.park_after_s,
        revoke_within_s=settings.log_lease_s / 2,
        failures=parts.failures,
    )
    parts.ready()
    assembler.run(stop)


def _dispatch(database: Database) -> bool:
    """Whether there was an event; then there may be more."""
    with database.begin() as connection:
        return events.dispatch(connection) > 0


def _repeat(work: Callable[[], bool], pause_s: float, stop: threading.Event) -> None:
    """Do `work` again and again: at once while there is more, else after a pause; a longer one during an outage."""
    while not stop.is_set():
        try:
            more = work()
        except (Unreachable, Overloaded) as error:
            LOGGER.warning("%s waits %.0f s: %s", threading.current_thread().name, OUTAGE_PAUSE_S, error)
            stop.wait(OUTAGE_PAUSE_S)
        else:
            if not more:
                stop.wait(pause_s)


class _Keeper(threading.Thread):
    """Keeps one loop running until `stop`; a fatal error is kept for `run` and ends all loops."""

    def __init__(self, name: str, loop: Loop, stop: threading.Event) -> None:
        super().__init__(name=name, daemon=True)
        self._loop = loop
        self._stop_event = stop
        self.fatal: Misconfigured | None = None

    def run(self) -> None:
        """The thread's body."""
        pause_s = FIRST_RESTART_PAUSE_S
        while not self._stop_event.is_set():
            began_s = time.monotonic()
            try:
                self._loop(self._stop_event)
            except Misconfigured as error:
                self.fatal = error
                self._stop_event.set()
            except Exception:
                pause_s = FIRST_RESTART_PAUSE_S if time.monotonic() - began_s > STEADY_S else pause_s
                LOGGER.exception("the loop %s failed and starts again in %.1f s", self.name, pause_s)
                self._stop_event.wait(pause_s)
                pause_s = min(2 * pause_s, LONGEST_RESTART_PAUSE_S)


def _supervise(loops: dict[str, Loop], stop: threading.Event) -> None:
    """Run the loops until `stop`, then give them SHUTDOWN_S to end; raises a loop's fatal error."""
    ended = threading.Event()
    keepers = [_Keeper(name, loop, ended) for name, loop in loops.items()]
    for keeper in keepers:
        keeper.start()
    while not (stop.is_set() or ended.is_set()):
        stop.wait(0.2)
    ended.set()
    deadline_s = time.monotonic() + SHUTDOWN_S
    for keeper in keepers:
        keeper.join(max(0.0, deadline_s - time.monotonic()))
        if keeper.is_alive():
            LOGGER.warning(
                "the loop %s did not end within %.0f s; what it was doing is replayed", keeper.name, SHUTDOWN_S
            )
    for keeper in keepers:
        if keeper.fatal is not None:
            raise keeper.fatal
