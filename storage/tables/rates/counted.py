"""Tables of counts by software and rollout, and of what was counted by each day."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Date,
    Float,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    text,
)

from storage.tables.base import at, json, metadata

count_parts = Table(
    "count_parts",
    metadata,
    Column("vehicle_id", Text, ForeignKey("vehicles.id"), primary_key=True),
    Column("campaign", Text, primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("software_digest", LargeBinary, primary_key=True),
    Column("share", Float(53), primary_key=True),
    json("software"),
    Column("armed_ns", BigInteger, nullable=False),
    Column("distance_m", BigInteger, nullable=False),
    json("fires", default=text("'{}'")),
    json("pairs", default=text("'{}'")),
    json("events", default=text("'{}'")),
    ForeignKeyConstraint(["campaign", "version"], ["campaign_versions.campaign", "campaign_versions.version"]),
    CheckConstraint("share > 0 AND share <= 1", name="share"),
    Index("ix_count_parts_campaign_version", "campaign", "version"),
)
"""The counts of `fire_counts`, `compare_counts` and `event_counts`, divided: what was new in a report belongs to the
software that the vehicle had told last, and to the share of the fleet that the rollout admitted then. `fires` is by
trigger, `pairs` by head the five counts of its table, `events` the same by head and sides (`cut_in.detected
active_shadow`). The parts of a vehicle add up to its counts."""

rate_days = Table(
    "rate_days",
    metadata,
    Column("campaign", Text, primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("trigger", Text, primary_key=True),
    Column("day", Date, primary_key=True),
    at("recorded_at", nullable=False),
    Column("fires", BigInteger, nullable=False),
    Column("armed_ns", BigInteger, nullable=False),
    Column("distance_m", BigInteger, nullable=False),
    json("sums"),
    ForeignKeyConstraint(["campaign", "version"], ["campaign_versions.campaign", "campaign_versions.version"]),
)
"""All that vehicles had counted of a trigger when it was recorded last on this UTC day; days that are over stay.
`sums` is what a rate and its interval are computed from, as in `storage.rates.sums`."""
