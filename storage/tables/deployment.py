"""The table of what a deployment is known by: one row, made with the schema."""

from __future__ import annotations

from sqlalchemy import Boolean, CheckConstraint, Column, Table, Text, text

from storage.tables.base import metadata

deployment = Table(
    "deployment",
    metadata,
    Column("single", Boolean, primary_key=True, server_default=text("true")),
    Column("id", Text, nullable=False),
    CheckConstraint("single", name="single"),
)
"""`id` is random and no secret: every process tells it to whoever asks whether it is ready. A backup does not have it,
so a restored deployment is told from the one that it is a copy of."""
