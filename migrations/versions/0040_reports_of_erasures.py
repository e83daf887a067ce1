"""What is erased with a vehicle is counted, so that a report can say it."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0040"
down_revision: str | None = "0039"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Apply."""
    counts = sa.Column("counts", postgresql.JSONB(), server_default=sa.text("'{}'"), nullable=False)
    op.add_column("erased_vehicles", counts)
    op.add_column("erased_vehicles", sa.Column("clips_digest", sa.LargeBinary(), nullable=True))
    op.add_column("erased_vehicles", sa.Column("last_deletion", sa.BigInteger(), nullable=True))
    op.create_table(
        "erased_vehicle_clips",
        sa.Column("vehicle_digest", sa.LargeBinary(), nullable=False),
        sa.Column("clip_digest", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("vehicle_digest", "clip_digest", name=op.f("pk_erased_vehicle_clips")),
    )


def downgrade() -> None:
    """Revert. Reports of erasures can no longer be made."""
    op.drop_table("erased_vehicle_clips")
    for column in ("last_deletion", "clips_digest", "counts"):
        op.drop_column("erased_vehicles", column)
