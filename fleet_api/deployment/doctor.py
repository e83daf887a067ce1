"""What is configured, reachable, migrated and consistent: every finding is ok, a warning or a failure, with a remedy.

A check that cannot be made because an earlier one failed is left out, so that one cause gives one failure.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx

from fleet_api.client.client import on_this_machine
from fleet_api.client.client_file import read_client_file
from ingest.assembler.assembler import GROUP
from ingest.log import CELLS_TOPIC, Log, open_log
from storage import diagnosis, migrate
from storage.counts.outcomes import outcomes
from storage.database import Database
from storage.embedded import default_data_dir, running_url
from storage.objects import ObjectStore, open_store
from storage.objects.contract import ObjectNotFound
from storage.settings import PREFIX, SECRET_ENDINGS, Settings, shown_url
from triggers.contracts.signing import key_id, load_private_key
from triggers.errors import LongtailError, NotFound

PATIENCE_S = 120
SPOT_CHECK = 200
MAX_SKEW_S = 2.0
MAX_LAG_RECORDS = 10_000
_URLS = ("database_url", "objects_url", "log_url")


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the examination. `status` is `ok`, `warn` or `fail`."""

    check: str
    status: str
    message: str
    remedy: str = ""

    def document(self) -> dict[str, str]:
        """As JSON values."""
        return asdict(self)


def ok(check: str, message: str) -> Finding:
    return Finding(check, "ok", message)


def warn(check: str, message: str, remedy: str) -> Finding:
    return Finding(check, "warn", message, remedy)


def fail(check: str, message: str, remedy: str = "") -> Finding:
    return Finding(check, "fail", message, remedy)


def examine(settings: Settings) -> Iterator[Finding]:
    """Every finding, as it is made."""
    yield from _settings(settings)
    yield _guarded("data directory", lambda: _data_dir(settings))
    yield _guarded("signing key", lambda: _signing_key(settings))
    yield from _database(settings)
    yield from _objects(settings)
    for name, url in (("api", settings.effective_api_url()), ("gateway", settings.effective_gateway_url())):
        yield _service(name, url)


def described_settings(settings: Settings) -> list[dict[str, Any]]:
    """Every setting with its value and where that comes from: its variable or the default."""
    rows = []
    for name, value in settings.model_dump(mode="json").items():
        variable = PREFIX + name.upper()
        shown = shown_url(str(value)) if name in _URLS and value else value
        if value and variable.endswith(SECRET_ENDINGS):
            shown = "***"
        source = "variable" if variable in os.environ else "default"
        rows.append({"variable": variable, "value": shown, "source": source})
    return rows


def _guarded(check: str, look: Callable[[], Finding]) -> Finding:
    try:
        return look()
    except LongtailError as error:
        return fail(check, error.message, error.remedy or "mend what this says, or set it otherwise")


def _settings(settings: Settings) -> Iterator[Finding]:
    given = [row for row in described_settings(settings) if row["source"] == "variable"]
    names = ", ".join(row["variable"] for row in given) or "none; all on their defaults"
    yield ok("settings", f"set by variables: {names}")
    if settings.log_retention_s <= settings.upload_expiry_s:
        yield fail(
            "log retention",
            f"the log keeps {settings.log_retention_s} s, but an upload may take {settings.upload_expiry_s} s",
            "raise LONGTAIL_LOG_RETENTION_S above LONGTAIL_UPLOAD_EXPIRY_S",
        )
    else:
        yield ok("log retention", f"{settings.log_retention_s} s, longer than an upload's {settings.upload_expiry_s} s")
    if settings.allow_self_approval:
        yield warn("approval", "authors may approve alone", "unset LONGTAIL_ALLOW_SELF_APPROVAL outside of trials")


def _data_dir(settings: Settings) -> Finding:
    folder = settings.require_data_dir()
    try:
        with tempfile.NamedTemporaryFile(dir=folder, prefix=".doctor-") as probe:
            probe.write(b"longtail")
            probe.flush()
            os.fsync(probe.fileno())
        disk = os.statvfs(folder)
    except OSError as error:
        return fail(
            "data directory", f"{folder} cannot be written: {error.strerror or error}", "set LONGTAIL_DATA_DIR (--data)"
        )
    free_bytes = disk.f_bavail * disk.f_frsize
    if free_bytes < 2 * settings.spool_bytes:
        need = "free some, or lower LONGTAIL_SPOOL_BYTES"
        return warn("data directory", f"{folder} has only {free_bytes // 1024**2} MiB free", need)
    return ok("data directory", f"{folder} is writable, {free_bytes // 1024**3} GiB free")


def _signing_key(settings: Settings) -> Finding:
    path = settings.effective_signing_key()
    if not path.exists():
        return fail("signing key", f"{path} does not exist", "start the API once, or set LONGTAIL_SIGNING_KEY")
    identity = key_id(load_private_key(path).public_key()).hex()
    if path.stat().st_mode & 0o077:
        return warn("signing key", f"{path} (public key {identity}) can be read by others", f"chmod 600 {path}")
    return ok("signing key", f"{path}, public key {identity}")


def _database(settings: Settings) -> Iterator[Finding]:
    """Reachable and recent; then what depends on it."""
    if not settings.database_url:
        remedy = "start `longtail up`, name its --data, or set LONGTAIL_DATABASE_URL"
        yield fail("database", "none is set, and no embedded one runs in the data directory", remedy)
        return
    database = Database(settings.database_url, pool_size=2)
    try:
        reached = _guarded("database", lambda: _server(database))
        yield reached
        if reached.status != "ok":
            return
        yield _guarded("clock", lambda: _clock(database))
        schema = _guarded("schema", lambda: _schema(database))
        yield schema
        if schema.status != "fail":
            yield from _log(settings, database)
            yield from _backlog(database)
            yield _guarded("fires", lambda: _fires(database))
            if not _without_data_dir(settings):
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
    """The log itself; then the topic of cells, once somebody has made it."""
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
        return warn("log lag", f"the assembler is {lag} records behind", "look at ingest's log; start more of them")
    return ok("log lag", f"{lag} records over {len(ends)} partitions")


def _backlog(database: Database) -> Iterator[Finding]:
    with database.begin() as connection:
        found = diagnosis.backlog(connection, patience_s=PATIENCE_S)
    stuck = found.overdue_uploads + found.unassembled_uploads
    if stuck:
        yield warn(
            "uploads",
            f"{found.unassembled_uploads} received but not assembled, {found.overdue_uploads} overdue",
            "is `longtail ingest` running? look at its log",
        )
    else:
        yield ok("uploads", "none is stuck")
    waiting = found.waiting_extractions + found.unsent_events
    if waiting or found.failed_extractions:
        yield warn(
            "extraction",
            f"{found.waiting_extractions} waiting for more than {PATIENCE_S} s, {found.failed_extractions} failed, "
            f"{found.unsent_events} events unsent",
            "look at ingest's log" if waiting else "see `longtail dead-letters list --stage extraction`",
        )
    else:
        yield ok("extraction", "nothing waits")
    see_letters = "`longtail dead-letters list` tells why; `longtail dead-letters discard` acknowledges them"
    if found.open_dead_letters:
        yield warn("dead letters", f"{found.open_dead_letters} open", see_letters)
    else:
        yield ok("dead letters", "none open")


def _fires(database: Database) -> Finding:
    """Whatever a vehicle handed over must be somewhere."""
    with database.begin() as connection:
        counted = outcomes(connection)
    lost = {key: each.unaccounted for key, each in counted.items() if each.unaccounted}
    if not lost:
        return ok("fires", f"none of {sum(each.fired for each in counted.values())} got lost after it was handed over")
    where = ", ".join(f"{campaign} version {version} ({fires})" for (campaign, version), fires in lost.items())
    return fail(
        "fires",
        f"{sum(lost.values())} fires were handed over and are nowhere: {where}",
        "was the database restored from a backup, or a row deleted by hand? their clips may still be in the log:"
        " keep it, and look for what is missing",
    )


def _consistency(settings: Settings, database: Database) -> Iterator[Finding]:
    """A bounded spot check: the newest clips have their objects, and the objects of clips have their rows."""
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
        lost = f"{len(missing)} of {len(keys)} clips lack their object, as {missing[0]}"
        yield fail("consistency", lost, "restore it from a backup")
    elif unknown:
        yield warn(
            "consistency",
            f"{len(unknown)} of {len(listed)} objects belong to no row, as {unknown[0]}",
            "a crash between object and row leaves one for a moment; look again when nothing is uploaded",
        )
    else:
        yield ok("consistency", f"{len(keys)} newest clips and {len(listed)} objects agree")


def _exists(store: ObjectStore, key: str) -> bool:
    try:
        store.stat(key)
    except ObjectNotFound:
        return False
    return True


def _objects(settings: Settings) -> Iterator[Finding]:
    """Left out when they would lie in a data directory that is not there: opening them would make it."""
    if not _without_data_dir(settings):
        yield _guarded("objects", lambda: ok("objects", open_store(settings).check()))


def _without_data_dir(settings: Settings) -> bool:
    return not settings.objects_url and settings.data_dir is not None and not settings.data_dir.is_dir()


def _service(name: str, url: str) -> Finding:
    setting = f"LONGTAIL_{name.upper()}_URL, _HOST and _PORT"
    try:
        response = httpx.get(f"{url}/readyz", timeout=5.0, trust_env=not on_this_machine(url))
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        return fail(name, f"{url} does not answer ({error})", f"start it with `longtail up`, or correct {setting}")
    if response.status_code != httpx.codes.OK:
        return fail(name, f"{url} is not ready: {response.text[:200]}", f"look at the log of `longtail {name}`")
    return ok(name, f"{url} is ready")


def settings_of_deployment(data_dir: Path | None) -> Settings:
    """The settings from the environment, completed by what runs in the data directory on this machine."""
    settings = Settings.load(**({"data_dir": data_dir} if data_dir else {}))
    folder = Path(settings.data_dir or default_data_dir())
    found: dict[str, Any] = {"data_dir": folder}
    if not settings.database_url:
        found["database_url"] = running_url(folder / "postgres") or ""
    known = read_client_file(folder)
    if known is not None:
        found["api_url"] = settings.api_url or known.api_url
        found["gateway_url"] = settings.gateway_url or known.gateway_url
    return settings.model_copy(update=found)
