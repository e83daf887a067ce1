"""Tables of a deployment as a whole, of one row each: what it is known by, and which alerts there are."""

from __future__ import annotations

from sqlalchemy import Boolean, CheckConstraint, Column, Table, Text, text

from storage.tables.base import at, json, metadata

deployment = Table(
    "deployment",
    metadata,
    Column("single", Boolean, primary_key=True, server_default=text("true")),
    Column("id", Text, nullable=False),
    CheckConstraint("single", name="single"),
)
"""`id` is random and no secret: every process tells it to whoever asks whether it is ready. A backup does not have it,
so a restored deployment is told from the one that it is a copy of."""

alert_evaluation = Table(
    "alert_evaluation",
    metadata,
    Column("single", Boolean, primary_key=True, server_default=text("true")),
    at("begun_at", nullable=False),
    at("evaluated_at"),
    json("held"),
    json("samples"),
    json("alerts"),
    json("missing"),
    CheckConstraint("single", name="single"),
)
"""One row. `begun_at` is when a process last began to evaluate, so that others do not. `held` says since when
conditions hold, `samples` what series were within a day; `alerts` are those of `evaluated_at`, and `missing` the
sources of metrics that could not be read then."""
