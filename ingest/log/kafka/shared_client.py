"""A kafka-python client that the threads of a process share: opened when first needed, replaced once it has failed."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any


class SharedClient:
    """The current client of one kind. Thread-safe.

    kafka-python does not say whether a client is still of use after a failure, and some are not, so every client that
    failed is discarded: it is ended once no thread uses it any more, or at once with `discard(..., at_once=True)`.
    """

    def __init__(self, open_client: Callable[[], Any], end: Callable[[Any], None]) -> None:
        self._open = open_client
        self._end = end
        self._opening = threading.Lock()
        self._lock = threading.Lock()
        self._current: Any = None
        self._users: dict[int, int] = {}
        self._discarded: set[int] = set()

    @contextmanager
    def using(self) -> Iterator[Any]:
        """The current client, opened if there is none; it is not ended while this block runs."""
        client = self._taken()
        try:
            yield client
        finally:
            self._give_back(client)

    def discard(self, failed: Any, *, at_once: bool = False) -> None:
        """Let the next use open another client; does nothing when `failed` is no longer the current one."""
        with self._lock:
            if failed is not self._current:
                return
            self._current = None
            if self._users.get(id(failed)) and not at_once:
                self._discarded.add(id(failed))
                return
        self._end(failed)

    def take_away(self) -> Any:
        """The current client, if there is one, which the caller ends."""
        with self._lock:
            current, self._current = self._current, None
        return current

    def _taken(self) -> Any:
        with self._opening:  # opening may take seconds, and two threads must not open two clients
            with self._lock:
                client = self._current
            if client is None:
                client = self._open()
            with self._lock:
                self._current = client
                self._users[id(client)] = self._users.get(id(client), 0) + 1
        return client

    def _give_back(self, client: Any) -> None:
        with self._lock:
            self._users[id(client)] -= 1
            last = not self._users[id(client)]
            if last:
                del self._users[id(client)]
            unwanted = last and id(client) in self._discarded
            if unwanted:
                self._discarded.remove(id(client))
        if unwanted:
            self._end(client)
