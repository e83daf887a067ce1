"""Budgets: accounts against the sums of their entries, and the fleet's limit against what is used."""

from __future__ import annotations

from collections.abc import Iterator

from fleet_api.deployment.doctor.findings import Finding, fail, ok, warn
from storage.database import Database
from storage.diagnosis.ledger import accounts_that_differ
from storage.ledger import AccountKey
from storage.ledger.limits import fleet_terms
from storage.ledger.usage import account
from storage.settings import Settings
from storage.statements.time_limit import time_limit
from triggers.errors import Overloaded

QUICK_S = 10.0
_RAISE = "raise LONGTAIL_FLEET_TOTAL_BYTES in the gateways' environment, or what `longtail budget limit` has set"
AUDIT_REMEDY = (
    "find out who changed the rows by hand, and restore the database from a backup if the limits matter; until then "
    "limits are checked against wrong amounts"
)


def check(settings: Settings, database: Database) -> Iterator[Finding]:
    """The accounts, as far as a few seconds allow; then the fleet's limit."""
    try:
        with (
            database.begin() as connection,
            time_limit(connection, QUICK_S, what="summing up the ledger", remedy="run `longtail doctor --full`"),
        ):
            wrong = accounts_that_differ(connection)
    except Overloaded as error:
        yield warn("ledger", error.message, error.remedy)
    else:
        yield fail("ledger", _some(wrong), AUDIT_REMEDY) if wrong else ok("ledger", "accounts and entries agree")
    yield _fleet_limit(settings, database)


def _fleet_limit(settings: Settings, database: Database) -> Finding:
    with database.begin() as connection:
        fleet = account(connection, AccountKey("fleet"), fleet_terms(settings))
    limit_bytes, held_bytes = fleet.limit, fleet.held
    if limit_bytes is None:
        return ok("fleet limit", f"none; {held_bytes} bytes are held")
    used = f"{held_bytes} of {limit_bytes} bytes are held"
    if held_bytes > limit_bytes:
        remedy = f"{_RAISE}; every upload is refused until then"
        return fail("fleet limit", f"{used}: the limit is below what is used already", remedy)
    if held_bytes > limit_bytes * 0.9:
        return warn("fleet limit", used, f"{_RAISE} before uploads are refused")
    return ok("fleet limit", used)


def _some(wrong: list[str]) -> str:
    return wrong[0] if len(wrong) == 1 else f"{wrong[0]} (and {len(wrong) - 1} more)"
