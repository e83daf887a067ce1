"""Tables of the log in PostgreSQL: partitions with their next offset, segments, consumer claims.

The records lie in `log_records`, partitioned by segment: retention drops whole segments. Offsets come from
`UPDATE log_partitions SET next_offset = next_offset + n RETURNING` in the writer's transaction, never from a
sequence: its numbers are committed out of order, so a reader would skip some.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Integer, LargeBinary, Table, Text

from storage.tables.base import at, created_at, metadata

log_partitions = Table(
    "log_partitions",
    metadata,
    Column("topic", Text, primary_key=True),
    Column("partition", Integer, primary_key=True),
    Column("next_offset", BigInteger, nullable=False, server_default="0"),
    Column("start_offset", BigInteger, nullable=False, server_default="0"),
    Column("retention_s", BigInteger, nullable=False),
)

log_segments = Table(
    "log_segments",
    metadata,
    Column("segment", BigInteger, primary_key=True, autoincrement=False),
    created_at(),
    at("closed_at"),
)

log_records = Table(
    "log_records",
    metadata,
    Column("segment", BigInteger, primary_key=True, autoincrement=False),
    Column("topic", Text, primary_key=True),
    Column("partition", Integer, primary_key=True),
    Column("log_offset", BigInteger, primary_key=True, autoincrement=False),
    Column("key", LargeBinary, nullable=False),
    Column("value", LargeBinary, nullable=False),
    created_at("appended_at"),
    postgresql_partition_by="LIST (segment)",
)

log_claims = Table(
    "log_claims",
    metadata,
    Column("consumer_group", Text, primary_key=True),
    Column("topic", Text, primary_key=True),
    Column("partition", Integer, primary_key=True),
    Column("member", Text),
    Column("epoch", BigInteger, nullable=False, server_default="0"),
    Column("committed_offset", BigInteger, nullable=False, server_default="0"),
    at("lease_until"),
)

# `consumer_group` is `group/topic` here: a group may read several topics, with different members.
log_members = Table(
    "log_members",
    metadata,
    Column("consumer_group", Text, primary_key=True),
    Column("member", Text, primary_key=True),
    at("alive_until", nullable=False),
)
