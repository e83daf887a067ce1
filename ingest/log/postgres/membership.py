"""A consumer's membership in its group: one transaction renews it and says which partitions come and go.

Every member computes the same fair shares from the same claims, under the group's lock. A member gives up partitions
beyond its share at its own pace (its effects and its commit come first); only free partitions are taken.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from ingest.log.contract import NotOwner
from ingest.log.shares import fair_shares
from storage.database import Database
from storage.log import groups as log_groups
from storage.log import records as log_store
from storage.log.groups import Claim, GroupKey


@dataclass(frozen=True, slots=True)
class GroupState:
    """The state of the group for one member, after a synchronisation."""

    held: dict[int, Claim]
    """The member's claims, including new ones."""
    leaving: frozenset[int]
    """Those of them that exceed its share and must be given up."""
    settled: bool
    """Whether no partition is moving from one member to another."""


class Membership:
    """One member of a group: a static name, and the leases it holds."""

    def __init__(self, database: Database, key: GroupKey, member: str, lease_s: float) -> None:
        self.member = member
        self._database = database
        self._key = key
        self._lease_s = lease_s
        self._epochs: dict[int, int] = {}
        self._joined = False

    def synchronise(self) -> GroupState:
        """Renew the lease, and claim free partitions up to the member's share.

        NotOwner when another process joined under this member's name, and has the partitions now.
        """
        with log_store.transaction(self._database) as connection:
            log_groups.lock(connection, self._key)
            if not self._joined:
                log_groups.take_over(connection, self._key, self.member)
            members = log_groups.heartbeat(connection, self._key, self.member, self._lease_s)
            claims = log_groups.claims(connection, self._key)
            mine = {number for number, claim in claims.items() if claim.member == self.member}
            if self._joined and any(claims[number].epoch != self._epochs.get(number) for number in mine):
                raise self._superseded()
            shares = fair_shares({number: claim.member for number, claim in claims.items()}, members)
            due = {number for number, member in shares.items() if member == self.member}
            free = {number for number in due if claims[number].member is None}
            if free:
                self._joined = False  # if the commit's outcome stays unknown, the next call joins again
                log_groups.claim(connection, self._key, self.member, free, self._lease_s)
                claims = log_groups.claims(connection, self._key)
        held = {number: claims[number] for number in sorted(mine | free)}
        self._epochs = {number: claim.epoch for number, claim in held.items()}
        self._joined = True
        settled = all(claim.member == shares[number] for number, claim in claims.items())
        return GroupState(held, frozenset(mine - due), settled)

    def give_up(self, partitions: Collection[int]) -> None:
        """Free held partitions for the other members."""
        with log_store.transaction(self._database) as connection:
            log_groups.release(
                connection, self._key, self.member, {number: self._epochs[number] for number in partitions}
            )
        for number in partitions:
            del self._epochs[number]

    def commit(self, offsets: Mapping[int, tuple[int, int]]) -> None:
        """Store (epoch, next offset) by partition: all of them, or none and NotOwner."""
        with log_store.transaction(self._database) as connection:
            refused = log_groups.commit(connection, self._key, self.member, offsets)
            if refused:
                raise NotOwner(
                    f"partition {refused[0]} of topic {self._key.topic!r} is not held by {self.member!r} any more"
                )

    def leave(self) -> None:
        """Free all held partitions and leave the group, unless another process has taken over the name."""
        if not self._joined:
            return
        with log_store.transaction(self._database) as connection:
            log_groups.lock(connection, self._key)
            if log_groups.release(connection, self._key, self.member, self._epochs) == len(self._epochs):
                log_groups.leave(connection, self._key, self.member)
        self._epochs = {}
        self._joined = False

    def _superseded(self) -> NotOwner:
        return NotOwner(
            f"another process joined the group {self._key.group!r} as {self.member!r}",
            remedy="give every worker its own name (LONGTAIL_WORKER_ID)",
        )
