"""The log: whether it works, has the topic of cells, and is read."""

from __future__ import annotations

from collections.abc import Iterator

from fleet_api.deployment.doctor.findings import Finding, fail, guarded, guarded_all, ok, warn
from ingest.cells_topic import GROUP
from ingest.log import CELLS_TOPIC, Log, open_log
from storage.database import Database
from storage.diagnosis.backlog import received_anything
from storage.settings import Settings
from triggers.errors import NotFound

MAX_LAG_RECORDS = 10_000


def check(settings: Settings, database: Database) -> Iterator[Finding]:
    """The log itself, then how far its readers are behind."""
    log = open_log(settings, database)
    try:
        works = guarded("log", lambda: ok("log", log.check()))
        yield works
        if works.status == "ok":
            yield guarded("log lag", lambda: _lag(log, database))
    finally:
        log.close()


def check_apart(settings: Settings) -> Iterator[Finding]:
    """The log alone, when the database does not work; nothing when it is kept there."""
    if settings.log_url == "postgresql:":
        return
    unused = Database("postgresql+psycopg://", pool_size=1)  # connects only when used, which a log elsewhere does not
    try:
        log = open_log(settings, unused)
        try:
            yield from guarded_all("log", iter([ok("log", log.check())]))
        finally:
            log.close()
    finally:
        unused.close()


def _lag(log: Log, database: Database) -> Finding:
    try:
        ends, committed = log.end_offsets(CELLS_TOPIC), log.committed_offsets(CELLS_TOPIC, GROUP)
    except NotFound:
        return _no_topic(database)
    lag = sum(max(0, end - committed.get(partition, 0)) for partition, end in ends.items())
    if lag > MAX_LAG_RECORDS:
        return warn(
            "log lag",
            f"the assembler is {lag} records behind",
            "look at the log of `longtail ingest`; start more of them",
        )
    return ok("log lag", f"{lag} records over {len(ends)} partitions")


def _no_topic(database: Database) -> Finding:
    """A new deployment has no topic yet; once bytes were acknowledged, it must have been deleted."""
    with database.begin() as connection:
        received = received_anything(connection)
    if received:
        return fail(
            "log lag",
            f"the topic {CELLS_TOPIC} is gone, with the cells that were not assembled yet",
            "restart `longtail ingest`, which creates it; uploads whose cells are lost have to be sent again by their"
            " vehicles; find out who deleted the topic",
        )
    return warn("log lag", f"there is no topic {CELLS_TOPIC} yet", "start `longtail ingest` once")
