"""Work on one campaign version after the other, each in a transaction of its own: one that fails holds no other up."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable

from storage.database import Connection, Database
from triggers.assignment.given import Version
from triggers.errors import Misconfigured, Overloaded, Unreachable

LOGGER = logging.getLogger(__name__)


def by_version(
    database: Database, versions: Iterable[Version], work: Callable[[Connection, Version], None], *, what: str
) -> int:
    """For how many versions `work` was done. One that fails is logged with `what`, and left to the next round.

    Misconfigured, Overloaded and Unreachable end the round: no version could be worked on then.
    """
    done = 0
    for version in versions:
        try:
            with database.begin() as connection:
                work(connection, version)
        except (Misconfigured, Overloaded, Unreachable):
            raise
        except Exception:
            LOGGER.exception("campaign %s, version %d: %s; the next round tries again", *version, what)
            continue
        done += 1
    return done
