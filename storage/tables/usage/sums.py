"""Tables of usage: increments as they are written, and their sums by hour and by UTC day."""

from __future__ import annotations

from typing import get_args

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Identity,
    Index,
    Integer,
    Numeric,
    Table,
    Text,
    UniqueConstraint,
)

from storage.tables.base import at, metadata
from triggers.contracts.api.usage.answers import UsageDimension

DIMENSIONS: tuple[UsageDimension, ...] = get_args(UsageDimension)
"""By what usage is counted. What is not known, or does not apply to what is counted, is ''."""
MEASURES = (
    "clips",
    "campaign_clips",
    "version_clips",
    "trigger_clips",
    "kept_fires",
    "clip_bytes",
    "wire_bytes",
    "fires",
    "suppressed",
    "sampled_out",
    "refused",
    "dropped",
    "failed",
    "armed_ns",
    "distance_m",
)
"""What is counted. A clip with fires of several triggers counts once in `clips`, in `campaign_clips` once for each of
its campaigns, in `version_clips` once for each version, and in `trigger_clips` once for each trigger."""
_BEYOND_64_BITS = ("suppressed", "armed_ns")
"""A million vehicles are armed for more ns in three hours than 64 bits hold; suppressed rises are bounded per vehicle
only."""


def _dimensions() -> list[Column[object]]:
    return [Column(name, Integer if name == "version" else Text, nullable=False) for name in DIMENSIONS]


def _measures() -> list[Column[object]]:
    return [
        Column(name, Numeric(40, 0) if name in _BEYOND_64_BITS else BigInteger, nullable=False, server_default="0")
        for name in MEASURES
    ]


usage_increments = Table(
    "usage_increments",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    at("hour", nullable=False),
    *_dimensions(),
    *_measures(),
)
"""Written in the transaction of what they count, and never changed: no transaction waits for another's. `fold` carries
them into the sums and deletes them."""

usage_series = Table(
    "usage_series",
    metadata,
    Column("id", Integer, Identity(always=True), primary_key=True),
    *_dimensions(),
    UniqueConstraint(*DIMENSIONS),
)
"""Each combination of dimensions that was counted, under a number by which sums refer to it."""

usage_hours = Table(
    "usage_hours",
    metadata,
    Column("series_id", Integer, ForeignKey("usage_series.id"), primary_key=True),
    Column("hour", at("hour").type, primary_key=True),
    *_measures(),
    Index("ix_usage_hours_hour", "hour"),
)
"""Sums by hour. They are deleted when they are old; those by day stay."""

usage_days = Table(
    "usage_days",
    metadata,
    Column("series_id", Integer, ForeignKey("usage_series.id"), primary_key=True),
    Column("day", at("day").type, primary_key=True),
    *_measures(),
    Index("ix_usage_days_day", "day"),
)
"""The same sums by UTC day; `day` is when it begins."""

upload_hours = Table(
    "upload_hours",
    metadata,
    Column("upload_id", Text, ForeignKey("uploads.id"), primary_key=True),
    Column("hour", at("hour").type, primary_key=True),
    Column("network", Text, primary_key=True),
    Column("received_bytes", BigInteger, nullable=False),
)
"""How many bytes of an upload came in an hour on a network, repeats and refused ones included."""
