"""What came over the wire for an upload is kept by network and month, and by network and hour, but not a third time."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0055"
down_revision: str | None = "0054"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Apply."""
    op.drop_column("uploads", "received_bytes")


def downgrade() -> None:
    """Revert. The sum is that of what networks were charged."""
    op.add_column("uploads", sa.Column("received_bytes", sa.BigInteger(), server_default="0", nullable=False))
    op.execute(
        "UPDATE uploads u SET received_bytes = r.received_bytes FROM (SELECT upload_id, sum(received_bytes) AS"
        " received_bytes FROM ledger_receipts GROUP BY upload_id) r WHERE r.upload_id = u.id"
    )
