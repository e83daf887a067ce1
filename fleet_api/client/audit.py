"""The audit log: its entries, and whether the chain of their hashes holds."""

from __future__ import annotations

from collections.abc import Iterator

from fleet_api.client.transport import Transport, path_of
from triggers.contracts.api.audit import AuditChain, AuditEntryView, AuditPage
from triggers.errors import Untrusted

PAGE = 1000


class Audit:
    """What `client.audit` can do."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def list(
        self, *, since_ns: int | None = None, who: str | None = None, about: str | None = None
    ) -> Iterator[AuditEntryView]:
        """Entries oldest first, page after page: since a time, of a user (name or id), about a thing (id)."""
        wanted = {"since_ns": since_ns, "who": who, "object": about}
        return self._transport.pages(
            AuditPage, path_of("audit"), lambda page: page.entries, by="after", size=PAGE, parameters=wanted
        )

    def verify(self, *, head: str | None = None) -> AuditChain:
        """Walk the whole chain, and compute every hash on this machine. Untrusted, naming the first broken entry.

        With `head`, the hash of an entry that was noted earlier must be in it: so nobody has begun the log anew.
        """
        chain, seen = AuditChain(), head is None
        for entry in self.list():
            if (broken := chain.broken([entry])) is not None:
                raise Untrusted(f"the audit log is broken: {broken}", remedy="compare it with an export or a backup")
            seen = seen or entry.hash == head
        if not seen:
            raise Untrusted(
                f"the audit log has {chain.entries} entries that fit, but none with the hash {head}",
                remedy="entries were cut off or written anew: compare it with an export or a backup",
            )
        return chain
