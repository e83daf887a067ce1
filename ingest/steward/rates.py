"""Records of what vehicles have counted: each version's sums, several times a day, the last of a day for good."""

from __future__ import annotations

import logging

from storage.database import Database
from storage.rates import days, sums
from triggers.errors import Misconfigured, Overloaded, Unreachable

LOGGER = logging.getLogger(__name__)


def record_rates(database: Database) -> int:
    """Record the sums of all versions that vehicles may report counts of, each by itself; returns how many.

    A version whose sums cannot be recorded is logged, and tried again in the next round.
    """
    recorded = 0
    with database.begin() as connection:
        versions = days.counting_versions(connection)
    for version, triggers in versions.items():
        try:
            with database.begin() as connection:
                days.record(connection, sums.trigger_sums(connection, {version: triggers}))
        except (Misconfigured, Overloaded, Unreachable):
            raise  # no version could be recorded now
        except Exception:
            LOGGER.exception(
                "campaign %s, version %d: its rates were not recorded, and wait for the next round", *version
            )
            continue
        recorded += 1
    return recorded
