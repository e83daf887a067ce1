"""Clips that expire or are erased, vehicles that are erased, and the objects that are then to be deleted."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0010"
down_revision: str | None = "0009"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

# A campaign could ask for `retain` before it had an effect. Its clips get a week, in which a backup can be made.
_EXPIRE_EARLIER_CLIPS = """
    UPDATE clips SET expires_at = greatest(stored_at + kept.longest, now() + interval '7 days')
    FROM (
        SELECT f.clip_id, max((v.settings ->> 'retain_ns')::numeric / 1000 * interval '1 microsecond') AS longest
        FROM clip_fires f
        JOIN campaign_versions v USING (campaign, version)
        GROUP BY f.clip_id
        HAVING bool_and(v.settings ->> 'retain_ns' IS NOT NULL)
    ) kept
    WHERE kept.clip_id = clips.id
"""


def upgrade() -> None:
    """Apply."""
    op.add_column("clips", sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True))
    op.execute(_EXPIRE_EARLIER_CLIPS)
    op.create_index("ix_clips_expires_at", "clips", ["expires_at"], postgresql_where=sa.text("expires_at IS NOT NULL"))
    op.add_column("fires", sa.Column("without_clip", sa.Text(), nullable=True))
    op.create_check_constraint(
        op.f("ck_fires_without_clip"),
        "fires",
        "without_clip IS NULL OR without_clip IN ('expired','erased') AND outcome = 'catalogued'",
    )
    op.add_column("vehicles", sa.Column("erasure", sa.Text(), nullable=True))
    op.create_check_constraint(op.f("ck_vehicles_erasure"), "vehicles", "erasure IN ('requested','done')")
    op.create_index("ix_vehicles_erasure", "vehicles", ["id"], postgresql_where=sa.text("erasure = 'requested'"))
    _create_tables()


def _create_tables() -> None:
    op.create_table(
        "erased_clips",
        sa.Column("clip_id", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("erased_by", sa.Text(), nullable=True),
        sa.Column("erased_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("cause IN ('expired','erased','vehicle_erased')", name=op.f("ck_erased_clips_cause")),
        sa.PrimaryKeyConstraint("clip_id", name=op.f("pk_erased_clips")),
    )
    op.create_table(
        "erased_vehicles",
        sa.Column("id_digest", sa.LargeBinary(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("erased_by", sa.Text(), nullable=False),
        sa.Column("clips", sa.BigInteger(), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("requested_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id_digest", name=op.f("pk_erased_vehicles")),
    )
    op.create_table(
        "object_deletions",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("object_key", sa.Text(), nullable=False),
        sa.Column("is_prefix", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_object_deletions")),
    )
    op.create_index("ix_object_deletions_due_at", "object_deletions", ["due_at"])
    op.create_index("ix_object_deletions_object_key", "object_deletions", ["object_key"])


def downgrade() -> None:
    """Revert. Objects that were to be deleted stay in the store, and belong to no row."""
    for table in ("object_deletions", "erased_vehicles", "erased_clips"):
        op.drop_table(table)
    op.drop_index("ix_vehicles_erasure", table_name="vehicles")
    op.drop_constraint(op.f("ck_vehicles_erasure"), "vehicles", type_="check")
    op.drop_column("vehicles", "erasure")
    op.drop_constraint(op.f("ck_fires_without_clip"), "fires", type_="check")
    op.drop_column("fires", "without_clip")
    op.drop_index("ix_clips_expires_at", table_name="clips")
    op.drop_column("clips", "expires_at")
