"""Recordings have tiers: the storage class of their objects, by age."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0041"
down_revision: str | None = "0040"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Apply."""
    op.add_column("clips", sa.Column("tier", sa.Text(), nullable=True))
    op.add_column("clips", sa.Column("restore_asked_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index("ix_clips_tier_stored_at", "clips", ["tier", "stored_at"])


def downgrade() -> None:
    """Revert. Objects keep the storage classes that they have."""
    op.drop_index("ix_clips_tier_stored_at", table_name="clips")
    op.drop_column("clips", "restore_asked_at")
    op.drop_column("clips", "tier")
