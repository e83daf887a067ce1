"""Label jobs that were given back wait, and then take their turn behind those that became due before them."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0009"
down_revision: str | None = "0008"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_OPEN = sa.text("state IN ('ready', 'leased')")


def upgrade() -> None:
    """Apply."""
    op.drop_index("ix_label_jobs_open", table_name="label_jobs")
    due = sa.text("coalesce(lease_until, created_at)")
    op.create_index("ix_label_jobs_open", "label_jobs", ["task", due, "id"], postgresql_where=_OPEN)


def downgrade() -> None:
    """Revert."""
    op.drop_index("ix_label_jobs_open", table_name="label_jobs")
    op.create_index("ix_label_jobs_open", "label_jobs", ["task", "id"], postgresql_where=_OPEN)
