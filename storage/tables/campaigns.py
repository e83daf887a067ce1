"""Tables of campaigns, vehicles, and what vehicles report."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Computed,
    Date,
    DateTime,
    ForeignKey,
    ForeignKeyConstraint,
    Identity,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from storage.tables.base import at, created_at, is_one_of, json, metadata
from storage.tables.erasure import VehicleErasure
from triggers.contracts.campaign import RUNNING, CampaignState, HaltKind
from triggers.contracts.compared import Sides

campaign_owners = Table(
    "campaign_owners",
    metadata,
    Column("campaign", Text, primary_key=True),
    Column("owner_id", BigInteger, ForeignKey("users.id"), nullable=False),
    Column("cost_centre", Text, nullable=False, server_default=""),
)
"""One row per campaign: who answers for it, at first who applied it first, and the cost centre that pays ('': none)."""

_OWN_BUDGETS = """
    NULLIF(jsonb_path_query_array(settings, '$."triggers"[*]?(exists (@."budget"))'::jsonpath), '[]'::jsonb)
"""

campaign_versions = Table(
    "campaign_versions",
    metadata,
    Column("campaign", Text, ForeignKey("campaign_owners.campaign"), primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("state", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("signal_catalog", Text, nullable=False),
    json("settings"),
    Column("program", LargeBinary, nullable=False),
    Column("program_digest", Text, nullable=False),
    Column("approval_digest", Text, nullable=False),
    json("forecast", nullable=True),
    Column("bundle", LargeBinary),
    Column("bundle_digest", Text),
    Column("author_id", BigInteger, ForeignKey("users.id"), nullable=False),
    created_at(),
    Column("submitted_by_id", BigInteger, ForeignKey("users.id")),
    at("submitted_at"),
    Column("approved_by_id", BigInteger, ForeignKey("users.id")),
    at("approved_at"),
    Column("rejected_by_id", BigInteger, ForeignKey("users.id")),
    at("rejected_at"),
    Column("rejected_reason", Text),
    at("activated_at"),
    at("rollout_from"),
    at("paused_at"),
    at("held_at"),
    at("ended_at"),
    Column("ended_reason", Text),
    Column("budget", JSONB, Computed("settings -> 'budget'::text", persisted=True)),
    Column("priority", Integer, Computed("(settings ->> 'priority'::text)::integer", persisted=True)),
    Column("own_budgets", JSONB, Computed(_OWN_BUDGETS, persisted=True)),
    CheckConstraint(is_one_of("state", CampaignState), name="state"),
    CheckConstraint("(bundle IS NULL) = (bundle_digest IS NULL)", name="bundle_has_digest"),
    Index("uq_campaign_versions_running", "campaign", unique=True, postgresql_where=text(is_one_of("state", RUNNING))),
    Index("ix_campaign_versions_bundle_digest", "bundle_digest"),
)
"""Versions are immutable except for their state; approval binds to `approval_digest` and makes the bundle.
`rejected_...` say who returned the draft that it is, and why, until it is submitted again.
`rollout_from` is when the rollout's stages began to count: pauses and holds push it forward once they are over. While
`held_at` is set the version runs in the stage that it had then. `forecast` is what the author's backtest expects,
shown to whoever sees the version. `budget`, `priority` and `own_budgets` (the triggers with budgets of their own, null
without any) are what every reservation reads of `settings`, which may be large and stored apart."""

campaign_reports = Table(
    "campaign_reports",
    metadata,
    Column("campaign", Text, primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("document", LargeBinary, nullable=False),
    json("summary"),
    Column("attached_by_id", BigInteger, ForeignKey("users.id"), nullable=False),
    created_at("attached_at"),
    ForeignKeyConstraint(["campaign", "version"], ["campaign_versions.campaign", "campaign_versions.version"]),
)
"""The report of a backtest of a version's program, as compressed JSON, and its key figures. It is replaced until the
version is approved, and stays as long as the version."""

rollout_halts = Table(
    "rollout_halts",
    metadata,
    Column("campaign", Text, primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("since", DateTime(timezone=True), primary_key=True),
    Column("kind", Text, nullable=False),
    at("until"),
    Column("halted_by_id", BigInteger, ForeignKey("users.id")),
    Column("reason", Text),
    ForeignKeyConstraint(["campaign", "version"], ["campaign_versions.campaign", "campaign_versions.version"]),
    CheckConstraint(is_one_of("kind", HaltKind), name="kind"),
)
"""Times in which the stages of a version's rollout did not count: it was paused, or held in a stage. `until` is null
while that lasts, and stays null if the version ends meanwhile."""

signal_catalogs = Table(
    "signal_catalogs",
    metadata,
    Column("name", Text, primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("text", Text, nullable=False),
    Column("digest", Text, nullable=False),
    Column("signals", Integer, nullable=False),
    Column("state_bytes", BigInteger, nullable=False),
    Column("operations", BigInteger, nullable=False),
    Column("published_by_id", BigInteger, ForeignKey("users.id"), nullable=False),
    created_at("published_at"),
    Index("ix_signal_catalogs_digest", "digest"),
)
"""Signal catalogs that operators have published. Rows are inserted only: a trigger of the migration refuses everything
else. `digest` is the SHA-256 of the text; campaign versions keep the text that they were compiled against."""

assignment_revision = Table(
    "assignment_revision",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("revision", BigInteger, nullable=False),
    Column("vehicles", BigInteger, nullable=False, server_default="0"),
    CheckConstraint("id = 1", name="one_row"),
)
"""One row; raised in the transaction of every change to the set of running campaigns."""

trust_documents = Table(
    "trust_documents",
    metadata,
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("sealed", LargeBinary, nullable=False),
    created_at("published_at"),
    Column("published_by", Text, nullable=False),
)
"""The chain of trust documents as vehicles get them; see `triggers.contracts.trust`."""

bundle_signatures = Table(
    "bundle_signatures",
    metadata,
    Column("campaign", Text, primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("key_id", LargeBinary, primary_key=True),
    Column("signature", LargeBinary, nullable=False),
    created_at("signed_at"),
    Column("signed_by", Text, nullable=False),
    ForeignKeyConstraint(["campaign", "version"], ["campaign_versions.campaign", "campaign_versions.version"]),
)
"""Signatures of people over the unsigned bundles of campaign versions, verified when they came."""

restores = Table(
    "restores",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("backup_id", Text, nullable=False, unique=True),
    at("backup_at", nullable=False),
    created_at("restored_at"),
    Column("version_floor", Integer, nullable=False),
)
"""One row per restore of the database from a backup. New campaign versions are above `version_floor`, since versions
up to it may have been given after the backup, and be on vehicles."""

vehicles = Table(
    "vehicles",
    metadata,
    Column("id", Text, primary_key=True),
    Column("token_hash", LargeBinary, nullable=False, unique=True),
    at("token_expires_at", nullable=False),
    Column("former_token_hash", LargeBinary, unique=True),
    at("former_token_expires_at"),
    Column("public_key", LargeBinary, unique=True),
    json("attributes", default=text("'{}'")),
    json("reported_attributes", default=text("'{}'")),
    json("software", default=text("'{}'")),
    json("problems", default=text("'[]'")),
    Column("clock_offset_ns", BigInteger, nullable=False, server_default="0"),
    Column("revision", BigInteger),
    Column("replays", Boolean, nullable=False, server_default="false"),
    Column("assigned_digest", Text),
    Column("assigned_revision", BigInteger, nullable=False, server_default="-1"),
    created_at("enrolled_at"),
    at("last_check_in_at"),
    at("revoked_at"),
    at("quarantined_at"),
    Column("quarantined_by", Text),
    Column("quarantine_reason", Text),
    Column("pardoned", BigInteger, nullable=False, server_default="0"),
    Column("pardoned_day", Date),
    at("counts_voided_at"),
    Column("counts_voided_by", Text),
    Column("counts_void_reason", Text),
    Column("erasure", Text),
    CheckConstraint(is_one_of("erasure", VehicleErasure), name="erasure"),
    Index("ix_vehicles_erasure", "id", postgresql_where=text("erasure = 'requested'")),
    Index("ix_vehicles_quarantined", "id", postgresql_where=text("quarantined_at IS NOT NULL")),
)
"""`attributes` were given at enrolment and win over `reported_attributes`. `revision` is the highest that the
vehicle has accepted, as far as it can have been given. `replays` is set for simulated vehicles, whose drives take less
time than they contain. `assigned_digest` and `assigned_revision` are of the list that `assignments` has; null: it has
none. `pardoned` is how much of what was refused on `pardoned_day` was there when a quarantine was lifted. Counts are in
no sum while `counts_voided_at` is set. `erasure` is null for vehicles of the fleet; all others are shown nowhere. A
rotation makes the token the former one, which is valid until the new one is used. `public_key` is the Ed25519 key (32
bytes) that verifies the requests of a vehicle that signs them."""

enrolment_codes = Table(
    "enrolment_codes",
    metadata,
    Column("vehicle_id", Text, primary_key=True),
    Column("code_hash", LargeBinary, nullable=False),
    json("attributes"),
    created_at(),
    at("expires_at", nullable=False),
)
"""At most one code per vehicle; its row goes when it is used. Only SHA-256 hashes of codes are kept."""

fire_counts = Table(
    "fire_counts",
    metadata,
    Column("vehicle_id", Text, ForeignKey("vehicles.id"), primary_key=True),
    Column("campaign", Text, primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("watermark", BigInteger, nullable=False),
    Column("suppressed", BigInteger, nullable=False),
    Column("sampled_out", BigInteger, nullable=False),
    json("refused"),
    json("dropped"),
    json("failed"),
    Column("in_flight", BigInteger, nullable=False),
    Column("handed_over", BigInteger, nullable=False),
    json("per_trigger"),
    Column("armed_ns", BigInteger, nullable=False),
    Column("distance_m", BigInteger, nullable=False),
    Column("region", Text, server_default=""),
    Column("model", Text, server_default=""),
    json("elsewhere", default=text("'[]'")),
    Column("reported_at_ns", BigInteger, nullable=False),
    at("received_at", nullable=False),
    Column("fell_to", BigInteger),
    ForeignKeyConstraint(["campaign", "version"], ["campaign_versions.campaign", "campaign_versions.version"]),
)
"""The latest counts of each vehicle; a report with an older watermark or time changes no count. `fell_to` is the
lowest watermark that was reported later than a higher one: the vehicle lost its journal and counts from 0 again.
`region` and `model` are those under which usage counts what is reported now (null: the vehicle was erased); `elsewhere`
is what it counted under others before, see `storage.usage.reported`."""

compare_counts = Table(
    "compare_counts",
    metadata,
    Column("vehicle_id", Text, primary_key=True),
    Column("campaign", Text, primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("head", Text, primary_key=True),
    Column("neither", BigInteger, nullable=False),
    Column("only_shadow", BigInteger, nullable=False),
    Column("only_active", BigInteger, nullable=False),
    Column("both", BigInteger, nullable=False),
    Column("unknown", BigInteger, nullable=False),
    Column("reported_at_ns", BigInteger, nullable=False),
    Column("fell_to", BigInteger),
    ForeignKeyConstraint(
        ["vehicle_id", "campaign", "version"],
        ["fire_counts.vehicle_id", "fire_counts.campaign", "fire_counts.version"],
    ),
    Index("ix_compare_counts_campaign_version", "campaign", "version"),
)
"""The pairs each vehicle has counted for a compared head; a report without more pairs changes no count. `fell_to` is
the lowest number of pairs that was reported later than a higher one, as for `fire_counts`."""

event_counts = Table(
    "event_counts",
    metadata,
    Column("vehicle_id", Text, primary_key=True),
    Column("campaign", Text, primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("head", Text, primary_key=True),
    Column("sides", Text, primary_key=True),
    Column("matched", BigInteger, nullable=False),
    Column("only_first", BigInteger, nullable=False),
    Column("only_second", BigInteger, nullable=False),
    Column("unresolved_first", BigInteger, nullable=False),
    Column("unresolved_second", BigInteger, nullable=False),
    Column("reported_at_ns", BigInteger, nullable=False),
    Column("fell_to", BigInteger),
    ForeignKeyConstraint(
        ["vehicle_id", "campaign", "version"],
        ["fire_counts.vehicle_id", "fire_counts.campaign", "fire_counts.version"],
    ),
    CheckConstraint(is_one_of("sides", Sides), name="sides"),
    Index("ix_event_counts_campaign_version", "campaign", "version"),
)
"""The events each vehicle has matched for two sides of a head; the same rules as for `compare_counts`."""
