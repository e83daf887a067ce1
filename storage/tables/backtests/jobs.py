"""Tables of backtests over HTTP: what was asked for, how far it is, and what each program gave."""

from __future__ import annotations

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    text,
)

from storage.tables.base import at, created_at, is_one_of, json, metadata
from triggers.contracts.api.labels import OPEN_JOBS, JobState

backtests = Table(
    "backtests",
    metadata,
    Column("id", Text, primary_key=True),
    Column("user_id", BigInteger, ForeignKey("users.id"), nullable=False),
    json("names"),
    json("over"),
    json("fleet"),
    Column("programs", LargeBinary, nullable=False),
    Column("sees_positions", Boolean, nullable=False),
    Column("state", Text, nullable=False, server_default="ready"),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("token", BigInteger, nullable=False, server_default="0"),
    at("lease_until"),
    Column("reason", Text),
    Column("remedy", Text),
    Column("program", Integer),
    json("diagnostics", default=text("'[]'")),
    created_at(),
    at("finished_at"),
    at("expires_at", nullable=False),
    Column("worker", Text),
    Column("step", Text),
    Column("done", BigInteger, nullable=False, server_default="0"),
    Column("total", BigInteger),
    Column("clip_ids", ARRAY(Text), nullable=False, server_default=text("'{}'")),
    Column("comparison", LargeBinary),
    CheckConstraint(is_one_of("state", JobState), name="state"),
    Index("uq_backtests_open", "user_id", unique=True, postgresql_where=text(is_one_of("state", OPEN_JOBS))),
    Index("ix_backtests_open", "created_at", postgresql_where=text(is_one_of("state", OPEN_JOBS))),
    Index("ix_backtests_user_id", "user_id", "created_at"),
    Index("ix_backtests_expires_at", "expires_at"),
    Index("ix_backtests_clip_ids", "clip_ids", postgresql_using="gin"),
)
"""`names` says what the programs were made of, `programs` has their texts, as compressed JSON. `program` is the one
whose text has mistakes. `clip_ids` are the clips that it ran over: it goes with the first of them that is erased.
`comparison` is what two programs do differently, as compressed JSON."""

backtest_results = Table(
    "backtest_results",
    metadata,
    Column("backtest_id", Text, ForeignKey("backtests.id", ondelete="CASCADE"), primary_key=True),
    Column("program", Integer, primary_key=True, autoincrement=False),
    Column("result", LargeBinary, nullable=False),
    Column("fires", Integer, nullable=False),
)
"""What a program gave: its report, as compressed JSON, and how many of its fires are kept."""

backtest_fires = Table(
    "backtest_fires",
    metadata,
    Column("backtest_id", Text, ForeignKey("backtests.id", ondelete="CASCADE"), primary_key=True),
    Column("program", Integer, primary_key=True, autoincrement=False),
    Column("part", Integer, primary_key=True, autoincrement=False),
    Column("fires", LargeBinary, nullable=False),
)
"""The fires of a program in their order, in parts of the same number, so that a page is read without the others."""
