"""Consumer groups of the log in PostgreSQL: members, the holder of each partition, and committed offsets.

A claim is one partition in one group: its holder, the end of the holder's lease, an epoch that rises with every
change of holder, and the committed offset. A commit names the epoch it was made under: after a holder has lost the
partition the epoch is another, and its commit changes nothing. All times are the database's.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Connection, func, literal, null, select, update
from sqlalchemy.dialects.postgresql import insert

from storage.tables.log import log_claims, log_members, log_partitions


@dataclass(frozen=True, slots=True)
class GroupKey:
    """A consumer group on one topic."""

    group: str
    topic: str

    @property
    def members_key(self) -> str:
        """The group's name in `log_members`: one group may read several topics, with different members."""
        return f"{self.group}/{self.topic}"


@dataclass(frozen=True, slots=True)
class Claim:
    """A partition's holder (None: no member with a valid lease), the claim's epoch, and the offset to start at."""

    partition: int
    member: str | None
    epoch: int
    committed_offset: int


def lock(connection: Connection, key: GroupKey) -> None:
    """Wait until no other transaction changes the group; held until the transaction ends.

    The claims are locked too, in the order in which commits lock them, so that the two never wait for each other.
    """
    name = f"longtail log group {key.members_key}"
    connection.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(name, 0))))
    in_order = select(log_claims.c.partition).where(*_claims_of(key)).order_by(log_claims.c.partition)
    connection.execute(in_order.with_for_update())


def heartbeat(connection: Connection, key: GroupKey, member: str, lease_s: float) -> list[str]:
    """Join the group or stay in it, and drop others whose lease is over; returns who is in it now.

    Whoever calls is alive, even where the statements take longer than its lease.
    """
    until = _lease_end(lease_s)
    statement = insert(log_members).values(consumer_group=key.members_key, member=member, alive_until=until)
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=["consumer_group", "member"], set_={"alive_until": statement.excluded.alive_until}
        )
    )
    connection.execute(
        update(log_claims).where(*_claims_of(key), log_claims.c.member == member).values(lease_until=until)
    )
    in_group = log_members.c.consumer_group == key.members_key
    is_over = log_members.c.alive_until < func.clock_timestamp()
    connection.execute(log_members.delete().where(in_group, log_members.c.member != member, is_over))
    return list(connection.execute(select(log_members.c.member).where(in_group)).scalars())


def take_over(connection: Connection, key: GroupKey, member: str) -> None:
    """Take over the claims of an earlier process of this name, whose later commits are refused."""
    connection.execute(
        update(log_claims).where(*_claims_of(key), log_claims.c.member == member).values(epoch=log_claims.c.epoch + 1)
    )


def claims(connection: Connection, key: GroupKey) -> dict[int, Claim]:
    """The claims on every partition of the topic; those of new partitions are added."""
    partitions = select(literal(key.group), log_partitions.c.topic, log_partitions.c.partition).where(
        log_partitions.c.topic == key.topic
    )
    statement = insert(log_claims).from_select(["consumer_group", "topic", "partition"], partitions)
    connection.execute(statement.on_conflict_do_nothing())
    return _read(connection, key)


def claim(connection: Connection, key: GroupKey, member: str, partitions: Iterable[int], lease_s: float) -> None:
    """Give free partitions to `member`; the group's lock must be held."""
    connection.execute(
        update(log_claims)
        .where(*_claims_of(key), log_claims.c.partition.in_(sorted(partitions)))
        .values(member=member, epoch=log_claims.c.epoch + 1, lease_until=_lease_end(lease_s))
    )


def release(connection: Connection, key: GroupKey, member: str, epochs: Mapping[int, int]) -> int:
    """Free the partitions (with the epochs they were claimed under) that are still held; returns how many were."""
    released = 0
    for partition, epoch in sorted(epochs.items()):
        released += connection.execute(
            update(log_claims)
            .where(*_claims_of(key), *_held(member, partition, epoch))
            .values(member=null(), lease_until=null())
        ).rowcount
    return released


def leave(connection: Connection, key: GroupKey, member: str) -> None:
    """Take the member out of the group."""
    connection.execute(
        log_members.delete().where(log_members.c.consumer_group == key.members_key, log_members.c.member == member)
    )


def commit(connection: Connection, key: GroupKey, member: str, offsets: Mapping[int, tuple[int, int]]) -> list[int]:
    """Store (epoch, next offset) by partition; returns the partitions that are no longer the member's.

    Compare-and-swap on holder and epoch, in the order of partitions, so that two commits never wait for each other.
    """
    refused = []
    for partition, (epoch, next_offset) in sorted(offsets.items()):
        result = connection.execute(
            update(log_claims)
            .where(*_claims_of(key), *_held(member, partition, epoch))
            .values(committed_offset=next_offset)
        )
        if result.rowcount != 1:
            refused.append(partition)
    return refused


def committed_offsets(connection: Connection, key: GroupKey) -> dict[int, int]:
    """By partition, the committed offset where there is a claim."""
    return {claim.partition: claim.committed_offset for claim in _read(connection, key).values()}


def _read(connection: Connection, key: GroupKey) -> dict[int, Claim]:
    holds = log_claims.c.lease_until > func.clock_timestamp()
    rows = connection.execute(
        select(
            log_claims.c.partition, log_claims.c.member, holds, log_claims.c.epoch, log_claims.c.committed_offset
        ).where(*_claims_of(key))
    )
    return {
        partition: Claim(partition, member if holds else None, epoch, committed)
        for partition, member, holds, epoch, committed in rows
    }


def _claims_of(key: GroupKey) -> tuple[ColumnElement[bool], ...]:
    return log_claims.c.consumer_group == key.group, log_claims.c.topic == key.topic


def _held(member: str, partition: int, epoch: int) -> tuple[ColumnElement[bool], ...]:
    return log_claims.c.partition == partition, log_claims.c.member == member, log_claims.c.epoch == epoch


def _lease_end(lease_s: float) -> ColumnElement[datetime]:
    return func.clock_timestamp() + literal(timedelta(seconds=lease_s))
