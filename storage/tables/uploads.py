"""Tables of uploads, parked cells, the budget ledger, price books, closed months of costs and dead letters."""

from __future__ import annotations

from enum import StrEnum
from typing import get_args

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    Numeric,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from storage.tables.base import at, created_at, is_one_of, json, metadata
from triggers.contracts.api.budget import AccountKind, LimitKind


class UploadState(StrEnum):
    """States of an upload: open → received → stored; failed from the first two, expired from open."""

    OPEN = "open"
    """Bytes are coming."""
    RECEIVED = "received"
    """All bytes are in the log."""
    STORED = "stored"
    """The clip is in the catalog."""
    FAILED = "failed"
    """The clip can never be in the catalog."""
    EXPIRED = "expired"
    """Closed before it was whole; `reason` says whether it timed out or the vehicle terminated it."""


ASSEMBLING = (UploadState.OPEN, UploadState.RECEIVED)
"""States of an upload whose cells are still to be assembled."""
LIVE = (*ASSEMBLING, UploadState.STORED)
"""A clip has at most one upload in these states; without one it can be uploaded again, unless it has failed."""
UPLOAD_IS_LIVE = text(is_one_of("state", LIVE))
UPLOAD_IS_OPEN = text("state = 'open'")
"""Conditions of partial indexes. Queries must use them verbatim: a prepared statement whose states are parameters
cannot be matched with such an index."""

uploads = Table(
    "uploads",
    metadata,
    Column("id", Text, primary_key=True),
    Column("clip_id", Text, nullable=False),
    Column("vehicle_id", Text, ForeignKey("vehicles.id"), nullable=False),
    Column("manifest", LargeBinary, nullable=False),
    Column("cell_digests", LargeBinary),
    Column("metadata", Text),
    Column("size_bytes", BigInteger, nullable=False),
    Column("state", Text, nullable=False),
    Column("offset_bytes", BigInteger, nullable=False, server_default="0"),
    Column("log_partition", Integer, nullable=False),
    Column("writer_epoch", BigInteger, nullable=False, server_default="0"),
    Column("mismatches", Integer, nullable=False, server_default="0"),
    Column("network", Text, nullable=False),
    json("shares", default=text("'[]'")),
    Column("region", Text, server_default=""),
    Column("model", Text, server_default=""),
    Column("reason", Text),
    created_at(),
    at("expires_at", nullable=False),
    at("closed_at"),
    CheckConstraint(is_one_of("state", UploadState), name="state"),
    CheckConstraint("offset_bytes BETWEEN 0 AND size_bytes", name="offset"),
    Index(
        "uq_uploads_live_clip",
        "clip_id",
        unique=True,
        postgresql_where=UPLOAD_IS_LIVE,
    ),
    Index("ix_uploads_clip_id", "clip_id"),
    Index("ix_uploads_received", "vehicle_id", postgresql_where=text("state = 'received'")),
    Index("ix_uploads_expires_at", "expires_at", postgresql_where=UPLOAD_IS_OPEN),
    Index("ix_uploads_stored_closed_at", "closed_at", postgresql_where=text("state = 'stored'")),
    Index("ix_uploads_open_vehicle_id", "vehicle_id", postgresql_where=UPLOAD_IS_OPEN),
)
"""One row per attempt to upload a clip. `manifest` holds the canonical JSON of the ClipManifest, `cell_digests` the
SHA-256 of its cells (32 bytes each; NULL: the upload was closed before they were kept here), `metadata` the
Upload-Metadata header of its creation. `mismatches` counts cells that came with other bytes since the last good one.
`shares` says for each trigger how many fires and bytes of the clip are its own (`storage.usage.shares`); `region` and
`model` are the vehicle's when the upload was created (null: it was erased). What came over the wire is in
`ledger_receipts` by network and month, and in `upload_hours` by network and hour."""

upload_pieces = Table(
    "upload_pieces",
    metadata,
    Column("upload_id", Text, ForeignKey("uploads.id"), primary_key=True),
    Column("start_bytes", BigInteger, primary_key=True),
    Column("payload", LargeBinary, nullable=False),
)
"""Pieces of an open upload's incomplete cell, by their place in the clip: acknowledged, but not yet in the log."""

vehicle_days = Table(
    "vehicle_days",
    metadata,
    Column("vehicle_id", Text, ForeignKey("vehicles.id"), primary_key=True),
    Column("day", Date, primary_key=True),
    Column("uploads", Integer, nullable=False),
    Column("received_bytes", BigInteger, nullable=False),
)
"""What a vehicle created and sent on a UTC day, whatever became of it: `received_bytes` are those of manifests, and all
that came over the wire of clips, repeats and refused bytes included."""

parked_cells = Table(
    "parked_cells",
    metadata,
    Column("upload_id", Text, ForeignKey("uploads.id"), primary_key=True),
    Column("part", Integer, primary_key=True),
    Column("cells", ARRAY(Integer), nullable=False),
    Column("object_key", Text, nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    created_at(),
)
"""Cells of an open clip that the assembler moved to a staging object, where their bytes have the order of `cells`."""

ledger_accounts = Table(
    "ledger_accounts",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("kind", Text, nullable=False),
    Column("campaign", Text, nullable=False, server_default=""),
    Column("vehicle_id", Text, nullable=False, server_default=""),
    Column("cost_centre", Text, nullable=False, server_default=""),
    Column("network", Text, nullable=False, server_default=""),
    Column("day", Date),
    Column("month", Date),
    Column("trigger", Text, nullable=False, server_default=""),
    Column("unit", Text, nullable=False),
    Column("held", BigInteger, nullable=False, server_default="0"),
    Column("settled", BigInteger, nullable=False, server_default="0"),
    UniqueConstraint(
        "kind",
        "campaign",
        "vehicle_id",
        "cost_centre",
        "network",
        "day",
        "month",
        "trigger",
        name="uq_ledger_accounts_key",
        postgresql_nulls_not_distinct=True,
    ),
    CheckConstraint(is_one_of("kind", get_args(AccountKind)), name="kind"),
    CheckConstraint("unit IN ('bytes','clips')", name="unit"),
    Index("ix_ledger_accounts_day", "day", postgresql_where=text("day IS NOT NULL")),
)
"""`held` is what is reserved or settled, the number a limit is checked against; `settled` the part that arrived.
Limits have no columns: they are read where they are set, in the running campaign version, in the settings, and in
`budget_limits`. `month` is the first day of a month, in the zone that the account states. `trigger` is the one
whose own budget in the campaign the account is of."""

budget_limits = Table(
    "budget_limits",
    metadata,
    Column("kind", Text, primary_key=True),
    Column("name", Text, primary_key=True, server_default=""),
    Column("amount", BigInteger),
    Column("zone", Text),
    CheckConstraint("amount >= 0", name="amount"),
    CheckConstraint(is_one_of("kind", get_args(LimitKind)), name="kind"),
)
"""Limits that people set, by kind of account and the name of its campaign, trigger (`budget_owner`) or cost centre
('': the fleet). They apply beside what the settings or the running version say: the lower one counts. `zone` is where
a cost centre's months begin (NULL: as those of the fleet)."""

ledger_entries = Table(
    "ledger_entries",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("account_id", BigInteger, nullable=False),
    Column("upload_id", Text, ForeignKey("uploads.id"), nullable=False),
    Column("kind", Text, nullable=False),
    Column("amount", BigInteger, nullable=False),
    Column("held_delta", BigInteger, nullable=False),
    Column("settled_delta", BigInteger, nullable=False),
    Column("folded", Boolean, nullable=False, server_default="false"),
    Column("network", Text, nullable=False),
    Column("region", Text, nullable=False),
    created_at(),
    CheckConstraint("kind IN ('reserve','settle','release','void')", name="kind"),
    # One reservation, which is closed once: settled or released.
    Index(
        "uq_ledger_entries_step",
        "upload_id",
        "account_id",
        text("replace(kind, 'release', 'settle')"),
        unique=True,
    ),
    Index("ix_ledger_entries_account_id", "account_id"),
    Index(
        "ix_ledger_entries_account_id_created_at",
        "account_id",
        "created_at",
        postgresql_where=text("kind <> 'reserve'"),
    ),
    Index("ix_ledger_entries_unfolded", "account_id", "kind", postgresql_where=text("NOT folded")),
)
"""Append-only. A reservation changes accounts with a limit at once; all else is folded into the accounts in batches.
An upload's reservation is closed once: settled or released, never both. A clip that turns out to be damaged was
settled, and its `void` takes it out of the limits on clips again. `network` is the one that the upload had when the
entry was made, `region` that of its vehicle when the bytes were reserved ('': it has none)."""

ledger_days = Table(
    "ledger_days",
    metadata,
    Column("account_id", BigInteger, ForeignKey("ledger_accounts.id"), primary_key=True),
    Column("day", Date, primary_key=True),
    Column("settled", BigInteger, nullable=False),
    Column("squares", Numeric, nullable=False),
)
"""What the totals of campaigns and of triggers' own budgets settled on each UTC day, as far as entries are folded:
whatever folds them adds them here. `squares` is the sum of the squares of what was settled, without what was taken
back."""

price_books = Table(
    "price_books",
    metadata,
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("text", Text, nullable=False),
    Column("digest", Text, nullable=False),
    Column("currency", Text, nullable=False),
    Column("start", Date, nullable=False),
    Column("published_by_id", BigInteger, ForeignKey("users.id"), nullable=False),
    created_at("published_at"),
    CheckConstraint("version > 0", name="version"),
)
"""Price books that operators have published. Rows are inserted only: a trigger of the migration refuses everything
else. `digest` is the SHA-256 of the text, `start` the first day that has prices."""

closed_months = Table(
    "closed_months",
    metadata,
    Column("month", Date, primary_key=True),
    Column("price_book", Integer, ForeignKey("price_books.version"), nullable=False),
    Column("currency", Text, nullable=False),
    Column("zone", Text, nullable=False),
    Column("amount", Numeric, nullable=False),
    Column("entries", Integer, nullable=False),
    json("account"),
    Column("closed_by_id", BigInteger, ForeignKey("users.id"), nullable=False),
    created_at("closed_at"),
    CheckConstraint("extract(day FROM month) = 1", name="month"),
)
"""Months of costs that are closed, each by its first day. Rows are inserted only, as those of `cost_entries`, and these
in the transaction that closes their month: triggers of the migration refuse everything else."""

cost_entries = Table(
    "cost_entries",
    metadata,
    Column("month", Date, ForeignKey("closed_months.month"), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("campaign", Text, nullable=False),
    Column("service", Text, nullable=False),
    Column("item", Text, nullable=False),
    Column("start", Date, nullable=False),
    Column("until", Date, nullable=False),
    Column("unit_price", Numeric, nullable=False),
    Column("quantity", Numeric, nullable=False),
    json("tags"),
    CheckConstraint("start < until AND start < month + interval '1 month'", name="days"),
    CheckConstraint("quantity = trunc(quantity) AND quantity <> 0", name="quantity"),
)
"""The entries of closed months, by their number in the month. One that arose in an earlier month is a correction."""

ledger_receipts = Table(
    "ledger_receipts",
    metadata,
    Column("upload_id", Text, ForeignKey("uploads.id"), primary_key=True),
    Column("account_id", BigInteger, ForeignKey("ledger_accounts.id"), primary_key=True),
    Column("received_bytes", BigInteger, nullable=False),
    Column("folded_bytes", BigInteger, nullable=False, server_default="0"),
    CheckConstraint("folded_bytes BETWEEN 0 AND received_bytes", name="folded"),
    Index("ix_ledger_receipts_account_id", "account_id"),
    Index("ix_ledger_receipts_unfolded", "account_id", postgresql_where=text("folded_bytes <> received_bytes")),
)
"""What came over the wire for an upload, repeats included, by the account of its network and month. Of `received_bytes`
the account has `folded_bytes` already."""

dead_letters = Table(
    "dead_letters",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("stage", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("detail", Text, nullable=False),
    Column("vehicle_id", Text),
    Column("upload_id", Text, unique=True),
    Column("clip_id", Text),
    Column("manifest", LargeBinary),
    Column("object_key", Text),
    Column("fires", Integer, nullable=False, server_default="0"),
    Column("state", Text, nullable=False, server_default="open"),
    created_at(),
    CheckConstraint("stage IN ('gateway','assembler','extraction')", name="stage"),
    CheckConstraint("state IN ('open','replayed','discarded')", name="state"),
    Index("ix_dead_letters_vehicle_id", "vehicle_id"),
)
"""What could not be processed, with the reason, so that it can be listed, replayed, discarded and erased."""
