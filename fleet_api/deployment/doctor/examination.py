"""All checks in their order. No failure ends the examination: what does not need the failed part is still checked.

A check that an earlier failure makes impossible is skipped, so that one cause gives one failure.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator

from fleet_api.deployment.doctor import (
    database,
    folders,
    isolation,
    keys,
    ledger,
    log,
    objects,
    services,
    thorough,
)
from fleet_api.deployment.doctor import settings as settings_checks
from fleet_api.deployment.doctor.access import openid, tls
from fleet_api.deployment.doctor.findings import Finding, FindingStatus, fail, guarded, guarded_all
from storage.database import Database
from storage.diagnosis.deployment import deployment_of
from storage.settings import Settings
from triggers.errors import LongtailError

Progress = Callable[[str], None]


def _silent(_: str) -> None:
    return None


def examine(settings: Settings, *, full: bool = False, progress: Progress = _silent) -> Iterator[Finding]:
    """Run all checks, and yield each finding as it is made.

    `full` reads every object and compares it with the catalog and the ledger; `progress` is told how far it is.
    """
    yield from settings_checks.check(settings)
    yield from guarded_all("data directory", folders.check(settings))
    if not (settings.database_url and keys.is_missing(settings)):
        yield guarded("signing key", lambda: keys.check_file(settings))
    yield from guarded_all("users", isolation.check_users(settings))
    yield from guarded_all("isolation", isolation.check(settings))
    yield from guarded_all("tls", tls.check(settings))
    yield from guarded_all(openid.CHECK, openid.check(settings))
    deployment = None
    if settings.database_url:
        deployment = yield from _with_database(settings, full, progress)
    else:
        remedy = "start `longtail up`, name its --data, or set LONGTAIL_DATABASE_URL"
        yield fail("database", "no database is set, and no embedded one runs in the data directory", remedy)
        yield from _without_database(settings)
    yield from services.check(settings, deployment)


def _with_database(settings: Settings, full: bool, progress: Progress) -> Generator[Finding, None, str | None]:
    """What needs the database, as far as that works; then log and objects, which may lie elsewhere. Returns the id of
    the deployment that the database belongs to."""
    connected = Database(settings.database_url, pool_size=2)
    try:
        reached = guarded("database", lambda: database.check_server(connected))
        yield reached
        if reached.status is not FindingStatus.OK:
            yield from _without_database(settings)
            return None
        yield guarded("clock", lambda: database.check_clock(connected))
        schema = guarded("schema", lambda: database.check_schema(connected))
        yield schema
        if schema.status is FindingStatus.FAIL:
            yield from _without_database(settings)
            return None
        yield from _with_schema(settings, connected)
        if full:
            yield from guarded_all("full", thorough.check(settings, connected, progress))
        return _deployment(connected)
    finally:
        connected.close()


def _deployment(connected: Database) -> str | None:
    """None when the database has failed since its schema was found well: then nothing tells it."""
    try:
        return deployment_of(connected)
    except LongtailError:
        return None


def _with_schema(settings: Settings, connected: Database) -> Iterator[Finding]:
    yield guarded("database roles", lambda: database.check_roles(connected))
    yield guarded("functions", lambda: database.check_functions(connected))
    yield guarded("rights", lambda: database.check_rights(connected))
    yield guarded("guards", lambda: database.check_guards(connected))
    yield from guarded_all("log", log.check(settings, connected))
    yield from guarded_all("uploads", database.check_backlog(connected))
    yield guarded("fires", lambda: database.check_fires(connected))
    yield guarded("revision", lambda: database.check_revision(connected))
    yield guarded("vehicles' clocks", lambda: database.check_vehicle_clocks(connected))
    yield guarded("quarantine", lambda: database.check_quarantine(connected))
    if keys.is_missing(settings):
        yield guarded("signing key", lambda: keys.check_missing(settings, connected))
    yield guarded("trust", lambda: keys.check_trust(settings, connected))
    yield guarded("list key", lambda: keys.check_list_key(settings, connected))
    yield guarded("signatures", lambda: keys.check_signatures(settings, connected))
    yield from guarded_all("ledger", ledger.check(settings, connected))
    yield from guarded_all("objects", objects.check(settings))
    yield guarded("derived", lambda: objects.check_derived(connected))
    yield guarded("consistency", lambda: objects.check_consistency(settings, connected))


def _without_database(settings: Settings) -> Iterator[Finding]:
    yield from guarded_all("log", log.check_apart(settings))
    yield from guarded_all("objects", objects.check(settings))
