"""Tables of what costs are made of: moves between storage classes, and sums by day in the account's time zone."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Date, Identity, Index, Numeric, Table, Text

from storage.tables.base import at, metadata

tier_moves = Table(
    "tier_moves",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("clip_id", Text, nullable=False),
    Column("from_class", Text, nullable=False),
    Column("to_class", Text, nullable=False),
    at("moved_at", nullable=False),
    Index("ix_tier_moves_clip_id", "clip_id"),
    Index("ix_tier_moves_moved_at", "moved_at"),
)
"""Recordings that were moved to another storage class ('': the one that they were stored in). Rows outlive their clips:
what was paid for where is known for ever."""

cost_days = Table(
    "cost_days",
    metadata,
    Column("zone", Text, primary_key=True),
    Column("day", Date, primary_key=True),
    Column("campaign", Text, primary_key=True),
    Column("service", Text, primary_key=True),
    Column("item", Text, primary_key=True),
    Column("quantity", BigInteger, nullable=False),
)
"""What was caused on each day of a time zone (`storage.costs.facts`): bytes that came, by network; requests, by kind;
bytes that came into a storage class, or left it (negative); clips, and their bytes."""

cost_months = Table(
    "cost_months",
    metadata,
    Column("zone", Text, primary_key=True),
    Column("month", Date, primary_key=True),
    Column("campaign", Text, primary_key=True),
    Column("service", Text, primary_key=True),
    Column("item", Text, primary_key=True),
    Column("quantity", Numeric(40, 0), nullable=False),
    Column("unit_days", Numeric(40, 0), nullable=False),
)
"""The same by month, for months that are over. `unit_days` has each quantity times the days from its own to the month's
end."""

cost_rollups = Table(
    "cost_rollups",
    metadata,
    Column("zone", Text, primary_key=True),
    Column("through", Date, nullable=False),
    Column("months_until", Date, nullable=False),
)
"""Through which day the sums by day of a time zone have everything, and the first month that has no sums by month."""
