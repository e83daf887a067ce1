"""The keys that a vehicle trusts: those of the newest trust document that it has verified, else its configured ones.

The document is kept in the journal. A configuration with other keys replaces it, and with it all that was learnt from
lists, as a workshop would do it. See `triggers.contracts.trust`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from triggers.contracts.trust import (
    RoleKeys,
    TrustDocument,
    encoded_key,
    open_first,
    open_own,
    open_step,
    require_in_force,
)
from triggers.errors import LongtailError, Untrusted
from triggers.vehicle.config import VehicleConfig
from triggers.vehicle.journal.journal import Journal

TRUST, ANCHORS = "trust", "trust_anchors"


class VehicleTrust:
    """The trusted keys of one vehicle. Not thread-safe."""

    def __init__(self, config: VehicleConfig, journal: Journal) -> None:
        self._journal = journal
        self._anchors = RoleKeys(
            keys=tuple(encoded_key(key) for key in sorted(set(config.trusted_keys))), threshold=config.trust_threshold
        )
        self._lowest = config.trust_version
        self.document: TrustDocument | None = None
        self.problem: str | None = None
        """Why the kept document is not used, if there is one."""
        self.replaced = self._anchored_anew()
        """Whether the configuration has other keys than at the last start."""
        self._load()

    @property
    def version(self) -> int:
        """What the vehicle tells the cloud that it has: the answer begins with the version after it."""
        return self.document.version if self.document else max(0, self._lowest - 1)

    @property
    def bundles(self) -> RoleKeys:
        """Who signs bundles."""
        return self.document.bundles if self.document else self._anchors

    @property
    def lists(self) -> RoleKeys:
        """Who signs lists."""
        return self.document.lists if self.document else self._anchors

    def require_in_force(self, now_ns: int) -> None:
        """Untrusted when the document has expired: nothing new is accepted by it."""
        if self.document is not None:
            require_in_force(self.document, now_ns)

    def follow(self, steps: Sequence[bytes]) -> bool:
        """Go on to later documents, each signed as it must be; True if a list key was taken out on the way.

        Untrusted or InvalidInput at the first step that must not be taken; those before it are kept.
        """
        taken_out = False
        for step in steps:
            later = self._next(step)
            if later is None:
                continue
            taken_out |= self.document is not None and self.document.takes_away_list_key(later)
            self._journal.set_facts({TRUST: step})
            self.document, self.problem = later, None
        if steps and self.document is None:
            raise Untrusted("no trust document in the answer is signed by the configured keys")
        return taken_out

    def _next(self, step: bytes) -> TrustDocument | None:
        """The document of a step; None for one from before the configured keys."""
        if self.document is not None:
            return open_step(step, self.document)
        try:
            return open_first(step, self._anchors, lowest=self._lowest)
        except Untrusted:
            return None

    def _load(self) -> None:
        kept = self._journal.fact(TRUST)
        if not kept:
            return
        try:
            self.document = open_own(kept)
        except LongtailError as error:
            self.problem = f"the kept trust document is refused: {error}"

    def _anchored_anew(self) -> bool:
        """Note which keys the configuration has; True, with the kept document forgotten, if it had others."""
        anchors = self._anchors.canonical_json() + str(self._lowest).encode()
        digest, known = hashlib.sha256(anchors).digest(), self._journal.fact(ANCHORS)
        if digest == known:
            return False
        self._journal.set_facts({ANCHORS: digest} | ({} if known is None else {TRUST: b""}))
        return known is not None
