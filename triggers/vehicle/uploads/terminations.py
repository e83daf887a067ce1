"""Termination of the uploads of clips that the vehicle gave up, which frees their reserved budget at once.

This is best effort. An upload is remembered, in the transaction that gives its clip up, until the gateway says that it
is terminated, gone, or complete. A termination that is lost only costs time: the gateway lets the upload expire.
"""

from __future__ import annotations

import logging
from functools import partial

from triggers.errors import LongtailError, Overloaded, Unauthenticated, Unreachable
from triggers.vehicle.journal import terminations
from triggers.vehicle.journal.journal import Journal
from triggers.vehicle.uploads.tus import TusClient

LOGGER = logging.getLogger(__name__)
MAX_REFUSALS = 5
"""After this many refusals (not counting outages) an upload is left to expire."""
PER_PASS = 32


class Terminator:
    """Sends the terminations that the journal remembers to the gateway."""

    def __init__(self, journal: Journal, tus: TusClient) -> None:
        self._journal = journal
        self._tus = tus

    def run(self) -> int:
        """Terminate some uploads, oldest first, and return how many succeeded; stops early in an outage."""
        done = 0
        for number, url in terminations.due(self._journal.reading, PER_PASS):
            try:
                self._tus.terminate(url)
            except (Unreachable, Overloaded, Unauthenticated) as error:
                LOGGER.info("uploads that were given up wait to be terminated: %s", error)
                break
            except LongtailError as error:
                LOGGER.warning("an upload that was given up is not terminated: %s", error)
                self._journal.write(partial(terminations.count_refusal, number=number, max_refusals=MAX_REFUSALS))
            else:
                self._journal.write(partial(terminations.forget, number=number))
                done += 1
        return done
