"""Forecasts of budgets: the last of each day, and what became of it."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0046"
down_revision: str | None = "0045"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_VERSION = ["campaign", "version"]


def upgrade() -> None:
    """Apply."""
    moment = sa.DateTime(timezone=True)
    op.create_table(
        "forecasts",
        sa.Column("campaign", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("made_at", moment, nullable=False),
        sa.Column("until", moment, nullable=False),
        sa.Column("open_ended", sa.Boolean(), nullable=False),
        sa.Column("rollout_from", moment, nullable=True),
        sa.Column("progress", sa.Float(53), nullable=False),
        sa.Column("from_backtest", sa.Boolean(), nullable=False),
        sa.Column("spent", sa.BigInteger(), nullable=False),
        sa.Column("forecast", postgresql.JSONB(), nullable=False),
        sa.Column("actual", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("unit IN ('bytes','clips')", name=op.f("ck_forecasts_unit")),
        sa.ForeignKeyConstraint(
            _VERSION,
            ["campaign_versions.campaign", "campaign_versions.version"],
            name=op.f("fk_forecasts_campaign_version"),
        ),
        sa.PrimaryKeyConstraint(*_VERSION, "unit", "day", name=op.f("pk_forecasts")),
    )


def downgrade() -> None:
    """Revert."""
    op.drop_table("forecasts")
