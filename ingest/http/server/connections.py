"""Bounds on open connections, in all and by address: one that waits for a request makes room for a new one.

Whoever opens connections and sends nothing, or half a head, holds places that any newcomer takes over at once. Only
connections with a request under way are never closed for another one. New ones of an address are heard at its rate.
"""

from __future__ import annotations

import resource
from collections import Counter, OrderedDict
from dataclasses import dataclass
from typing import Protocol

from ingest.http.server.newcomers import Newcomers

MOST_OPEN_FILES = 65_536
_OTHER_FILES = 96
"""Open files of a process beside its clients' connections: database, log, libraries, with room to spare."""
ACCEPTED_AT_ONCE = 8
"""Connections that the event loop accepts before the first of them is counted, and before it hears the others again."""
_FEWEST = 8


@dataclass(frozen=True, slots=True)
class ConnectionLimits:
    """How many connections may be open: in all, and from one address that is not one of the declared `proxies`.

    Of requests that come through these, the client's address is the one that they forward.
    """

    total: int
    per_address: int
    proxies: tuple[str, ...] = ()
    new_per_s: float = 50.0
    """New ones of such an address that are heard per second."""

    @classmethod
    def of_process(
        cls, total: int, per_address: int, proxies: tuple[str, ...] = (), *, new_per_s: float
    ) -> ConnectionLimits:
        """These limits, lowered to what the process may open; its limit of open files is raised first if it may be."""
        room = raise_open_files() - _OTHER_FILES - ACCEPTED_AT_ONCE
        fitting = max(_FEWEST, min(total, room))
        shared = fitting if per_address >= total else max(1, fitting * 3 // 4)
        return cls(fitting, min(per_address, shared), proxies, new_per_s)


class Connection(Protocol):
    """A connection as it is counted here."""

    def make_room(self) -> None:
        """Close at once: another connection needs the place."""
        ...

    def refuse(self, why: str) -> None:
        """Say why there is no place, and close."""
        ...


class Connections:
    """The open connections of one server."""

    def __init__(self, limits: ConnectionLimits) -> None:
        self._limits = limits
        self._newcomers = Newcomers(limits.new_per_s)
        self._open: dict[Connection, str] = {}
        self._by_address: Counter[str] = Counter()
        self._waiting: dict[str, OrderedDict[Connection, None]] = {}
        """By address, those without a request under way; the one that has waited longest first."""

    def __len__(self) -> int:
        return len(self._open)

    def opened(self, connection: Connection, address: str) -> float:
        """Count a new connection, which waits for its first request; when it is one too many, another one ends.

        Returns the seconds until it is to be heard.
        """
        is_proxy = address in self._limits.proxies
        self._open[connection] = address
        self._by_address[address] += 1
        self.waits(connection)
        if self._by_address[address] > self._limits.per_address and not is_proxy:
            self._end_one(address, connection)
        elif len(self._open) > self._limits.total:
            self._end_one(max(self._waiting, key=self._by_address.__getitem__), connection)
        return 0.0 if is_proxy else self._newcomers.wait_s(address)

    def waits(self, connection: Connection) -> None:
        """It has no request under way: it may be closed for another one."""
        if connection in self._open:
            self._waiting.setdefault(self._open[connection], OrderedDict())[connection] = None

    def works(self, connection: Connection) -> None:
        """It has a request under way."""
        address = self._open.get(connection)
        waiting = self._waiting.get(address or "", OrderedDict())
        waiting.pop(connection, None)
        if not waiting:
            self._waiting.pop(address or "", None)

    def closed(self, connection: Connection) -> None:
        """It is closed."""
        self.works(connection)
        address = self._open.pop(connection, None)
        if address is not None:
            self._by_address[address] -= 1
            if not self._by_address[address]:
                del self._by_address[address]

    def _end_one(self, address: str, newcomer: Connection) -> None:
        longest = next(iter(self._waiting[address]))
        own = self._by_address[address] - (longest is newcomer)
        self.closed(longest)
        if longest is not newcomer:
            longest.make_room()
            return
        limits = self._limits
        longest.refuse(
            f"{limits.total} connections may be open here, {limits.per_address} of them from one address, and none is "
            f"free now; {own} are open from yours"
        )


def raise_open_files() -> int:
    """Raise this process's limit of open files as far as it may; returns what it is then."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = MOST_OPEN_FILES if hard == resource.RLIM_INFINITY else min(hard, MOST_OPEN_FILES)
    if soft == resource.RLIM_INFINITY or soft >= most:
        return MOST_OPEN_FILES if soft == resource.RLIM_INFINITY else soft
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
    return most
