"""The doctor's checks of the database, and of everything that needs a reachable database."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime

from fleet_api.deployment.findings import Finding, FindingStatus, fail, guarded, ok, warn
from ingest.assembler.assembler import GROUP
from ingest.log import CELLS_TOPIC, Log, open_log
from storage import diagnosis, migrate
from storage.counts.outcomes import outcomes
from storage.database import Database
from storage.objects import ObjectStore, open_store
from storage.objects.contract import ObjectNotFound
from storage.settings import Settings, shown_url
from triggers.errors import LongtailError, NotFound

PATIENCE_S = 120
SPOT_CHECK = 200
MAX_SKEW_S = 2.0
MAX_LAG_RECORDS = 10_000


def examine_database(settings: Settings) -> Iterator[Finding]:
    """Check that the database answers and is recent enough; then schema, log, backlog, fires and clips' objects."""
    if not settings.database_url:
        remedy = "start `longtail up`, name its --data, or set LONGTAIL_DATABASE_URL"
        yield fail("database", "no database is set, and no embedded one runs in the data directory", remedy)
        return
    database = Database(settings.database_url, pool_size=2)
    try:
        reached = guarded("database", lambda: _server(database))
        yield reached
        if reached.status is not FindingStatus.OK:
            return
        yield guarded("clock", lambda: _clock(database))
        schema = guarded("schema", lambda: _schema(database))
        yield schema
        if schema.status is not FindingStatus.FAIL:
            yield from _log(settings, database)
            yield from _backlog(database)
            yield guarded("fires", lambda: _fires(database))
            if not without_data_dir(settings):
                yield from _consistency(settings, database)
    finally:
        database.close()


def _server(database: Database) -> Finding:
    version = database.check_server()
    return ok("database", f"PostgreSQL {version} at {shown_url(database.url)}")


def _clock(database: Database) -> Finding:
    with database.begin() as connection:
        before_s = time.time()
        there = diagnosis.database_time(connection)
        after_s = time.time()
    skew_s = there.timestamp() - (before_s + after_s) / 2
    if abs(skew_s) > MAX_SKEW_S:
        here = datetime.now(UTC).isoformat(timespec="seconds")
        return warn("clock", f"the database's clock is {skew_s:+.1f} s from ours ({here})", "let NTP set both clocks")
    return ok("clock", f"{skew_s * 1000:+.0f} ms from the database's")


def _schema(database: Database) -> Finding:
    current, head = migrate.current_revision(database), migrate.head_revision()
    if current != head:
        return fail("schema", f"at revision {current or 'none'}, this version needs {head}", "run `longtail migrate`")
    differences = migrate.differences(database)
    if differences:
        what = f"differs from revision {head} in {len(differences)} places: {differences[0]}"
        return warn("schema", what, "undo manual changes")
    return ok("schema", f"at revision {head}, as this version needs it")


def _log(settings: Settings, database: Database) -> Iterator[Finding]:
    """Check the log itself, then the topic of cells, once it exists."""
    log = None
    try:
        log = open_log(settings, database)
        yield ok("log", log.check())
    except LongtailError as error:
        yield fail("log", error.message, error.remedy or "check LONGTAIL_LOG_URL")
    if log is None:
        return
    try:
        yield _log_lag(log)
    except NotFound:
        yield warn("log lag", f"there is no topic {CELLS_TOPIC} yet", "start `longtail ingest` once")
    finally:
        log.close()


def _log_lag(log: Log) -> Finding:
    ends, committed = log.end_offsets(CELLS_TOPIC), log.committed_offsets(CELLS_TOPIC, GROUP)
    lag = sum(max(0, end - committed.get(partition, 0)) for partition, end in ends.items())
    if lag > MAX_LAG_RECORDS:
        return warn(
            "log lag",
            f"the assembler is {lag} records behind",
            "look at the log of `longtail ingest`; start more of them",
        )
    return ok("log lag", f"{lag} records over {len(ends)} partitions")


def _backlog(database: Database) -> Iterator[Finding]:
    with database.begin() as connection:
        backlog = diagnosis.backlog(connection, patience_s=PATIENCE_S)
    stuck = backlog.overdue_uploads + backlog.unassembled_uploads
    if stuck:
        yield warn(
            "uploads",
            f"{backlog.unassembled_uploads} received but not assembled, {backlog.overdue_uploads} overdue",
            "check that `longtail ingest` runs, and look at its log",
        )
    else:
        yield ok("uploads", "none is stuck")
    waiting = backlog.waiting_extractions + backlog.unsent_events
    if waiting or backlog.failed_extractions:
        yield warn(
            "extraction",
            f"{backlog.waiting_extractions} waiting for more than {PATIENCE_S} s, {backlog.failed_extractions} failed, "
            f"{backlog.unsent_events} events unsent",
            "look at the log of `longtail ingest`"
            if waiting
            else "see `longtail dead-letters list --stage extraction`",
        )
    else:
        yield ok("extraction", "nothing waits")
    see_letters = "`longtail dead-letters list` says why; `longtail dead-letters discard` acknowledges them"
    if backlog.open_dead_letters:
        yield warn("dead letters", f"{backlog.open_dead_letters} open", see_letters)
    else:
        yield ok("dead letters", "none open")


def _fires(database: Database) -> Finding:
    """Check that every fire that a vehicle handed over is counted somewhere."""
    with database.begin() as connection:
        counted = outcomes(connection)
    lost = {version: counts.unaccounted for version, counts in counted.items() if counts.unaccounted}
    if not lost:
        return ok(
            "fires", f"none of {sum(counts.fired for counts in counted.values())} was lost after it was handed over"
        )
    where = ", ".join(f"{campaign} version {version} ({fires})" for (campaign, version), fires in lost.items())
    return fail(
        "fires",
        f"{sum(lost.values())} fires were handed over but cannot be found: {where}",
        "find out whether the database was restored from a backup, or rows were deleted by hand; the clips may still be"
        " in the log, so keep it",
    )


def _consistency(settings: Settings, database: Database) -> Iterator[Finding]:
    """A bounded spot check: that the newest clips have their objects, and objects of clips have their rows."""
    try:
        store = open_store(settings)
        with database.begin() as connection:
            keys = diagnosis.newest_object_keys(connection, limit=SPOT_CHECK)
        missing = [key for key in keys if not _exists(store, key)]
        with database.begin() as connection:
            listed = [info.key for info in store.list("clips/", limit=SPOT_CHECK)]
            unknown = diagnosis.unknown_object_keys(connection, listed)
    except LongtailError as error:
        yield fail("consistency", error.message, error.remedy or "check LONGTAIL_OBJECTS_URL")
        return
    if missing:
        lost = f"{len(missing)} of {len(keys)} clips lack their object, such as {missing[0]}"
        yield fail("consistency", lost, "restore it from a backup")
    elif unknown:
        yield warn(
            "consistency",
            f"{len(unknown)} of {len(listed)} objects belong to no row, such as {unknown[0]}",
            "an upload in progress or a crash may leave one for a while; check again when nothing is being uploaded",
        )
    else:
        yield ok("consistency", f"the {len(keys)} newest clips and {len(listed)} objects agree")


def _exists(store: ObjectStore, key: str) -> bool:
    try:
        store.stat(key)
    except ObjectNotFound:
        return False
    return True


def without_data_dir(settings: Settings) -> bool:
    """Whether the objects would lie in a data directory that does not exist."""
    return not settings.objects_url and settings.data_dir is not None and not settings.data_dir.is_dir()
