"""The table of forecasts: what was expected of a budget on each day, and what became of it."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    Float,
    ForeignKeyConstraint,
    Integer,
    Table,
    Text,
)

from storage.tables.base import at, json, metadata

forecasts = Table(
    "forecasts",
    metadata,
    Column("campaign", Text, primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("unit", Text, primary_key=True),
    Column("day", Date, primary_key=True),
    at("made_at", nullable=False),
    at("until", nullable=False),
    Column("open_ended", Boolean, nullable=False),
    at("rollout_from"),
    Column("progress", Float(53), nullable=False),
    Column("from_backtest", Boolean, nullable=False),
    Column("spent", BigInteger, nullable=False),
    json("forecast"),
    Column("actual", BigInteger),
    ForeignKeyConstraint(["campaign", "version"], ["campaign_versions.campaign", "campaign_versions.version"]),
    CheckConstraint("unit IN ('bytes','clips')", name="unit"),
)
"""The last forecast of each UTC day for a campaign version, in bytes and in clips. `spent` is what was settled when it
was made, `until` the end of the plan, `actual` what was settled between the two: null until then, and for good if the
campaign did not run as planned (ended before, or was paused)."""
