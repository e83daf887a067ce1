"""An approver may return a submitted version to its author, with a reason."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0025"
down_revision: str | None = "0024"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_TABLE = "campaign_versions"


def upgrade() -> None:
    """Apply."""
    op.add_column(_TABLE, sa.Column("rejected_by_id", sa.BigInteger(), nullable=True))
    op.add_column(_TABLE, sa.Column("rejected_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column(_TABLE, sa.Column("rejected_reason", sa.Text(), nullable=True))
    name = op.f("fk_campaign_versions_rejected_by_id_users")
    op.create_foreign_key(name, _TABLE, "users", ["rejected_by_id"], ["id"])


def downgrade() -> None:
    """Revert. Who rejected what, and why, stays in the audit log."""
    for column in ("rejected_reason", "rejected_at", "rejected_by_id"):
        op.drop_column(_TABLE, column)
