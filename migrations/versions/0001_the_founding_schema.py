"""The initial schema."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0001"
down_revision: str | None = None
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "api_tokens",
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("user_name", sa.Text(), nullable=False),
        sa.Column("roles", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_api_tokens")),
    )
    op.create_table(
        "assignment_revision",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_assignment_revision_one_row")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_assignment_revision")),
    )
    op.create_table(
        "campaign_versions",
        sa.Column("campaign", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("signal_catalog", sa.Text(), nullable=False),
        sa.Column("settings", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("program", sa.LargeBinary(), nullable=False),
        sa.Column("program_digest", sa.Text(), nullable=False),
        sa.Column("bundle", sa.LargeBinary(), nullable=True),
        sa.Column("bundle_digest", sa.Text(), nullable=True),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("submitted_by", sa.Text(), nullable=True),
        sa.Column("submitted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("approved_by", sa.Text(), nullable=True),
        sa.Column("approved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("activated_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("rollout_from", sa.DateTime(timezone=True), nullable=True),
        sa.Column("paused_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_reason", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "state IN ('draft','submitted','approved','active','paused','completed','stopped')",
            name=op.f("ck_campaign_versions_state"),
        ),
        sa.CheckConstraint(
            "(bundle IS NULL) = (bundle_digest IS NULL)", name=op.f("ck_campaign_versions_bundle_has_digest")
        ),
        sa.PrimaryKeyConstraint("campaign", "version", name=op.f("pk_campaign_versions")),
    )
    op.create_index("ix_campaign_versions_bundle_digest", "campaign_versions", ["bundle_digest"], unique=False)
    op.create_index(
        "uq_campaign_versions_running",
        "campaign_versions",
        ["campaign"],
        unique=True,
        postgresql_where=sa.text("state IN ('active','paused')"),
    )
    op.create_table(
        "dead_letters",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("stage", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("vehicle_id", sa.Text(), nullable=True),
        sa.Column("upload_id", sa.Text(), nullable=True),
        sa.Column("clip_id", sa.Text(), nullable=True),
        sa.Column("manifest", sa.LargeBinary(), nullable=True),
        sa.Column("object_key", sa.Text(), nullable=True),
        sa.Column("fires", sa.Integer(), server_default="0", nullable=False),
        sa.Column("state", sa.Text(), server_default="open", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("stage IN ('gateway','assembler','extraction')", name=op.f("ck_dead_letters_stage")),
        sa.CheckConstraint("state IN ('open','replayed','discarded')", name=op.f("ck_dead_letters_state")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dead_letters")),
        sa.UniqueConstraint("upload_id", name=op.f("uq_dead_letters_upload_id")),
    )
    op.create_index("ix_dead_letters_vehicle_id", "dead_letters", ["vehicle_id"], unique=False)
    op.create_table(
        "ledger_accounts",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("campaign", sa.Text(), server_default="", nullable=False),
        sa.Column("vehicle_id", sa.Text(), server_default="", nullable=False),
        sa.Column("day", sa.Date(), nullable=True),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("held", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("settled", sa.BigInteger(), server_default="0", nullable=False),
        sa.CheckConstraint(
            "kind IN ('fleet','campaign_bytes','campaign_clips','campaign_vehicle_day')",
            name=op.f("ck_ledger_accounts_kind"),
        ),
        sa.CheckConstraint("unit IN ('bytes','clips')", name=op.f("ck_ledger_accounts_unit")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ledger_accounts")),
        sa.UniqueConstraint(
            "kind",
            "campaign",
            "vehicle_id",
            "day",
            name=op.f("uq_ledger_accounts_kind_campaign_vehicle_id_day"),
            postgresql_nulls_not_distinct=True,
        ),
    )
    op.create_index(
        "ix_ledger_accounts_day", "ledger_accounts", ["day"], unique=False, postgresql_where=sa.text("day IS NOT NULL")
    )
    op.create_table(
        "log_claims",
        sa.Column("consumer_group", sa.Text(), nullable=False),
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("partition", sa.Integer(), nullable=False),
        sa.Column("member", sa.Text(), nullable=True),
        sa.Column("epoch", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("committed_offset", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("consumer_group", "topic", "partition", name=op.f("pk_log_claims")),
    )
    op.create_table(
        "log_members",
        sa.Column("consumer_group", sa.Text(), nullable=False),
        sa.Column("member", sa.Text(), nullable=False),
        sa.Column("alive_until", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("consumer_group", "member", name=op.f("pk_log_members")),
    )
    op.create_table(
        "log_partitions",
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("partition", sa.Integer(), nullable=False),
        sa.Column("next_offset", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("start_offset", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("retention_s", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("topic", "partition", name=op.f("pk_log_partitions")),
    )
    op.create_table(
        "log_records",
        sa.Column("segment", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("partition", sa.Integer(), nullable=False),
        sa.Column("log_offset", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("key", sa.LargeBinary(), nullable=False),
        sa.Column("value", sa.LargeBinary(), nullable=False),
        sa.Column("appended_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("segment", "topic", "partition", "log_offset", name=op.f("pk_log_records")),
        postgresql_partition_by="LIST (segment)",
    )
    op.create_table(
        "log_segments",
        sa.Column("segment", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("segment", name=op.f("pk_log_segments")),
    )
    op.create_table(
        "outbox",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("payload", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox")),
        sa.UniqueConstraint("topic", "key", name=op.f("uq_outbox_topic_key")),
    )
    op.create_index(
        "ix_outbox_sent_at", "outbox", ["sent_at"], unique=False, postgresql_where=sa.text("sent_at IS NOT NULL")
    )
    op.create_index("ix_outbox_unsent", "outbox", ["id"], unique=False, postgresql_where=sa.text("sent_at IS NULL"))
    op.create_table(
        "vehicles",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column(
            "attributes", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'"), nullable=False
        ),
        sa.Column(
            "reported_attributes",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'{}'"),
            nullable=False,
        ),
        sa.Column("software", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("problems", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'[]'"), nullable=False),
        sa.Column("clock_offset_ns", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("enrolled_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("last_check_in_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_vehicles")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_vehicles_token_hash")),
    )
    op.create_table(
        "fire_counts",
        sa.Column("vehicle_id", sa.Text(), nullable=False),
        sa.Column("campaign", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("watermark", sa.BigInteger(), nullable=False),
        sa.Column("suppressed", sa.BigInteger(), nullable=False),
        sa.Column("sampled_out", sa.BigInteger(), nullable=False),
        sa.Column("refused", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("dropped", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("failed", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("in_flight", sa.BigInteger(), nullable=False),
        sa.Column("handed_over", sa.BigInteger(), nullable=False),
        sa.Column("per_trigger", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("armed_ns", sa.BigInteger(), nullable=False),
        sa.Column("distance_m", sa.BigInteger(), nullable=False),
        sa.Column("reported_at_ns", sa.BigInteger(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("fell_to", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["campaign", "version"],
            ["campaign_versions.campaign", "campaign_versions.version"],
            name=op.f("fk_fire_counts_campaign_version"),
        ),
        sa.ForeignKeyConstraint(["vehicle_id"], ["vehicles.id"], name=op.f("fk_fire_counts_vehicle_id")),
        sa.PrimaryKeyConstraint("vehicle_id", "campaign", "version", name=op.f("pk_fire_counts")),
    )
    op.create_table(
        "fires",
        sa.Column("campaign", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("vehicle_id", sa.Text(), nullable=False),
        sa.Column("ordinal", sa.BigInteger(), nullable=False),
        sa.Column("trigger", sa.Text(), nullable=False),
        sa.Column("program_digest", sa.Text(), nullable=False),
        sa.Column("t_ns", sa.BigInteger(), nullable=False),
        sa.Column("inclusion_probability", sa.Float(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.CheckConstraint("(reason IS NULL) = (outcome = 'catalogued')", name=op.f("ck_fires_reason")),
        sa.CheckConstraint("outcome IN ('catalogued','failed')", name=op.f("ck_fires_outcome")),
        sa.ForeignKeyConstraint(
            ["campaign", "version"],
            ["campaign_versions.campaign", "campaign_versions.version"],
            name=op.f("fk_fires_campaign_version"),
        ),
        sa.ForeignKeyConstraint(["vehicle_id"], ["vehicles.id"], name=op.f("fk_fires_vehicle_id")),
        sa.PrimaryKeyConstraint("campaign", "version", "vehicle_id", "ordinal", name=op.f("pk_fires")),
    )
    op.create_index("ix_fires_campaign_trigger", "fires", ["campaign", "trigger"], unique=False)
    op.create_table(
        "uploads",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("clip_id", sa.Text(), nullable=False),
        sa.Column("vehicle_id", sa.Text(), nullable=False),
        sa.Column("manifest", sa.LargeBinary(), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("offset_bytes", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("log_partition", sa.Integer(), nullable=False),
        sa.Column("writer_epoch", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("network", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("state IN ('open','received','stored','failed','expired')", name=op.f("ck_uploads_state")),
        sa.CheckConstraint("offset_bytes BETWEEN 0 AND size_bytes", name=op.f("ck_uploads_offset")),
        sa.ForeignKeyConstraint(["vehicle_id"], ["vehicles.id"], name=op.f("fk_uploads_vehicle_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_uploads")),
    )
    op.create_index("ix_uploads_clip_id", "uploads", ["clip_id"], unique=False)
    op.create_index(
        "ix_uploads_expires_at", "uploads", ["expires_at"], unique=False, postgresql_where=sa.text("state = 'open'")
    )
    op.create_index(
        "ix_uploads_open_vehicle_id",
        "uploads",
        ["vehicle_id"],
        unique=False,
        postgresql_where=sa.text("state = 'open'"),
    )
    op.create_index(
        "ix_uploads_received", "uploads", ["vehicle_id"], unique=False, postgresql_where=sa.text("state = 'received'")
    )
    op.create_index(
        "uq_uploads_live_clip",
        "uploads",
        ["clip_id"],
        unique=True,
        postgresql_where=sa.text("state IN ('open','received','stored')"),
    )
    op.create_table(
        "clips",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("upload_id", sa.Text(), nullable=False),
        sa.Column("vehicle_id", sa.Text(), nullable=False),
        sa.Column("recording_id", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), server_default="stored", nullable=False),
        sa.Column("start_ns", sa.BigInteger(), nullable=False),
        sa.Column("end_ns", sa.BigInteger(), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("object_key", sa.Text(), nullable=False),
        sa.Column("manifest", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("attributes", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("software", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("tags", sa.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("track", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("min_latitude", sa.Float(), nullable=True),
        sa.Column("max_latitude", sa.Float(), nullable=True),
        sa.Column("min_longitude", sa.Float(), nullable=True),
        sa.Column("max_longitude", sa.Float(), nullable=True),
        sa.Column("extractor_version", sa.Integer(), nullable=True),
        sa.Column("damage", sa.Text(), nullable=True),
        sa.Column("stored_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("ready_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("state IN ('stored','ready','damaged')", name=op.f("ck_clips_state")),
        sa.ForeignKeyConstraint(["upload_id"], ["uploads.id"], name=op.f("fk_clips_upload_id")),
        sa.ForeignKeyConstraint(["vehicle_id"], ["vehicles.id"], name=op.f("fk_clips_vehicle_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_clips")),
        sa.UniqueConstraint("object_key", name=op.f("uq_clips_object_key")),
        sa.UniqueConstraint("upload_id", name=op.f("uq_clips_upload_id")),
    )
    op.create_index("ix_clips_attributes", "clips", ["attributes"], unique=False, postgresql_using="gin")
    op.create_index("ix_clips_start_ns_id", "clips", ["start_ns", "id"], unique=False)
    op.create_index("ix_clips_vehicle_id_start_ns", "clips", ["vehicle_id", "start_ns"], unique=False)
    op.create_table(
        "ledger_entries",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("upload_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("held_delta", sa.BigInteger(), nullable=False),
        sa.Column("settled_delta", sa.BigInteger(), nullable=False),
        sa.Column("folded", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("kind IN ('reserve','settle','release')", name=op.f("ck_ledger_entries_kind")),
        sa.ForeignKeyConstraint(["account_id"], ["ledger_accounts.id"], name=op.f("fk_ledger_entries_account_id")),
        sa.ForeignKeyConstraint(["upload_id"], ["uploads.id"], name=op.f("fk_ledger_entries_upload_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ledger_entries")),
        sa.UniqueConstraint(
            "account_id", "upload_id", "kind", name=op.f("uq_ledger_entries_account_id_upload_id_kind")
        ),
    )
    op.create_index(
        "ix_ledger_entries_unfolded",
        "ledger_entries",
        ["account_id"],
        unique=False,
        postgresql_where=sa.text("NOT folded"),
    )
    op.create_index("ix_ledger_entries_upload_id", "ledger_entries", ["upload_id"], unique=False)
    op.create_index(
        "uq_ledger_entries_closing",
        "ledger_entries",
        ["account_id", "upload_id"],
        unique=True,
        postgresql_where=sa.text("kind <> 'reserve'"),
    )
    op.create_table(
        "parked_cells",
        sa.Column("upload_id", sa.Text(), nullable=False),
        sa.Column("part", sa.Integer(), nullable=False),
        sa.Column("cells", sa.ARRAY(sa.Integer()), nullable=False),
        sa.Column("object_key", sa.Text(), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["upload_id"], ["uploads.id"], name=op.f("fk_parked_cells_upload_id")),
        sa.PrimaryKeyConstraint("upload_id", "part", name=op.f("pk_parked_cells")),
    )
    op.create_table(
        "clip_assets",
        sa.Column("clip_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("object_key", sa.Text(), nullable=False),
        sa.Column("media_type", sa.Text(), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("extractor_version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["clip_id"], ["clips.id"], name=op.f("fk_clip_assets_clip_id")),
        sa.PrimaryKeyConstraint("clip_id", "name", name=op.f("pk_clip_assets")),
    )
    op.create_table(
        "clip_fires",
        sa.Column("clip_id", sa.Text(), nullable=False),
        sa.Column("campaign", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("vehicle_id", sa.Text(), nullable=False),
        sa.Column("ordinal", sa.BigInteger(), nullable=False),
        sa.Column("window_start_ns", sa.BigInteger(), nullable=False),
        sa.Column("window_end_ns", sa.BigInteger(), nullable=False),
        sa.Column("charged_bytes", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["campaign", "version", "vehicle_id", "ordinal"],
            ["fires.campaign", "fires.version", "fires.vehicle_id", "fires.ordinal"],
            name=op.f("fk_clip_fires_campaign_version_vehicle_id_ordinal"),
        ),
        sa.ForeignKeyConstraint(["clip_id"], ["clips.id"], name=op.f("fk_clip_fires_clip_id")),
        sa.PrimaryKeyConstraint("clip_id", "campaign", "version", "vehicle_id", "ordinal", name=op.f("pk_clip_fires")),
    )
    op.create_index("ix_clip_fires_fire", "clip_fires", ["campaign", "version", "vehicle_id", "ordinal"], unique=False)
    op.create_table(
        "extraction_jobs",
        sa.Column("clip_id", sa.Text(), nullable=False),
        sa.Column("extractor_version", sa.Integer(), nullable=False),
        sa.Column("state", sa.Text(), server_default="ready", nullable=False),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("token", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("worker", sa.Text(), nullable=True),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("state IN ('ready','leased','done','failed')", name=op.f("ck_extraction_jobs_state")),
        sa.ForeignKeyConstraint(["clip_id"], ["clips.id"], name=op.f("fk_extraction_jobs_clip_id")),
        sa.PrimaryKeyConstraint("clip_id", "extractor_version", name=op.f("pk_extraction_jobs")),
    )
    op.create_index(
        "ix_extraction_jobs_open",
        "extraction_jobs",
        ["created_at"],
        unique=False,
        postgresql_where=sa.text("state IN ('ready','leased')"),
    )
    op.create_table(
        "label_jobs",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("clip_id", sa.Text(), nullable=False),
        sa.Column("task", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), server_default="ready", nullable=False),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("token", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("worker", sa.Text(), nullable=True),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("state IN ('ready','leased','done','failed')", name=op.f("ck_label_jobs_state")),
        sa.ForeignKeyConstraint(["clip_id"], ["clips.id"], name=op.f("fk_label_jobs_clip_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_label_jobs")),
        sa.UniqueConstraint("clip_id", "task", name=op.f("uq_label_jobs_clip_id_task")),
    )
    op.create_index(
        "ix_label_jobs_open",
        "label_jobs",
        ["task", "id"],
        unique=False,
        postgresql_where=sa.text("state IN ('ready','leased')"),
    )
    op.create_table(
        "signal_statistics",
        sa.Column("clip_id", sa.Text(), nullable=False),
        sa.Column("signal", sa.Text(), nullable=False),
        sa.Column("samples", sa.BigInteger(), nullable=False),
        sa.Column("minimum", sa.Float(), nullable=True),
        sa.Column("maximum", sa.Float(), nullable=True),
        sa.Column("mean", sa.Float(), nullable=True),
        sa.ForeignKeyConstraint(["clip_id"], ["clips.id"], name=op.f("fk_signal_statistics_clip_id")),
        sa.PrimaryKeyConstraint("clip_id", "signal", name=op.f("pk_signal_statistics")),
    )
    op.create_table(
        "labels",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("job_id", sa.BigInteger(), nullable=False),
        sa.Column("clip_id", sa.Text(), nullable=False),
        sa.Column("labeler", sa.Text(), nullable=False),
        sa.Column("types", sa.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("openlabel", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("provenance", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["clip_id"], ["clips.id"], name=op.f("fk_labels_clip_id")),
        sa.ForeignKeyConstraint(["job_id"], ["label_jobs.id"], name=op.f("fk_labels_job_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_labels")),
        sa.UniqueConstraint("job_id", name=op.f("uq_labels_job_id")),
    )
    op.create_index("ix_labels_clip_id", "labels", ["clip_id"], unique=False)
    op.create_index("ix_labels_types", "labels", ["types"], unique=False, postgresql_using="gin")
    op.execute("INSERT INTO assignment_revision (id, revision) VALUES (1, 0)")
    # Cells are compressed video: compressing them again in the row store costs time and gains nothing.
    op.execute("ALTER TABLE log_records ALTER COLUMN value SET STORAGE EXTERNAL")


def downgrade() -> None:
    """Revert."""
    op.drop_index("ix_labels_types", table_name="labels", postgresql_using="gin")
    op.drop_index("ix_labels_clip_id", table_name="labels")
    op.drop_table("labels")
    op.drop_table("signal_statistics")
    op.drop_index(
        "ix_label_jobs_open", table_name="label_jobs", postgresql_where=sa.text("state IN ('ready','leased')")
    )
    op.drop_table("label_jobs")
    op.drop_index(
        "ix_extraction_jobs_open", table_name="extraction_jobs", postgresql_where=sa.text("state IN ('ready','leased')")
    )
    op.drop_table("extraction_jobs")
    op.drop_index("ix_clip_fires_fire", table_name="clip_fires")
    op.drop_table("clip_fires")
    op.drop_table("clip_assets")
    op.drop_table("parked_cells")
    op.drop_index(
        "uq_ledger_entries_closing", table_name="ledger_entries", postgresql_where=sa.text("kind <> 'reserve'")
    )
    op.drop_index("ix_ledger_entries_upload_id", table_name="ledger_entries")
    op.drop_index("ix_ledger_entries_unfolded", table_name="ledger_entries", postgresql_where=sa.text("NOT folded"))
    op.drop_table("ledger_entries")
    op.drop_index("ix_clips_vehicle_id_start_ns", table_name="clips")
    op.drop_index("ix_clips_start_ns_id", table_name="clips")
    op.drop_index("ix_clips_attributes", table_name="clips", postgresql_using="gin")
    op.drop_table("clips")
    op.drop_index(
        "uq_uploads_live_clip", table_name="uploads", postgresql_where=sa.text("state IN ('open','received','stored')")
    )
    op.drop_index("ix_uploads_received", table_name="uploads", postgresql_where=sa.text("state = 'received'"))
    op.drop_index("ix_uploads_open_vehicle_id", table_name="uploads", postgresql_where=sa.text("state = 'open'"))
    op.drop_index("ix_uploads_expires_at", table_name="uploads", postgresql_where=sa.text("state = 'open'"))
    op.drop_index("ix_uploads_clip_id", table_name="uploads")
    op.drop_table("uploads")
    op.drop_index("ix_fires_campaign_trigger", table_name="fires")
    op.drop_table("fires")
    op.drop_table("fire_counts")
    op.drop_table("vehicles")
    op.drop_index("ix_outbox_unsent", table_name="outbox", postgresql_where=sa.text("sent_at IS NULL"))
    op.drop_index("ix_outbox_sent_at", table_name="outbox", postgresql_where=sa.text("sent_at IS NOT NULL"))
    op.drop_table("outbox")
    op.drop_table("log_segments")
    op.drop_table("log_records")
    op.drop_table("log_partitions")
    op.drop_table("log_members")
    op.drop_table("log_claims")
    op.drop_index("ix_ledger_accounts_day", table_name="ledger_accounts", postgresql_where=sa.text("day IS NOT NULL"))
    op.drop_table("ledger_accounts")
    op.drop_index("ix_dead_letters_vehicle_id", table_name="dead_letters")
    op.drop_table("dead_letters")
    op.drop_index(
        "uq_campaign_versions_running",
        table_name="campaign_versions",
        postgresql_where=sa.text("state IN ('active','paused')"),
    )
    op.drop_index("ix_campaign_versions_bundle_digest", table_name="campaign_versions")
    op.drop_table("campaign_versions")
    op.drop_table("assignment_revision")
    op.drop_table("api_tokens")
