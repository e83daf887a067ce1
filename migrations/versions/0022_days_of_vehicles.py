"""What each vehicle creates and sends on a day, whatever campaigns it names."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0022"
down_revision: str | None = "0021"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "vehicle_days",
        sa.Column("vehicle_id", sa.Text(), sa.ForeignKey("vehicles.id"), primary_key=True),
        sa.Column("day", sa.Date(), primary_key=True),
        sa.Column("uploads", sa.Integer(), nullable=False),
        sa.Column("received_bytes", sa.BigInteger(), nullable=False),
    )


def downgrade() -> None:
    """Revert."""
    op.drop_table("vehicle_days")
