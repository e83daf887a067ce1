"""Records of what vehicles have counted: each version's sums, several times a day, the last of a day for good."""

from __future__ import annotations

from storage.database import Database
from storage.rates import days, sums


def record_rates(database: Database) -> int:
    """Record the sums of all versions that vehicles may report counts of, each by itself; returns how many."""
    with database.begin() as connection:
        versions = days.counting_versions(connection)
    for version, triggers in versions.items():
        with database.begin() as connection:
            days.record(connection, sums.trigger_sums(connection, {version: triggers}))
    return len(versions)
