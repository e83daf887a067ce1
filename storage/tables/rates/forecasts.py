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
    Index,
    Integer,
    Table,
    Text,
    text,
)

from storage.tables.base import at, json, metadata

forecasts = Table(
    "forecasts",
    metadata,
    Column("campaign", Text, primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("unit", Text, primary_key=True),
    Column("day", Date, primary_key=True),
    Column("trigger", Text, primary_key=True, server_default=""),
    at("made_at", nullable=False),
    at("until", nullable=False),
    Column("open_ended", Boolean, nullable=False),
    at("rollout_from"),
    Column("progress", Float(53), nullable=False),
    Column("from_backtest", Boolean, nullable=False),
    Column("spent", BigInteger, nullable=False),
    json("forecast"),
    Column("held_up", Boolean, nullable=False, server_default="false"),
    Column("is_judged", Boolean, nullable=False, server_default="false"),
    Column("counts", Boolean, nullable=False, server_default="false"),
    at("compared_until"),
    Column("actual", BigInteger),
    ForeignKeyConstraint(["campaign", "version"], ["campaign_versions.campaign", "campaign_versions.version"]),
    CheckConstraint("unit IN ('bytes','clips')", name="unit"),
    Index("ix_forecasts_open", "until", postgresql_where=text("NOT is_judged")),
    Index("ix_forecasts_counted", "unit", "made_at", postgresql_where=text("counts")),
    Index("ix_forecasts_held_up", "campaign", "version", "day", postgresql_where=text("held_up")),
)
"""The last forecast of each UTC day for a campaign version, in bytes and in clips; `trigger` is the one in it whose own
budget is forecast, '' for the campaign's. `spent` is what was settled when it
was made, `until` the end of the plan, and `held_up` whether a limit admitted no clip on that day. Once `until` is over
a forecast is judged: `actual` is what was settled until `compared_until`, which is `until` unless a limit ended it
before; both are null for good if the campaign did not run as planned. `counts` says of which forecasts the errors
widen new ones: of each version's in a stage the first that could be compared."""
