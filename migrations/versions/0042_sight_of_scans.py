"""A scan keeps whether its user saw precise positions when it was begun, for whoever goes on with it."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0042"
down_revision: str | None = "0041"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Apply."""
    column = sa.Column("sees_positions", sa.Boolean(), server_default="true", nullable=False)
    op.add_column("scans", column)


def downgrade() -> None:
    """Revert. Scans that are not over see precise positions, as their users did before."""
    op.drop_column("scans", "sees_positions")
