"""A revision of the vehicles, which rises when one that may be remembered changes."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0021"
down_revision: str | None = "0020"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Apply."""
    op.add_column("assignment_revision", sa.Column("vehicles", sa.BigInteger(), server_default="0", nullable=False))


def downgrade() -> None:
    """Undo."""
    op.drop_column("assignment_revision", "vehicles")
