"""Forecasts of the author's backtest beside a campaign version, for its approvers."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0017"
down_revision: str | None = "0016"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Apply."""
    op.add_column("campaign_versions", sa.Column("forecast", postgresql.JSONB(), nullable=True))


def downgrade() -> None:
    """Revert."""
    op.drop_column("campaign_versions", "forecast")
