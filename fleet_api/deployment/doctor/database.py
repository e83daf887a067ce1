"""The database: its server, clock and schema; what waits in it; and whether all fires are accounted for."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime

from fleet_api.deployment.doctor.findings import Finding, fail, ok, warn
from storage.backup.restored import last_backup_at
from storage.counts.outcomes import outcomes
from storage.database import Database
from storage.diagnosis.backlog import backlog, database_time
from storage.diagnosis.differences import Difference
from storage.diagnosis.guards import guards_that_are_off
from storage.diagnosis.schema import SchemaState, schema_of
from storage.migrate import differences
from storage.roles.functions import lost_functions
from storage.roles.grants import compare_grants
from storage.roles.sessions import process_sessions
from storage.settings import shown_url
from storage.vehicles.quarantine import in_quarantine
from storage.vehicles.queries import ahead_of_database, clocks_off_by
from triggers.clips.clock import MAX_OFFSET_NS

PATIENCE_S = 120
MAX_SKEW_S = 2.0


def check_server(database: Database) -> Finding:
    """Whether the server answers, and is recent enough."""
    version = database.check_server()
    return ok("database", f"PostgreSQL {version} at {shown_url(database.url)}")


def check_clock(database: Database) -> Finding:
    """How far the database's clock is from this machine's."""
    with database.begin() as connection:
        before_s = time.time()
        there = database_time(connection)
        after_s = time.time()
    skew_s = there.timestamp() - (before_s + after_s) / 2
    if abs(skew_s) > MAX_SKEW_S:
        here = datetime.now(UTC).isoformat(timespec="seconds")
        return warn("clock", f"the database's clock is {skew_s:+.1f} s from ours ({here})", "let NTP set both clocks")
    return ok("clock", f"{skew_s * 1000:+.0f} ms from the database's")


def check_schema(database: Database) -> Finding:
    """Whether the schema is the one this version needs."""
    schema = schema_of(database)
    if schema.state is not SchemaState.CURRENT:
        return fail("schema", schema.message, schema.remedy)
    found = sorted(differences(database), key=lambda each: (not each.is_needed, bool(each.repair)))
    if not found:
        return ok("schema", f"at revision {schema.revision}, as this version needs it")
    what = f"it differs from revision {schema.revision}: {_some([each.phrase for each in found])}"
    if found[0].is_needed:
        return fail("schema", f"{what}: what needs it fails", _remedy_of_differences(found))
    return warn("schema", what, _remedy_of_differences(found))


def _remedy_of_differences(found: Sequence[Difference]) -> str:
    """SQL where it repairs what is needed; rows of a table or column that is gone are only in a backup."""
    if any(each.is_needed and not each.repair for each in found):
        return "restore a backup into an empty database"
    repairs = [each.repair for each in found if each.repair]
    if not repairs:
        return "undo manual changes"
    rest = ", and undo the other manual changes" if len(repairs) < len(found) else ""
    return f"as the owner, {'; '.join(repairs)}{rest}"


def check_functions(database: Database) -> Finding:
    """Whether the functions that migrations have made are there."""
    with database.begin() as connection:
        lost = lost_functions(connection)
    if not lost:
        return ok("functions", "all functions of the schema are there")
    return fail(
        "functions",
        f"{_some([f'the function {name} is gone' for name in lost])}: what calls it fails",
        "as the owner, create it as it is in an empty database that `longtail migrate` has filled (`\\sf` in psql "
        "shows it), or restore a backup into an empty database; then run `longtail migrate`, which gives the rights to "
        "it",
    )


def check_roles(database: Database) -> Finding:
    """Whether each process that is connected may only do what it does there."""
    with database.begin() as connection:
        sessions = process_sessions(connection)
    if not sessions:
        return ok("database roles", "no process is connected")
    entitled = [session for session in sessions if session.is_superuser or session.is_owner]
    named = ", ".join(f"{each.process} as {each.user}" for each in entitled or sessions)
    if not entitled:
        return ok("database roles", f"connected: {named}; each may only do there what it does")
    what = "a superuser" if any(each.is_superuser for each in entitled) else "the owner of the schema"
    return warn(
        "database roles",
        f"connected as {what}, who may do anything there: {named}",
        "`longtail database roles` prints the SQL that makes roles for them; then set LONGTAIL_API_DATABASE_URL, "
        "LONGTAIL_GATEWAY_DATABASE_URL and LONGTAIL_INGEST_DATABASE_URL",
    )


def check_rights(database: Database) -> Finding:
    """Whether the role of each process has the rights that the process needs, and no others."""
    with database.begin() as connection:
        found = compare_grants(connection)
    remedy = (
        "restart `longtail up`, or run `longtail migrate` if the database is your own: each gives roles exactly their "
        "rights; find out who changed them by hand"
    )
    if found.lacking:
        return fail("rights", f"{_some(found.lacking)}: what needs them fails", remedy)
    if found.powers:
        return warn(
            "rights",
            f"{_some([power.phrase for power in found.powers])}, which gives it more than its process needs",
            f"as a superuser of the server, {'; '.join(power.take for power in found.powers)}; find out who gave it",
        )
    if found.beyond:
        return warn("rights", f"{_some(found.beyond)}, and should not", remedy)
    return ok("rights", "each role of a process has exactly what its process needs")


def check_guards(database: Database) -> Finding:
    """Whether rows that are only added, such as those of the audit log, are still protected against changes."""
    with database.begin() as connection:
        off = guards_that_are_off(connection)
    if not off:
        return ok("guards", "rows that are only added cannot be changed")
    what = _some([f"the trigger {name} of the table {table} is switched off or gone" for name, table in off.items()])
    return fail("guards", f"{what}: rows may have been changed", _remedy_of(off))


def _remedy_of(guards: Mapping[str, str]) -> str:
    enable = "; ".join(f"ALTER TABLE {table} ENABLE TRIGGER {name}" for name, table in guards.items())
    tables = sorted(set(guards.values()))
    others = [table for table in tables if table != "audit"]
    found_by = ["`longtail doctor --full` and exports (`longtail audit --verify --head`)"] if "audit" in tables else []
    found_by += [f"comparison of {', '.join(others)} with a backup"] if others else []
    return (
        f"as the owner, {enable}, or restore a backup where it is gone; what was changed meanwhile is found by "
        f"{', and by '.join(found_by)}"
    )


def _some(phrases: Sequence[str]) -> str:
    return phrases[0] if len(phrases) == 1 else f"{phrases[0]} (and {len(phrases) - 1} more)"


def check_backlog(database: Database) -> Iterator[Finding]:
    """What has waited too long: uploads, extractions, dead letters, deletions."""
    with database.begin() as connection:
        waits = backlog(connection, patience_s=PATIENCE_S)
    stuck = waits.overdue_uploads + waits.unassembled_uploads
    if stuck:
        yield warn(
            "uploads",
            f"{waits.unassembled_uploads} received but not assembled, {waits.overdue_uploads} overdue",
            "check that `longtail ingest` runs, and look at its log",
        )
    else:
        yield ok("uploads", "none is stuck")
    waiting = waits.waiting_extractions + waits.unsent_events
    if waiting or waits.failed_extractions:
        yield warn(
            "extraction",
            f"{waits.waiting_extractions} waiting for more than {PATIENCE_S} s, {waits.failed_extractions} failed, "
            f"{waits.unsent_events} events unsent",
            "look at the log of `longtail ingest`"
            if waiting
            else "see `longtail dead-letters list --stage extraction`",
        )
    else:
        yield ok("extraction", "nothing waits")
    see_letters = "`longtail dead-letters list` says why; `longtail dead-letters discard` acknowledges them"
    if waits.open_dead_letters:
        yield warn("dead letters", f"{waits.open_dead_letters} open", see_letters)
    else:
        yield ok("dead letters", "none open")
    if waits.overdue_deletions:
        what = f"{waits.overdue_deletions} objects of erased or expired clips are overdue for deletion"
        yield warn("deletions", what, "check that `longtail ingest` runs and may delete objects; its log says why not")
    else:
        yield ok("deletions", "none is overdue")


def check_vehicle_clocks(database: Database) -> Finding:
    """Whether the clocks of vehicles are about right, as of their latest check-ins."""
    with database.begin() as connection:
        wrong = clocks_off_by(connection, MAX_OFFSET_NS)
    if not wrong:
        return ok("vehicles' clocks", "none is more than an hour off")
    named = ", ".join(wrong[:3]) + (", ..." if wrong[3:] else "")
    return warn(
        "vehicles' clocks",
        f"{len(wrong)} are more than an hour off: {named}",
        "see `longtail vehicles problems`; the clips of such a clock are found by the tag clock_implausible",
    )


def check_quarantine(database: Database) -> Finding:
    """Whether vehicles are in quarantine: what they recorded waits on them."""
    with database.begin() as connection:
        shut_out = in_quarantine(connection)
    if not shut_out:
        return ok("quarantine", "no vehicle is in quarantine")
    named = "; ".join(f"{vehicle}: {reason}" for vehicle, reason in shut_out[:3]) + ("; ..." if shut_out[3:] else "")
    return warn(
        "quarantine",
        f"{len(shut_out)} vehicles are in quarantine: {named}",
        "find out what they send, then `longtail vehicles release` them, and void counts that are wrong with"
        " `longtail vehicles void-counts`",
    )


def check_revision(database: Database) -> Finding:
    """Whether the database is as new as what vehicles have had from it; one that was restored is not."""
    with database.begin() as connection:
        own, ahead = ahead_of_database(connection)
    if not ahead:
        return ok("revision", f"{own}; no vehicle follows a later one")
    named = ", ".join(f"{vehicle} ({revision})" for vehicle, revision in ahead[:3]) + (", ..." if ahead[3:] else "")
    return fail(
        "revision",
        f"the database is at {own}, but {len(ahead)} vehicles follow a later one: {named}; was the database restored "
        "from a backup? They refuse its lists",
        "if it was, run `longtail restored`; if not, these vehicles report what they never got",
    )


def check_fires(database: Database) -> Finding:
    """Check that every fire that a vehicle handed over is counted somewhere."""
    with database.begin() as connection:
        counted = outcomes(connection)
        backup_at = last_backup_at(connection)
    lost = {version: counts.unaccounted for version, counts in counted.items() if counts.unaccounted}
    if not lost:
        return ok(
            "fires", f"none of {sum(counts.fired for counts in counted.values())} was lost after it was handed over"
        )
    where = ", ".join(f"{campaign} version {version} ({fires})" for (campaign, version), fires in lost.items())
    if backup_at is not None:
        message = f"{sum(lost.values())} fires were handed over whose clips came after the backup: {where}"
        return warn(
            "fires", message, f"nothing is to be done: the database was restored from a backup of {backup_at:%F %T} UTC"
        )
    return fail(
        "fires",
        f"{sum(lost.values())} fires were handed over but cannot be found: {where}",
        "find out whether the database was restored from a backup, or rows were deleted by hand; the clips may still be"
        " in the log, so keep it",
    )
