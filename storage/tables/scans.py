"""Tables of scans: searches by what happened, and the clips and instants that they found."""

from __future__ import annotations

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    Table,
    Text,
    text,
)

from storage.tables.base import at, created_at, is_one_of, json, metadata
from triggers.contracts.api.labels import OPEN_JOBS, JobState

scans = Table(
    "scans",
    metadata,
    Column("id", Text, primary_key=True),
    Column("user_id", BigInteger, ForeignKey("users.id"), nullable=False),
    Column("filter", Text),
    Column("filter_lang", Text, nullable=False),
    Column("condition", Text, nullable=False),
    Column("wanted", Integer),
    Column("sees_positions", Boolean, nullable=False, server_default="true"),
    Column("state", Text, nullable=False, server_default="ready"),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("token", BigInteger, nullable=False, server_default="0"),
    at("lease_until"),
    Column("reason", Text),
    created_at(),
    at("finished_at"),
    at("expires_at", nullable=False),
    Column("worker", Text),
    Column("position", Text),
    Column("clips", BigInteger),
    Column("scanned", BigInteger, nullable=False, server_default="0"),
    Column("found", BigInteger, nullable=False, server_default="0"),
    Column("instants", BigInteger, nullable=False, server_default="0"),
    Column("read_bytes", BigInteger, nullable=False, server_default="0"),
    Column("run_s", Float, nullable=False, server_default="0"),
    json("left_out", default=text("'{}'")),
    json("warnings", default=text("'[]'")),
    Column("stopped", Text),
    CheckConstraint(is_one_of("state", JobState), name="state"),
    Index("uq_scans_open", "user_id", unique=True, postgresql_where=text(is_one_of("state", OPEN_JOBS))),
    Index("ix_scans_open", "created_at", postgresql_where=text(is_one_of("state", OPEN_JOBS))),
    Index("ix_scans_user_id", "user_id", "created_at"),
    Index("ix_scans_expires_at", "expires_at"),
)
"""`position` is where the next page of clips begins; it moves in the transaction that writes what the page before gave.
`sees_positions` says whether its user saw precise positions when it was begun.
`clips` is how many there are to scan, as far as it is known; `left_out` how many could not be evaluated, by reason."""

scan_hits = Table(
    "scan_hits",
    metadata,
    Column("scan_id", Text, ForeignKey("scans.id", ondelete="CASCADE"), primary_key=True),
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("clip_id", Text, ForeignKey("clips.id"), nullable=False),
    Column("t_ns", ARRAY(BigInteger), nullable=False),
    Column("instants", BigInteger, nullable=False),
    Index("ix_scan_hits_clip_id", "clip_id"),
)
"""`t_ns` are the first of the clip's `instants`. A hit goes with its clip."""
