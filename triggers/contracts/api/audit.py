"""The audit log in the API: its entries, and the chain of hashes that shows whether one was changed."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from pydantic import BaseModel

from triggers.contracts.api.base import View
from triggers.contracts.base import canonical_json

FIRST = "0" * 64
"""What the first entry has as the hash of the one before."""


class AuditEntryView(View):
    """Who did what, when, from where, and what changed by it.

    `kind` and `object` name what was changed: a vehicle by the SHA-256 of its id, since entries stay when it is erased.
    `user_id` and `token_id` are null for what was done at the machine itself, or by the deployment.
    """

    sequence: int
    at: datetime
    user_id: int | None
    user_name: str
    token_id: int | None
    address: str | None
    action: str
    kind: str
    object: str
    before: dict[str, Any] | None
    after: dict[str, Any] | None
    reason: str | None
    request_id: str | None
    previous_hash: str
    """SHA-256 (hex) of the entry before."""
    hash: str
    """SHA-256 (hex) of all other members of this entry as canonical JSON, `at` in UTC with six digits of a second."""

    def computed_hash(self) -> str:
        """What `hash` has to be."""
        members = self.model_dump(exclude={"hash", "at"})
        at = self.at.astimezone(UTC).isoformat(timespec="microseconds")
        return hashlib.sha256(canonical_json({**members, "at": at})).hexdigest()


class AuditPage(BaseModel):
    """Entries of the audit log, oldest first. Pass `next` as `after` to go on; null at the end."""

    entries: list[AuditEntryView]
    next: int | None


@dataclass(slots=True)
class AuditChain:
    """A walk along the log from its first entry; `head` is the hash of the last entry that fits."""

    entries: int = 0
    head: str = FIRST

    def broken(self, entries: Iterable[AuditEntryView]) -> str | None:
        """Go on with these entries; what is wrong with the first that does not fit, None if all do."""
        for entry in entries:
            expected = self.entries + 1
            if entry.sequence != expected:
                return f"entry {expected} is missing: entry {entry.sequence} follows entry {self.entries}"
            if entry.previous_hash != self.head:
                return f"entry {entry.sequence} does not follow the entry before it, which was replaced"
            if entry.computed_hash() != entry.hash:
                return f"entry {entry.sequence} was changed ({entry.action} of {entry.kind} {entry.object[:100]})"
            self.entries, self.head = expected, entry.hash
        return None
