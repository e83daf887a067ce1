"""Pairs of compared heads."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0002"
down_revision: str | None = "0001"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "compare_counts",
        sa.Column("vehicle_id", sa.Text(), nullable=False),
        sa.Column("campaign", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("head", sa.Text(), nullable=False),
        sa.Column("neither", sa.BigInteger(), nullable=False),
        sa.Column("only_shadow", sa.BigInteger(), nullable=False),
        sa.Column("only_active", sa.BigInteger(), nullable=False),
        sa.Column("both", sa.BigInteger(), nullable=False),
        sa.Column("unknown", sa.BigInteger(), nullable=False),
        sa.Column("reported_at_ns", sa.BigInteger(), nullable=False),
        sa.Column("fell_to", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["vehicle_id", "campaign", "version"],
            ["fire_counts.vehicle_id", "fire_counts.campaign", "fire_counts.version"],
            name=op.f("fk_compare_counts_vehicle_id_campaign_version"),
        ),
        sa.PrimaryKeyConstraint("vehicle_id", "campaign", "version", "head", name=op.f("pk_compare_counts")),
    )
    op.create_index("ix_compare_counts_campaign_version", "compare_counts", ["campaign", "version"], unique=False)


def downgrade() -> None:
    """Revert."""
    op.drop_index("ix_compare_counts_campaign_version", table_name="compare_counts")
    op.drop_table("compare_counts")
