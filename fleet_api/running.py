"""A cache of the running campaigns, so that check-ins are answered without reading them.

Every replica of the API keeps them with their assignment revision. A check-in reads the newest revision (with the row
it writes anyway), so a replica reloads exactly when something has changed.
"""

from __future__ import annotations

import threading

from storage.campaigns.queries import running
from storage.database import Connection
from triggers.contracts.campaign import RunningCampaign


class RunningCampaigns:
    """The running campaigns of the newest revision that this process has seen. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._revision = -1
        self._campaigns: tuple[RunningCampaign, ...] = ()

    def at(self, connection: Connection, revision: int) -> tuple[int, tuple[RunningCampaign, ...]]:
        """A revision, `revision` or newer, and its running campaigns; reads the database only if it is not cached."""
        with self._lock:
            if self._revision >= revision:
                return self._revision, self._campaigns
        # Read without the lock: a slow database must not delay check-ins that are answered from memory.
        newest, campaigns = running(connection)
        with self._lock:
            if newest > self._revision:
                self._revision, self._campaigns = newest, campaigns
            return self._revision, self._campaigns
