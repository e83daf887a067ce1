"""The ingest worker process: assembler, extraction, outbox and steward, each a loop in its own thread.

Work that was in progress when a loop failed is replayed or claimed again.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from ingest.assembler.assembler import Assembler
from ingest.assembler.clip_store import ClipStore
from ingest.assembler.failures import Failures
from ingest.assembler.spool import Spool
from ingest.extraction.loop import ExtractionLoop
from ingest.extraction.version import EXTRACTOR_VERSION
from ingest.log import Log, ensure_cells_topic, open_log
from ingest.loops import Loop, keep_running, repeat
from ingest.steward import events
from ingest.steward.duties import Duties
from ingest.steward.loop import Steward
from storage.database import Database
from storage.objects import ObjectStore, open_store
from storage.settings import Settings

OUTBOX_PAUSE_S = 0.2


def _nothing() -> None:
    return None


@dataclass(frozen=True)
class Parts:
    """What the loops share. The database's pool, the log and the store are thread-safe."""

    settings: Settings
    database: Database
    log: Log
    store: ObjectStore
    failures: Failures = field(default_factory=Failures)
    """Only the assembler uses it, but it outlives restarts of the assembler's loop."""
    ready: Callable[[], None] = _nothing


def run(settings: Settings, stop: threading.Event, ready: Callable[[], None] = _nothing) -> None:
    """Work until `stop` is set. Misconfigured or Unreachable when it cannot start; a fatal error of any loop is raised.

    `ready` is called once the assembler has its spool and begins to read, and again whenever its loop was restarted.
    """
    database = Database.from_settings(settings)
    try:
        log = open_log(settings, database)
        ensure_cells_topic(log, settings)
        keep_running(_loops(Parts(settings, database, log, open_store(settings), ready=ready)), stop)
        log.close()
    finally:
        database.close()


def _loops(parts: Parts) -> dict[str, Loop]:
    loops: dict[str, Loop] = {
        "assembler": lambda stop: _assemble(parts, stop),
        "outbox": lambda stop: repeat(lambda: _dispatch(parts.database), OUTBOX_PAUSE_S, stop),
        "steward": Steward(Duties(parts.database, parts.log, parts.store).all()).run,
    }
    for number in range(parts.settings.extraction_workers):
        name = f"{parts.settings.worker_id}/{number}"
        loops[f"extraction-{number}"] = ExtractionLoop(parts.settings, parts.database, parts.store, worker=name).run
    return loops


def _assemble(parts: Parts, stop: threading.Event) -> None:
    settings = parts.settings
    clip_store = ClipStore(
        parts.database,
        parts.store,
        single_put_bytes=settings.single_put_bytes,
        extractor_version=EXTRACTOR_VERSION,
    )
    spool = Spool(settings.require_data_dir() / "spool" / settings.worker_id, limit_bytes=settings.spool_bytes)
    assembler = Assembler(
        parts.log,
        clip_store,
        spool,
        member=settings.worker_id,
        park_after_s=settings.park_after_s,
        revoke_within_s=settings.log_lease_s / 2,
        failures=parts.failures,
    )
    parts.ready()
    assembler.run(stop)


def _dispatch(database: Database) -> bool:
    """Whether there was an event, in which case there may be more."""
    with database.begin() as connection:
        return events.dispatch(connection) > 0
