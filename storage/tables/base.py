"""The metadata that all tables share: named constraints, and the column types used everywhere."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Column, DateTime, MetaData, TextClause, func
from sqlalchemy.dialects.postgresql import JSONB

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


VECTOR_INDEX = "ix_clip_vectors_of_"
"""What the name of an embedding's index begins with; its number follows."""


def at(name: str, *, nullable: bool = True) -> Column[Any]:
    """A point in time for people and leases (`timestamptz`)."""
    return Column(name, DateTime(timezone=True), nullable=nullable)


def created_at(name: str = "created_at") -> Column[Any]:
    """When the row was written, by the database's clock."""
    return Column(name, DateTime(timezone=True), nullable=False, server_default=func.now())


def json(name: str, *, nullable: bool = False, default: TextClause | None = None) -> Column[Any]:
    """A JSON document (`jsonb`)."""
    return Column(name, JSONB, nullable=nullable, server_default=default)


def is_one_of(column: str, states: Iterable[str]) -> str:
    """The SQL condition that a text column has one of these values; they are not escaped, so they must be constants."""
    return f"{column} IN ('" + "','".join(states) + "')"


def is_in_schema(name: str | None, kind: str, _parents: object) -> bool:
    """Whether Alembic compares an object. What is made at run time is left out: the log's segments, which are
    partitions, and the index of each embedding."""
    made = {"table": "log_records_", "index": VECTOR_INDEX}.get(kind)
    return made is None or not (name or "").startswith(made)
