"""The ingest worker process: assembler, extraction, outbox and steward, each a loop in its own thread.

Work that was in progress when a loop failed is replayed or claimed again.
"""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass, field

from ingest.assembler.assembler import Assembler
from ingest.assembler.background import Background
from ingest.assembler.clip_store import ClipStore
from ingest.assembler.failures import Failures
from ingest.assembler.spool import Spool
from ingest.extraction.likeness.loop import LikenessLoop
from ingest.extraction.loop import ExtractionLoop
from ingest.extraction.sandbox.isolation import require_isolation
from ingest.extraction.sandbox.starter import Starter
from ingest.extractor_version import EXTRACTOR_VERSION
from ingest.log import Log, ensure_cells_topic, open_log
from ingest.log_ids import about
from ingest.loops import OUTAGE_PAUSE_S, Loop, keep_running, repeat
from ingest.memory import return_freed_buffers
from ingest.metrics.counted import count_stages
from ingest.metrics.sources import Lag
from ingest.readiness import SILENT_S, Readiness
from ingest.steward import events
from ingest.steward.duties import Duties
from ingest.steward.loop import Duty, Steward
from ingest.steward.lost_cells import LostCells
from storage.database import Database
from storage.diagnosis.deployment import deployment_of
from storage.objects import ObjectStore
from storage.objects.catalog_store import open_store_of_catalog
from storage.outbox import OutboxEvent
from storage.settings import Settings
from storage.watching.stages import stages_of
from triggers.errors import Overloaded, Unreachable

LOGGER = logging.getLogger(__name__)
STATEMENT_S = 600.0
"""How long any statement of ingest may run; none of them should take a minute."""
OUTBOX_PAUSE_S = 0.2
LOST_CELLS_S = 15.0
STORE_CONTACT_S = 10.0
"""How often the object store is asked for anything, so that a silent one is told although there is nothing to store."""
_NOWHERE = "contact/"
"""A folder that no object is in."""


@dataclass(frozen=True)
class Parts:
    """What the loops share. The database's pool, the log and the store are thread-safe."""

    settings: Settings
    database: Database
    log: Log
    store: ObjectStore
    failures: Failures = field(default_factory=Failures)
    """Only the assembler uses it, but it outlives restarts of the assembler's loop."""
    readiness: Readiness = field(default_factory=Readiness)
    starter: Starter | None = None
    """Starts extractors as their own user, where this process has given up root."""


def run(
    settings: Settings,
    stop: threading.Event,
    readiness: Readiness | None = None,
    starter: Starter | None = None,
    lag: Lag | None = None,
) -> None:
    """Work until `stop` is set. Misconfigured when it cannot start; a fatal error of any loop is raised.

    It waits for a database, log or store that does not answer. `readiness` is told how every part of the process does,
    and `lag` which log it reads.
    """
    for lack in require_isolation(settings):
        LOGGER.warning("an extractor that a hostile clip takes over would not be contained: %s; %s", lack, lack.remedy)
    return_freed_buffers()
    told = readiness or Readiness()
    database = Database.from_settings(settings, statement_s=STATEMENT_S)
    try:
        starting = told.part("start", silent_s=None)
        starting.failed("it has not begun")
        parts = _opened(settings, database, stop, told, starter)
        if parts is not None:
            if lag is not None:
                lag.log = parts.log
            loops = _loops(parts)
            starting.passed()  # from now on the loops say how they do
            keep_running(loops, stop, readiness=told)
            parts.log.close()
    finally:
        database.close()


def _opened(
    settings: Settings, database: Database, stop: threading.Event, told: Readiness, starter: Starter | None
) -> Parts | None:
    """What the loops work with, once all of it answers; None when it never did until `stop` was set."""
    while not stop.is_set():
        log = open_log(settings, database)
        try:
            told.deployment = deployment_of(database)
            ensure_cells_topic(log, settings)
            store = open_store_of_catalog(settings, database)
        except (Unreachable, Overloaded) as error:
            log.close()
            told.part("start").failed(error)
            LOGGER.warning("the start waits %.0f s: %s", OUTAGE_PAUSE_S, error)
            stop.wait(OUTAGE_PAUSE_S)
        else:
            return Parts(settings, database, log, store, readiness=told, starter=starter)
    return None


def _loops(parts: Parts) -> dict[str, Loop]:
    settings = parts.settings
    loops: dict[str, Loop] = {
        "assembler": lambda stop: _assemble(parts, stop),
        "outbox": lambda stop: _send_events(parts, stop),
        "object store": _contact_with_store(parts),
        "likeness": _likeness(parts),
        "steward": _steward(parts).run,
    }
    return loops | {f"extraction-{number}": _extractor(parts, number) for number in range(settings.extraction_workers)}


def _steward(parts: Parts) -> Steward:
    lost_cells = LostCells(parts.database, parts.log, parts.settings)
    duties = Duties(parts.database, parts.log, parts.store, parts.settings).all()
    return Steward(
        [*duties, Duty("closing uploads whose cells are gone", LOST_CELLS_S, lambda: lost_cells.look() > 0)],
        readiness=parts.readiness,
    )


def _extractor(parts: Parts, number: int) -> Loop:
    settings, name = parts.settings, f"extraction-{number}"
    part = parts.readiness.part(name, silent_s=settings.extraction_timeout_s + SILENT_S, probe=parts.store.check)
    worker = f"{settings.worker_id}/{number}"
    return ExtractionLoop(settings, parts.database, parts.store, worker=worker, part=part, starter=parts.starter).run


def _likeness(parts: Parts) -> Loop:
    settings = parts.settings
    silent_s = settings.extraction_timeout_s + SILENT_S
    part = parts.readiness.part("likeness", silent_s=silent_s, probe=parts.store.check)
    worker = f"{settings.worker_id}/likeness"
    return LikenessLoop(settings, parts.database, parts.store, worker=worker, part=part, starter=parts.starter).run


def _assemble(parts: Parts, stop: threading.Event) -> None:
    settings = parts.settings
    clip_store = ClipStore(
        parts.database,
        parts.store,
        single_put_bytes=settings.single_put_bytes,
        extractor_version=EXTRACTOR_VERSION,
    )
    storing = parts.readiness.part("storing clips", silent_s=None, probe=parts.store.check)
    spool = Spool(settings.require_data_dir() / "spool" / settings.worker_id, limit_bytes=settings.spool_bytes)
    assembler = Assembler(
        parts.log,
        clip_store,
        spool,
        member=settings.worker_id,
        park_after_s=settings.park_after_s,
        revoke_within_s=settings.log_lease_s / 2,
        failures=parts.failures,
        background=Background("assembler-effects", part=storing),
    )
    assembler.run(stop, parts.readiness.part("assembler"))


def _contact_with_store(parts: Parts) -> Loop:
    store = open_store_of_catalog(parts.settings, parts.database, attempts=1)
    part = parts.readiness.part("object store")
    return lambda stop: repeat(lambda: bool(store.list(_NOWHERE, limit=1)), STORE_CONTACT_S, stop, part)


def _send_events(parts: Parts, stop: threading.Event) -> None:
    repeat(lambda: _dispatch(parts.database), OUTBOX_PAUSE_S, stop, parts.readiness.part("outbox"))


def _dispatch(database: Database) -> bool:
    """Whether there was an event, in which case there may be more."""
    seen: list[OutboxEvent] = []
    with database.begin() as connection:
        count = events.dispatch(connection, seen)
        stages = stages_of(connection, seen)
    for event in seen:
        clip_id = str(event.payload.get("clip_id", ""))
        with about(clip=clip_id):
            LOGGER.info("%s: %s", event.name, clip_id)
    count_stages(stages)  # after the commit: an event that was not marked as sent comes again
    return count > 0
