"""Contact with the brokers: when a client last had an answer, whatever it was (records, heartbeat, metadata)."""

from __future__ import annotations

import time
from collections.abc import Callable
from weakref import WeakKeyDictionary

from triggers.errors import Unreachable

CONTACT_S = 15.0
"""How long a consumer that polls may be without any answer. Fetches are answered after 0.1 s, heartbeats are sent at
least every second, metadata are asked for every 10 s, and a broker that only reconnects answers that too."""
REPLACE_S = 30.0
"""After this long the consumer is replaced: it did not come back by itself."""
_GAP_S = 1.0
"""A pause between two polls that counts as one: what was silent then was not asked."""


class Answers:
    """When each client of this process was last answered, by its event loop. Thread-safe as a dictionary is."""

    def __init__(self, now_s: Callable[[], float] = time.monotonic) -> None:
        self._now_s = now_s
        self._last_s: WeakKeyDictionary[object, float] = WeakKeyDictionary()

    def note(self, client: object) -> None:
        """A broker answered the client with this event loop."""
        self._last_s[client] = self._now_s()

    def last_s(self, client: object) -> float:
        """When that was (monotonic clock); the distant past when it never was."""
        return self._last_s.get(client, float("-inf"))


class Contact:
    """Whether a consumer that polls hears anything from Kafka. Not thread-safe."""

    def __init__(self, what: str, now_s: Callable[[], float] = time.monotonic) -> None:
        self._what = what
        self._now_s = now_s
        self._failed_s = float("-inf")
        self.renew()

    def renew(self) -> None:
        """Begin with a new client, whose silence counts from now."""
        self._since_s = self._polled_s = self._now_s()

    def failed(self) -> None:
        """A request got no answer: until the next one, whoever polls and gets nothing has no contact."""
        self._failed_s = self._now_s()

    def silence_s(self, answered_s: float) -> float:
        """How long polls have had no answer, the last of which came at `answered_s`; called after each poll."""
        now_s = self._now_s()
        if now_s - self._polled_s > _GAP_S:
            self._since_s += now_s - self._polled_s
        self._polled_s = now_s
        self._since_s = max(self._since_s, answered_s)
        return now_s - self._since_s

    def problem(self, answered_s: float, silence_s: float) -> Unreachable | None:
        """Why there is no contact; None when there is."""
        if silence_s <= CONTACT_S and answered_s >= self._failed_s:
            return None
        return Unreachable(
            f"no broker has answered {self._what} for {silence_s:.0f} s",
            remedy="look at the brokers of LONGTAIL_LOG_URL, and at the network between",
        )
