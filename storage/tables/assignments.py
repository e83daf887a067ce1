"""Tables of what the cloud knows about each vehicle's part: what it was assigned, and what was refused of it."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Date, ForeignKey, ForeignKeyConstraint, Index, Integer, Table, Text, text

from storage.tables.base import at, metadata

ASSIGNMENT_IS_OPEN = text("assigned_until IS NULL")

assignments = Table(
    "assignments",
    metadata,
    Column("vehicle_id", Text, ForeignKey("vehicles.id"), primary_key=True),
    Column("campaign", Text, primary_key=True),
    Column("version", Integer, primary_key=True),
    at("assigned_from", nullable=False),
    at("assigned_until"),
    ForeignKeyConstraint(["campaign", "version"], ["campaign_versions.campaign", "campaign_versions.version"]),
    Index("ix_assignments_open", "vehicle_id", postgresql_where=ASSIGNMENT_IS_OPEN),
    Index("ix_assignments_campaign", "campaign"),
)
"""Which campaign versions a vehicle was given, by the database's clock: from the first check-in whose list named one
until the first that did not (null: its latest list has it). A version that is given again is open again, under the
time at which it was first given."""

vehicle_refusals = Table(
    "vehicle_refusals",
    metadata,
    Column("vehicle_id", Text, ForeignKey("vehicles.id"), primary_key=True),
    Column("day", Date, primary_key=True),
    Column("reason", Text, primary_key=True),
    Column("refusals", BigInteger, nullable=False),
    Index("ix_vehicle_refusals_day", "day"),
)
"""How often something that a vehicle sent was refused or left out, by UTC day and reason."""
