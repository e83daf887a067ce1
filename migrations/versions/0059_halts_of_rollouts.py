"""Halts of rollouts: when a version was paused or its rollout held, by whom, why, and until when."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0059"
down_revision: str | None = "0058"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Apply. Of pauses before, only those that last are known, without who paused and why."""
    moment = sa.DateTime(timezone=True)
    op.add_column("campaign_versions", sa.Column("held_at", moment, nullable=True))
    op.create_table(
        "rollout_halts",
        sa.Column("campaign", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("since", moment, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("until", moment, nullable=True),
        sa.Column("halted_by_id", sa.BigInteger(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.CheckConstraint("kind IN ('paused','held')", name=op.f("ck_rollout_halts_kind")),
        sa.ForeignKeyConstraint(
            ["campaign", "version"],
            ["campaign_versions.campaign", "campaign_versions.version"],
            name=op.f("fk_rollout_halts_campaign_version"),
        ),
        sa.ForeignKeyConstraint(["halted_by_id"], ["users.id"], name=op.f("fk_rollout_halts_halted_by_id")),
        sa.PrimaryKeyConstraint("campaign", "version", "since", name=op.f("pk_rollout_halts")),
    )
    op.execute("""
        INSERT INTO rollout_halts (campaign, version, since, kind)
        SELECT campaign, version, paused_at, 'paused' FROM campaign_versions WHERE paused_at IS NOT NULL
    """)


def downgrade() -> None:
    """Revert. A rollout that is held goes on from where it was; what a pause adds is added when that ends."""
    op.execute("""
        UPDATE campaign_versions SET rollout_from = rollout_from + (coalesce(paused_at, now()) - held_at)
        WHERE held_at IS NOT NULL
    """)
    op.drop_table("rollout_halts")
    op.drop_column("campaign_versions", "held_at")
