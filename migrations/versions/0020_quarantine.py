"""Quarantine of vehicles that send junk, and counts of vehicles that are left out of sums."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0020"
down_revision: str | None = "0019"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_TEXTS = ("quarantined_by", "quarantine_reason", "counts_voided_by", "counts_void_reason")


def upgrade() -> None:
    """Apply."""
    for name in ("quarantined_at", "counts_voided_at"):
        op.add_column("vehicles", sa.Column(name, sa.DateTime(timezone=True), nullable=True))
    for name in _TEXTS:
        op.add_column("vehicles", sa.Column(name, sa.Text(), nullable=True))
    op.add_column("vehicles", sa.Column("pardoned", sa.BigInteger(), server_default="0", nullable=False))
    op.add_column("vehicles", sa.Column("pardoned_day", sa.Date(), nullable=True))
    in_quarantine = sa.text("quarantined_at IS NOT NULL")
    op.create_index("ix_vehicles_quarantined", "vehicles", ["id"], postgresql_where=in_quarantine)


def downgrade() -> None:
    """Undo. Vehicles in quarantine are free, and all counts are in the sums."""
    op.drop_index("ix_vehicles_quarantined", table_name="vehicles")
    for name in ("pardoned_day", "pardoned", *_TEXTS, "quarantined_at", "counts_voided_at"):
        op.drop_column("vehicles", name)
