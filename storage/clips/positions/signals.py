"""Which signals are positions: those that a campaign's signal catalog declares as such, and any with such a name."""

from __future__ import annotations

import re
import threading

from sqlalchemy import Connection, select, tuple_

from storage.clips.catalogs import parsed
from storage.tables import campaign_versions

_NAMED_SO = re.compile(r"latitude|longitude|(?:^|[._])(?:gps|gnss)(?:[._]|$)|[._](?:lat|lon|lng)$", re.IGNORECASE)
"""A catalog declares one position, but cars have several receivers; and a catalog may be unreadable by now."""
_BATCH = 50
"""Catalogs that are in memory at once: one may have megabytes."""


class PositionSignals:
    """The signals that campaigns of a deployment declare as positions. Catalogs are read once: none ever changes.

    Threads share it. They read at the same time, and add what they found one after the other.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._declared: frozenset[str] = frozenset()
        self._read: frozenset[tuple[str, int]] = frozenset()

    def declared(self, connection: Connection) -> frozenset[str]:
        """The signals that the catalog of any campaign version so far declares as latitude or longitude.

        With the columns of recorded drives that carry them: another catalog may read these by another name.
        """
        key = tuple_(campaign_versions.c.campaign, campaign_versions.c.version)
        versions = connection.execute(select(campaign_versions.c.campaign, campaign_versions.c.version))
        missing = sorted({(row.campaign, row.version) for row in versions} - self._read)
        for first in range(0, len(missing), _BATCH):
            batch = missing[first : first + _BATCH]
            texts = select(campaign_versions.c.signal_catalog).where(key.in_(batch)).distinct()
            found = frozenset[str]().union(*map(_positions_of, connection.execute(texts).scalars()))
            with self._lock:  # what is added to must hold what other threads have added since
                self._declared |= found
                # After their signals are known, so that another thread never takes them for read too early.
                self._read |= set(batch)
        return self._declared


def is_position(signal: str, declared: frozenset[str]) -> bool:
    """Whether a signal tells where the car is.

    >>> [is_position(name, frozenset()) for name in ("ego.second.Longitude", "ego.gnss.heading", "fix.lat")]
    [True, True, True]
    >>> [is_position(name, frozenset()) for name in ("ego.longitudinal_speed", "ego.lat_acc", "ego.long")]
    [False, False, False]
    """
    return signal in declared or _NAMED_SO.search(signal) is not None


def _positions_of(text: str) -> frozenset[str]:
    """The signals of a catalog's position, and the columns of drives that carry them."""
    declared = [(catalog, catalog.position) for catalog in parsed([text]) if catalog.position is not None]
    signals = [(catalog, name) for catalog, position in declared for name in (position.latitude, position.longitude)]
    return frozenset(each for catalog, name in signals for each in catalog.columns(name))
