"""Budgets: accounts against the sums of their entries, and the fleet's limits against what is used."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from fleet_api.deployment.doctor.findings import Finding, fail, ok, warn
from storage.database import Database
from storage.diagnosis.ledger import accounts_that_differ
from storage.ledger import AccountKey, AccountUsage
from storage.ledger.limits import fleet_terms
from storage.ledger.usage import account
from storage.settings import Settings
from storage.statements.time_limit import time_limit
from triggers.errors import Overloaded

QUICK_S = 10.0
NEARLY = 0.9
"""From this share of a limit on, it is told before it is reached."""
AUDIT_REMEDY = (
    "find out who changed the rows by hand, and restore the database from a backup if the limits matter; until then "
    "limits are checked against wrong amounts"
)


def check(settings: Settings, database: Database) -> Iterator[Finding]:
    """The accounts, as far as a few seconds allow; then the fleet's limits."""
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
    yield from _fleet_limits(settings, database)


def _fleet_limits(settings: Settings, database: Database) -> Iterator[Finding]:
    """The fleet's limit, and where there is one that of the month in which it is."""
    terms = fleet_terms(settings)
    month = AccountKey("fleet_month", month=terms.month(datetime.now(UTC)))
    with database.begin() as connection:
        in_all, in_month = (account(connection, key, terms) for key in (AccountKey("fleet"), month))
    yield _against("fleet limit", in_all, "LONGTAIL_FLEET_TOTAL_BYTES")
    if in_month.limit is not None:
        yield _against("fleet month limit", in_month, "LONGTAIL_FLEET_MONTH_BYTES")


def _against(name: str, account: AccountUsage, setting: str) -> Finding:
    """What is held against its limit."""
    if account.limit is None:
        return ok(name, f"none; {account.held} bytes are held")
    used = f"{account.held} of {account.limit} bytes are held"
    to_raise = f"raise {setting} in the gateways' environment, or what `longtail budget limit --fleet` has set"
    if account.held > account.limit:
        remedy = f"{to_raise}; every upload is refused until then"
        return fail(name, f"{used}: the limit is below what is used already", remedy)
    if account.held > account.limit * NEARLY:
        return warn(name, used, f"{to_raise} before uploads are refused")
    return ok(name, used)


def _some(wrong: list[str]) -> str:
    return wrong[0] if len(wrong) == 1 else f"{wrong[0]} (and {len(wrong) - 1} more)"
