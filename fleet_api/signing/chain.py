"""The chain of trust documents in memory, so that check-ins do not read it."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass

from storage.database import Connection, Database
from storage.vehicles import trust
from triggers.contracts.trust import MAX_STEPS, TrustDocument, open_own


@dataclass(frozen=True, slots=True)
class TrustChain:
    """All published documents, sealed, oldest first, and the newest of them; None before the first."""

    sealed: tuple[bytes, ...] = ()
    newest: TrustDocument | None = None

    @property
    def version(self) -> int:
        """The version of the newest document; 0 before the first."""
        return len(self.sealed)

    def after(self, version: int) -> Sequence[bytes]:
        """At most MAX_STEPS documents that come after this version, oldest first."""
        return self.sealed[version : version + MAX_STEPS]

    @property
    def list_key_ids(self) -> Sequence[bytes]:
        """Who may sign lists; empty before the first document."""
        return tuple(self.newest.lists.trusted) if self.newest else ()


def read_chain(connection: Connection) -> TrustChain:
    """The chain as it is published."""
    sealed = tuple(trust.chain(connection))
    return TrustChain(sealed, open_own(sealed[-1]) if sealed else None)


class KnownChain:
    """The newest chain that this process has seen. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._chain = TrustChain()

    def at(self, database: Database, version: int) -> TrustChain:
        """A chain that reaches `version` or further; reads the database only if the cached one does not."""
        with self._lock:
            if self._chain.version >= version:
                return self._chain
        with database.begin() as connection:
            chain = read_chain(connection)
        with self._lock:
            if chain.version > self._chain.version:
                self._chain = chain
            return self._chain
