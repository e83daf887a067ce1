"""What costs are made of is summed by day and month, and moves between storage classes are kept."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0056"
down_revision: str | None = "0055"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Apply. When recordings were moved is not known: they count as moved now."""
    op.create_table(
        "tier_moves",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("clip_id", sa.Text(), nullable=False),
        sa.Column("from_class", sa.Text(), nullable=False),
        sa.Column("to_class", sa.Text(), nullable=False),
        sa.Column("moved_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tier_moves")),
    )
    op.execute(
        "INSERT INTO tier_moves (clip_id, from_class, to_class, moved_at)"
        " SELECT id, '', tier, greatest(now(), stored_at) FROM clips WHERE tier IS NOT NULL"
    )
    op.create_index("ix_tier_moves_clip_id", "tier_moves", ["clip_id"])
    op.create_index("ix_tier_moves_moved_at", "tier_moves", ["moved_at"])
    op.create_table(
        "cost_days",
        sa.Column("zone", sa.Text(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("campaign", sa.Text(), nullable=False),
        sa.Column("service", sa.Text(), nullable=False),
        sa.Column("item", sa.Text(), nullable=False),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("zone", "day", "campaign", "service", "item", name=op.f("pk_cost_days")),
    )
    op.create_table(
        "cost_months",
        sa.Column("zone", sa.Text(), nullable=False),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("campaign", sa.Text(), nullable=False),
        sa.Column("service", sa.Text(), nullable=False),
        sa.Column("item", sa.Text(), nullable=False),
        sa.Column("quantity", sa.Numeric(40, 0), nullable=False),
        sa.Column("unit_days", sa.Numeric(40, 0), nullable=False),
        sa.PrimaryKeyConstraint("zone", "month", "campaign", "service", "item", name=op.f("pk_cost_months")),
    )
    op.create_table(
        "cost_rollups",
        sa.Column("zone", sa.Text(), nullable=False),
        sa.Column("through", sa.Date(), nullable=False),
        sa.Column("months_until", sa.Date(), nullable=False),
        sa.PrimaryKeyConstraint("zone", name=op.f("pk_cost_rollups")),
    )
    # a clip is not gone before it came
    op.execute(
        "UPDATE erased_clips x SET erased_at = u.closed_at FROM uploads u"
        " WHERE u.clip_id = x.clip_id AND u.state = 'stored' AND u.closed_at > x.erased_at"
    )
    op.create_index(
        "ix_uploads_stored_closed_at", "uploads", ["closed_at"], postgresql_where=sa.text("state = 'stored'")
    )
    op.create_index("ix_erased_clips_erased_at", "erased_clips", ["erased_at"])
    op.create_index(
        "ix_erased_clips_used",
        "erased_clips",
        ["clip_id"],
        postgresql_where=sa.text("was_used IS DISTINCT FROM false"),
    )


def downgrade() -> None:
    """Revert. When recordings were moved is lost."""
    op.drop_index("ix_erased_clips_used", table_name="erased_clips")
    op.drop_index("ix_erased_clips_erased_at", table_name="erased_clips")
    op.drop_index("ix_uploads_stored_closed_at", table_name="uploads")
    for table in ("cost_rollups", "cost_months", "cost_days", "tier_moves"):
        op.drop_table(table)
