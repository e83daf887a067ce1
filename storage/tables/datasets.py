"""Tables of datasets: their versions and members, which are added and never changed; and saved searches."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    Table,
    Text,
)

from storage.tables.base import at, created_at, is_one_of, json, metadata
from triggers.contracts.api.datasets.versions import SPLITS

datasets = Table(
    "datasets",
    metadata,
    Column("name", Text, primary_key=True),
    Column("description", Text, nullable=False),
    Column("lets_expire", Boolean, nullable=False),
    Column("created_by_id", BigInteger, ForeignKey("users.id"), nullable=False),
    created_at(),
    Column("changed_by_id", BigInteger, ForeignKey("users.id")),
    at("changed_at"),
    Column("change_reason", Text),
    CheckConstraint(
        "(changed_by_id IS NULL) = (changed_at IS NULL) AND (changed_at IS NULL) = (change_reason IS NULL)",
        name="change",
    ),
)
"""`lets_expire` says whether retention may erase clips of any version. Who made it so last, when and why stands in
`changed_by_id`, `changed_at` and `change_reason`; these are null as long as it is what the dataset was made with."""

dataset_versions = Table(
    "dataset_versions",
    metadata,
    Column("name", Text, ForeignKey("datasets.name"), primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("digest", Text, nullable=False),
    Column("clips", Integer, nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    Column("labels", Integer, nullable=False),
    json("recipe"),
    Column("created_by_id", BigInteger, ForeignKey("users.id"), nullable=False),
    created_at(),
)
"""`digest` is that of the list of members; `recipe` is what chose them."""

dataset_members = Table(
    "dataset_members",
    metadata,
    Column("name", Text, primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("clip_id", Text, primary_key=True),
    Column("digest", Text, nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    Column("split", Text),
    json("assets"),
    json("labels"),
    ForeignKeyConstraint(
        ["name", "version"],
        ["dataset_versions.name", "dataset_versions.version"],
        deferrable=True,
        initially="DEFERRED",
    ),
    CheckConstraint(f"split IS NULL OR {is_one_of('split', SPLITS)}", name="split"),
    Index("ix_dataset_members_clip_id", "clip_id"),
)
"""No key to `clips`: a member stays in the list when its clip is erased, and says nothing that the tombstone of an
erased clip does not say, too."""

saved_searches = Table(
    "saved_searches",
    metadata,
    Column("name", Text, primary_key=True),
    Column("filter", Text, nullable=False),
    Column("sortby", Text, nullable=False),
    Column("saved_by_id", BigInteger, ForeignKey("users.id"), nullable=False),
    created_at("saved_at"),
)
