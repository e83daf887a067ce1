"""The report of a backtest is kept with the campaign version that it is attached to."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0064"
down_revision: str | None = "0063"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "campaign_reports",
        sa.Column("campaign", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("document", sa.LargeBinary(), nullable=False),
        sa.Column("summary", postgresql.JSONB(), nullable=False),
        sa.Column("attached_by_id", sa.BigInteger(), nullable=False),
        sa.Column("attached_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["attached_by_id"], ["users.id"], name=op.f("fk_campaign_reports_attached_by_id")),
        sa.ForeignKeyConstraint(
            ["campaign", "version"],
            ["campaign_versions.campaign", "campaign_versions.version"],
            name=op.f("fk_campaign_reports_campaign_version"),
        ),
        sa.PrimaryKeyConstraint("campaign", "version", name=op.f("pk_campaign_reports")),
    )


def downgrade() -> None:
    """Revert."""
    op.drop_table("campaign_reports")
