"""Records of what vehicles have counted: each version's sums, several times a day, the last of a day for good."""

from __future__ import annotations

from ingest.steward.by_version import by_version
from storage.database import Connection, Database
from storage.rates import days, sums
from triggers.assignment.given import Version


def record_rates(database: Database) -> int:
    """Record the sums of all versions that vehicles may report counts of, each by itself; returns how many.

    A version whose sums cannot be recorded is logged, and tried again in the next round.
    """
    with database.begin() as connection:
        versions = days.counting_versions(connection)

    def record(connection: Connection, version: Version) -> None:
        days.record(connection, sums.trigger_sums(connection, {version: versions[version]}))

    return by_version(database, versions, record, what="its rates were not recorded")
